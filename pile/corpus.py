"""A finished corpus as a sequence of documents: any by number, or all from any of them on, from a folder or an fsspec URL.

Only the frames that hold what is asked for are read, one at a time (about a MiB of text, or one longer document).
"""

from __future__ import annotations

import operator
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import Any, Self, SupportsIndex

import msgspec
import zstandard

from pile.errors import CorpusError, RequestError
from pile.frames import FRAMES, read_index, rows_of
from pile.manifest import Shard, read
from pile.storage import Storage

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Corpus:
    """The documents of one split in their order, each as the dict of its line: ``text`` and ``meta``.

    It may be sent to other processes, and be used by many threads. Raises ``CorpusError`` for what is no corpus, has no index of
    frames, or is damaged where it is read, and ``RequestError`` for a split that is not there.
    """

    def __init__(self, folder: str | Storage, split: str = "train") -> None:
        self._storage = folder if isinstance(folder, Storage) else Storage(folder)
        self.split = split
        manifest = read(self._storage)
        self.fingerprint = manifest.fingerprint  #: of the whole corpus
        splits = sorted({shard.split for shard in manifest.shards})
        if split not in splits:
            raise RequestError(f"{self._storage.url} has no split {split!r}: it has {', '.join(splits)}")
        rows = rows_of(read_index(self._storage), len(manifest.shards))
        for shard, frames in zip(manifest.shards, rows, strict=True):
            self._check(shard, int(frames[-1]["offset"] + frames[-1]["size"]) if len(frames) else 0)
        chosen = [place for place, shard in enumerate(manifest.shards) if shard.split == split]
        self._shards = [manifest.shards[place] for place in chosen]
        self._rows = [rows[place] for place in chosen]
        self._starts = list(accumulate((shard.documents for shard in self._shards), initial=0))
        self._held: tuple[int, int, list[bytes]] = (
            0,
            0,
            [],
        )  # the last frame: its first document, the first after it, lines

    def __reduce__(self) -> tuple[type[Corpus], tuple[str, str]]:
        return (Corpus, (self._storage.url, self.split))

    def __len__(self) -> int:
        return self._starts[-1]

    def __getitem__(self, number: SupportsIndex) -> dict[str, Any]:
        """Return a document by number, from the end where it is negative; raises ``IndexError`` outside."""
        index = operator.index(number)
        if not -len(self) <= index < len(self):
            raise IndexError(f"document {index} of {len(self)} in {self.split} of {self._storage.url}")
        return self._document(index % len(self))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self.iterate()

    def iterate(self, start: int = 0, step: int = 1) -> Iterator[dict[str, Any]]:
        """Yield document ``start`` and every ``step``-th after it; frames without any of them are not read."""
        if start < 0 or step < 1:
            raise RequestError(f"documents from {start} in steps of {step}: start at 0 or later, in steps of 1 or more")
        return (self._document(number) for number in range(start, len(self), step))

    def reader(self, rank: int = 0, readers: int = 1, start: int = 0) -> Reader:
        """Return an iterator for reader ``rank`` of ``readers`` (processes of a training run), whose place can be stored."""
        return Reader(self, rank, readers, start)

    def _document(self, number: int) -> dict[str, Any]:
        first, end, lines = self._held
        if not first <= number < end:
            first, end, lines = self._held = self._frame(number)
        return _decode(lines[number - first])

    def _frame(self, number: int) -> tuple[int, int, list[bytes]]:
        """Read the frame that holds a document."""
        place = bisect_right(self._starts, number) - 1
        shard, rows, start = self._shards[place], self._rows[place], self._starts[place]
        row = bisect_right(rows["document"], number - start) - 1
        first, offset, size, length = (int(rows[row][name]) for name in ("document", "offset", "size", "content"))
        end = int(rows[row + 1]["document"]) if row + 1 < len(rows) else shard.documents
        where = f"{self._storage.url}/{shard.name} is damaged in the {size} bytes from {offset} on"
        try:
            stored = self._storage.read_range(shard.name, offset, size)
            content = zstandard.ZstdDecompressor().decompress(stored, max_output_size=length)
        except FileNotFoundError:
            raise CorpusError(f"{self._storage.url}/{shard.name} is missing: build again or copy it") from None
        except OSError as error:
            raise CorpusError(f"{self._storage.url}/{shard.name} cannot be read: {error.strerror or error}") from error
        except zstandard.ZstdError as error:
            raise CorpusError(f"{where}: {error}; `pile verify` tells what else is") from error
        lines = content.split(b"\n")
        if len(content) != length or lines.pop() or len(lines) != end - first:
            raise CorpusError(
                f"{where}, or {FRAMES} is: {len(lines)} documents, should be {end - first}; `pile verify` it"
            )
        return start + first, start + end, lines

    def _check(self, shard: Shard, end: int) -> None:
        if shard.documents and end != shard.bytes:
            raise CorpusError(
                f"{self._storage.url}/{FRAMES} is of another corpus: {shard.name} ends at {shard.bytes} bytes, not {end}"
            )


class Reader(Iterator[dict[str, Any]]):
    """Every ``readers``-th document from ``start + rank`` on: together, such readers read each document once, in order.

    ``state_dict`` is plain JSON that says where it is; ``load_state_dict`` of an equal reader goes on there.
    """

    def __init__(self, corpus: Corpus, rank: int = 0, readers: int = 1, start: int = 0) -> None:
        if not 0 <= rank < readers or start < 0:
            raise RequestError(
                f"reader {rank} of {readers} from document {start}: ranks are 0 to {max(readers - 1, 0)}"
            )
        self._corpus, self._rank, self._readers = corpus, rank, readers
        self._next = start + rank

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> dict[str, Any]:
        if self._next >= len(self._corpus):
            raise StopIteration
        document = self._corpus[self._next]
        self._next += self._readers
        return document

    def state_dict(self) -> dict[str, Any]:
        """Return where this reader is: ``next`` is the number of the document that it would give next."""
        return {**self._identity(), "next": self._next}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where a reader stood; raises ``RequestError`` for a state of another corpus, split, rank or number of readers."""
        for key, value in self._identity().items():
            if state.get(key) != value:
                raise RequestError(
                    f"a reader's state has {key} {state.get(key)!r}, this reader {value!r}: make one for the state, "
                    "or one with `start` where the former readers stopped"
                )
        found = state.get("next")
        if not isinstance(found, int) or found < 0:
            raise RequestError(f"a reader's state has 'next' {found!r}: not the number of a document")
        self._next = found

    def _identity(self) -> dict[str, Any]:
        return {
            "fingerprint": self._corpus.fingerprint,
            "split": self._corpus.split,
            "rank": self._rank,
            "readers": self._readers,
        }
