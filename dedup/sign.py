"""The sign stage: one part's candidates to sorted runs of text hashes and of band hashes, and a table of ids.

Its key knows nothing of other parts, of the threshold or of partitions: adding a source signs that source alone.
"""

from __future__ import annotations

import unicodedata
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import xxhash

from dedup.runs import write_sliced
from dedup.signature import PERMUTATION_SEED, SHINGLE_WORDS, band_hashes, digests, shingle_batch
from dedup.sketch import sketches, width
from pile.document import Document
from pile.parts import Part, candidates
from pile.stage import Task, Watch, Work, make_key
from pile.text import NORMALISATION, spaced
from pile.words import PIECE_BYTES, Hashes, Places, word_hashes

STAGE = "sign"
VERSION = 4
#: Documents in a sorted run: at 14 bands about 100 MB of memory while it is sorted.
RUN_DOCUMENTS = 250_000
#: Documents for which a run is cut into one more slice, so that a task of another stage fetches and reads its share only.
SLICE_DOCUMENTS = 4_000

TABLE = "table.bin"  #: one SIGNED for each candidate, in order of its row: its place here is its number in the part
SKETCHES = "sketches.bin"  #: one sketch (``dedup.sketch``) for each candidate; of zeros where it has no shingles
IDS = "ids.bin"  #: the candidates' ids in UTF-8, end to end

SIGNED = np.dtype(
    [
        ("row", "<i8"),  # in the part's documents
        ("characters", "<i8"),  # of the text as it is stored
        ("id_end", "<i8"),  # in the bytes of ids
        ("id_hash", "<u8"),  # xxh3_64
    ]
)
#: Seed of the hash of a raw text, so that it never hashes like the words of a text.
_RAW = 1


class Signing(msgspec.Struct, frozen=True):
    """What one task of the stage works on."""

    part: Part
    bands: int  #: 0 where near-duplicates are not looked for
    rows: int
    urls: bool  #: whether addresses are hashed, too


def task(part: Part, bands: int, rows: int, urls: bool = False) -> Task:
    """Return the stage's task for one part."""
    facts = {
        "documents": [part.extract, part.judge, part.lost],
        "normalisation": [NORMALISATION, unicodedata.unidata_version],
        "signature": [SHINGLE_WORDS, PERMUTATION_SEED, bands, rows],
    }
    if urls:
        facts["urls"] = urls
    base = make_key(STAGE, VERSION, facts, ("numpy", "rensa", "xxhash"))
    return Task(STAGE, base, sign, Signing(part, bands, rows, urls), part.label, size=part.bytes)


def sign(call: Signing, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Do one task: write runs, table and ids; return the counts and the digest of the ids."""
    with _Writer(folder, call) as writer:
        for row, document in candidates(work, call.part):
            # What killed a worker before is only compared by its raw text: found again if it is there twice, never lost.
            quarantined = document.id in watch.quarantined
            if not quarantined:
                watch.begin(document.id)
            writer.add(row, document, b"" if quarantined else spaced(document.text))
        return writer.facts()


def text_hash(text: str, words: Hashes) -> bytes:
    """Return 16 bytes that are the same for texts of the same words.

    A text of nothing but punctuation has no words: such texts are compared as they are, not all with one another.
    """
    if len(words):
        return xxhash.xxh3_128_digest(words.data)
    return xxhash.xxh3_128_digest(text.strip().encode("utf-8", "surrogatepass"), _RAW)


def page_of(url: str) -> str:
    """Return an address without what most often differs between two of one page: scheme, "www.", fragment, a last slash."""
    host, slash, path = url.partition("#")[0].partition("://")[2].partition("/")
    return f"{host.lower().removeprefix('www.')}{slash}{path}".rstrip("/") or url


class _Writer:
    """The files of one signed part: small batches through the kernel, gathered into runs."""

    def __init__(self, folder: Path, call: Signing) -> None:
        self._folder, self._bands, self._rows, self._urls = folder, call.bands, call.rows, call.urls
        self._table = open(folder / TABLE, "wb")  # noqa: SIM115 - closed when this is left
        self._ids = open(folder / IDS, "wb")  # noqa: SIM115
        self._sketches = open(folder / SKETCHES, "wb")  # noqa: SIM115
        self._digest = sha256()
        self._id_bytes = self._documents = self._shingled = 0
        self._runs: list[int] = []  # slices of each
        self._start_run()

    def _start_run(self) -> None:
        self._first = self._documents
        self._entries: list[tuple[int, int, int, int]] = []
        self._texts: list[bytes] = []
        self._addresses: list[bytes] = []
        self._addressed: list[int] = []
        self._hashes: list[Any] = []
        self._numbers: list[Any] = []
        self._start_batch()

    def _start_batch(self) -> None:
        self._batch: list[bytes] = []
        self._batch_texts: list[str] = []
        self._batch_first = self._documents
        self._batch_bytes = 0

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *exception: object) -> None:
        self._table.close()
        self._ids.close()
        self._sketches.close()

    def add(self, row: int, document: Document, words: bytes) -> None:
        """Take the next candidate, with its words as ``pile.text.spaced`` gives them."""
        if self._batch and self._batch_bytes + len(words) > PIECE_BYTES:
            self._end_batch()
        id = document.id.encode()
        self._ids.write(id)
        self._digest.update(id + b"\n")
        self._id_bytes += len(id)
        self._entries.append((row, len(document.text), self._id_bytes, xxhash.xxh3_64_intdigest(id)))
        if self._urls and document.url:
            self._addresses.append(xxhash.xxh3_128_digest(page_of(document.url).encode("utf-8", "surrogatepass")))
            self._addressed.append(self._documents)
        self._batch.append(words)
        self._batch_texts.append(document.text)
        self._batch_bytes += len(words) + 1
        self._documents += 1
        if self._documents - self._first >= RUN_DOCUMENTS:
            self._end_run()

    def _end_batch(self) -> None:
        words, starts = word_hashes(self._batch)
        bounds = pairwise(starts.tolist())
        self._texts += [text_hash(text, words[a:b]) for text, (a, b) in zip(self._batch_texts, bounds, strict=True)]
        grams, starts = shingle_batch(words, starts)
        with_shingles = np.flatnonzero(np.diff(starts))
        sketched = np.zeros((len(self._batch), width(self._bands * self._rows)), np.uint64)
        if self._bands and len(with_shingles):
            starts = np.append(starts[with_shingles], starts[-1])
            matrix = digests(grams, starts, self._bands * self._rows)
            self._hashes.append(band_hashes(matrix, self._bands, self._rows))
            self._numbers.append((with_shingles + self._batch_first).astype(np.uint32))
            sketched[with_shingles] = sketches(matrix)
            self._shingled += len(with_shingles)
        self._sketches.write(sketched.tobytes())
        self._start_batch()

    def _end_run(self) -> None:
        if self._batch:
            self._end_batch()
        self._table.write(np.array(self._entries, dtype=SIGNED).tobytes())
        self._slices = max(1, (self._documents - self._first) // SLICE_DOCUMENTS)
        self._write_digests("texts", self._texts, np.arange(self._first, self._documents))
        if self._urls:
            self._write_digests("urls", self._addresses, np.array(self._addressed, np.int64))
        hashes = np.concatenate([np.empty(0, np.uint64), *(h.ravel() for h in self._hashes)])
        numbers = np.concatenate([np.empty(0, np.uint32), *(np.repeat(n, self._bands) for n in self._numbers)])
        order = np.argsort(hashes, kind="stable")
        self._write_sliced("bands", {"hash": hashes[order], "number": numbers[order]})
        self._runs.append(self._slices)
        self._start_run()

    def _write_digests(self, name: str, digests: list[bytes], numbers: Places) -> None:
        halves = np.frombuffer(b"".join(digests), dtype=">u8").reshape(-1, 2).astype(np.uint64)
        order = np.lexsort((halves[:, 1], halves[:, 0]))
        columns = {"high": halves[order, 0], "low": halves[order, 1], "number": numbers[order].astype(np.uint32)}
        self._write_sliced(name, columns)

    def _write_sliced(self, name: str, columns: dict[str, Any]) -> None:
        write_sliced(self._folder, f"{name}{len(self._runs)}", columns, self._slices)

    def facts(self) -> dict[str, Any]:
        """Write the last run and return the counts; ``out`` are the candidates, all of them signed."""
        if self._entries:
            self._end_run()
        self._table.flush()
        self._ids.flush()
        self._sketches.flush()
        return {
            "in": self._documents,
            "out": self._documents,
            "drops": {},
            "shingled": self._shingled,
            "runs": self._runs,
            "ids": self._digest.hexdigest(),
        }
