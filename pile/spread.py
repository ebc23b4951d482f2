"""The spread stage, the first pass of the shuffle: each part's surviving lines dealt out into ranges of the global order.

What is held in memory is bounded, and what is written is read once by the second pass (``pile.gather``).
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
import numpy.typing as npt
import xxhash

from pile.buckets import Bucket, Sorter
from pile.chance import STEPS, draw
from pile.cuts import Cut
from pile.decontaminate import CONTAMINATED, contaminants
from pile.mix import SPLITS, copies, shard_line, split_of
from pile.parts import Part
from pile.recipe import Splits
from pile.stage import Task, Watch, Work, make_key
from pile.survivors import Survivors

STAGE = "spread"
VERSION = 2
#: Uncompressed: written once and read once, it would cost more to compress, at any level, than all else that mixing does.
SPOOL = "spool"
INDEX = "index.npy"  #: SLICE array, sorted: where in the spool the lines of each split and bucket are
COUNTS = "counts.npy"  #: by unit (as in UNITS), split (as in SPLITS) and bucket
SLICE = np.dtype([("split", "<i4"), ("bucket", "<i4"), ("offset", "<i8"), ("size", "<i8"), ("xxh3", "<u8")])
#: What shards may have equal numbers of; a line's bytes are those of the shard, with its newline.
UNITS = ("documents", "bytes")
#: Bytes that a line in hand takes beside its own: a tuple of four objects, about 220 by sys.getsizeof, and a margin.
LINE_OVERHEAD = 300
#: Of one line in the spool: place in the order, copy, bytes of the id, bytes of the line.
HEADER = struct.Struct("<QIIQ")


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
    memory: int  #: MiB; decides nothing but how often the spool is written to


def task(part: Part, dedup: str, cuts: list[Cut], marks: str, mixture: Mixture, memory: int) -> Task:
    """Return the first pass's task for one part."""
    facts = [part.extract, part.judge, part.lost, dedup, msgspec.to_builtins(cuts), marks, msgspec.to_builtins(mixture)]
    base = make_key(STAGE, VERSION, facts, ("msgspec", "xxhash"))
    return Task(STAGE, base, spread, Spread(part, dedup, cuts, marks, mixture, memory), part.label, size=part.bytes)


def spread(call: Spread, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Deal one part's surviving lines out into buckets; return their counts and where they are in the spool."""
    mixture = call.mixture
    drops: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    unique: Counter[str] = Counter()
    text_bytes: Counter[str] = Counter()
    survivors = Survivors(work, call.part, call.dedup, call.cuts)
    marks = contaminants(work, call.marks)
    sorter = Sorter(mixture.quality, mixture.epochs)
    with open(folder / SPOOL, "wb") as file:
        spool = _Spool(file, mixture.buckets, half_of(call.memory))
        for survivor in survivors:
            document, size = survivor.document, survivor.size
            split = split_of(mixture.splits, mixture.seed, survivor.cluster)
            epochs = sorter.epochs(document.id, size, survivor.scores, survivor.cluster_size)
            number = copies(epochs, mixture.seed, document.id)
            number = number if split == "train" else min(number, 1)
            if not number:
                drops["not_sampled"] += 1
                continue
            if survivor.row in marks:
                document = msgspec.structs.replace(document, meta={**document.meta, CONTAMINATED: marks[survivor.row]})
            line = shard_line(document)
            unique[split] += 1
            lines[split] += number
            text_bytes[split] += number * size
            for copy in range(number):
                place = draw(mixture.seed, "order", document.id, copy)
                spool.add(split, place * mixture.buckets // STEPS, place, copy, document.id, line)
        spool.flush()
    np.save(folder / INDEX, spool.index())
    np.save(folder / COUNTS, spool.counts())
    return {
        "funnel": survivors.funnel(),
        "in": survivors.count,
        "in_bytes": survivors.text_bytes,
        "out": unique.total(),
        "drops": dict(sorted(drops.items())),
        "documents": dict(sorted(unique.items())),
        "lines": dict(sorted(lines.items())),
        "text_bytes": dict(sorted(text_bytes.items())),
        **sorter.facts(),
    }


class _Spool:
    """Lines by split and bucket, held up to a bound, then written one slice after the other."""

    def __init__(self, file: BinaryIO, buckets: int, most: int) -> None:
        self._file, self._most = file, most
        self._held: dict[tuple[int, int], list[bytes]] = {}
        self._size = self._offset = 0
        self._slices: list[tuple[int, int, int, int, int]] = []
        self._documents = [[0] * buckets for _ in SPLITS]
        self._bytes = [[0] * buckets for _ in SPLITS]

    def add(self, split: str, bucket: int, place: int, copy: int, id: str, line: bytes) -> None:
        name, number = id.encode(), SPLITS.index(split)
        held = self._held.setdefault((number, bucket), [])
        held.extend((HEADER.pack(place, copy, len(name), len(line)), name, line))
        self._documents[number][bucket] += 1
        self._bytes[number][bucket] += len(line) + 1
        self._size += LINE_OVERHEAD + len(name) + len(line)
        if self._size >= self._most:
            self.flush()

    def flush(self) -> None:
        for (split, bucket), pieces in sorted(self._held.items()):
            content = b"".join(pieces)
            self._slices.append((split, bucket, self._offset, len(content), xxhash.xxh3_64_intdigest(content)))
            self._file.write(content)
            self._offset += len(content)
        self._held, self._size = {}, 0

    def counts(self) -> npt.NDArray[np.int64]:
        """Return the lines by unit, split and bucket."""
        return np.array([self._documents, self._bytes], dtype=np.int64)

    def index(self) -> npt.NDArray[Any]:
        """Return where the slices of each split and bucket are, in that order."""
        return np.array(sorted(self._slices), dtype=SLICE)
