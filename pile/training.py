"""What classifiers are trained from, and the report on one that is trained: how well it ranks, where it is wrong, by source.

Figures are of texts that the judging model was not trained on; a threshold of a probability is a half unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

#: False positives at which recall is reported, as a share of the negatives.
FALSE_POSITIVES = 0.01
#: Bins of equal width of the reliability table.
BINS = 10
#: Digits after the point in reports.
DIGITS = 4

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class Example(msgspec.Struct, frozen=True):
    """A text and what it is. Those of one ``group`` are never on both sides of a split; ``source`` is for the report.

    ``counts`` says as how many texts it counts where a kind of model can weigh them.
    """

    text: str
    positive: bool
    group: str
    source: str
    counts: float = 1.0


class Bin(msgspec.Struct, frozen=True):
    """Texts whose probability is within one bin: how many, their mean probability, and the share that is positive."""

    low: float
    high: float
    texts: int
    mean: float
    positive: float


class SourceCount(msgspec.Struct, frozen=True):
    """What became of the texts of one source with one label; ``called`` is how many were called positive."""

    source: str
    positive: bool
    texts: int
    called: int


class Report(msgspec.Struct, frozen=True):
    """How good a classifier is on texts held out from it."""

    kind: str
    positives: int
    negatives: int
    pr_auc: float  #: average precision
    recall: float  #: at ``FALSE_POSITIVES`` among the negatives
    calibration: list[Bin]
    sources: list[SourceCount]
    sha256: str  #: of the model file
    bytes: int
    settings: dict[str, Any]


class Training(Protocol):
    """What ``pile train KIND`` runs: trains on examples, writes the model file ``out`` and returns the report."""

    def __call__(self, examples: Iterable[Example], out: Path) -> Report:
        """Train; the same examples in the same order give the same bytes. Raises ``CorpusError`` where they teach nothing."""


def average_precision(scores: Floats, positive: Flags) -> float:
    """Return the area under the precision-recall curve as the mean precision at each positive; equal scores share a place."""
    if not positive.any():
        return 0.0
    order = np.argsort(-scores, kind="stable")
    ordered, right = scores[order], positive[order]
    last_of_equals = np.append(ordered[1:] != ordered[:-1], True)
    found = np.cumsum(right)[last_of_equals]
    seen = np.flatnonzero(last_of_equals) + 1
    gained = np.diff(np.append(0, found))
    return float((gained * found / seen).sum() / found[-1])


def recall_at(scores: Floats, positive: Flags, share: float = FALSE_POSITIVES) -> float:
    """Return the share of positives above the score that no more than ``share`` of the negatives reach."""
    negatives = np.sort(scores[~positive])[::-1]
    if not len(negatives) or not positive.any():
        return 0.0
    bar = negatives[min(int(share * len(negatives)), len(negatives) - 1)]
    return float((scores[positive] > bar).mean())


def calibration(probabilities: Floats, positive: Flags) -> list[Bin]:
    """Return the reliability table."""
    places = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    bins = []
    for place in range(BINS):
        inside = places == place
        if inside.any():
            mean, share = float(probabilities[inside].mean()), float(positive[inside].mean())
            low, high = place / BINS, (place + 1) / BINS
            bins.append(Bin(low, high, int(inside.sum()), round(mean, DIGITS), round(share, DIGITS)))
    return bins


def by_source(called: Flags, positive: Flags, sources: Sequence[str]) -> list[SourceCount]:
    """Return the confusion by source and label, sorted by name."""
    counts: dict[tuple[str, bool], list[int]] = {}
    for source, label, call in zip(sources, positive.tolist(), called.tolist(), strict=True):
        count = counts.setdefault((source, label), [0, 0])
        count[0] += 1
        count[1] += call
    return [SourceCount(source, label, *count) for (source, label), count in sorted(counts.items())]


def table(report: Report) -> str:
    """Return a report for people."""
    lines = [
        f"{report.kind}: {report.positives:,} positive and {report.negatives:,} negative texts held out",
        f"PR-AUC {report.pr_auc:.4f}, recall {report.recall:.4f} at {FALSE_POSITIVES:.0%} false positives",
        "",
        f"{'probability':<14}{'texts':>10}{'mean':>9}{'positive':>10}",
    ]
    for row in report.calibration:
        lines.append(f"{row.low:.1f} to {row.high:.1f}{row.texts:>14,}{row.mean:>9.3f}{row.positive:>10.3f}")
    lines += ["", f"{'source':<24}{'label':<10}{'texts':>8}{'called positive':>17}"]
    for count in report.sources:
        label = "positive" if count.positive else "negative"
        share = count.called / count.texts
        lines.append(f"{count.source:<24}{label:<10}{count.texts:>8,}{count.called:>9,}{share:>8.2%}")
    return "\n".join([*lines, "", f"sha256:{report.sha256} ({report.bytes:,} bytes)"])
