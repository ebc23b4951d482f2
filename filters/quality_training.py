"""Trains The Pile's classifier of good text against raw crawl: fastText on pairs of words, one thread, a fixed seed.

A tenth of the groups is held out for the report; the model is trained on the others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import xxhash

from filters import fasttext_model, fasttext_training
from filters.quality import GOOD, RAW, feature
from pile.errors import CorpusError
from pile.training import DIGITS, Example, Report, average_precision, by_source, calibration, recall_at

SEED = 0
#: The Pile names pairs of words only. 64 dimensions and 2^18 places for pairs, pile's own choice, make a model of some 70 MB and
#: more with many words; fastText's own 100 and 2,000,000 would make 800 MB for every worker to hold.
#: fastText's own learning rate of .1 leaves a few thousand texts unlearnt: every probability stays near a half.
SETTINGS: dict[str, Any] = {"wordNgrams": 2, "dim": 64, "bucket": 1 << 18, "minCount": 2, "lr": 0.5, "seed": SEED}
#: Passes over the texts, at least and at most, and texts that all of them together are to come to: 850 of the mini corpus have a
#: PR-AUC of .82 after 5 passes and of .92 after 25.
LEAST_EPOCHS, MOST_EPOCHS, SEEN = 5, 25, 25_000
#: Groups held out: one in so many, by a hash of their name.
HELD_OUT = 10
_LEAST_OF_EACH = 20


def train(positives: Iterable[str], negatives: Iterable[str], out: Path) -> Report:
    """Train on features of texts; equal ones are one group. Raises ``CorpusError`` where there are too few."""
    examples = [Example(line, True, line, "positive") for line in positives]
    examples += [Example(line, False, line, "negative") for line in negatives]
    return _fit(examples, out, str)


def fit(examples: Iterable[Example], out: Path) -> Report:
    """Train on examples, write the model to ``out`` and return the report; the same examples in order give the same bytes."""
    return _fit(examples, out, feature)


def _fit(examples: Iterable[Example], out: Path, line_of: Callable[[str], str]) -> Report:
    kept: list[tuple[str, bool]] = []
    held: list[tuple[str, bool, str]] = []
    for example in examples:
        line = line_of(example.text)
        if not line.strip():
            continue
        if xxhash.xxh3_64_intdigest(example.group.encode("utf-8", "replace"), SEED) % HELD_OUT:
            kept.append((line, example.positive))
        else:
            held.append((line, example.positive, example.source))
    for name, label in (("positive", True), ("negative", False)):
        count = sum(positive == label for _, positive in kept)
        if count < _LEAST_OF_EACH:
            raise CorpusError(f"{count} {name} texts teach nothing: name files with at least {_LEAST_OF_EACH}")
    order = fasttext_training.shuffled(len(kept), SEED)
    lines = ((GOOD if kept[place][1] else RAW, kept[place][0]) for place in order)
    settings = SETTINGS | {"epoch": max(LEAST_EPOCHS, min(MOST_EPOCHS, -(-SEEN // len(kept))))}
    fasttext_training.train(lines, out, **settings)
    return _report(held, out, settings)


def _report(held: list[tuple[str, bool, str]], out: Path, settings: dict[str, Any]) -> Report:
    data = out.read_bytes()
    model = fasttext_model.load(str(out), hashlib.sha256(data).hexdigest())
    scores = np.array([fasttext_model.probability(model, line, GOOD) for line, _, _ in held])
    positive = np.array([label for _, label, _ in held], dtype=bool)
    return Report(
        kind="quality",
        positives=int(positive.sum()),
        negatives=int((~positive).sum()),
        pr_auc=round(average_precision(scores, positive), DIGITS),
        recall=round(recall_at(scores, positive), DIGITS),
        calibration=calibration(scores, positive),
        sources=by_source(scores >= 0.5, positive, [source for _, _, source in held]),
        sha256=hashlib.sha256(data).hexdigest(),
        bytes=len(data),
        settings=settings | {"held_out": f"1 in {HELD_OUT}"},
    )
