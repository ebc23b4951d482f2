"""The spare stage: where pairs are not verified, how many removals verification would have spared, from a sample of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from dedup.pair import FIRST, SECOND, read_numbers, write_pairs
from dedup.pair import STAGE as PAIR
from dedup.resolve import GONE, WINNERS
from dedup.resolve import STAGE as RESOLVE
from dedup.signed import Signed, Tables
from dedup.verify import JACCARD, VERIFY
from pile.stage import Task, Watch, Work, make_key
from pile.words import mixed

STAGE = "spare"
VERSION = 1
#: Removals that are looked at: their share is then known to within one in a hundred.
SAMPLE = 10_000


class Sampling(msgspec.Struct, frozen=True):
    """What the sampling task works on."""

    signed: Signed
    resolve: str  #: key


class Sparing(msgspec.Struct, frozen=True):
    """What the counting task works on: the sampled pairs, and the ``verify`` stage's keys with the pairs of each."""

    signed: Signed
    pair: str
    resolve: str
    verified: list[tuple[str, int, int]]
    threshold: float


def sample_task(signed: Signed, resolve: str) -> Task:
    """Return the task that draws removals; its result is one of the ``pair`` stage's, for the ``verify`` stage to read."""
    base = make_key(PAIR, VERSION, ["sample", msgspec.to_builtins(signed), resolve, SAMPLE], ("numpy",))
    return Task(PAIR, base, sample, Sampling(signed, resolve), "a sample of the removals")


def sample(call: Sampling, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Draw removals by the hash of their ids; write each with the document on whose account it goes."""
    gone, winners = (np.load(work.file(RESOLVE, call.resolve, name)) for name in (GONE, WINNERS))
    draws = mixed(Tables(work, call.signed).column(gone, "id_hash"))
    drawn = np.argsort(draws, kind="stable")[:SAMPLE]
    first, second = np.minimum(gone[drawn], winners[drawn]), np.maximum(gone[drawn], winners[drawn])
    order = np.lexsort((second, first))
    return write_pairs(folder, call.signed, [(first[order], second[order])], np.zeros(call.signed.total, bool))


def task(call: Sparing) -> Task:
    """Return the counting task."""
    base = make_key(STAGE, VERSION, msgspec.to_builtins(call), ("numpy",))
    return Task(STAGE, base, spare, call, "a sample of the removals")


def spare(call: Sparing, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Count; return for each part with removals in the sample how many there are, and how many are below the threshold."""
    gone = np.load(work.file(RESOLVE, call.resolve, GONE))
    counts: dict[str, list[int]] = {}
    tables = Tables(work, call.signed)
    for key, start, end in call.verified:
        first, second = (read_numbers(work, call.pair, name, start, end) for name in (FIRST, SECOND))
        # Of two that do not both stay, the one that goes is in ``gone``; the other one stays.
        removed = np.where(np.isin(first, gone), first, second)
        below = np.load(work.file(VERIFY, key, JACCARD)) < call.threshold
        for part, spared in zip(tables.parts(removed).tolist(), below.tolist(), strict=True):
            count = counts.setdefault(str(part), [0, 0])
            count[0] += 1
            count[1] += spared
    return {"checked": counts}
