"""Trains the spam model, and measures it on texts held out by group.

Every figure and the combination itself come from cross-validation: fastText and the grams' weights judge only texts of groups
that they were not trained on. The model that is written is then trained on all.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xxhash

from filters import fasttext_training, spam_grams, spam_grams_training, spam_model
from filters.logistic import logistic
from filters.spam_grams import Table
from filters.spam_model import CLEAN, FORMAT, INPUTS, SPAM, Stored
from filters.spam_text import Reading, read
from pile.errors import CorpusError
from pile.training import DIGITS, Example, Report, average_precision, by_source, calibration, recall_at

#: Parts that the groups are divided into, each judged by what the others teach.
FOLDS = 6
#: Groups that a word or a gram must occur in to be learnt: fewer would teach names.
LEAST_GROUPS = 4
SEED = 0
#: fastText's settings, chosen by the average precision on held-out mail and SMS (docs/spam-model.md).
SETTINGS: dict[str, Any] = {
    "dim": 16,
    "wordNgrams": 2,
    "epoch": 6,
    "lr": 0.5,
    "bucket": 200_000,
    "minCount": 2,
    "seed": SEED,
}
#: Words and pairs of words that stay when fastText's model is quantised.
CUTOFF = 60_000
#: Strength of the pull to zero on the weights of the combination.
PENALTY = 5.0
#: Least weight of each input, long or short, where it is not 0: none can speak against what it means. How short a text is
#: means nothing by itself. fastText is as good with this weight as with the .03 that it has without, and errs otherwise.
LEAST_WEIGHT = {"fasttext": 0.15, "few_words": None}
#: Digits after the point of stored weights: beyond them machines differ.
_WEIGHT_DIGITS = 4
_LEAST_OF_EACH = 20

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class Texts(NamedTuple):
    """Examples as they are trained on."""

    readings: list[Reading]
    positive: Flags
    groups: list[str]
    sources: list[str]
    counts: Floats


class _Judges(NamedTuple):
    """The text models."""

    fasttext: bytes
    grams: Table
    short_grams: Table

    def judge(self, readings: Sequence[Reading]) -> Floats:
        classifier = spam_model.opened(self.fasttext)
        model = spam_model.Model(Stored("", b"", self.grams, self.short_grams, (), (), (), 0.0), classifier)
        rows = [
            list(spam_model.inputs(r, model.fasttext_odds(r.feature), model.grams_odds(r.line)).values())
            for r in readings
        ]
        return np.array(rows, dtype=np.float64).reshape(-1, len(INPUTS))


def train(positives: Iterable[str], negatives: Iterable[str], out: Path) -> Report:
    """Train on texts; those that begin with the same words are one group. Raises ``CorpusError`` where there are too few."""
    examples = [Example(text, True, beginning(text), "positive") for text in positives]
    examples += [Example(text, False, beginning(text), "negative") for text in negatives]
    return fit(examples, out)


def beginning(text: str) -> str:
    """Return the group of a text of which no more is known: its first words."""
    return " ".join(read(text).feature.split()[:8])


def fit(examples: Iterable[Example], out: Path) -> Report:
    """Train on examples, write the model to ``out`` and return the report; the same examples in order give the same bytes."""
    texts = taken(examples)
    rows, odds = held_out(texts)
    weights, bias = combination(rows, texts.positive)
    final = _judges(texts, _grams(texts), np.arange(len(rows)))
    long, short = (tuple(half.tolist()) for half in np.split(weights, 2))
    data = spam_model.pack(Stored(FORMAT, *final, INPUTS, long, short, bias))
    replace(out, data)
    return _report(texts, odds, data, {name: list(pair) for name, *pair in zip(INPUTS, long, short, strict=True)})


def held_out(texts: Texts) -> tuple[Floats, Floats]:
    """Return the ``INPUTS`` and the log-odds of each text, by models and weights of which none has seen its group."""
    folds = assign(texts.groups, texts.positive)
    rows = np.zeros((len(folds), len(INPUTS)))
    grams = _grams(texts)
    for fold in range(FOLDS):
        inside = np.flatnonzero(folds == fold)
        if len(inside):
            judges = _judges(texts, grams, np.flatnonzero(folds != fold))
            rows[inside] = judges.judge([texts.readings[place] for place in inside])
    odds = np.zeros(len(folds))
    for fold in range(FOLDS):
        weights, bias = combination(rows[folds != fold], texts.positive[folds != fold])
        odds[folds == fold] = _both(rows[folds == fold]) @ weights + bias
    return rows, odds


def replace(out: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    with tempfile.NamedTemporaryFile(dir=out.parent, prefix=f".{out.name}.", delete=False) as file:
        file.write(data)
    Path(file.name).replace(out)


def taken(examples: Iterable[Example]) -> Texts:
    """Return the examples that have anything to read; raises ``CorpusError`` where they are too few."""
    texts = Texts([], np.zeros(0, bool), [], [], np.zeros(0))
    positive, counts = [], []
    for example in examples:
        reading = read(example.text)
        if reading.feature:
            texts.readings.append(reading)
            texts.groups.append(example.group)
            texts.sources.append(example.source)
            positive.append(example.positive)
            counts.append(example.counts)
    found = np.array(positive, dtype=bool)
    for name, count in (("positive", int(found.sum())), ("negative", int((~found).sum()))):
        if count < _LEAST_OF_EACH:
            raise CorpusError(f"{count} {name} texts teach nothing: name files with at least {_LEAST_OF_EACH}")
    return texts._replace(positive=found, counts=np.array(counts, dtype=np.float64))


def assign(groups: Sequence[str], positive: Flags) -> npt.NDArray[np.intp]:
    """Return the fold of each text: groups stay whole, the largest first, each to the fold that has least of its label."""
    members: dict[str, list[int]] = {}
    for place, group in enumerate(groups):
        members.setdefault(group, []).append(place)
    load = np.zeros((FOLDS, 2))
    folds = np.zeros(len(groups), dtype=np.intp)
    for _, held in sorted(
        members.items(), key=lambda item: (-len(item[1]), xxhash.xxh3_64_intdigest(item[0].encode("utf-8", "replace")))
    ):
        positives = int(positive[held].sum())
        label = int(2 * positives >= len(held))
        fold = int(np.argmin(load[:, label]))
        folds[held] = fold
        load[fold] += (len(held) - positives, positives)
    return folds


def _grams(texts: Texts) -> Any:
    return spam_grams_training.matrix([spam_grams.profile(reading.line) for reading in texts.readings])


def _judges(texts: Texts, grams: Any, places: npt.NDArray[np.intp]) -> _Judges:
    """Train the text models on some of the texts; ``grams`` are the profiles of all."""
    features = [texts.readings[place].feature for place in places]
    positive = texts.positive[places]
    words = fasttext_training.vocabulary(features, [texts.groups[place] for place in places], LEAST_GROUPS)
    order = fasttext_training.shuffled(len(features), SEED)
    lines = (
        (SPAM if positive[place] else CLEAN, fasttext_training.hidden(features[place], words, place)) for place in order
    )
    short = np.array([spam_grams.is_short(texts.readings[place].line) for place in places])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.ftz"
        fasttext_training.train(lines, file, CUTOFF, **SETTINGS)
        return _Judges(file.read_bytes(), _table(texts, grams, places, ~short), _table(texts, grams, places, short))


def _table(texts: Texts, grams: Any, places: npt.NDArray[np.intp], kind: Flags) -> Table:
    """Return the table for texts of one kind, from all kinds where there are too few of that one."""
    found = texts.positive[places[kind]]
    if min(found.sum(), (~found).sum()) >= _LEAST_OF_EACH:
        places = places[kind]
    groups = np.unique([texts.groups[place] for place in places], return_inverse=True)[1]
    return spam_grams_training.table(grams[places], texts.positive[places], groups, texts.counts[places], LEAST_GROUPS)


def combination(rows: Floats, positive: Flags) -> tuple[Floats, float]:
    """Return the weights of ``INPUTS`` on long texts, then those on short ones, and the bias."""
    bounds = [(LEAST_WEIGHT.get(name, 0.0), None) for name in INPUTS] * 2
    weights, bias = logistic(_both(rows), positive, PENALTY, bounds)
    return np.round(weights, _WEIGHT_DIGITS), bias


def _both(rows: Floats) -> Floats:
    """Return the inputs as far as a text is long, then as far as it is short."""
    short = rows[:, [INPUTS.index("few_words")]]
    return np.hstack([rows * (1 - short), rows * short])


def _report(texts: Texts, odds: Floats, data: bytes, weights: dict[str, list[float]]) -> Report:
    probabilities = np.array([spam_model.chance_of(value) for value in odds])
    return Report(
        kind="spam",
        positives=int(texts.positive.sum()),
        negatives=int((~texts.positive).sum()),
        pr_auc=round(average_precision(odds, texts.positive), DIGITS),
        recall=round(recall_at(odds, texts.positive), DIGITS),
        calibration=calibration(probabilities, texts.positive),
        sources=by_source(probabilities >= 0.5, texts.positive, texts.sources),
        sha256=hashlib.sha256(data).hexdigest(),
        bytes=len(data),
        settings={"folds": FOLDS, "fasttext": SETTINGS, "cutoff": CUTOFF, "weights": weights},
    )
