"""The cut stage: one part's documents without what other documents say already, as passages of their texts (``pile.cuts``)."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from dedup.repeated import REPEATED
from dedup.repeated import STAGE as REPETITION
from dedup.repeats import Repeats, merged, units
from dedup.runs import save
from pile.cuts import CUT_ROW, CUTS, REPEATED_TEXT, STAGE, Span, without
from pile.decisions import decisions
from pile.parts import Part, candidates
from pile.stage import Task, Watch, Work, make_key

VERSION = 1


class Cutting(msgspec.Struct, frozen=True):
    """What one task works on: a part, whose candidates are numbered from ``start`` on, and its repeats.

    ``found`` are, for each kind of repeat, the keys of the ``repeated`` stage.
    """

    part: Part
    decided: str  #: key
    start: int
    count: int
    found: list[tuple[Repeats, list[str]]]


def task(call: Cutting) -> Task:
    """Return the stage's task for one part."""
    base = make_key(STAGE, VERSION, msgspec.to_builtins(call), ("numpy",))
    return Task(STAGE, base, cut, call, call.part.label, size=call.part.bytes)


def cut(call: Cutting, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Do one task: write the passages; return the counts, in documents, and how much is cut from those that stay."""
    wanted = [_wanted(call, keys, work) for _, keys in call.found]
    rows: list[tuple[int, int, int]] = []
    emptied = touched = characters = 0
    if any(wanted):
        for number, (row, document) in enumerate(candidates(work, call.part)):
            spans = [
                span
                for (repeats, _), numbers in zip(call.found, wanted, strict=True)
                if number in numbers
                for span in _spans(document.text, repeats, numbers[number])
            ]
            if not spans:
                continue
            spans = merged(document.text, spans, "")
            rows += [(row, start, end) for start, end in spans]
            if without(document.text, spans):
                touched += 1
                characters += sum(end - start for start, end in spans)
            else:
                emptied += 1
    save(folder / CUTS, np.array(rows, CUT_ROW))
    kept = int(np.count_nonzero(decisions(work, call.decided)["reason"] == 0))
    drops = {REPEATED_TEXT: emptied} if emptied else {}
    return {"in": kept, "out": kept - emptied, "drops": drops, "touched": touched, "characters": characters}


def _wanted(call: Cutting, keys: list[str], work: Work) -> dict[int, list[int]]:
    """Return the units to cut from each of the part's candidates that has any."""
    wanted: dict[int, list[int]] = defaultdict(list)
    for key in keys:
        documents = np.load(work.file(REPETITION, key, f"{REPEATED}.document.npy"), mmap_mode="r")
        first, last = np.searchsorted(documents, [call.start, call.start + call.count]).tolist()
        numbers = np.load(work.file(REPETITION, key, f"{REPEATED}.unit.npy"), mmap_mode="r")[first:last]
        for document, unit in zip((documents[first:last] - call.start).tolist(), numbers.tolist(), strict=True):
            wanted[document].append(unit)
    return wanted


def _spans(text: str, repeats: Repeats, wanted: list[int]) -> list[Span]:
    """Return the passages of the wanted units."""
    chosen, first = np.sort(np.array(wanted, np.int64)), 0
    spans: list[Span] = []
    for found in units(text, repeats):
        here = chosen[(chosen >= first) & (chosen < first + len(found.starts))] - first
        spans += zip(found.starts[here].tolist(), found.ends[here].tolist(), strict=True)
        first += len(found.starts)
    return merged(text, spans, repeats.of)
