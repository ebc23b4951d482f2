"""Train ``filters/spam.model``: the same data and package versions give the same bytes.

    python benchmarks/train_spam.py [--shared ../shared] [--out filters/spam.model]

The report, held out by sender, thread, template, host or article, is printed, and written as JSON beside a model that is not the
shipped one.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import spam_clean
import spam_made
import spam_mail

from filters.spam_training import fit
from pile.training import Example, table

ROOT = Path(__file__).resolve().parents[1]
#: As how many texts a clean one counts to the weights of grams: there are far more of them than of mail that is no spam, which
#: is harder to tell from spam and ranks worse where all count the same.
COUNTS = 0.2


def examples(shared):
    """Yield what the shipped model is trained on."""
    data = shared / "data/spam"
    judged = (
        *spam_mail.mails(data / "spamassassin.jsonl.gz"),
        *spam_mail.messages(data / "sms-spam-collection.tsv"),
        *spam_made.made(),
    )
    for sample in judged:
        yield Example(sample.text, bool(sample.spam), sample.group, sample.source)
    for sample in filter(spam_clean.trained_on, spam_clean.clean(shared)):
        yield Example(sample.text, False, sample.group, sample.source, COUNTS)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--out", type=Path, default=ROOT / "filters/spam.model")
    options = parser.parse_args()
    report = fit(examples(options.shared), options.out)
    print(table(report))
    print(report.settings["weights"])
    if options.out.parent != ROOT / "filters":  # there it would travel in the wheel
        options.out.with_name(f"{options.out.name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(report)))


if __name__ == "__main__":
    main()
