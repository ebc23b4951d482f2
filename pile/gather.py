"""The gather stage, the second pass of the shuffle: one range of the order sorted, and cut into its pieces of shards.

Every shard is a range of ranks in the global order, so that shards differ by one document at most.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import zstandard

from pile.mix import SPLITS
from pile.shards import FRAME_BYTES, FrameWriter
from pile.spread import HEADER, INDEX, SPOOL
from pile.spread import STAGE as SPREAD
from pile.stage import Task, Watch, Work, make_key

STAGE = "gather"
VERSION = 1


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


def task(call: Gather, spools: str) -> Task:
    """Return the second pass's task for one bucket; ``spools`` is the digest of the call's spools."""
    # The spools as one digest: there are as many as inputs, and as many tasks as buckets.
    facts = {**msgspec.to_builtins(msgspec.structs.replace(call, spools=[])), "spools": spools, "frame": FRAME_BYTES}
    base = make_key(STAGE, VERSION, facts, ("zstandard",))
    return Task(STAGE, base, gather, call, f"bucket {call.bucket}")


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
        index = np.load(work.file(SPREAD, key, INDEX), mmap_mode="r")
        frames = index[(index["split"] == SPLITS.index(split)) & (index["bucket"] == call.bucket)]
        if not len(frames):
            continue
        with open(work.file(SPREAD, key, SPOOL), "rb") as file:
            for offset, size in frames[["offset", "size"]].tolist():
                file.seek(offset)
                yield from _lines(zstd.decompress(file.read(size)))


def _lines(content: bytes) -> Iterator[tuple[int, bytes, int, bytes]]:
    position = 0
    while position < len(content):
        place, copy, name, length = HEADER.unpack_from(content, position)
        middle = position + HEADER.size + name
        position = middle + length
        yield place, content[middle - name : middle], copy, content[middle:position]
