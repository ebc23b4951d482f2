"""Trains the spam model, and measures it on texts held out by group.

Every figure and the combination itself come from cross-validation: fastText and the words' weights judge only texts of groups
that they were not trained on. The model that is written is then trained on all.
"""

from __future__ import annotations

import hashlib
import math
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xxhash
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from filters import fasttext_training, spam_model
from filters.spam_model import CLEAN, FORMAT, INPUTS, SPAM, Stored
from filters.spam_text import Reading, read
from pile.errors import CorpusError
from pile.training import DIGITS, Example, Report, average_precision, by_source, calibration, recall_at

#: Parts that the groups are divided into, each judged by what the others teach.
FOLDS = 6
#: Groups that a word must occur in to be learnt: fewer would teach names.
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
#: Strength of the pull to zero on the weights of words, and on those of the combination.
TERMS_PENALTY, COMBINATION_PENALTY = 0.1, 1.0
#: Inputs whose weight may be negative: how short a text is says nothing by itself. All others can only speak for spam.
EITHER_WAY = frozenset({"short_fasttext", "short_terms", "few_words"})
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


class _Judges(NamedTuple):
    """The two text models."""

    fasttext: bytes
    terms: dict[str, float]
    terms_bias: float

    def judge(self, readings: Sequence[Reading]) -> Floats:
        classifier = spam_model.opened(self.fasttext)
        model = spam_model.Model(Stored("", b"", self.terms, self.terms_bias, (), (), 0.0), classifier)
        rows = [
            list(spam_model.inputs(r, model.fasttext_odds(r.feature), model.terms(r.feature)).values())
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
    final = _judges(texts, np.arange(len(rows)))
    data = spam_model.pack(
        Stored(FORMAT, final.fasttext, final.terms, final.terms_bias, INPUTS, tuple(weights.tolist()), bias)
    )
    replace(out, data)
    return _report(texts, odds, data, dict(zip(INPUTS, weights.tolist(), strict=True)))


def held_out(texts: Texts) -> tuple[Floats, Floats]:
    """Return the ``INPUTS`` and the log-odds of each text, by models and weights of which none has seen its group."""
    folds = assign(texts.groups, texts.positive)
    rows = np.zeros((len(folds), len(INPUTS)))
    for fold in range(FOLDS):
        inside = np.flatnonzero(folds == fold)
        if len(inside):
            judges = _judges(texts, np.flatnonzero(folds != fold))
            rows[inside] = judges.judge([texts.readings[place] for place in inside])
    odds = np.zeros(len(folds))
    for fold in range(FOLDS):
        weights, bias = combination(rows[folds != fold], texts.positive[folds != fold])
        odds[folds == fold] = rows[folds == fold] @ weights + bias
    return rows, odds


def replace(out: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    with tempfile.NamedTemporaryFile(dir=out.parent, prefix=f".{out.name}.", delete=False) as file:
        file.write(data)
    Path(file.name).replace(out)


def taken(examples: Iterable[Example]) -> Texts:
    """Return the examples that have anything to read; raises ``CorpusError`` where they are too few."""
    texts = Texts([], np.zeros(0, bool), [], [])
    positive = []
    for example in examples:
        reading = read(example.text)
        if reading.feature:
            texts.readings.append(reading)
            texts.groups.append(example.group)
            texts.sources.append(example.source)
            positive.append(example.positive)
    found = np.array(positive, dtype=bool)
    for name, count in (("positive", int(found.sum())), ("negative", int((~found).sum()))):
        if count < _LEAST_OF_EACH:
            raise CorpusError(f"{count} {name} texts teach nothing: name files with at least {_LEAST_OF_EACH}")
    return texts._replace(positive=found)


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


def _judges(texts: Texts, places: npt.NDArray[np.intp]) -> _Judges:
    """Train the two text models on some of the texts."""
    features = [texts.readings[place].feature for place in places]
    positive = texts.positive[places]
    words = fasttext_training.vocabulary(features, [texts.groups[place] for place in places], LEAST_GROUPS)
    order = fasttext_training.shuffled(len(features), SEED)
    lines = (
        (SPAM if positive[place] else CLEAN, fasttext_training.hidden(features[place], words, place)) for place in order
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.ftz"
        fasttext_training.train(lines, file, CUTOFF, **SETTINGS)
        return _Judges(file.read_bytes(), *term_weights(features, positive, words))


def term_weights(features: Sequence[str], positive: Flags, words: frozenset[str]) -> tuple[dict[str, float], float]:
    """Return the weight of each word and the bias: logistic regression on which words occur, texts scaled to one length."""
    places = {word: place for place, word in enumerate(sorted(words))}
    indices: list[int] = []
    ends = [0]
    values: list[float] = []
    for feature in features:
        known = sorted(places[word] for word in set(feature.split()) if word in places)
        indices += known
        values += [1 / math.sqrt(len(known))] * len(known) if known else []
        ends.append(len(indices))
    rows = csr_matrix((values, indices, ends), shape=(len(features), len(places)))
    weights, bias = logistic(rows, positive, TERMS_PENALTY, [(None, None)] * len(places))
    rounded = np.round(weights, _WEIGHT_DIGITS)
    return {word: float(rounded[place]) for word, place in places.items()}, bias


def combination(rows: Floats, positive: Flags) -> tuple[Floats, float]:
    """Return the weights of ``INPUTS`` and the bias."""
    bounds = [(None, None) if name in EITHER_WAY else (0.0, None) for name in INPUTS]
    weights, bias = logistic(rows, positive, COMBINATION_PENALTY, bounds)
    return np.round(weights, _WEIGHT_DIGITS), bias


def logistic(rows: Any, positive: Flags, penalty: float, bounds: list[Any]) -> tuple[Floats, float]:
    """Return weights within bounds, and the bias, of a logistic regression; dense or sparse rows."""
    signs = np.where(positive, -1.0, 1.0)

    def loss(point: Floats) -> tuple[float, Floats]:
        weights, bias = point[:-1], point[-1]
        odds = rows @ weights + bias
        wrong = 1 / (1 + np.exp(-np.clip(odds * signs, -500, 500)))
        slope = wrong * signs
        value = float(np.logaddexp(0, odds * signs).sum() + penalty / 2 * (weights @ weights))
        return value, np.append(rows.T @ slope + penalty * weights, slope.sum())

    start = np.zeros(rows.shape[1] + 1)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[*bounds, (None, None)], options={"maxiter": 300})
    return found.x[:-1], round(float(found.x[-1]), _WEIGHT_DIGITS)


def _report(texts: Texts, odds: Floats, data: bytes, weights: dict[str, float]) -> Report:
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
