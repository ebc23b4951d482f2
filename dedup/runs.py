"""Sorted runs: columns of numbers on disk, sorted by the first, read one range of it at a time from many runs.

The external sort of deduplication: each stage writes runs as large as its memory allows, the next reads range by range.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
import numpy.typing as npt

from pile.stage import Work

Column = npt.NDArray[Any]

#: Bytes that a task takes for each entry of runs that it holds (16 to 32 bytes each, several times over while they are sorted).
ENTRY_BYTES = 256
#: Hashes are spread evenly below this.
HASHES = 1 << 64


class Run(msgspec.Struct, frozen=True):
    """One sorted run: files of a finished result, one for each column; ``offset`` places its document numbers in the corpus.

    It may be one of several slices, equal shares of the hashes: a task opens none that it has no share in.
    """

    stage: str
    key: str
    name: str
    offset: int = 0
    slice: int = 0
    slices: int = 1

    def reaches(self, low: int, high: int) -> bool:
        """Tell whether its share of the hashes has any from ``low`` to ``high`` (exclusive); where it is no slice, always."""
        end = (self.slice + 1) * HASHES // self.slices
        return self.slices == 1 or (self.slice * HASHES // self.slices < high and low < end)

    def column(self, work: Work, name: str) -> Column:
        """Return one column, mapped from disk."""
        found: Column = np.load(work.file(self.stage, self.key, f"{self.name}.{name}.npy"), mmap_mode="r")
        return found


def save(path: Path, array: Column) -> None:
    """Write an array as ``np.load`` reads it; on a full disk, unlike numpy's own, it raises an ``OSError`` that says so."""
    with open(path, "wb") as file:
        start_array(file, array.dtype, len(array))
        file.write(np.ascontiguousarray(array).view(np.uint8).data)


def start_array(file: BinaryIO, kind: np.dtype[Any], count: int) -> None:
    """Write the head of an array of so many elements, whose bytes the caller writes next."""
    head = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": (count,)}
    np.lib.format.write_array_header_1_0(file, head)


def write_run(folder: Path, name: str, columns: dict[str, Column]) -> None:
    """Write columns that are sorted already."""
    for column, values in columns.items():
        save(folder / f"{name}.{column}.npy", values)


def write_sliced(folder: Path, name: str, columns: dict[str, Column], slices: int) -> None:
    """Write columns that are sorted already by hashes, their first, in so many slices: NAME-SLICE."""
    lead = next(iter(columns.values()))
    inner = [np.uint64(number * HASHES // slices) for number in range(1, slices)]
    bounds = [0, *np.searchsorted(lead, np.array(inner, np.uint64)).tolist(), len(lead)]
    for number, (start, end) in enumerate(pairwise(bounds)):
        write_run(folder, f"{name}-{number}", {column: values[start:end] for column, values in columns.items()})


def ranges(work: Work, runs: Sequence[Run], lead: str, within: tuple[int, int], most: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of the lead column, ascending, that together hold the entries ``within`` low and high (exclusive).

    A range is halved until it has no more than ``most`` entries, or only one value is left. Ranges without entries are left out.
    """
    low, high = within
    runs = [run for run in runs if run.reaches(low, high)]
    count = sum(end - start for start, end in (_bounds(run.column(work, lead), low, high) for run in runs))
    if count <= most or high - low == 1:
        if count:
            yield low, high
        return
    middle = (low + high) // 2
    yield from ranges(work, runs, lead, (low, middle), most)
    yield from ranges(work, runs, lead, (middle, high), most)


def read_range(
    work: Work, runs: Iterable[Run], columns: Sequence[str], low: int, high: int
) -> tuple[list[Column], npt.NDArray[np.int64]]:
    """Return the columns' entries where the first is from ``low`` to ``high`` (exclusive), and their runs' offsets."""
    pieces: list[list[Column]] = [[] for _ in columns]
    offsets = [np.empty(0, np.int64)]
    for run in runs:
        if not run.reaches(low, high):
            continue
        lead = run.column(work, columns[0])
        start, end = _bounds(lead, low, high)
        if start == end:
            continue
        pieces[0].append(np.array(lead[start:end]))
        for place, name in enumerate(columns[1:], 1):
            pieces[place].append(np.array(run.column(work, name)[start:end]))
        offsets.append(np.full(end - start, run.offset, np.int64))
    return [np.concatenate(found) if found else np.empty(0, np.uint64) for found in pieces], np.concatenate(offsets)


def _bounds(lead: Column, low: int, high: int) -> tuple[int, int]:
    """Return where the values from ``low`` to ``high`` (exclusive) stand in a sorted column."""
    kind = lead.dtype.type
    start = int(np.searchsorted(lead, kind(low)))
    end = len(lead) if high > np.iinfo(kind).max else int(np.searchsorted(lead, kind(high)))
    return start, end


class Share(msgspec.Struct, frozen=True):
    """One task's share of the hashes: a partition, and how many entries it may hold at a time."""

    partition: int
    partitions: int
    entries: int

    @property
    def range(self) -> tuple[int, int]:
        """The first hash, and one past the last."""
        return self.partition * HASHES // self.partitions, (self.partition + 1) * HASHES // self.partitions

    @property
    def label(self) -> str:
        """What a person is told."""
        return f"partition {self.partition + 1} of {self.partitions}"


def same_as_previous(*columns: Column) -> npt.NDArray[np.bool_]:
    """Return which rows of sorted columns repeat the row before."""
    same = np.zeros(len(columns[0]), bool)
    if len(same):
        same[1:] = np.logical_and.reduce([column[1:] == column[:-1] for column in columns])
    return same
