"""Survivors: the documents of a part that no stage removed, without what is cut from their texts.

Whatever comes after deduplication reads a part through this one door, and sees the same documents.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import xxhash

from pile.cuts import Cut, Cutter
from pile.decisions import STAGE as DEDUP
from pile.decisions import decisions
from pile.errors import WorkError
from pile.mix import Line
from pile.parts import STRETCH, Part, documents_as, lost_rows, text_sizes, verdicts
from pile.recipe import FilterTable
from pile.rewriting import Rewriting
from pile.stage import Work
from pile.text import normalise


class Survivor(msgspec.Struct, frozen=True, gc=False):
    """A document that no stage removed, its cluster of duplicates, and what was found out about it."""

    row: int
    document: Line
    size: int  #: bytes of its text
    cluster: int
    cluster_size: int
    scores: dict[str, Any]


class Survivors:
    """Iterates over what no stage removed, and counts what settling removed on the way.

    Texts come without the passages that are cut from them; what then has no text is not among the survivors. Then they are
    rewritten where filters do that.
    """

    def __init__(
        self, work: Work, part: Part, dedup: str, cuts: list[Cut], rewriters: Sequence[FilterTable] = ()
    ) -> None:
        self._work, self._part, self._dedup, self._cuts = work, part, dedup, cuts
        self._rewriting = Rewriting(list(rewriters)) if rewriters else None
        self._settled: Counter[str] = Counter()
        self._candidates = self.count = self.text_bytes = 0

    def __iter__(self) -> Iterator[Survivor]:
        lost = dict(zip(*(list(column) for column in lost_rows(self._work, self._part)), strict=True))
        decided, ids, digest = self._decided() if self._dedup else None, list[str](), hashlib.sha256()
        here = self._work, self._part
        rows = zip(documents_as(Line, *here), text_sizes(*here), verdicts(*here), strict=True)
        cutter = Cutter(self._work, self._cuts)
        for row, (document, size, verdict) in enumerate(rows):
            if document.id != verdict.id:
                raise WorkError(f"{self._part.label}: row {row} is {document.id} but its verdict is on {verdict.id}")
            if not verdict.keep:
                continue
            if row in lost:
                self._settled[lost[row]] += 1
                continue
            self._candidates += 1
            if decided is None:
                # Without deduplication exact copies stay, and must at least stay on one side of the splits.
                cluster = xxhash.xxh3_64_intdigest((normalise(document.plain_text()) or document.id).encode())
                cluster_size = 1
            else:
                ids.append(document.id)
                if len(ids) == STRETCH:
                    digest.update(_lines(ids))
                    ids.clear()
                decided_row, reason, cluster, cluster_size = next(decided)
                if decided_row != row:
                    raise WorkError(f"{self._part.label}: no decision on row {row}, {document.id}")
                if reason:
                    continue
            if cutter.touches(row):
                rest = cutter.rest(row, document.plain_text())
                if not rest:
                    continue
                document, size = _with_text(document, rest)
            if self._rewriting is not None:
                document, size = _with_text(document, self._rewriting.text(document.id, document.plain_text()))
            self.count += 1
            self.text_bytes += size
            yield Survivor(row, document, size, cluster, cluster_size, verdict.scores)
        if (left := cutter.left()) is not None:
            raise WorkError(f"{self._part.label}: a cut is in row {left}, which does not stay; delete the work folder")
        digest.update(_lines(ids))
        if decided is not None and digest.hexdigest() != (self._work.facts(DEDUP, self._dedup) or {}).get("ids"):
            raise WorkError(
                f"{self._part.label}: deduplication decided on other documents than these; delete the work folder"
            )

    def _decided(self) -> Iterator[tuple[int, int, int, int]]:
        """Yield row, reason, cluster and its size of every decision: a stretch at a time, numbers of Python are cheap."""
        found = decisions(self._work, self._dedup)
        for start in range(0, len(found), STRETCH):
            columns = (found[start : start + STRETCH][name].tolist() for name in ("row", "reason", "cluster", "size"))
            yield from zip(*columns, strict=True)

    def funnel(self) -> dict[str, Any]:
        """Return the settle stage's counts over the documents that were judged worth keeping."""
        drops = dict(sorted(self._settled.items()))
        return {"in": self._candidates + self._settled.total(), "out": self._candidates, "drops": drops}


def _with_text(document: Line, text: str) -> tuple[Line, int]:
    """Return a document with another text, and the bytes of that."""
    return msgspec.structs.replace(document, text=msgspec.Raw(msgspec.json.encode(text))), len(text.encode())


def _lines(ids: list[str]) -> bytes:
    return "\n".join([*ids, ""]).encode()
