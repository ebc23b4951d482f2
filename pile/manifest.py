"""The manifest: what a finished corpus promises; and SHA256SUMS, which says the same without this software.

Nothing in it depends on the clock, the machine's name, the executor or the number of workers: equal corpora have
equal manifests.
"""

from __future__ import annotations

import hashlib
import platform
import re
import sys
from typing import Any

import msgspec

from pile.buckets import BucketRecord
from pile.errors import CorpusError
from pile.stage import library_versions
from pile.storage import Storage

MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"
REPORT = "report.md"
EXAMPLES = "examples.jsonl.zst"
VERSION = 1
#: One line of SHA256SUMS, as sha256sum writes and reads it: text mode with two spaces, binary mode with a star.
SUM_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


class Shard(msgspec.Struct, frozen=True):
    """One file of documents: what it is as stored, and what it is as read."""

    name: str
    split: str
    documents: int
    bytes: int
    sha256: str
    content_bytes: int
    content_sha256: str


class SourceRecord(msgspec.Struct, frozen=True):
    """One component of a finished corpus.

    ``funnel`` has, per stage in order, documents ``in``, ``out`` and ``drops`` by reason: in = out + the sum of
    drops. ``documents`` and ``text_bytes`` (UTF-8) are what was left for the mixture; ``lines`` and
    ``effective_bytes`` are what epochs made of it, by split.
    """

    use: str
    pinned: dict[str, Any]
    inputs: int
    epochs: float
    funnel: dict[str, dict[str, Any]]
    documents: int
    text_bytes: int
    lines: dict[str, int]
    effective_bytes: dict[str, int]
    damaged: list[str] = []
    quarantined: dict[str, str] = {}
    buckets: list[BucketRecord] = []  #: in the recipe's order, then what none of them took; empty without buckets


class Benchmark(msgspec.Struct, frozen=True):
    """A benchmark that was looked for: its items, those too short to be found, those found, and in how many documents."""

    name: str
    checksum: str
    items: int
    too_short: int
    found: int
    documents: int


class Model(msgspec.Struct, frozen=True):
    """A model that was trained inside the build: for which filter of which source, its sha256 and what is known of it."""

    source: str
    filter: str
    sha256: str
    positives: int  #: documents
    negatives: int
    report: dict[str, Any]


class Manifest(msgspec.Struct, frozen=True):
    """A finished corpus. ``key`` hashes all that decided its bytes; ``lock`` is the digest of its lock."""

    name: str
    fingerprint: str
    key: str
    recipe: dict[str, Any]
    lock: str
    shards: list[Shard]
    sources: dict[str, SourceRecord]
    versions: dict[str, str]
    platform: str
    version: int = VERSION
    benchmarks: list[Benchmark] = []  #: that the corpus was searched for
    models: list[Model] = []  #: that were trained inside the build


def environment(libraries: list[str]) -> dict[str, str]:
    """Return the versions that the bytes of a corpus are promised for."""
    return {"python": platform.python_version(), **library_versions(libraries)}


def system() -> str:
    """Return the platform that the bytes of a corpus are promised for."""
    return f"{sys.platform}-{platform.machine()}"


def sums_of(digests: dict[str, str]) -> bytes:
    """Return SHA256SUMS for ``{name: hex}``."""
    return "".join(f"{value}  {name}\n" for name, value in sorted(digests.items())).encode()


def fingerprint(shards: list[Shard]) -> str:
    """Return ``sha256:<hex>`` over the shards' lines of SHA256SUMS."""
    return "sha256:" + hashlib.sha256(sums_of({shard.name: shard.sha256 for shard in shards})).hexdigest()


def read(corpus: Storage) -> Manifest:
    """Return the manifest of a finished corpus; raises ``CorpusError`` where there is none to read."""
    manifest = read_if_there(corpus)
    if manifest is None:
        raise CorpusError(f"no {MANIFEST} in {corpus.url}: not a corpus, or its build did not finish; run `pile build`")
    return manifest


def read_if_there(corpus: Storage) -> Manifest | None:
    """Return the manifest of a finished corpus, None where there is none; raises ``CorpusError`` for a damaged one."""
    content = corpus.read(MANIFEST)
    if content is None:
        return None
    try:
        return msgspec.json.decode(content, type=Manifest)
    except msgspec.DecodeError as error:
        raise CorpusError(
            f"{corpus.url}/{MANIFEST} is damaged: {error}; build again or copy it from elsewhere"
        ) from error


def read_sums(corpus: Storage) -> dict[str, str]:
    """Return ``{name: hex}`` of SHA256SUMS; raises ``CorpusError`` where it is missing or not in its form."""
    content = corpus.read(SUMS)
    if content is None:
        raise CorpusError(f"no {SUMS} in {corpus.url}: not a corpus, or its build did not finish; run `pile build`")
    sums: dict[str, str] = {}
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        match = SUM_LINE.fullmatch(line)
        if match is None:
            raise CorpusError(f"{corpus.url}/{SUMS} line {number} is not '<sha256>  <name>'; build again")
        sums[match[2]] = match[1]
    return sums
