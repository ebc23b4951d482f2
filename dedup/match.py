"""The match stage: candidate pairs, documents that share a band hash, one range of band hashes at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from dedup.exact import copy_flags, flagged
from dedup.runs import Run, Share, ranges, read_range, same_as_previous, write_run
from dedup.signed import Numbers, Signed, Tables
from dedup.sketch import differing, most_differing
from dedup.sketch import width as sketch_width
from pile.stage import Task, Watch, Work, make_key

STAGE = "match"
VERSION = 3
PAIRS = "pairs"  #: runs of "first" and "second": document numbers, first < second, ascending
LARGE = "large"  #: runs of "hash" and "number": the members of buckets that do not give all their pairs

#: A bucket (the documents that share a band hash) of up to this many gives all its pairs.
SMALL_BUCKET = 16
#: In a larger one each document is paired with so many of the most preferred, which are the likeliest to be kept,
LEADERS = 8
#: and with so many next to it in order of preference, which are the likeliest to be of its length. That is fewer pairs
#: a document than twice those of the largest small bucket: a million variants of one page cost linear work. What
#: is left of such a bucket when those pairs are verified is looked at again (``dedup.rematch``).
NEIGHBOURS = 4


#: Thresholds from the default on share their pairs, so that another of them reads no text again.
SHARED_FROM = 0.8


class Width(msgspec.Struct, frozen=True):
    """How many pairs a bucket gives: all up to ``small`` documents, else each with leaders and neighbours.

    Unlikely pairs are left out where buckets are larger, and with ``sketched`` where they are small, too.
    """

    small: int
    leaders: int
    neighbours: int
    sketched: bool = False


class Likely(msgspec.Struct, frozen=True):
    """Which pairs are worth comparing: their sketches differ in at most so many of the permutations."""

    permutations: int
    most_differing: int

    @classmethod
    def at(cls, threshold: float, permutations: int) -> Likely:
        """Return what pairs at the threshold meet all but surely; the same for all thresholds from ``SHARED_FROM`` on."""
        return cls(permutations, most_differing(min(threshold, SHARED_FROM), permutations))


FIRST_WIDTH = Width(SMALL_BUCKET, LEADERS, NEIGHBOURS)


class Match(msgspec.Struct, frozen=True):
    """What one task of the stage works on: a partition of the band hashes of all parts, less the ``exact`` stage's copies."""

    signed: Signed
    exact: list[str]  #: keys
    likely: Likely
    share: Share


def task(call: Match) -> Task:
    """Return the stage's task for one partition."""
    base = make_key(STAGE, VERSION, msgspec.to_builtins([call, FIRST_WIDTH]), ("numpy",))
    return Task(STAGE, base, match, call, call.share.label)


def match(call: Match, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Do one task: write runs of candidate pairs; return the counts."""
    runs, tables = call.signed.runs_of("bands"), Tables(work, call.signed)
    copy = copy_flags(work, call.signed.total, call.exact)
    written = pairs = large = largest = 0
    for low, high in ranges(work, runs, "hash", call.share.range, call.share.entries):
        (hashes, number), offsets = read_range(work, runs, ["hash", "number"], low, high)
        documents = number.astype(np.int64) + offsets
        left = ~flagged(copy, documents)
        found = bucket_pairs(hashes[left], documents[left], tables, FIRST_WIDTH, call.likely)
        largest = max(largest, found.largest)
        if len(found.first) or len(found.large):
            write_run(folder, f"{PAIRS}{written}", {"first": found.first, "second": found.second})
            write_run(folder, f"{LARGE}{written}", {"hash": found.large_hash, "number": found.large})
            written += 1
            pairs += len(found.first)
            large += len(found.large)
    return {"pairs": pairs, "runs": written, "in_large_buckets": large, "largest_bucket": largest}


def runs_of(results: list[tuple[str, dict[str, Any]]], stage: str = STAGE, name: str = PAIRS) -> list[Run]:
    """Return the runs of finished tasks, by their keys and facts."""
    return [Run(stage, key, f"{name}{run}") for key, facts in results for run in range(facts["runs"])]


class Found(msgspec.Struct, frozen=True):
    """What the buckets of a range give: distinct pairs, ascending, the members of large buckets by hash, the largest's size."""

    first: Numbers
    second: Numbers
    large_hash: npt.NDArray[Any]
    large: Numbers
    largest: int


def bucket_pairs(hashes: npt.NDArray[Any], documents: Numbers, tables: Tables, width: Width, likely: Likely) -> Found:
    """Return the pairs that buckets propose: documents with the same hash; of those ``width`` says so of, the likely ones."""
    order = np.lexsort((documents, hashes))
    hashes, documents = hashes[order], documents[order]
    bucket = np.cumsum(~same_as_previous(hashes)) - 1
    sizes = np.bincount(bucket) if len(bucket) else np.zeros(1, np.int64)
    size = sizes[bucket]
    small, large = (size > 1) & (size <= width.small), size > width.small
    found = []
    if small.any():
        pairs = _next_to(bucket[small], width.small - 1)
        found += _pairs(documents[small], pairs, tables, likely if width.sketched else None)
    if large.any():
        members, buckets = tables.by_preference(documents[large], bucket[large]), bucket[large]
        pairs = chain(_next_to(buckets, width.neighbours), _with_leaders(buckets, width.leaders))
        found += _pairs(members, pairs, tables, likely)
    first, second = distinct(
        np.concatenate([np.empty(0, np.int64), *(np.minimum(a, b) for a, b in found)]),
        np.concatenate([np.empty(0, np.int64), *(np.maximum(a, b) for a, b in found)]),
    )
    return Found(first, second, hashes[large], documents[large], int(sizes.max()))


def _pairs(
    members: Numbers, places: Iterable[tuple[Numbers, Numbers]], tables: Tables, likely: Likely | None
) -> list[tuple[Numbers, Numbers]]:
    """Return the pairs of members at these places, all or the likely ones."""
    if likely is None:
        return [(members[one], members[other]) for one, other in places]
    sketches = tables.sketches(members, sketch_width(likely.permutations))
    pairs = []
    for one, other in places:
        near = differing(sketches[one], sketches[other]) <= likely.most_differing
        pairs.append((members[one[near]], members[other[near]]))
    return pairs


def _next_to(bucket: Numbers, distance: int) -> Iterator[tuple[Numbers, Numbers]]:
    """Yield the places of pairs in one bucket with no more than so many places between them."""
    for step in range(1, min(distance + 1, len(bucket))):
        one = np.flatnonzero(bucket[step:] == bucket[:-step])
        if not len(one):
            break
        yield one, one + step


def _with_leaders(bucket: Numbers, leaders: int) -> Iterator[tuple[Numbers, Numbers]]:
    """Yield the places of pairs of each document with one of the first of its bucket."""
    begins = ~same_as_previous(bucket)
    first = np.flatnonzero(begins)[np.cumsum(begins) - 1]
    places = np.arange(len(bucket))
    for leader in range(leaders):
        later = np.flatnonzero(places > first + leader)
        yield first[later] + leader, later


def distinct(first: Numbers, second: Numbers) -> tuple[Numbers, Numbers]:
    """Return the distinct pairs, ascending, without a document's pair with itself."""
    order = np.lexsort((second, first))
    first, second = first[order], second[order]
    keep = ~same_as_previous(first, second) & (first != second)
    return first[keep], second[keep]
