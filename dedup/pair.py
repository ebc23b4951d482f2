"""The pair stage: the distinct candidate pairs of all partitions, and whose texts it takes to verify them."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from dedup.match import distinct, runs_of
from dedup.runs import Column, ranges, read_range
from dedup.signed import Numbers, Signed
from pile.stage import Task, Watch, Work, make_key

STAGE = "pair"
VERSION = 1
FIRST, SECOND = "first.bin", "second.bin"  #: int64 document numbers, pair by pair, ascending; first < second
WANTED = "wanted.bin"  #: int64, ascending: the documents of all pairs


class Pairing(msgspec.Struct, frozen=True):
    """What the stage's one task works on: the keys and facts of all ``match`` results."""

    signed: Signed
    matches: list[tuple[str, dict[str, Any]]]


def task(signed: Signed, matches: list[tuple[str, dict[str, Any]]]) -> Task:
    """Return the stage's task."""
    facts = [msgspec.to_builtins(signed), [key for key, _ in matches]]
    return Task(STAGE, make_key(STAGE, VERSION, facts, ("numpy",)), pair, Pairing(signed, matches), "all partitions")


def pair(call: Pairing, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Do the task; return how many pairs, and for each part with documents in pairs ``[start, end, digest]`` of its wanted.

    The digest is over numbers within the part: it stays the same when other parts come or go.
    """
    runs, total = runs_of(call.matches), call.signed.total
    wanted = np.zeros(total, bool)  # one byte for each document of the corpus
    pairs = 0
    with open(folder / FIRST, "wb") as firsts, open(folder / SECOND, "wb") as seconds:
        for low, high in ranges(work, runs, "first", 0, max(total, 1)):
            (first, second), _ = read_range(work, runs, ["first", "second"], low, high)
            first, second = distinct(first.astype(np.int64), second.astype(np.int64))
            firsts.write(first.tobytes())
            seconds.write(second.tobytes())
            wanted[first] = wanted[second] = True
            pairs += len(first)
    parts: dict[str, list[Any]] = {}
    starts, position = call.signed.starts(), 0
    with open(folder / WANTED, "wb") as file:
        for part, (start, end) in enumerate(zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)):
            numbers = np.flatnonzero(wanted[start:end]).astype(np.int64)
            if len(numbers):
                file.write((numbers + start).tobytes())
                parts[str(part)] = [position, position + len(numbers), sha256(numbers.tobytes()).hexdigest()[:40]]
                position += len(numbers)
    return {"pairs": pairs, "documents": position, "wanted": parts}


def read_numbers(work: Work, key: str, name: str, start: int, end: int) -> Numbers:
    """Return the numbers from ``start`` to ``end`` (exclusive) of one of the stage's files."""
    size = np.dtype(np.int64).itemsize
    found: Column = np.fromfile(work.file(STAGE, key, name), np.int64, end - start, offset=start * size)
    return found
