"""The repeated stage: which units stand in many of the documents that stay, one range of their hashes at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from dedup.exact import flagged, flags_of
from dedup.runs import Column, Run, Share, ranges, read_range, same_as_previous, write_run
from dedup.signed import Numbers, Signed, Tables, sliced_runs
from dedup.units import STAGE as UNITS
from pile.decisions import decisions
from pile.stage import Task, Watch, Work, make_key

STAGE = "repeated"
VERSION = 1
REPEATED = "repeated"  #: a run: "document" (ascending) and "unit" of what is to be cut


class Repetition(msgspec.Struct, frozen=True):
    """What one task of the stage works on: a partition of the hashes of all parts' units.

    ``units`` are keys and runs of the ``units`` stage, "" for parts that are not looked at; ``decided`` keys of decisions.
    """

    signed: Signed
    units: list[tuple[str, list[int]]]
    decided: list[str]
    least: int  #: documents that make a repeat
    share: Share


def task(call: Repetition) -> Task:
    """Return the stage's task for one partition."""
    base = make_key(STAGE, VERSION, msgspec.to_builtins(call), ("numpy",))
    return Task(STAGE, base, repeated, call, call.share.label)


def repeated(call: Repetition, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Do one task: write every unit of every document but the most preferred that has it; return the counts."""
    runs, tables, gone = _runs(call), Tables(work, call.signed), _gone(call, work)
    documents, units, kinds = [np.empty(0, np.int64)], [np.empty(0, np.int64)], 0
    for low, high in ranges(work, runs, "high", call.share.range, call.share.entries):
        (top, bottom, number, unit), offsets = read_range(work, runs, ["high", "low", "number", "unit"], low, high)
        document = number.astype(np.int64) + offsets
        stays = ~flagged(gone, document)
        found = _cut(tables, call.least, top[stays], bottom[stays], document[stays], unit[stays].astype(np.int64))
        documents.append(found[0])
        units.append(found[1])
        kinds += found[2]
    document, unit = np.concatenate(documents), np.concatenate(units)
    order = np.lexsort((unit, document))
    write_run(folder, REPEATED, {"document": document[order], "unit": unit[order]})
    return {"cut": len(document), "repeats": kinds}


def _cut(
    tables: Tables, least: int, top: Column, bottom: Column, document: Numbers, unit: Numbers
) -> tuple[Numbers, Numbers, int]:
    """Return the documents and units to cut, and how many different repeats there are."""
    order = np.lexsort((document, bottom, top))
    top, bottom, document, unit = top[order], bottom[order], document[order], unit[order]
    group = np.cumsum(~same_as_previous(top, bottom)) - 1
    new = ~same_as_previous(group, document)
    often = np.bincount(group[new], minlength=1)[group] >= least
    group, document, unit, new = group[often], document[often], unit[often], new[often]
    if not len(group):
        return document, unit, 0
    best = tables.most_preferred(document[new], group[new])
    cut = document != best[np.cumsum(~same_as_previous(group)) - 1]
    return document[cut], unit[cut], len(best)


def _runs(call: Repetition) -> list[Run]:
    keys, runs = [key for key, _ in call.units], [runs for _, runs in call.units]
    return sliced_runs(UNITS, "units", keys, runs, call.signed.starts())


def _gone(call: Repetition, work: Work) -> npt.NDArray[np.uint8]:
    """Return one bit for each document of the corpus: whether deduplication removed it."""
    starts = call.signed.starts()[:-1].tolist()
    removed = (
        np.flatnonzero(decisions(work, key)["reason"]) + start for key, start in zip(call.decided, starts, strict=True)
    )
    return flags_of(call.signed.total, removed)
