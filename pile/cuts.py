"""Cuts: passages that are left out of a document's text, and how later stages read and apply them.

The ``cut`` stage writes them (the ``dedup`` package, by name), beside documents that stay as they are; the mixture leaves
the passages out, and ``pile inspect`` shows them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from pile.stage import Work

STAGE = "cut"
CUTS = "cuts.npy"  #: CUT_ROW array by row, then start; passages of one document do not overlap
CUT_ROW = np.dtype(
    [("row", "<i8"), ("start", "<i8"), ("end", "<i8")]
)  # characters of the text, the end one past the last
#: Why a document goes of which nothing is left.
REPEATED_TEXT = "repeated_text"

Span = tuple[int, int]
#: What two cuts in a row leave between paragraphs.
GAP = re.compile(r"\n{3,}")


class Cut(msgspec.Struct, frozen=True):
    """A result that says what is cut from a part's documents: stage and key."""

    stage: str
    key: str


def passages(work: Work, cut: Cut) -> Iterator[tuple[int, list[Span]]]:
    """Yield ``(row, spans)`` of each document that something is cut from, by ascending row."""
    found: npt.NDArray[Any] = np.load(work.file(cut.stage, cut.key, CUTS), mmap_mode="r")
    row = -1
    spans: list[Span] = []
    for one in found:
        if one["row"] != row and spans:
            yield row, spans
            spans = []
        row = int(one["row"])
        spans.append((int(one["start"]), int(one["end"])))
    if spans:
        yield row, spans


def without(text: str, spans: list[Span]) -> str:
    """Return a text without some passages, ascending; no more than one blank line stands where they stood."""
    pieces, place = [], 0
    for start, end in spans:
        pieces.append(text[place:start])
        place = end
    return GAP.sub("\n\n", "".join([*pieces, text[place:]])).strip()


class Cutter:
    """Applies the cuts of some results, one after the other, to a part's documents, which come by ascending row."""

    def __init__(self, work: Work, cuts: list[Cut]) -> None:
        self._streams = [passages(work, cut) for cut in cuts]
        self._next = [next(stream, None) for stream in self._streams]
        self._rows = self._next_rows()

    def _next_rows(self) -> list[int]:
        return [found[0] for found in self._next if found is not None]

    def touches(self, row: int) -> bool:
        """Tell whether something is cut from this row."""
        return row in self._rows

    def rest(self, row: int, text: str) -> str:
        """Return what is left of the text of a row."""
        for place, found in enumerate(self._next):
            if found is not None and found[0] == row:
                text = without(text, found[1])
                self._next[place] = next(self._streams[place], None)
                self._rows = self._next_rows()
        return text

    def left(self) -> int | None:
        """Return a row whose cut was not asked for, None when all were."""
        return next(iter(self._rows), None)
