"""A threshold of confidence for each language of a corpus, from the confidences found in it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from math import sqrt

#: FineWeb-2's bounds of a language's threshold (Penedo et al. 2025, section on language identification).
FINEWEB2_LEAST, FINEWEB2_MOST = 0.3, 0.9
#: Digits that confidences are rounded to: a language's are kept as counts of so many values, whatever the corpus' size.
_DIGITS = 4


def fineweb2_thresholds(scores: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Return for each language max(.3, min(.9, median - standard deviation)) of the confidences of its documents, rounded.

    ``scores`` are the language and the confidence (0 to 1) of every document, in any order. The deviation is the population's.
    """
    found: dict[str, Counter[float]] = defaultdict(Counter)
    for language, confidence in scores:
        found[language][round(confidence, _DIGITS)] += 1
    return {
        language: round(max(FINEWEB2_LEAST, min(FINEWEB2_MOST, _median(counts) - _deviation(counts))), _DIGITS)
        for language, counts in sorted(found.items())
    }


def _median(counts: Counter[float]) -> float:
    """Return the middle value, or the mean of the two in the middle."""
    whole = counts.total()
    low, high = (whole - 1) // 2, whole // 2
    before, lower = 0, None
    for value in sorted(counts):
        before += counts[value]
        if lower is None and low < before:
            lower = value
        if lower is not None and high < before:
            return (lower + value) / 2
    raise ValueError("no confidences")


def _deviation(counts: Counter[float]) -> float:
    whole = counts.total()
    mean = sum(value * counts[value] for value in sorted(counts)) / whole
    return sqrt(sum((value - mean) ** 2 * counts[value] for value in sorted(counts)) / whole)
