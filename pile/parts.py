"""Parts: what the stages hold of one input between extraction and the mixture, and how later stages read it.

Documents stay where extraction wrote them; judging, settling and deduplication write verdicts beside them, by row and
id.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from pile.document import Document
from pile.errors import WorkError
from pile.shards import read_structs
from pile.stage import Work

D = TypeVar("D")

DOCUMENTS = "documents.jsonl.zst"  #: of extract: one Document a line
DROPS = "drops.jsonl.zst"  #: of extract: one Drop a line
SIZES = "sizes.npy"  #: of extract: bytes in UTF-8 of each document's text
EVENTS = "events.npy"  #: of extract: EVENT array, every document and tombstone in order of the input
VERDICTS = "verdicts.jsonl.zst"  #: of judge: one JudgedId a line, in the order of the documents
LOST = "lost.npz"  #: of settle: for each part of the source, "rows<i>" and "reasons<i>"

#: Rows whose numbers are those of Python at a time.
STRETCH = 10_000
#: In place of a row: the document was taken back, or its newest state has no text.
TOMBSTONE, NO_TEXT = -1, -2
#: An id as 128 bits of hash, and its row among the part's documents.
EVENT = np.dtype([("high", "<u8"), ("low", "<u8"), ("row", "<i8")])


class Judged(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the verdicts: a ``Verdict`` with the id that it is about."""

    id: str
    keep: bool
    reason: str = ""
    scores: dict[str, Any] = {}


class Part(msgspec.Struct, frozen=True):
    """One input's documents and what was decided on them so far.

    ``rank`` is the place of its source in the recipe (0 is preferred), ``place`` the place of its input in the
    source.
    """

    source: str
    rank: int
    place: int
    label: str
    url: str
    extract: str  #: key
    documents: int  #: that extraction gave
    bytes: int  #: of their JSON lines
    judge: str = ""  #: key
    settle: str = ""  #: key, one for all parts of a source
    lost: str = ""  #: digest of the rows that this part lost in settling


def documents(work: Work, part: Part) -> Iterator[Document]:
    """Yield every document of a part, in order of its row."""
    return documents_as(Document, work, part)


def documents_as(kind: type[D], work: Work, part: Part) -> Iterator[D]:
    """Return every document of a part, in order of its row, as a struct of those of its fields that are wanted."""
    return read_structs(kind, work.file("extract", part.extract, DOCUMENTS))


def text_sizes(work: Work, part: Part) -> Iterator[int]:
    """Yield the bytes of every document's text, in order of its row."""
    sizes = np.load(work.file("extract", part.extract, SIZES), mmap_mode="r")
    for start in range(0, len(sizes), STRETCH):
        yield from sizes[start : start + STRETCH].tolist()


def verdicts(work: Work, part: Part) -> Iterator[Judged]:
    """Return the verdict on every document of a part, in order of its row."""
    return read_structs(Judged, work.file("judge", part.judge, VERDICTS))


def lost_rows(work: Work, part: Part) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Return the rows that a later version or a tombstone took away, ascending, and the reason for each."""
    with np.load(work.file("settle", part.settle, LOST)) as lost:
        if f"rows{part.place}" not in lost:
            return np.empty(0, dtype=np.int64), []
        return lost[f"rows{part.place}"], [str(reason) for reason in lost[f"reasons{part.place}"]]


def candidates(work: Work, part: Part) -> Iterator[tuple[int, Document]]:
    """Yield ``(row, document)`` of the documents that were judged worth keeping and not taken back since.

    Raises ``WorkError`` when the verdicts are not about these documents.
    """
    lost = set(lost_rows(work, part)[0].tolist())
    for row, (document, verdict) in enumerate(zip(documents(work, part), verdicts(work, part), strict=True)):
        if document.id != verdict.id:
            raise WorkError(f"{part.label}: row {row} is {document.id} but its verdict is on {verdict.id}")
        if verdict.keep and row not in lost:
            yield row, document
