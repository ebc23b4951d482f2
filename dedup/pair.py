"""The pair stage: the distinct candidate pairs of all partitions, and whose texts it takes to verify them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from dedup.match import distinct
from dedup.runs import Column, Run, ranges, read_range, same_as_previous
from dedup.signed import Numbers, Signed
from pile.stage import Task, Watch, Work, make_key

STAGE = "pair"
VERSION = 3
FIRST, SECOND = "first.bin", "second.bin"  #: int64 document numbers, pair by pair, ascending; first < second
WANTED = "wanted.bin"  #: int64, ascending: the documents of all pairs and large buckets


class Pairing(msgspec.Struct, frozen=True):
    """What the stage's one task works on: the runs of pairs, and the keys of this stage's earlier results."""

    signed: Signed
    runs: list[Run]
    earlier: list[str]
    large: list[Run]  #: members of large buckets, whose texts a later look may ask for
    entries: int  #: held at a time


def task(call: Pairing) -> Task:
    """Return the stage's task; pairs that are in an ``earlier`` result are left out."""
    facts = msgspec.to_builtins([call.signed, call.runs, call.earlier, call.large])
    return Task(STAGE, make_key(STAGE, VERSION, facts, ("numpy",)), pair, call, "all partitions")


def pair(call: Pairing, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Do the task: write the distinct pairs; return what ``write_pairs`` says of them."""
    wanted = np.zeros(call.signed.total, bool)  # one byte for each document of the corpus
    for run in call.large:
        wanted[run.column(work, "number")] = True
    return write_pairs(folder, call.signed, _distinct_pairs(call, work), wanted)


def _distinct_pairs(call: Pairing, work: Work) -> Iterator[tuple[Numbers, Numbers]]:
    for low, high in ranges(work, call.runs, "first", (0, max(call.signed.total, 1)), call.entries):
        (first, second), _ = read_range(work, call.runs, ["first", "second"], low, high)
        first, second = distinct(first.astype(np.int64), second.astype(np.int64))
        for key in call.earlier:
            first, second = _without(first, second, work, key)
        yield first, second


def write_pairs(
    folder: Path, signed: Signed, found: Iterable[tuple[Numbers, Numbers]], wanted: npt.NDArray[np.bool_]
) -> dict[str, Any]:
    """Write ascending pairs; return how many, and for each part with wanted documents ``[start, end, digest]`` of them.

    The wanted are flagged already, or in a pair. The digest
    is over numbers within the part: it stays the same when other parts come or go.
    """
    pairs = 0
    with open(folder / FIRST, "wb") as firsts, open(folder / SECOND, "wb") as seconds:
        for first, second in found:
            firsts.write(first.tobytes())
            seconds.write(second.tobytes())
            wanted[first] = wanted[second] = True
            pairs += len(first)
    parts: dict[str, list[Any]] = {}
    starts, position = signed.starts(), 0
    with open(folder / WANTED, "wb") as file:
        for part, (start, end) in enumerate(pairwise(starts.tolist())):
            numbers = np.flatnonzero(wanted[start:end]).astype(np.int64)
            if len(numbers):
                file.write((numbers + start).tobytes())
                parts[str(part)] = [position, position + len(numbers), sha256(numbers.tobytes()).hexdigest()[:40]]
                position += len(numbers)
    return {"pairs": pairs, "documents": position, "wanted": parts}


def _without(first: Numbers, second: Numbers, work: Work, key: str) -> tuple[Numbers, Numbers]:
    """Return the pairs that an earlier result does not have."""
    if not len(first) or not work.file(STAGE, key, FIRST).stat().st_size:
        return first, second
    known = np.memmap(work.file(STAGE, key, FIRST), np.int64, "r")
    start, end = np.searchsorted(known, [first[0], first[-1] + 1]).tolist()
    firsts = np.concatenate([read_numbers(work, key, FIRST, start, end), first])
    seconds = np.concatenate([read_numbers(work, key, SECOND, start, end), second])
    order = np.lexsort((np.arange(len(firsts)), seconds, firsts))
    again = order[same_as_previous(firsts[order], seconds[order])]  # the later of the two is the new one
    new = np.ones(len(firsts), bool)
    new[: end - start] = new[again] = False
    return firsts[new], seconds[new]


def read_numbers(work: Work, key: str, name: str, start: int, end: int) -> Numbers:
    """Return the numbers from ``start`` to ``end`` (exclusive) of one of the stage's files."""
    size = np.dtype(np.int64).itemsize
    found: Column = np.fromfile(work.file(STAGE, key, name), np.int64, end - start, offset=start * size)
    return found
