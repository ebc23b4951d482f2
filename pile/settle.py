"""The settle stage: within one source the last input wins.

A later version of an id replaces the earlier, a tombstone takes it away (PubMed's revisions and DeleteCitation, say).
Works on hashed ids alone, range by range, so that memory does not grow with the source.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from pile.parts import EVENT, EVENTS, LOST, TOMBSTONE, Part
from pile.stage import Task, Watch, Work, digest, make_key

STAGE = "settle"
VERSION = 1
#: Events held in memory at a time: 40 bytes each.
MOST_EVENTS = 4_000_000


class Settlement(msgspec.Struct, frozen=True):
    """What one task of the stage works on: all parts of a source, in the order of the lock."""

    parts: list[Part]


def task(parts: list[Part]) -> Task:
    """Return the stage's task for one source."""
    base = make_key(STAGE, VERSION, [part.extract for part in parts], ("numpy",))
    return Task(STAGE, base, settle, Settlement(parts), parts[0].source)


def settle(call: Settlement, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Do one task: write the rows that each part lost; return a digest of them by place, and the counts by reason."""
    files = [work.file("extract", part.extract, EVENTS) for part in call.parts]
    total = sum(len(np.load(file, mmap_mode="r")) for file in files)
    ranges = -(-total // MOST_EVENTS) or 1
    bounds = [round(i * 2**64 / ranges) for i in range(ranges + 1)]
    lost: dict[int, list[tuple[int, str]]] = {}
    for low, high in pairwise(bounds):
        for place, row, reason in _losers(files, low, high):
            lost.setdefault(place, []).append((row, reason))
    arrays: dict[str, npt.NDArray[Any]] = {}
    digests: dict[str, str] = {}
    for place, rows in sorted(lost.items()):
        rows.sort()
        arrays[f"rows{place}"] = np.array([row for row, _ in rows], dtype=np.int64)
        arrays[f"reasons{place}"] = np.array([reason for _, reason in rows])
        digests[str(place)] = digest(rows)[:40]
    np.savez(folder / LOST, **arrays)  # type: ignore[arg-type]
    counts = Counter(reason for rows in lost.values() for _, reason in rows)
    return {"in": total, "lost": digests, "drops": dict(sorted(counts.items()))}


def _losers(files: list[Path], low: int, high: int) -> list[tuple[int, int, str]]:
    """Return ``(place, row, reason)`` of the documents with hashed ids in a range that a later event displaces.

    One file is open at a time: there may be more inputs than a process may have files.
    """
    pieces, places = [], []
    for place, file in enumerate(files):
        part = np.load(file, mmap_mode="r")
        first = np.searchsorted(part["high"], np.uint64(low))
        last = len(part) if high == 2**64 else np.searchsorted(part["high"], np.uint64(high))
        pieces.append(np.array(part[first:last]))
        places.append(np.full(last - first, place, dtype=np.int64))
    found = np.concatenate(pieces) if pieces else np.empty(0, dtype=EVENT)
    place_of = np.concatenate(places) if places else np.empty(0, dtype=np.int64)
    order = np.lexsort((place_of, found["low"], found["high"]))  # stable: events of one part keep their order
    found, place_of = found[order], place_of[order]
    same_as_next = np.zeros(len(found), dtype=bool)
    same_as_next[:-1] = (found["high"][1:] == found["high"][:-1]) & (found["low"][1:] == found["low"][:-1])
    losers = []
    for index in np.flatnonzero(same_as_next & (found["row"] >= 0)):
        reason = "deleted" if found["row"][index + 1] == TOMBSTONE else "superseded"
        losers.append((int(place_of[index]), int(found["row"][index]), reason))
    return losers
