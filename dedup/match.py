"""The match stage: candidate pairs, documents that share a band hash, one range of band hashes at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from dedup.exact import runs_of as copies_of
from dedup.runs import Run, partition_range, ranges, read_range, same_as_previous, write_run
from dedup.signed import Numbers, Signed, Tables
from pile.stage import Task, Watch, Work, make_key

STAGE = "match"
VERSION = 1
PAIRS = "pairs"  #: runs of "first" and "second": document numbers, first < second, ascending

#: A bucket (the documents that share a band hash) of up to this many gives all its pairs.
SMALL_BUCKET = 16
#: In a larger one each document is paired with so many of the most preferred, which are the likeliest to be kept,
LEADERS = 8
#: and with so many next to it in order of preference, which are the likeliest to be of its length. That is fewer pairs
#: a document than twice those of the largest small bucket: a million variants of one page cost linear work.
NEIGHBOURS = 4


class Match(msgspec.Struct, frozen=True):
    """What one task of the stage works on: a partition of the band hashes of all parts, less the ``exact`` stage's copies."""

    signed: Signed
    exact: list[str]  #: keys
    partition: int
    partitions: int


def task(signed: Signed, exact: list[str], partition: int, partitions: int) -> Task:
    """Return the stage's task for one partition."""
    facts = [msgspec.to_builtins(signed), exact, partition, partitions, SMALL_BUCKET, LEADERS, NEIGHBOURS]
    label = f"partition {partition + 1} of {partitions}"
    base = make_key(STAGE, VERSION, facts, ("numpy",))
    return Task(STAGE, base, match, Match(signed, exact, partition, partitions), label)


def match(call: Match, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Do one task: write runs of candidate pairs; return the counts."""
    runs, tables = call.signed.runs_of("bands"), Tables(work, call.signed)
    copy = _copy_flags(work, call.signed.total, call.exact)
    written = pairs = largest = 0
    for low, high in ranges(work, runs, "hash", *partition_range(call.partition, call.partitions)):
        (hashes, number), offsets = read_range(work, runs, ["hash", "number"], low, high)
        documents = number.astype(np.int64) + offsets
        left = ~_flagged(copy, documents)
        first, second, size = _bucket_pairs(hashes[left], documents[left], tables)
        largest = max(largest, size)
        if len(first):
            write_run(folder, f"{PAIRS}{written}", {"first": first, "second": second})
            written += 1
            pairs += len(first)
    return {"pairs": pairs, "runs": written, "largest_bucket": largest}


def runs_of(results: list[tuple[str, dict[str, Any]]]) -> list[Run]:
    """Return the runs of finished tasks, by their keys and facts."""
    return [Run(STAGE, key, f"{PAIRS}{run}") for key, facts in results for run in range(facts["runs"])]


def _copy_flags(work: Work, total: int, exact: list[str]) -> npt.NDArray[np.uint8]:
    """Return one bit for each document of the corpus: whether it is an exact copy of another."""
    flags = np.zeros(total // 8 + 1, np.uint8)
    for run in copies_of(exact):
        copies = run.column(work, "copy")
        np.bitwise_or.at(flags, copies >> 3, (1 << (copies & 7)).astype(np.uint8))
    return flags


def _flagged(flags: npt.NDArray[np.uint8], documents: Numbers) -> npt.NDArray[np.bool_]:
    bits: npt.NDArray[np.bool_] = (flags[documents >> 3] >> (documents & 7).astype(np.uint8)) & 1 == 1
    return bits


def _bucket_pairs(hashes: npt.NDArray[Any], documents: Numbers, tables: Tables) -> tuple[Numbers, Numbers, int]:
    """Return the distinct pairs that buckets propose, ascending, and the size of the largest bucket."""
    order = np.lexsort((documents, hashes))
    hashes, documents = hashes[order], documents[order]
    bucket = np.cumsum(~same_as_previous(hashes)) - 1
    sizes = np.bincount(bucket) if len(bucket) else np.zeros(1, np.int64)
    size = sizes[bucket]
    small, large = (size > 1) & (size <= SMALL_BUCKET), size > SMALL_BUCKET
    found = _next_to(bucket[small], documents[small], SMALL_BUCKET - 1)
    if large.any():
        members, buckets = documents[large], bucket[large]
        members = tables.by_preference(members, buckets)
        found += _next_to(buckets, members, NEIGHBOURS) + _with_leaders(buckets, members)
    first, second = distinct(
        np.concatenate([np.empty(0, np.int64), *(np.minimum(a, b) for a, b in found)]),
        np.concatenate([np.empty(0, np.int64), *(np.maximum(a, b) for a, b in found)]),
    )
    return first, second, int(sizes.max())


def _next_to(bucket: Numbers, documents: Numbers, distance: int) -> list[tuple[Numbers, Numbers]]:
    """Return pairs of documents of one bucket with no more than so many places between them."""
    pairs = []
    for step in range(1, min(distance + 1, len(bucket))):
        together = bucket[step:] == bucket[:-step]
        if not together.any():
            break
        pairs.append((documents[:-step][together], documents[step:][together]))
    return pairs


def _with_leaders(bucket: Numbers, documents: Numbers) -> list[tuple[Numbers, Numbers]]:
    """Return pairs of each document with the first of its bucket."""
    begins = ~same_as_previous(bucket)
    first = np.flatnonzero(begins)[np.cumsum(begins) - 1]
    places = np.arange(len(documents))
    pairs = []
    for leader in range(LEADERS):
        later = places > first + leader
        pairs.append((documents[(first + leader)[later]], documents[later]))
    return pairs


def distinct(first: Numbers, second: Numbers) -> tuple[Numbers, Numbers]:
    """Return the distinct pairs, ascending, without a document's pair with itself."""
    order = np.lexsort((second, first))
    first, second = first[order], second[order]
    keep = ~same_as_previous(first, second) & (first != second)
    return first[keep], second[keep]
