"""Train ``filters/spam.model``: the same data and package versions give the same bytes.

    python benchmarks/train_spam.py [--shared ../shared] [--out filters/spam.model]

The report, held out by sender, thread, template, host or article, is printed and written beside the model as JSON.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]
import spam_clean
import spam_mail
import spam_made

from filters.spam_training import fit
from pile.training import Example, table


def examples(shared):
    """Yield what the shipped model is trained on."""
    data = shared / "data/spam"
    samples = [
        *spam_mail.mails(data / "spamassassin.jsonl.gz"),
        *spam_mail.messages(data / "sms-spam-collection.tsv"),
        *spam_made.made(),
        *spam_clean.clean(shared),
    ]
    for sample in samples:
        yield Example(sample.text, bool(sample.spam), sample.group, sample.source)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--out", type=Path, default=ROOT / "filters/spam.model")
    options = parser.parse_args()
    report = fit(examples(options.shared), options.out)
    print(table(report))
    print(report.settings["weights"])
    if options.out.parent != ROOT / "filters":
        options.out.with_suffix(".json").write_bytes(msgspec.json.format(msgspec.json.encode(report)))


if __name__ == "__main__":
    main()
