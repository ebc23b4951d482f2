"""The exact stage: documents whose normalised texts, or addresses, are the same, one range of their hashes at a time."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from dedup.runs import HASHES, Column, Run, Share, ranges, read_range, same_as_previous, write_run
from dedup.signed import Numbers, Signed, Tables
from pile.stage import Task, Watch, Work, make_key

STAGE = "exact"
VERSION = 2
COPIES = (
    "copies"  #: a run: "copy" (ascending) and the "original" that is preferred to it, for every document but originals
)


class Exact(msgspec.Struct, frozen=True):
    """What one task of the stage works on: a partition of the text or address hashes of all parts."""

    signed: Signed
    share: Share
    by: Literal["texts", "urls"]
    gone: list[str]  #: keys of this stage: their copies are not looked at


def task(call: Exact) -> Task:
    """Return the stage's task for one partition."""
    base = make_key(STAGE, VERSION, msgspec.to_builtins(call), ("numpy",))
    return Task(STAGE, base, exact, call, f"{call.by}, {call.share.label}")


def exact(call: Exact, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Do one task: write each copy with its original; return the counts."""
    runs, tables = call.signed.runs_of(call.by), Tables(work, call.signed)
    gone = copy_flags(work, call.signed.total, call.gone) if call.gone else None
    copies, originals, groups = [np.empty(0, np.int64)], [np.empty(0, np.int64)], 0
    for low, high in ranges(work, runs, "high", call.share.range, call.share.entries):
        (top, bottom, number), offsets = read_range(work, runs, ["high", "low", "number"], low, high)
        documents = number.astype(np.int64) + offsets
        if gone is not None:
            left = ~flagged(gone, documents)
            top, bottom, documents = top[left], bottom[left], documents[left]
        found = _copies(tables, top, bottom, documents)
        copies.append(found[0])
        originals.append(found[1])
        groups += found[2]
    copy, original = np.concatenate(copies), np.concatenate(originals)
    order = np.argsort(copy)
    write_run(folder, COPIES, {"copy": copy[order], "original": original[order]})
    return {"copies": len(copy), "originals": groups}


def _copies(tables: Tables, top: Column, bottom: Column, documents: Numbers) -> tuple[Numbers, Numbers, int]:
    """Return copies and their originals among documents by the halves of their hashes, and how many originals there are."""
    order = np.lexsort((documents, bottom, top))
    again = same_as_previous(top[order], bottom[order])
    in_group = again.copy()
    in_group[:-1] |= again[1:]
    members, groups = documents[order][in_group], (np.cumsum(~again) - 1)[in_group]
    if not len(members):
        return members, members, 0
    best = tables.most_preferred(members, groups)
    original = best[np.cumsum(~same_as_previous(groups)) - 1]
    copy = original != members
    return members[copy], original[copy], len(best)


def runs_of(keys: list[str]) -> list[Run]:
    """Return the runs of finished tasks."""
    return [Run(STAGE, key, COPIES) for key in keys]


def copy_flags(work: Work, total: int, keys: list[str]) -> npt.NDArray[np.uint8]:
    """Return one bit for each document of the corpus: whether it is a copy of another."""
    return flags_of(total, (run.column(work, "copy") for run in runs_of(keys)))


def flags_of(total: int, documents: Iterable[Numbers]) -> npt.NDArray[np.uint8]:
    """Return one bit for each document of the corpus, set for those given."""
    flags = np.zeros(total // 8 + 1, np.uint8)
    for numbers in documents:
        np.bitwise_or.at(flags, numbers >> 3, (1 << (numbers & 7)).astype(np.uint8))
    return flags


def flagged(flags: npt.NDArray[np.uint8], documents: Numbers) -> npt.NDArray[np.bool_]:
    """Return which documents have their bit set."""
    bits: npt.NDArray[np.bool_] = (flags[documents >> 3] >> (documents & 7).astype(np.uint8)) & 1 == 1
    return bits


def all_copies(work: Work, keys: list[str]) -> tuple[Numbers, Numbers]:
    """Return every copy and its original, copies ascending: 16 bytes for each copy in the corpus."""
    (copies, originals), _ = read_range(work, runs_of(keys), ["copy", "original"], 0, HASHES >> 1)
    order = np.argsort(copies)
    return copies[order].astype(np.int64), originals[order].astype(np.int64)
