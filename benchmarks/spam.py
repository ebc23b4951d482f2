"""What the spam filter gets right and wrong, and how fast it is.

    python benchmarks/spam.py [--shared ../shared] [--no-training]

Mail and SMS are held out by sender, thread and template (cross-validation, which trains for minutes), and so are the hosts,
articles and books that were trained on; those that never were are judged by the shipped model. Every clean text that is
flagged is printed with its strongest signals. Speed is CPU time on one core, beside fastText's predict() alone on the same lines.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import spam_clean
from train_spam import examples

from filters import spam_model
from filters.spam import THRESHOLD, Spam, score
from filters.spam_text import read
from filters.spam_training import held_out, taken
from pile.document import Document
from pile.training import average_precision, calibration, recall_at

ROOT = Path(__file__).resolve().parents[1]
#: Characters of a flagged text that are shown.
EXCERPT = 200
#: Sizes in characters of the texts that speed is taken on.
SPEED_SIZES = (2_000, 5_000)


def kind_of(source):
    if source == "sms" or source.startswith("made"):
        return source
    return "mail" if source.startswith(("easy-ham", "hard-ham", "spam-")) else "clean"


def held(shared):
    """Print the figures on texts held out by group."""
    given = list(examples(shared))
    texts = taken(given)
    rows, odds = held_out(texts)
    probabilities = np.array([spam_model.chance_of(value) for value in odds])
    kinds = np.array([kind_of(source) for source in texts.sources])
    names = {name: place for place, name in enumerate(spam_model.INPUTS)}
    print(
        "held out            texts    spam  PR-AUC  recall at 1 %  at the threshold: recall, false positives  fastText alone"
    )
    for name, inside in (
        ("mail", kinds == "mail"),
        ("sms", kinds == "sms"),
        ("both", (kinds == "mail") | (kinds == "sms")),
    ):
        spam = texts.positive & inside
        flagged = probabilities >= THRESHOLD
        alone = average_precision(rows[inside, names["fasttext"]], texts.positive[inside])
        print(
            f"{name:<16}{inside.sum():>9,}{spam.sum():>8,}{average_precision(odds[inside], texts.positive[inside]):>8.4f}"
            f"{recall_at(odds[inside], texts.positive[inside]):>10.4f}"
            f"{flagged[spam].mean():>22.4f}{flagged[inside & ~texts.positive].mean():>10.4f}{alone:>26.4f}"
        )
    inside = (kinds == "mail") | (kinds == "sms")
    print("\nreliability, mail and SMS: probability, texts, mean, share that is spam")
    for row in calibration(probabilities[inside], texts.positive[inside]):
        print(f"{row.low:.1f} to {row.high:.1f}{row.texts:>10,}{row.mean:>10.3f}{row.positive:>10.3f}")
    print("\nclean sources, held out by host, article or book")
    found = defaultdict(list)
    reading_text = [example for example in given if read(example.text).feature]
    for example, probability, row in zip(reading_text, probabilities, rows, strict=True):
        if kind_of(example.source) == "clean":
            found[example.source].append((probability, example.text, dict(zip(spam_model.INPUTS, row, strict=True))))
    flagged_table(found)


def flagged_table(found):
    """Print how many texts of each source are flagged, then each of them."""
    for source, texts in sorted(found.items()):
        flagged = sum(probability >= THRESHOLD for probability, _, _ in texts)
        print(f"{source:<24}{len(texts):>7,}{flagged:>5}{flagged / len(texts):>9.2%}")
    for source, texts in sorted(found.items()):
        for probability, text, why in sorted(texts, key=lambda text: -text[0]):
            if probability >= THRESHOLD:
                odd = {name: round(float(value), 2) for name, value in why.items() if value > 0.05}
                print(f"\n{source} {probability:.3f} {odd}\n    {' '.join(text[:EXCERPT].split())}")


def shipped(shared):
    """Print what the shipped model flags of texts that nothing was trained on."""
    filter = Spam()
    found = defaultdict(list)
    rest = (sample for sample in spam_clean.clean(shared) if not spam_clean.trained_on(sample))
    for sample in [*rest, *spam_clean.unseen(shared), *spam_clean.judged(shared)]:
        scores = filter.measure(Document("x", sample.text))
        why = {name: value for name, value in scores.items() if isinstance(value, float)}
        found[sample.source].append((scores["probability"], sample.text, why))
    print("\nclean sources that were never trained on, by the shipped model (of dclm nobody says what is spam)")
    flagged_table(found)


def speed(shared):
    """Print documents a second by CPU time."""
    low, high = SPEED_SIZES
    texts = [sample.text for sample in spam_clean.unseen(shared) if low <= len(sample.text) <= high]
    model = spam_model.load()
    lines = [read(text).feature for text in texts]
    stages = {
        "fastText predict() on the plain line": lambda: [model.fasttext_odds(line) for line in lines],
        "the same with making the line": lambda: [model.fasttext_odds(read(text).feature) for text in texts],
        "filters.spam.score": lambda: [score(text) for text in texts],
    }
    print(f"\nspeed, {len(texts)} texts of {low:,} to {high:,} characters, one core, best of 5")
    for name, run in stages.items():
        best = min(_seconds(run) for _ in range(5))
        print(f"{name:<40}{len(texts) / best:>9,.0f} documents/s")


def _seconds(run):
    begun = time.process_time()
    run()
    return time.process_time() - begun


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--no-training", action="store_true", help="leave out the figures that need training")
    options = parser.parse_args()
    if not options.no_training:
        held(options.shared)
    shipped(options.shared)
    speed(options.shared)


if __name__ == "__main__":
    main()
