"""Verifying: a finished corpus against manifest, frame index and SHA256SUMS, every byte of it, and every fault by name."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import numpy.typing as npt
import zstandard

from pile.errors import CorpusError, WorkError
from pile.frames import FRAMES, fault_of, read_index, rows_of
from pile.manifest import MANIFEST, SUMS, Manifest, Shard, fingerprint, read, read_sums
from pile.storage import Storage
from pile.zstd_stream import content_of

#: Bytes read at a time.
READ_BYTES = 1 << 20
#: The longest header of a zstd frame (ZSTD_FRAMEHEADERSIZE_MAX).
HEADER_BYTES = 18
#: An extra file with one of these endings could be taken for a part of the corpus; any other is its owner's business.
DATA = (".zst", ".jsonl", ".json", ".gz", ".parquet")


class Fault(msgspec.Struct, frozen=True):
    """One thing that is wrong: the file, a stable word for the kind, and a sentence."""

    file: str
    fault: str
    detail: str


class Finding(msgspec.Struct, frozen=True):
    """What verifying found; an intact corpus has no faults."""

    corpus: str
    fingerprint: str
    files: int
    documents: int
    bytes: int
    faults: list[Fault]

    @property
    def intact(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


def verify(corpus: Storage, progress: Callable[[int], object] = lambda count: None, content: bool = False) -> Finding:
    """Read every file of a corpus and compare; faults of single files are findings, not exceptions.

    The frame index is checked against the manifest and the header of each frame. With ``content`` shards are also decompressed:
    what is stored as it was sealed reads as it did then, so this looks for faults of the sealing, at several times the cost.
    """
    faults: list[Fault] = []
    try:
        manifest, sums = read(corpus), read_sums(corpus)
    except CorpusError as error:
        name = MANIFEST if MANIFEST in str(error) else SUMS
        return Finding(corpus.url, "", 0, 0, 0, [Fault(name, "unreadable", str(error))])
    present = set(corpus.names())
    expected = {*sums, SUMS}
    faults += [Fault(name, "missing", "is in SHA256SUMS but not here") for name in sorted(expected - present)]
    faults += [
        Fault(name, "extra", "is here but not in SHA256SUMS")
        for name in sorted(present - expected)
        if name.endswith(DATA)
    ]
    shards = {shard.name: shard for shard in manifest.shards}
    owners = {digest: name for name, digest in sums.items()}
    frames, found_index = _frames(corpus, manifest)
    faults += found_index

    def check(name: str) -> list[Fault]:
        with tempfile.TemporaryDirectory(prefix="pile-") as folder:  # one file of shared storage at a time
            try:
                path = corpus.local(name, Path(folder))
                digest = _sha256(path, progress)
            except OSError as error:
                return [Fault(name, "unreadable", error.strerror or str(error))]
            if digest != sums[name]:
                return [_difference(name, digest, sums[name], owners)]
            if name not in shards:
                return []
            rows = frames.get(name)
            found = [] if rows is None else _headers(path, rows, shards[name])
            return found + (_content(path, shards[name], rows) if content else [])

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(check, sorted(set(sums) & present)):
            faults += found
    faults += _disagreements(manifest, sums)
    documents, size = sum(s.documents for s in manifest.shards), sum(s.bytes for s in manifest.shards)
    return Finding(corpus.url, manifest.fingerprint, len(sums), documents, size, faults)


def _sha256(path: Path, progress: Callable[[int], object]) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(READ_BYTES):
            digest.update(chunk)
            progress(len(chunk))
    return digest.hexdigest()


def _difference(name: str, digest: str, expected: str, owners: dict[str, str]) -> Fault:
    """Return the fault of a file that is not what SHA256SUMS says."""
    if digest in owners:
        return Fault(name, "swapped", f"has the content of {owners[digest]}: renamed or exchanged")
    detail = f"sha256 is {digest}, should be {expected}: flipped, cut or overwritten; delete it and build again"
    return Fault(name, "changed", detail)


def _frames(corpus: Storage, manifest: Manifest) -> tuple[dict[str, npt.NDArray[Any]], list[Fault]]:
    """Return the rows of the frame index for each shard that it is right about as far as the manifest tells, and its faults."""
    try:
        index = read_index(corpus)
    except CorpusError as error:
        return {}, [Fault(FRAMES, "unreadable", str(error))]
    rows = rows_of(index, len(manifest.shards))
    if sum(map(len, rows)) != len(index):
        return {}, [Fault(FRAMES, "index", f"is not in order, or of more shards than the {len(rows)} of the manifest")]
    wrong = {shard.name: fault_of(found, shard) for shard, found in zip(manifest.shards, rows, strict=True)}
    right = {shard.name: found for shard, found in zip(manifest.shards, rows, strict=True) if not wrong[shard.name]}
    return right, [Fault(FRAMES, "index", f"{name}: {fault}") for name, fault in wrong.items() if fault]


def _headers(path: Path, rows: npt.NDArray[Any], shard: Shard) -> list[Fault]:
    """Check that a frame of the length that the index says begins wherever it says so."""
    with open(path, "rb") as file:
        for row in rows:
            file.seek(int(row["offset"]))
            try:
                length = zstandard.get_frame_parameters(file.read(HEADER_BYTES)).content_size
            except zstandard.ZstdError as error:
                return [Fault(FRAMES, "index", f"{shard.name}: no frame at {row['offset']}: {error}")]
            if length != row["content"]:
                detail = f"the frame at {row['offset']} has {length} bytes, should be {row['content']}"
                return [Fault(FRAMES, "index", f"{shard.name}: {detail}")]
    return []


def _content(path: Path, shard: Shard, rows: npt.NDArray[Any] | None) -> list[Fault]:
    """Check a shard that is stored as it should be: does it read as it should, and each of its frames?"""
    digest, documents, size, faults = hashlib.sha256(), 0, 0, []
    ends = [] if rows is None else [*rows["content"].cumsum().tolist()]
    firsts = {} if rows is None else dict(zip([0, *ends], [*rows["document"].tolist(), shard.documents], strict=True))
    try:
        with open(path, "rb") as file:
            for text in content_of(file, shard.name):
                digest.update(text)
                documents += text.count(b"\n")
                size += len(text)
                if firsts.get(size, documents) != documents:
                    detail = f"{shard.name}: {documents} documents in {size} bytes, should be {firsts[size]}"
                    faults.append(Fault(FRAMES, "index", detail))
    except WorkError as error:
        return [Fault(shard.name, "undecodable", str(error))]
    if (digest.hexdigest(), documents, size) != (shard.content_sha256, shard.documents, shard.content_bytes):
        detail = f"reads as {documents} documents in {size} bytes, should be {shard.documents} in {shard.content_bytes}"
        faults.append(Fault(shard.name, "content", detail))
    return faults


def _disagreements(manifest: Manifest, sums: dict[str, str]) -> list[Fault]:
    """Check the manifest and SHA256SUMS against each other."""
    faults = [
        Fault(shard.name, "disagreement", f"{SUMS} and {MANIFEST} give it different digests")
        for shard in manifest.shards
        if shard.name in sums and sums[shard.name] != shard.sha256
    ]
    faults += [
        Fault(shard.name, "disagreement", f"is in {MANIFEST} but not in {SUMS}")
        for shard in manifest.shards
        if shard.name not in sums
    ]
    if fingerprint(manifest.shards) != manifest.fingerprint:
        faults.append(Fault(MANIFEST, "fingerprint", "is not the fingerprint of the shards that it lists"))
    return faults
