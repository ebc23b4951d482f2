"""The gather stage, the second pass of the shuffle: a run of shards of one split, written from the buckets that they reach into.

One bucket is sorted at a time. Every shard is a range of the global order: shards differ by one document at most, or by the bytes
of one, and neither buckets, nor runs, nor threads decide any byte of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import xxhash

from pile.errors import CorpusError, WorkError
from pile.mix import SPLITS
from pile.recipe import Output
from pile.shards import FRAME_BYTES, FrameWriter
from pile.spread import INDEX, LINE, SPOOL
from pile.spread import STAGE as SPREAD
from pile.stage import Task, Watch, Work, make_key

STAGE = "gather"
VERSION = 3
#: Slices of spools whose places are held at a time: 40 bytes each.
MOST_SLICES = 1 << 20
PLACED = np.dtype(
    [("spool", "<i4"), ("bucket", "<i4"), ("lines", "<i8"), ("offset", "<i8"), ("size", "<i8"), ("xxh3", "<u8")]
)
#: Lines whose places are numbers of Python at a time.
STRETCH = 4096


class Gather(msgspec.Struct, frozen=True):
    """What one task of the second pass works on: shards ``first`` to below ``end`` of the ``shards`` of a split.

    ``spools`` are keys of the first pass in order of the parts. The split has ``total`` documents, or bytes when shards are equal
    ``by_bytes``; bucket ``bucket`` is the first that these shards reach into, and ``before`` is what lies before it.
    """

    spools: list[str]
    split: str
    first: int
    end: int
    shards: int
    total: int
    by_bytes: bool
    bucket: int
    buckets: int  #: in all
    before: int
    level: int
    threads: int = 1  #: that compress


def task(call: Gather, spools: str) -> Task:
    """Return the second pass's task for a run of shards; ``spools`` is the digest of the call's spools."""
    # The spools as one digest: there are as many as inputs, and as many tasks as shards.
    facts = {**msgspec.to_builtins(msgspec.structs.replace(call, spools=[], threads=1)), "spools": spools}
    base = make_key(STAGE, VERSION, {**facts, "frame": FRAME_BYTES}, ("zstandard",))
    pieces = tuple(piece_name(call.split, shard) for shard in range(call.first, call.end))
    return Task(STAGE, base, gather, call, f"{call.split} {call.first}-{call.end - 1}", checked=pieces)


def planned(output: Output, spools: list[str], counts: npt.NDArray[np.int64], workers: int) -> list[Gather]:
    """Return the calls that write all shards, by the lines in each bucket (by unit and split); raises ``CorpusError``."""
    lines = int(counts[0, 0].sum())
    if not lines:
        raise CorpusError("no document is left for train: look at the report of drops, the filters and the epochs")
    if lines < output.shards:
        raise CorpusError(f"{lines} documents cannot fill {output.shards} shards: lower [output] shards")
    calls = []
    for number, split in enumerate(SPLITS):
        by_bytes = split == "train" and output.equal == "bytes"
        units, shards = counts[int(by_bytes), number], output.shards if split == "train" else 1
        total = int(units.sum())
        for first, end, bucket in runs(units, shards) if total else []:
            place = (total, by_bytes, bucket, len(units), int(units[:bucket].sum()))
            calls.append(Gather(spools, split, first, end, shards, *place, output.level))
    return [msgspec.structs.replace(call, threads=max(1, workers // len(calls))) for call in calls]


def runs(counts: npt.NDArray[np.int64], shards: int) -> list[tuple[int, int, int]]:
    """Return ``(first shard, end, first bucket)`` of the runs that a split's shards are written in.

    ``counts`` are the units in each bucket. There are no more runs than buckets, so that few buckets are read for two runs.
    """
    number = min(shards, len(counts))
    bounds = [run * shards // number for run in range(number + 1)]
    ends, total = counts.cumsum(), int(counts.sum())
    # A shard's first line is the first whose last unit lies beyond the shard's start, and so does its bucket's.
    first = [int(np.searchsorted(ends, shard_start(bound, total, shards), side="right")) for bound in bounds[:-1]]
    return list(zip(bounds[:-1], bounds[1:], first, strict=True))


def shard_start(shard: int, total: int, shards: int) -> int:
    """Return how many documents, or bytes, of the order belong before a shard."""
    return shard * total // shards


def piece_name(split: str, shard: int) -> str:
    """Return the name of a shard in the task's folder."""
    return f"{split}-{shard}.zst"


def table_name(split: str, shard: int) -> str:
    """Return the name of the table of a shard's frames."""
    return f"{split}-{shard}.npy"


def gather(call: Gather, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Write the shards and a table of each one's frames; return what each is, by its file's name.

    A shard that no line falls into is not written.
    """
    pieces: dict[str, Any] = {}
    threads = min(call.threads, os.cpu_count() or 1)
    for shard, runs in groupby(_placed(call, work), key=itemgetter(0)):
        name = piece_name(call.split, shard)
        with FrameWriter(folder / name, call.level, threads) as writer:
            for _, lines in runs:
                writer.extend(lines)
            pieces[name] = msgspec.to_builtins(writer.close())
        np.save(folder / table_name(call.split, shard), writer.table())
    return {"pieces": pieces}


def _placed(call: Gather, work: Work) -> Iterator[tuple[int, Iterator[memoryview]]]:
    """Yield the lines of the call's shards in the global order, bucket by bucket, each time with their shard."""
    starts = [shard_start(shard, call.total, call.shards) for shard in range(call.first, call.end + 1)]
    done = call.before
    for bucket in _buckets(call, work):
        ends = done + np.cumsum(bucket.sizes + 1 if call.by_bytes else np.ones_like(bucket.sizes))
        # A shard's first line is the first whose last unit lies beyond the shard's start.
        bounds = np.searchsorted(ends, starts, side="right").tolist()
        done = int(ends[-1])
        for shard, (start, end) in enumerate(pairwise(bounds), call.first):
            if start < end:
                yield shard, bucket.lines(start, end)
        if bounds[-1] < len(ends):
            return
        del bucket  # before the next one takes its memory


class _Bucket:
    """The lines of one bucket in order, as they lie in some slices of spools, each given with how many lines it has."""

    def __init__(self, slices: list[tuple[bytes, int]]) -> None:
        self._slices = [memoryview(content) for content, _ in slices]
        tables = [np.frombuffer(content, LINE, lines) for content, lines in slices]
        sizes = np.concatenate([table["size"] for table in tables])
        ends = [table.nbytes + np.cumsum(table["size"]) for table in tables]
        of = np.repeat(np.arange(len(tables)), [len(table) for table in tables])
        places = np.concatenate([table["place"] for table in tables])
        order = np.argsort(places)
        self.sizes, self._ends, self._of = sizes[order], np.concatenate(ends)[order], of[order]
        self._settle_ties(places[order])

    def _settle_ties(self, places: npt.NDArray[np.uint64]) -> None:
        """Put lines of one place in the order of their ids; of one id they are the same."""
        tied = np.flatnonzero(places[1:] == places[:-1])
        for run in np.split(tied, np.flatnonzero(np.diff(tied) > 1) + 1) if len(tied) else []:
            start, end = int(run[0]), int(run[-1]) + 2
            ids = [msgspec.json.decode(line, type=_Named).meta.id.encode() for line in self.lines(start, end)]
            rows = start + np.array(sorted(range(end - start), key=ids.__getitem__))
            for column in (self.sizes, self._ends, self._of):
                column[start:end] = column[rows]

    def lines(self, start: int, end: int) -> Iterator[memoryview]:
        """Yield the lines from one place in the bucket to below another."""
        for first in range(start, end, STRETCH):
            rows = slice(first, min(first + STRETCH, end))
            ends, starts = self._ends[rows], self._ends[rows] - self.sizes[rows]
            for content, begin, stop in zip(self._of[rows].tolist(), starts.tolist(), ends.tolist(), strict=True):
                yield self._slices[content][begin:stop]


class _Id(msgspec.Struct):
    id: str


class _Named(msgspec.Struct):
    meta: _Id


def _buckets(call: Gather, work: Work) -> Iterator[_Bucket]:
    """Yield each bucket that has lines, from the call's first on."""
    stretch = max(1, MOST_SLICES // len(call.spools))
    for start in range(call.bucket, call.buckets, stretch):
        slices = _slices(call, work, start, min(start + stretch, call.buckets))
        for bucket in np.unique(slices["bucket"]).tolist():
            yield _Bucket(list(_contents(call, work, slices[slices["bucket"] == bucket])))


def _slices(call: Gather, work: Work, start: int, end: int) -> npt.NDArray[Any]:
    """Return the slices of buckets ``start`` to below ``end`` in every spool, with the place of the spool among the call's."""
    found = []
    for place, key in enumerate(call.spools):
        index = np.load(work.file(SPREAD, key, INDEX), mmap_mode="r")
        wanted = (index["split"] == SPLITS.index(call.split)) & (index["bucket"] >= start) & (index["bucket"] < end)
        rows = np.empty(np.count_nonzero(wanted), PLACED)
        rows["spool"] = place
        for name in ("bucket", "lines", "offset", "size", "xxh3"):
            rows[name] = index[name][wanted]
        found.append(rows)
    return np.concatenate(found)


def _contents(call: Gather, work: Work, slices: npt.NDArray[Any]) -> Iterator[tuple[bytes, int]]:
    """Yield what some slices hold, and how many lines that is; raises ``WorkError`` where one is damaged."""
    for spool, _, lines, offset, size, check in slices.tolist():
        key = call.spools[spool]
        content = work.storage.read_range(f"{SPREAD}/{key}/{SPOOL}", offset, size)
        if len(content) != size or xxhash.xxh3_64_intdigest(content) != check:
            folder = f"{work.storage.url}/{SPREAD}/{key}"
            raise WorkError(f"{folder}/{SPOOL} is damaged at {offset}: delete {folder} and build again")
        yield content, lines
