"""The decide stage, which stores its results as ``dedup``: one decision for each candidate of a part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from dedup.resolve import AFFECTED
from dedup.resolve import STAGE as RESOLVE
from dedup.runs import start_array
from dedup.sign import SIGNED, TABLE
from dedup.sign import STAGE as SIGN
from pile.decisions import DECISION, DECISIONS, DEDUP_REASONS, STAGE
from pile.errors import WorkError
from pile.stage import Task, Watch, Work, make_key

VERSION = 2
#: Decisions made at a time.
STRETCH = 100_000


class Decision(msgspec.Struct, frozen=True):
    """What one task of the stage works on: a signed part, and where the ``resolve`` stage wrote of it (nowhere: start = end)."""

    signed: str  #: key
    count: int
    ids: str  #: digest
    resolve: str  #: key
    start: int
    end: int
    checked: list[int] | None  #: None when pairs were verified, else removals looked at, and those it would have spared


def task(call: Decision, digest: str, label: str) -> Task:
    """Return the stage's task for one part; ``digest`` is over what ``resolve`` wrote of it."""
    # Not the key of resolve: where it says the same of this part as before, the part's decisions are the same.
    base = make_key(STAGE, VERSION, [call.signed, digest, call.checked], ("numpy",))
    return Task(STAGE, base, decide, call, label)


def decide(call: Decision, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Do one task: write the decisions; return the counts, the digest of the candidates' ids, and whether pairs were verified."""
    counts = np.zeros(len(DEDUP_REASONS), np.int64)
    affected = np.empty(0, DECISION)
    if call.start < call.end:
        affected = np.load(work.file(RESOLVE, call.resolve, AFFECTED), mmap_mode="r")[call.start : call.end]
    met = 0
    with open(folder / DECISIONS, "wb") as file:
        start_array(file, DECISION, call.count)
        for start in range(0, call.count, STRETCH):
            size = min(STRETCH, call.count - start)
            signed = np.fromfile(work.file(SIGN, call.signed, TABLE), SIGNED, size, offset=start * SIGNED.itemsize)
            later = affected[met : met + size]
            later = later[: np.searchsorted(later["row"], signed["row"][-1], side="right")]
            decided = _decided(signed, later)
            file.write(decided.tobytes())
            counts += np.bincount(decided["reason"], minlength=len(DEDUP_REASONS))
            met += len(later)
    if met != len(affected):
        raise WorkError(f"resolve/{call.resolve} is about other rows than sign/{call.signed}; delete both folders")
    drops = {reason: int(n) for reason, n in zip(DEDUP_REASONS, counts, strict=True) if reason}
    kept = int(counts[0])
    facts = {
        "in": call.count,
        "kept": kept,
        "out": kept,
        "drops": drops,
        "ids": call.ids,
        "verified": call.checked is None,
    }
    return facts if call.checked is None else {**facts, "checked": call.checked[0], "spared": call.checked[1]}


def _decided(signed: npt.NDArray[Any], affected: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the decisions on signed documents, of which ``affected`` are not alone."""
    decided = np.zeros(len(signed), DECISION)
    decided["row"], decided["cluster"] = signed["row"], signed["id_hash"]
    decided["size"] = decided["sources"] = 1
    decided["winner_part"] = decided["winner_row"] = -1
    decided[np.searchsorted(signed["row"], affected["row"])] = affected
    return decided
