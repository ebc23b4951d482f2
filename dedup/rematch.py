"""The rematch stage: more candidate pairs among what verification left of large buckets, one range of band hashes at a time.

A family of very many variants is first compared with its most preferred members only (``dedup.match``). What stays of it is
fewer, and can afford to be compared more widely.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from dedup.match import LARGE, PAIRS, Likely, Width, bucket_pairs, runs_of
from dedup.resolve import GONE
from dedup.resolve import STAGE as RESOLVE
from dedup.runs import Share, ranges, read_range, write_run
from dedup.signed import Signed, Tables
from pile.stage import Task, Watch, Work, make_key

STAGE = "rematch"
VERSION = 2
#: Looks at what is left, after the first. Of 1,500 variants of a page of 130 words (1 or 2 other words in each) 340 stay
#: after the first look, 241, 218 and 213 after these; comparing all pairs would leave 205. New pairs fall by a factor of three
#: to six from look to look, so that all of them together cost less than the first.
ROUNDS = 4
#: What is left of a bucket gives all its pairs up to 64 documents. A larger one still costs linear work.
WIDTH = Width(small=64, leaders=32, neighbours=16, sketched=True)


class Rematch(msgspec.Struct, frozen=True):
    """What one task of the stage works on: a partition of the members of large buckets, less what ``resolve`` says goes."""

    signed: Signed
    matches: list[tuple[str, dict[str, Any]]]
    resolve: str  #: key
    likely: Likely
    share: Share


def task(call: Rematch) -> Task:
    """Return the stage's task for one partition."""
    keys = [key for key, _ in call.matches]
    facts = msgspec.to_builtins([call.signed, keys, call.resolve, call.likely, call.share, WIDTH])
    return Task(STAGE, make_key(STAGE, VERSION, facts, ("numpy",)), rematch, call, call.share.label)


def rematch(call: Rematch, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Do one task: write runs of candidate pairs; return the counts."""
    runs, tables = runs_of(call.matches, name=LARGE), Tables(work, call.signed)
    gone = np.load(work.file(RESOLVE, call.resolve, GONE), mmap_mode="r")
    written = pairs = 0
    for low, high in ranges(work, runs, "hash", call.share.range, call.share.entries):
        (hashes, documents), _ = read_range(work, runs, ["hash", "number"], low, high)
        left = np.ones(len(documents), bool)
        if len(gone):
            left = gone[np.minimum(np.searchsorted(gone, documents), len(gone) - 1)] != documents
        found = bucket_pairs(hashes[left], documents[left], tables, WIDTH, call.likely)
        if len(found.first):
            write_run(folder, f"{PAIRS}{written}", {"first": found.first, "second": found.second})
            written += 1
            pairs += len(found.first)
    return {"pairs": pairs, "runs": written}
