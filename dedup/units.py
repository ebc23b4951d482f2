"""The units stage: one part's paragraphs, lines or substrings as sorted runs of their hashes.

Like signatures they know nothing of other parts: adding a source hashes that source alone.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from dedup.repeats import Repeats, Units, units
from dedup.runs import write_sliced
from pile.parts import Part, candidates
from pile.stage import Task, Watch, Work, make_key

STAGE = "units"
VERSION = 1
#: Units in a sorted run: about 200 MB of memory while it is sorted.
RUN_UNITS = 3_000_000
#: Units for which a run is cut into one more slice.
SLICE_UNITS = 100_000


class Hashing(msgspec.Struct, frozen=True):
    """What one task of the stage works on."""

    part: Part
    repeats: Repeats


def task(part: Part, repeats: Repeats) -> Task:
    """Return the stage's task for one part and one kind of repeat."""
    facts = [part.extract, part.judge, part.lost, repeats.facts, unicodedata.unidata_version]
    base = make_key(STAGE, VERSION, facts, ("numpy", "xxhash"))
    return Task(STAGE, base, hash_units, Hashing(part, repeats), part.label, size=part.bytes)


def hash_units(call: Hashing, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Do one task: write runs of (high, low, number of the candidate, number of the unit); return the slices of each."""
    runs: list[int] = []
    held: list[tuple[int, int, Units]] = []
    count = 0
    for number, (_, document) in enumerate(candidates(work, call.part)):
        if document.id in watch.quarantined:
            continue
        watch.begin(document.id)
        first = 0
        for found in units(document.text, call.repeats):
            held.append((number, first, found))
            first += len(found.high)
            count += len(found.high)
            if count >= RUN_UNITS:
                runs.append(_write(folder, len(runs), held))
                held, count = [], 0
    if count:
        runs.append(_write(folder, len(runs), held))
    return {"runs": runs}


def _write(folder: Path, run: int, held: list[tuple[int, int, Units]]) -> int:
    """Write one run; return its slices."""
    high = np.concatenate([found.high for _, _, found in held])
    low = np.concatenate([found.low for _, _, found in held])
    number = np.concatenate([np.full(len(found.high), number, np.uint32) for number, _, found in held])
    unit = np.concatenate([np.arange(first, first + len(found.high), dtype=np.uint32) for _, first, found in held])
    order = np.lexsort((low, high))
    slices = max(1, len(order) // SLICE_UNITS)
    columns = {"high": high[order], "low": low[order], "number": number[order], "unit": unit[order]}
    write_sliced(folder, f"units{run}", columns, slices)
    return slices
