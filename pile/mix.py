"""The mixture: survivors to copies by epochs, to splits by cluster, to one global order, to pieces of shards.

A shuffle in two passes: ``spread`` deals each part's lines out into buckets that are ranges of the order, ``gather``
sorts one bucket and writes its frames. Memory is bounded by the size of a bucket, whatever the corpus.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import xxhash
import zstandard

from pile.chance import STEPS, chance, draw
from pile.decisions import decisions
from pile.document import Document
from pile.errors import WorkError
from pile.parts import Part, documents, lost_rows, verdicts
from pile.recipe import Splits
from pile.shards import FrameWriter
from pile.stage import Task, Watch, Work, make_key

SPREAD, GATHER = "spread", "gather"
VERSION = 1
SPLITS = ("train", "validation", "test")
SPOOL = "spool"
#: Uncompressed bytes that a bucket should hold: ``gather`` has one in memory.
BUCKET_BYTES = 64 << 20
#: Uncompressed bytes that ``spread`` holds before it writes them out.
SPREAD_BYTES = 64 << 20
#: The spool is read once and deleted: speed before size.
SPOOL_LEVEL = 1
#: Of one line in the spool: place in the order, copy, bytes of the id, bytes of the line.
HEADER = struct.Struct("<QIIQ")


class Mixture(msgspec.Struct, frozen=True):
    """All that decides which documents of a part go where."""

    seed: int
    epochs: float
    splits: Splits
    buckets: int


class Spread(msgspec.Struct, frozen=True):
    """What one task of the first pass works on; ``dedup`` is the key of the part's decisions, "" without
    deduplication.
    """

    part: Part
    dedup: str
    mixture: Mixture


class Gather(msgspec.Struct, frozen=True):
    """What one task of the second pass works on.

    ``spools`` are keys of the first pass in order of the parts; ``starts`` and ``totals`` are, per split, how many
    lines come before this bucket and how many there are in all.
    """

    spools: list[str]
    bucket: int
    starts: dict[str, int]
    totals: dict[str, int]
    shards: int
    level: int


def copies(epochs: float, seed: int, id: str) -> int:
    """Return how often a document is in the corpus: the whole epochs, and one more with the chance of the fraction.

    Exact in expectation, and nested: more epochs never take a copy away.
    """
    whole = int(epochs)
    return whole + (chance(seed, "copy", id) < epochs - whole)


def split_of(splits: Splits, seed: int, cluster: int) -> str:
    """Return the split of a cluster of duplicates: all its documents go the same way."""
    place = chance(seed, "split", cluster)
    if place < splits.validation:
        return "validation"
    return "test" if place < splits.validation + splits.test else "train"


def shard_line(document: Document) -> bytes:
    """Return a document as The Pile's readers expect it: text, then meta with ``pile_set_name`` first."""
    meta: dict[str, Any] = {"pile_set_name": document.source, "id": document.id, "url": document.url}
    meta["license"] = document.license
    if document.created:
        meta["created"] = document.created
    extra = {key: value for key, value in document.meta.items() if key not in meta}
    return msgspec.json.encode({"text": document.text, "meta": {**meta, **extra}})


def spread_task(part: Part, dedup: str, mixture: Mixture) -> Task:
    """Return the first pass's task for one part."""
    facts = [part.extract, part.judge, part.lost, dedup, msgspec.to_builtins(mixture)]
    base = make_key(SPREAD, VERSION, facts, ("zstandard", "msgspec", "xxhash"))
    return Task(SPREAD, base, spread, Spread(part, dedup, mixture), part.label, size=part.bytes)


def spread(call: Spread, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Deal one part's surviving lines out into buckets; return their counts and where they are in the spool."""
    mixture = call.mixture
    drops: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    unique: Counter[str] = Counter()
    text_bytes: Counter[str] = Counter()
    survivors = Survivors(work, call.part, call.dedup)
    with open(folder / SPOOL, "wb") as file:
        spool = _Spool(file)
        for document, cluster in survivors:
            split = split_of(mixture.splits, mixture.seed, cluster)
            number = copies(mixture.epochs, mixture.seed, document.id)
            number = number if split == "train" else min(number, 1)
            if not number:
                drops["not_sampled"] += 1
                continue
            line = shard_line(document)
            unique[split] += 1
            lines[split] += number
            text_bytes[split] += number * len(document.text.encode())
            for copy in range(number):
                place = draw(mixture.seed, "order", document.id, copy)
                spool.add(split, place * mixture.buckets // STEPS, place, copy, document.id, line)
        spool.flush()
    return {
        "funnel": survivors.funnel(),
        "in": survivors.count,
        "in_bytes": survivors.text_bytes,
        "out": unique.total(),
        "drops": dict(sorted(drops.items())),
        "documents": dict(sorted(unique.items())),
        "lines": dict(sorted(lines.items())),
        "text_bytes": dict(sorted(text_bytes.items())),
        "buckets": {f"{split} {bucket}": count for (split, bucket), count in sorted(spool.counts.items())},
        "index": {f"{split} {bucket}": places for (split, bucket), places in sorted(spool.index.items())},
    }


class Survivors:
    """Iterates over ``(document, cluster)`` of what no stage removed, and counts what settling removed on the way."""

    def __init__(self, work: Work, part: Part, dedup: str) -> None:
        self._work, self._part, self._dedup = work, part, dedup
        self._settled: Counter[str] = Counter()
        self._candidates = self.count = self.text_bytes = 0

    def __iter__(self) -> Iterator[tuple[Document, int]]:
        lost = dict(zip(*(list(column) for column in lost_rows(self._work, self._part)), strict=True))
        decided = iter(decisions(self._work, self._dedup)) if self._dedup else None
        rows = zip(documents(self._work, self._part), verdicts(self._work, self._part), strict=True)
        for row, (document, verdict) in enumerate(rows):
            if document.id != verdict.id:
                raise WorkError(f"{self._part.label}: row {row} is {document.id} but its verdict is on {verdict.id}")
            if not verdict.keep:
                continue
            if row in lost:
                self._settled[lost[row]] += 1
                continue
            self._candidates += 1
            cluster = xxhash.xxh3_64_intdigest(document.id.encode())
            if decided is not None:
                decision = next(decided)
                if decision["row"] != row:
                    raise WorkError(f"{self._part.label}: no decision on row {row}, {document.id}")
                if decision["reason"]:
                    continue
                cluster = int(decision["cluster"])
            self.count += 1
            self.text_bytes += len(document.text.encode())
            yield document, cluster

    def funnel(self) -> dict[str, Any]:
        """Return the settle stage's counts over the documents that were judged worth keeping."""
        drops = dict(sorted(self._settled.items()))
        return {"in": self._candidates + self._settled.total(), "out": self._candidates, "drops": drops}


class _Spool:
    """Lines by split and bucket, held up to a bound, then written as one zstd frame for each."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._zstd = zstandard.ZstdCompressor(level=SPOOL_LEVEL, write_content_size=True, write_checksum=True)
        self._held: dict[tuple[str, int], list[bytes]] = {}
        self._size = 0
        self.counts: Counter[tuple[str, int]] = Counter()
        self.index: dict[tuple[str, int], list[tuple[int, int]]] = {}

    def add(self, split: str, bucket: int, place: int, copy: int, id: str, line: bytes) -> None:
        name = id.encode()
        held = self._held.setdefault((split, bucket), [])
        held.extend((HEADER.pack(place, copy, len(name), len(line)), name, line))
        self.counts[split, bucket] += 1
        self._size += HEADER.size + len(name) + len(line)
        if self._size >= SPREAD_BYTES:
            self.flush()

    def flush(self) -> None:
        for key, pieces in sorted(self._held.items()):
            frame = self._zstd.compress(b"".join(pieces))
            self.index.setdefault(key, []).append((self._file.tell(), len(frame)))
            self._file.write(frame)
        self._held, self._size = {}, 0


def gather_task(call: Gather) -> Task:
    """Return the second pass's task for one bucket."""
    base = make_key(GATHER, VERSION, msgspec.to_builtins(call), ("zstandard",))
    return Task(GATHER, base, gather, call, f"bucket {call.bucket}")


def piece_name(split: str, shard: int) -> str:
    """Return the name of a bucket's piece of a shard."""
    return f"{split}-{shard}.zst"


def gather(call: Gather, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Put one bucket in order and write its piece of every shard that it reaches into; return what each piece is."""
    pieces: dict[str, Any] = {}
    for split in SPLITS:
        ordered = sorted(_bucket(call, split, work))
        rank, shards = call.starts[split], call.shards if split == "train" else 1
        index = 0
        while index < len(ordered):
            shard = shard_of(rank + index, call.totals[split], shards)
            end = min(len(ordered), shard_start(shard + 1, call.totals[split], shards) - rank)
            name = piece_name(split, shard)
            with FrameWriter(folder / name, call.level) as writer:
                for _, _, _, line in ordered[index:end]:
                    writer.write(line)
                pieces[name] = msgspec.to_builtins(writer.close())
            index = end
    return {"pieces": pieces}


def shard_start(shard: int, total: int, shards: int) -> int:
    """Return the rank of a shard's first document: shards differ by one document at most."""
    return shard * total // shards


def shard_of(rank: int, total: int, shards: int) -> int:
    """Return the shard that holds the document of this rank."""
    return ((rank + 1) * shards - 1) // total


def _bucket(call: Gather, split: str, work: Work) -> Iterator[tuple[int, bytes, int, bytes]]:
    """Yield ``(place, id, copy, line)`` of one split and bucket from every spool."""
    zstd = zstandard.ZstdDecompressor()
    for key in call.spools:
        facts = work.facts(SPREAD, key) or {}
        places = facts["index"].get(f"{split} {call.bucket}")
        if not places:
            continue
        with open(work.file(SPREAD, key, SPOOL), "rb") as file:
            for offset, size in places:
                file.seek(offset)
                content = zstd.decompress(file.read(size))
                position = 0
                while position < len(content):
                    place, copy, name, length = HEADER.unpack_from(content, position)
                    middle = position + HEADER.size + name
                    position = middle + length
                    yield place, content[middle - name : middle], copy, content[middle:position]
