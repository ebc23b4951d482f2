"""Signed parts together: documents by number, what is known of each without its text, and which of two is preferred.

The candidates of all parts are numbered through, in the order of the parts; no number leaves deduplication.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from dedup.runs import Run, same_as_previous
from dedup.sign import IDS, SIGNED, SKETCHES, STAGE, TABLE
from dedup.sketch import Sketches
from pile.parts import Part
from pile.stage import Work

Numbers = npt.NDArray[np.int64]

#: Ids held in memory at a time.
MOST_IDS = 100_000


class Signed(msgspec.Struct, frozen=True):
    """All signed parts, in order: keys, counts of documents, slices of each run, ranks (0 is preferred) and sources."""

    keys: list[str]
    counts: list[int]
    runs: list[list[int]]
    ranks: list[int]
    sources: list[str]

    @classmethod
    def of(cls, parts: list[Part], results: list[tuple[str, dict[str, Any]]]) -> Signed:
        """Return the parts with the keys and facts of their ``sign`` results."""
        return cls(
            [key for key, _ in results],
            [facts["out"] for _, facts in results],
            [facts["runs"] for _, facts in results],
            [part.rank for part in parts],
            [part.source for part in parts],
        )

    @property
    def total(self) -> int:
        """How many documents there are."""
        return sum(self.counts)

    def starts(self) -> Numbers:
        """Return the number of each part's first document, and one more: that past the last."""
        return np.concatenate([[0], np.cumsum(self.counts, dtype=np.int64)])

    def runs_of(self, name: str) -> list[Run]:
        """Return all parts' runs of one kind (``texts``, ``urls`` or ``bands``)."""
        return sliced_runs(STAGE, name, self.keys, self.runs, self.starts())


def sliced_runs(stage: str, name: str, keys: list[str], runs: list[list[int]], starts: Numbers) -> list[Run]:
    """Return the slices of each part's runs of one kind, by the number of the part's first document."""
    return [
        Run(stage, key, f"{name}{run}-{slice}", int(start), slice, slices)
        for key, start, mine in zip(keys, starts[:-1], runs, strict=True)
        for run, slices in enumerate(mine)
        for slice in range(slices)
    ]


class Tables:
    """Looks documents up by number; one part's table is open at a time, so the order of the numbers is that of reading."""

    def __init__(self, work: Work, signed: Signed) -> None:
        self._work, self._signed = work, signed
        self._starts = signed.starts()
        self._ranks = np.array(signed.ranks, np.int64)
        names = {name: place for place, name in enumerate(sorted(set(signed.sources)))}
        self._sources = np.array([names[name] for name in signed.sources], np.int64)

    def parts(self, numbers: Numbers) -> Numbers:
        """Return the index of each document's part."""
        return np.searchsorted(self._starts, numbers, side="right") - 1

    def ranks(self, numbers: Numbers) -> Numbers:
        """Return the rank of each document's source."""
        return self._ranks[self.parts(numbers)]

    def sources(self, numbers: Numbers) -> Numbers:
        """Return a number for each document's source."""
        return self._sources[self.parts(numbers)]

    def column(self, numbers: Numbers, name: str) -> npt.NDArray[Any]:
        """Return one field of SIGNED for each document."""
        values = np.empty(len(numbers), SIGNED[name])
        for part, places in self._by_part(numbers):
            values[places] = self._table(part)[name][numbers[places] - self._starts[part]]
        return values

    def sketches(self, numbers: Numbers, width: int) -> Sketches:
        """Return the sketch of each document, ``width`` words long."""
        values = np.empty((len(numbers), width), np.uint64)
        for part, places in self._by_part(numbers):
            path = self._work.file(STAGE, self._signed.keys[part], SKETCHES)
            values[places] = np.memmap(path, np.uint64, "r").reshape(-1, width)[numbers[places] - self._starts[part]]
        return values

    def ids(self, numbers: Numbers) -> list[bytes]:
        """Return each document's id, in UTF-8 (whose order is that of the characters)."""
        found = [b""] * len(numbers)
        for part, places in self._by_part(numbers):
            local = numbers[places] - self._starts[part]
            ends = self._table(part)["id_end"]
            stops = ends[local].tolist()
            starts = np.where(local > 0, ends[np.maximum(local - 1, 0)], 0).tolist()
            path = self._work.file(STAGE, self._signed.keys[part], IDS)
            with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                for place, start, stop in zip(places.tolist(), starts, stops, strict=True):
                    found[place] = content[start:stop]
        return found

    def by_preference(self, numbers: Numbers, groups: Numbers) -> Numbers:
        """Return the documents by ascending group, in each from the most to the least preferred.

        The preference is: source in recipe order, longer text, id. Ids are only read where the rest is equal; of equal ids
        the earlier document is preferred.
        """
        numbers, tie = self._nearly_by_preference(numbers, groups)
        places = np.flatnonzero(np.bincount(tie)[tie] > 1)
        ends = np.append(np.flatnonzero(~same_as_previous(tie[places]))[1:], len(places))
        start = 0
        for end in ends.tolist():
            if end - start < MOST_IDS and end != len(places):
                continue  # more ties fit the same reading
            chunk = places[start:end]
            keys = list(zip(tie[chunk].tolist(), self.ids(numbers[chunk]), strict=True))
            order = sorted(range(len(keys)), key=keys.__getitem__)  # stable: equal ids stay by number
            numbers[chunk] = numbers[chunk][order]
            start = end
        return numbers

    def most_preferred(self, numbers: Numbers, groups: Numbers) -> Numbers:
        """Return the most preferred document of each group, by ascending group; a group may be of any size."""
        numbers, tie = self._nearly_by_preference(numbers, groups)
        groups = np.sort(groups)
        first = ~same_as_previous(groups)
        leaders = np.flatnonzero(first)
        best = numbers[leaders]
        group = np.cumsum(first) - 1
        tied = np.flatnonzero((tie == tie[leaders][group]) & (np.bincount(tie)[tie] > 1))
        ids: dict[int, bytes] = {}
        for start in range(0, len(tied), MOST_IDS):
            chunk = tied[start : start + MOST_IDS]
            found = self.ids(numbers[chunk])
            for place, number, id in zip(group[chunk].tolist(), numbers[chunk].tolist(), found, strict=True):
                if place not in ids or id < ids[place]:
                    ids[place] = id
                    best[place] = number
        return best

    def _nearly_by_preference(self, numbers: Numbers, groups: Numbers) -> tuple[Numbers, Numbers]:
        """Return documents by group, then by all of the preference but the id, and a number for each run of equals."""
        ranks, characters = self.ranks(numbers), self.column(numbers, "characters")
        order = np.lexsort((numbers, -characters, ranks, groups))
        ties = np.cumsum(~same_as_previous(groups[order], ranks[order], characters[order])) - 1
        return numbers[order], ties

    def _by_part(self, numbers: Numbers) -> Iterator[tuple[int, npt.NDArray[np.intp]]]:
        """Yield each part that has some of the documents, with their places among ``numbers``."""
        parts = self.parts(numbers)
        order = np.argsort(parts, kind="stable")
        bounds = np.append(np.flatnonzero(~same_as_previous(parts[order])), len(order))
        for start, end in pairwise(bounds.tolist()):
            yield int(parts[order[start]]), order[start:end]

    def _table(self, part: int) -> npt.NDArray[Any]:
        return np.memmap(self._work.file(STAGE, self._signed.keys[part], TABLE), dtype=SIGNED, mode="r")
