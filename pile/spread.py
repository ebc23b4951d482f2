"""The spread stage, the first pass of the shuffle: each part's surviving lines dealt out into ranges of the global order.

What is held in memory is bounded, and what is written is read once by the second pass (``pile.gather``).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
import numpy.typing as npt
import xxhash

from pile.buckets import Bucket, Sorter
from pile.cuts import Cut
from pile.decontaminate import CONTAMINATED, contaminants
from pile.mix import SPLITS, Mixer, shard_line
from pile.parts import Part
from pile.recipe import FilterTable, Splits
from pile.rewriting import facts_of
from pile.stage import Task, Watch, Work, make_key
from pile.survivors import Survivors

STAGE = "spread"
VERSION = 3
#: Uncompressed: written once and read once, it would cost more to compress, at any level, than all else that mixing does.
SPOOL = "spool"
INDEX = "index.npy"  #: SLICE array, sorted: where in the spool the lines of each split and bucket are
COUNTS = "counts.npy"  #: by unit (as in UNITS), split (as in SPLITS) and bucket
SLICE = np.dtype(
    [("split", "<i4"), ("bucket", "<i4"), ("lines", "<i8"), ("offset", "<i8"), ("size", "<i8"), ("xxh3", "<u8")]
)
#: A slice is a table of its lines, then the lines one after the other, without newlines: place in the order, bytes.
LINE = np.dtype([("place", "<u8"), ("size", "<i8")])
#: What shards may have equal numbers of; a line's bytes are those of the shard, with its newline.
UNITS = ("documents", "bytes")
NUMBERS = {split: number for number, split in enumerate(SPLITS)}
#: Lines that are written at a time.
PIECE = 64
#: Bytes that a line in hand takes beside its own: 33 as an object, 8 in a list, and, of either pass, some 60 to sort it.
LINE_OVERHEAD = 128


class Mixture(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that decides which documents of a part go where; ``buckets`` is the number of ranges of the global order."""

    seed: int
    epochs: float
    splits: Splits
    buckets: int
    quality: list[Bucket] = []  #: whose documents have other epochs


def buckets_for(parts: Iterable[tuple[Part, float]], memory: int) -> int:
    """Return into how many ranges the order is dealt, so that one of them takes half of ``memory`` (MiB), by the
    documents of each part and its epochs; the other half is for what is read, compressed and written.
    """
    size = sum(epochs * (part.bytes + LINE_OVERHEAD * part.documents) for part, epochs in parts)
    return max(1, round(size / half_of(memory)))


def half_of(memory: int) -> int:
    """Return half of so many MiB in bytes."""
    return memory << 19


class Spread(msgspec.Struct, frozen=True):
    """What one task of the first pass works on: a part, its cuts, the keys of its decisions and its marks ("" where none)."""

    part: Part
    dedup: str
    cuts: list[Cut]
    marks: str
    mixture: Mixture
    rewriters: list[FilterTable]
    memory: int  #: MiB; decides nothing but how often the spool is written to


def task(call: Spread) -> Task:
    """Return the first pass's task for one part."""
    part, cuts, mixture = call.part, msgspec.to_builtins(call.cuts), msgspec.to_builtins(call.mixture)
    facts = [part.extract, part.judge, part.lost, call.dedup, cuts, call.marks, mixture, facts_of(call.rewriters)]
    base = make_key(STAGE, VERSION, facts, ("msgspec", "xxhash"))
    return Task(STAGE, base, spread, call, part.label, size=part.bytes, checked=(SPOOL,))


def spread(call: Spread, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Deal one part's surviving lines out into buckets; return their counts and where they are in the spool."""
    mixture = call.mixture
    mixer = Mixer(mixture.seed, mixture.splits)
    emptied = not_sampled = 0
    unique, text_bytes = dict.fromkeys(SPLITS, 0), dict.fromkeys(SPLITS, 0)
    survivors = Survivors(work, call.part, call.dedup, call.cuts, call.rewriters)
    marks = contaminants(work, call.marks)
    sorter = Sorter(mixture.quality, mixture.epochs)
    with open(folder / SPOOL, "wb") as file:
        spool = _Spool(file, mixture.buckets, half_of(call.memory))
        for one in survivors:
            document, size = one.document, one.size
            if not size:
                emptied += 1
                continue
            id, split = document.id, mixer.split(one.cluster)
            number = mixer.copies(sorter.epochs(id, size, one.scores, one.cluster_size), id)
            number = number if split == "train" else min(number, 1)
            if not number:
                not_sampled += 1
                continue
            if one.row in marks:
                document = msgspec.structs.replace(document, meta={**document.meta, CONTAMINATED: marks[one.row]})
            line = shard_line(document)
            unique[split] += 1
            text_bytes[split] += number * size
            for copy in range(number):
                spool.add(split, mixer.place(id, copy), line)
        spool.flush()
    np.save(folder / INDEX, spool.index())
    np.save(folder / COUNTS, spool.counts())
    return {
        "funnel": survivors.funnel(),
        "in": survivors.count,
        "in_bytes": survivors.text_bytes,
        "out": sum(unique.values()),
        "drops": _seen({"not_sampled": not_sampled, "rewritten_to_nothing": emptied}),
        "documents": _seen(unique),
        "lines": _seen(dict(zip(SPLITS, spool.counts()[0].sum(axis=1).tolist(), strict=True))),
        "text_bytes": _seen(text_bytes),
        **sorter.facts(),
    }


def _seen(counts: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in sorted(counts.items()) if count}


class _Spool:
    """Lines by split and bucket, held up to a bound, then written one slice after the other, each with its table."""

    def __init__(self, file: BinaryIO, buckets: int, most: int) -> None:
        self._file, self._buckets, self._most = file, buckets, most
        self._lines: list[bytes] = []
        self._places, self._splits = array("Q"), array("B")
        self._size = 0
        self._slices: list[tuple[int, ...]] = []
        self._counts = np.zeros((len(UNITS), len(SPLITS) * buckets), np.int64)

    def add(self, split: str, place: int, line: bytes) -> None:
        self._lines.append(line)
        self._places.append(place)
        self._splits.append(NUMBERS[split])
        self._size += LINE_OVERHEAD + len(line)
        if self._size >= self._most:
            self.flush()

    def flush(self) -> None:
        table = np.empty(len(self._lines), LINE)
        table["place"] = self._places
        table["size"] = np.fromiter(map(len, self._lines), np.int64, len(self._lines))
        home = np.array(self._splits, np.int64) * self._buckets + bucket_of(table["place"], self._buckets)
        order = np.lexsort((table["place"], home))
        self._count(home, table["size"])
        for rows in np.split(order, np.flatnonzero(np.diff(home[order])) + 1) if len(order) else []:
            split, bucket = divmod(int(home[rows[0]]), self._buckets)
            start, check = self._file.tell(), self._write(table[rows], rows)
            self._slices.append((split, bucket, len(rows), start, self._file.tell() - start, check))
        self._lines, self._places, self._splits, self._size = [], array("Q"), array("B"), 0

    def _write(self, table: npt.NDArray[Any], rows: npt.NDArray[np.int64]) -> int:
        """Write a slice piece by piece, which takes no new memory, and return the hash of it all."""
        check, lines = xxhash.xxh3_64(), map(self._lines.__getitem__, rows.tolist())
        for piece in chain([table.tobytes()], iter(lambda: b"".join(islice(lines, PIECE)), b"")):
            check.update(piece)
            self._file.write(piece)
        return check.intdigest()

    def _count(self, home: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]) -> None:
        np.add.at(self._counts[0], home, 1)
        np.add.at(self._counts[1], home, sizes + 1)

    def counts(self) -> npt.NDArray[np.int64]:
        """Return the lines by unit, split and bucket."""
        return self._counts.reshape(len(UNITS), len(SPLITS), self._buckets)

    def index(self) -> npt.NDArray[Any]:
        """Return where the slices of each split and bucket are, in that order."""
        return np.array(sorted(self._slices), dtype=SLICE)


def bucket_of(places: npt.NDArray[np.uint64], buckets: int) -> npt.NDArray[np.int64]:
    """Return in which of so many equal ranges of the order places are; there are fewer than 2^32 ranges."""
    high = np.uint64(32)
    return ((places >> high) * np.uint64(buckets) >> high).astype(np.int64)
