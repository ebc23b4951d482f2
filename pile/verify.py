"""Verifying: a finished corpus against its manifest and SHA256SUMS, every byte of it, and every fault by name."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from pile.errors import CorpusError, WorkError
from pile.manifest import MANIFEST, SUMS, Manifest, Shard, fingerprint, read, read_sums
from pile.shards import content_of
from pile.storage import Storage

#: Bytes read at a time.
READ_BYTES = 1 << 20
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


def verify(corpus: Storage, progress: Callable[[int], object] = lambda count: None) -> Finding:
    """Read every file of a corpus and compare; faults of single files are findings, not exceptions."""
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

    def check(name: str) -> list[Fault]:
        with tempfile.TemporaryDirectory(prefix="pile-") as folder:  # one file of shared storage at a time
            try:
                path = corpus.local(name, Path(folder))
                digest = _sha256(path, progress)
            except OSError as error:
                return [Fault(name, "unreadable", error.strerror or str(error))]
            if digest != sums[name]:
                return [_difference(name, digest, sums[name], owners)]
            return _content(path, shards[name]) if name in shards else []

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


def _content(path: Path, shard: Shard) -> list[Fault]:
    """Check a shard that is stored as it should be: does it read as it should?"""
    digest, documents, size = hashlib.sha256(), 0, 0
    try:
        with open(path, "rb") as file:
            for text in content_of(file, shard.name):
                digest.update(text)
                documents += text.count(b"\n")
                size += len(text)
    except WorkError as error:
        return [Fault(shard.name, "undecodable", str(error))]
    if (digest.hexdigest(), documents, size) == (shard.content_sha256, shard.documents, shard.content_bytes):
        return []
    detail = f"reads as {documents} documents in {size} bytes, should be {shard.documents} in {shard.content_bytes}"
    return [Fault(shard.name, "content", detail)]


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
