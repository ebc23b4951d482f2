"""The shingle and verify stages: the true Jaccard coefficient of every candidate pair, from the texts themselves.

Each part's text is read once, for the documents that are in a pair; pairs are then compared by their sets of shingles on disk.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np

from dedup.overlap import Overlaps
from dedup.pair import FIRST, SECOND, WANTED, read_numbers
from dedup.runs import same_as_previous, save
from dedup.signature import sets_of
from dedup.signed import Numbers, Signed, Tables
from pile.document import Document
from pile.errors import WorkError
from pile.parts import DOCUMENTS, Part
from pile.shards import read_lines
from pile.stage import Task, Watch, Work, make_key
from pile.text import spaced
from pile.words import PIECE_BYTES, Hashes

SHINGLE, VERIFY = "shingle", "verify"
VERSION = 2
SETS = "sets.bin"  #: uint64 shingle hashes, document after document, each's sorted and unique
ENDS = "ends.npy"  #: where each document's end among them
NUMBERS = "numbers.npy"  #: whose they are, ascending, counted within the part
JACCARD = "jaccard.npy"  #: float64, pair by pair

#: Pairs that one task verifies: about two seconds' work.
PAIRS_PER_TASK = 100_000
#: Parts whose files are open at a time: a process may have some 1,000 open.
MOST_OPEN = 256
#: Hashes of sets held at a time beside one document's: 2 MiB of them.
MOST_HASHES = 1 << 18
_HASH = np.dtype(np.uint64).itemsize


class Shingling(msgspec.Struct, frozen=True):
    """What one task of the first stage works on: the documents of a part that are in pairs, ``wanted[start:end]``."""

    part: Part
    signed: Signed  #: of this part alone
    pair: str  #: key
    start: int
    end: int
    offset: int  #: number of the part's first document


class Verification(msgspec.Struct, frozen=True):
    """What one task of the second stage works on: the pairs from ``start`` to ``end`` (exclusive)."""

    pair: str  #: key
    start: int
    end: int
    starts: list[int]  #: number of each part's first document
    shingles: dict[int, str]  #: key of the first stage's result for each part that has one


def shingle_task(part: Part, index: int, signed: Signed, pair: str, wanted: list[Any]) -> Task:
    """Return the first stage's task for one part; ``wanted`` is what the ``pair`` stage says of it."""
    start, end, digest = wanted
    alone = Signed([signed.keys[index]], [signed.counts[index]], [signed.runs[index]], [part.rank], [part.source])
    base = make_key(SHINGLE, VERSION, [signed.keys[index], digest], ("numpy",))
    call = Shingling(part, alone, pair, start, end, int(signed.starts()[index]))
    return Task(SHINGLE, base, shingle, call, part.label, size=part.bytes)


def shingle(call: Shingling, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Do one task of the first stage: write the sets of shingles."""
    numbers = read_numbers(work, call.pair, WANTED, call.start, call.end) - call.offset
    ends = [0]
    with open(folder / SETS, "wb") as file:
        batch: list[bytes] = []
        held = 0
        for document in _documents(call, numbers, work):
            watch.begin(document.id)
            # A document that killed its worker here is without shingles: like no other, it is kept.
            words = b"" if document.id in watch.quarantined else spaced(document.text)
            if held + len(words) > PIECE_BYTES:
                _write_sets(file, batch, ends)
                batch, held = [], 0
            batch.append(words)
            held += len(words) + 1
        _write_sets(file, batch, ends)
    save(folder / ENDS, np.array(ends[1:], np.int64))
    save(folder / NUMBERS, numbers)
    return {"documents": len(numbers), "shingles": ends[-1]}


def _write_sets(file: Any, batch: list[bytes], ends: list[int]) -> None:
    if batch:
        for found in sets_of(batch):
            file.write(found.tobytes())
            ends.append(ends[-1] + len(found))


def _documents(call: Shingling, numbers: Numbers, work: Work) -> Iterator[Document]:
    """Yield the documents of these numbers; raises ``WorkError`` when they are not the ones that were signed."""
    tables = Tables(work, call.signed)
    wanted = zip(tables.column(numbers, "row").tolist(), tables.ids(numbers), strict=True)
    decode = msgspec.json.Decoder(Document).decode
    next_row, id = next(wanted, (-1, b""))
    for row, line in enumerate(read_lines(work.file("extract", call.part.extract, DOCUMENTS))):
        if row != next_row:
            continue
        document = decode(line)
        if document.id.encode() != id:
            raise WorkError(f"{call.part.label}: row {row} is {document.id} but {id.decode()} was signed")
        yield document
        next_row, id = next(wanted, (-1, b""))
    if next_row >= 0:
        raise WorkError(f"{call.part.label}: row {next_row} was signed as {id.decode()} but is not there")


def verify_tasks(signed: Signed, pair: str, pairs: int, shingles: dict[int, str]) -> list[Task]:
    """Return the second stage's tasks: equal stretches of the pairs."""
    starts = signed.starts()[:-1].tolist()
    tasks = []
    for start in range(0, pairs, PAIRS_PER_TASK):
        end = min(start + PAIRS_PER_TASK, pairs)
        base = make_key(VERIFY, VERSION, [pair, start, end, sorted(shingles.items())], ("numpy",))
        call = Verification(pair, start, end, starts, shingles)
        tasks.append(Task(VERIFY, base, verify, call, f"pairs {start + 1} to {end}"))
    return tasks


def verify(call: Verification, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Do one task of the second stage: write the coefficient of each pair, whatever the threshold."""
    first = read_numbers(work, call.pair, FIRST, call.start, call.end)
    second = read_numbers(work, call.pair, SECOND, call.start, call.end)
    sets = _Sets(call, work, np.unique(np.concatenate([first, second])))
    overlaps = Overlaps()
    others = sets.places(second)
    begins = np.flatnonzero(~same_as_previous(first))  # pairs come by their first document
    found = [np.empty(0, np.float64)]
    for place, start, end in zip(
        sets.places(first[begins]), begins.tolist(), [*begins[1:].tolist(), None], strict=True
    ):
        one = sets[place]
        for batch in sets.batches(others[start:end]):
            found.append(overlaps.coefficients(one, batch))
    save(folder / JACCARD, np.concatenate(found))
    return {"pairs": len(first)}


class _Sets:
    """The sets of shingles of some documents, read from disk when asked for.

    Not mapped: the kernel maps what lies around what is touched, so that every worker would seem to hold all sets of the corpus.
    """

    def __init__(self, call: Verification, work: Work, documents: Numbers) -> None:
        self._keys, self._work, self._documents = call.shingles, work, documents
        # Not a method: with a reference to itself this would hold all files open until the collector happens to come by.
        self._open = lru_cache(maxsize=MOST_OPEN)(partial(_opened, work, call.shingles))
        self._bounds: list[tuple[int, int, int]] = []  # part, start and end of each document's set
        starts = np.array(call.starts, np.int64)
        parts = np.searchsorted(starts, documents, side="right") - 1
        for part in np.unique(parts).tolist():
            self._bounds += self._found(part, documents[parts == part] - starts[part])

    def places(self, documents: Numbers) -> list[int]:
        """Return what to ask for these documents with."""
        found: list[int] = np.searchsorted(self._documents, documents).tolist()
        return found

    def __getitem__(self, place: int) -> Hashes:
        part, start, end = self._bounds[place]
        return np.frombuffer(os.pread(self._open(part).fileno(), (end - start) * _HASH, start * _HASH), np.uint64)

    def batches(self, places: list[int]) -> Iterator[list[Hashes]]:
        """Yield the sets at these places, as many at a time as have ``MOST_HASHES`` together, or one that has more alone."""
        batch: list[Hashes] = []
        held = 0
        for place in places:
            found = self[place]
            if batch and held + len(found) > MOST_HASHES:
                yield batch
                batch, held = [], 0
            batch.append(found)
            held += len(found)
        if batch:
            yield batch

    def _found(self, part: int, wanted: Numbers) -> list[tuple[int, int, int]]:
        """Return where the sets of a part's documents are; raises ``WorkError`` when there is not one for each."""
        key = self._keys[part]
        ends, numbers = (np.load(self._work.file(SHINGLE, key, name)) for name in (ENDS, NUMBERS))
        places = np.searchsorted(numbers, wanted)
        if not np.array_equal(numbers[np.minimum(places, len(numbers) - 1)], wanted):
            raise WorkError(
                f"{SHINGLE}/{key} is about other documents than the pairs; delete that folder and build again"
            )
        starts = np.concatenate([[0], ends])[places]
        return [(part, start, end) for start, end in zip(starts.tolist(), ends[places].tolist(), strict=True)]


def _opened(work: Work, keys: dict[int, str], part: int) -> BinaryIO:
    return open(work.file(SHINGLE, keys[part], SETS), "rb", buffering=0)
