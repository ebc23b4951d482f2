"""Cuts: passages that are left out of a document's text, and how later stages read and apply them.

The ``cut`` stage writes them (the ``dedup`` package, by name), beside documents that stay as they are; the mixture leaves
the passages out, and ``pile inspect`` shows them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from pile.stage import Work

STAGE = "cut"
CUTS = "cuts.npy"  #: CUT array by row, then start; passages of one document do not overlap
CUT = np.dtype([("row", "<i8"), ("start", "<i8"), ("end", "<i8")])  # characters of the text, the end one past the last
#: Why a document goes of which nothing is left.
REPEATED_TEXT = "repeated_text"

Span = tuple[int, int]
#: What two cuts in a row leave between paragraphs.
GAP = re.compile(r"\n{3,}")


def passages(work: Work, key: str) -> Iterator[tuple[int, list[Span]]]:
    """Yield ``(row, spans)`` of each document that something is cut from, by ascending row; nothing for the key ""."""
    found: npt.NDArray[Any] = np.load(work.file(STAGE, key, CUTS), mmap_mode="r") if key else np.empty(0, CUT)
    row = -1
    spans: list[Span] = []
    for cut in found:
        if cut["row"] != row and spans:
            yield row, spans
            spans = []
        row = int(cut["row"])
        spans.append((int(cut["start"]), int(cut["end"])))
    if spans:
        yield row, spans


def without(text: str, spans: list[Span]) -> str:
    """Return a text without some passages, ascending; no more than one blank line stands where they stood."""
    pieces, place = [], 0
    for start, end in spans:
        pieces.append(text[place:start])
        place = end
    return GAP.sub("\n\n", "".join([*pieces, text[place:]])).strip()
