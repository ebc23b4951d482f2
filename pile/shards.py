"""zstd JSON Lines: written as independent frames with content size and checksum, read line by line.

Every frame is compressed by one call with one thread, so the bytes depend on the lines and the zstd version alone
(field notes, section 7), and files of frames may be concatenated.
"""

from __future__ import annotations

import hashlib
import threading
from array import array
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, Self, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt
import zstandard

from pile.zstd_stream import content_of

T = TypeVar("T")

#: A frame ends with the line that brings it to this many uncompressed bytes: large enough to compress well, small
#: enough to seek.
FRAME_BYTES = 1 << 20
#: zstd's own default: level 3 is within a few percent of level 5's size at twice its speed.
DEFAULT_LEVEL = 3
#: Of what stages leave for one another: twice the speed for a tenth more of the disk.
STORED_LEVEL = 1


#: A frame of a file: number of its first document, offset and size in bytes as stored, bytes of its content.
FRAME = np.dtype([("document", "<u8"), ("offset", "<u8"), ("size", "<u8"), ("content", "<u8")])


class Digests(msgspec.Struct, frozen=True):
    """What a written file is: sizes in bytes and sha256 (hex) of the stream as stored and as read."""

    documents: int
    bytes: int
    sha256: str
    content_bytes: int
    content_sha256: str


class FrameWriter:
    """Writes lines into zstd frames; ``cut()`` ends a frame early, so that frames can follow a caller's boundaries.

    With ``threads`` above 1 so many frames are compressed at the same time, into the same bytes.
    """

    def __init__(self, path: Path, level: int = DEFAULT_LEVEL, threads: int = 1) -> None:
        self._file: IO[bytes] = open(path, "wb")  # noqa: SIM115 - closed by close()
        self._level, self._own = level, threading.local()
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self._waiting: deque[Future[bytes]] = deque()
        self._most_waiting = 2 * threads
        self._lines: list[bytes | memoryview] = []
        self._held = 0
        self._stored, self._content = hashlib.sha256(), hashlib.sha256()
        self._rows = array("Q")  # of the frames' table, one after the other
        self._sizes = array("Q")
        self.documents = self.bytes = self.content_bytes = 0

    def write(self, line: bytes) -> None:
        """Add one line, without its newline."""
        self._lines.append(line)
        self._held += len(line) + 1
        if self._held >= FRAME_BYTES:
            self.cut()

    def extend(self, lines: Iterable[bytes | memoryview]) -> None:
        """Add lines, without their newlines: ``write`` in less time. What they are views of is let go of."""
        held, size = self._lines, self._held
        for line in lines:
            held.append(line)
            size += len(line) + 1
            if size >= FRAME_BYTES:
                self.cut()
                held, size = self._lines, 0
        self._lines, self._held = list(map(bytes, held)), size

    def cut(self) -> None:
        """End the frame in hand, if it has lines."""
        if not self._lines:
            return
        count = len(self._lines)
        self._lines.append(b"")
        content = b"\n".join(self._lines)
        self._lines, self._held = [], 0
        self._rows.extend((self.documents, len(content)))
        self.documents += count
        self.content_bytes += len(content)
        if self._pool is None:
            self._put(self._compressed(content))
        else:
            self._waiting.append(self._pool.submit(self._compressed, content))
        self._content.update(content)
        while len(self._waiting) > self._most_waiting:
            self._put(self._waiting.popleft().result())

    def _compressed(self, content: bytes) -> bytes:
        """Return one frame; each thread has a compressor of its own."""
        if not hasattr(self._own, "zstd"):
            self._own.zstd = zstandard.ZstdCompressor(
                level=self._level, write_checksum=True, write_content_size=True, threads=0
            )
        frame: bytes = self._own.zstd.compress(content)
        return frame

    def _put(self, frame: bytes) -> None:
        self._file.write(frame)
        self._stored.update(frame)
        self._sizes.append(len(frame))
        self.bytes += len(frame)

    def close(self) -> Digests:
        """Write what is held and return what the file is."""
        self.cut()
        while self._waiting:
            self._put(self._waiting.popleft().result())
        self._release()
        return Digests(
            self.documents, self.bytes, self._stored.hexdigest(), self.content_bytes, self._content.hexdigest()
        )

    def table(self) -> npt.NDArray[Any]:
        """Return the FRAME array of what was written, to be asked for once it is closed."""
        found = np.zeros(len(self._sizes), FRAME)
        found["document"], found["content"] = np.array(self._rows, np.uint64).reshape(-1, 2).T
        found["size"] = self._sizes
        found["offset"] = np.cumsum(found["size"]) - found["size"]
        return found

    def _release(self) -> None:
        self._file.close()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._release()


def write_lines(path: Path, lines: Iterable[bytes], level: int = DEFAULT_LEVEL) -> Digests:
    """Write lines (without newlines) to a file of frames and return what it is."""
    with FrameWriter(path, level) as writer:
        writer.extend(lines)
        return writer.close()


def read_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a zstd file without their newlines; raises ``WorkError`` where it is damaged or cut short."""
    with open(path, "rb") as file:
        yield from lines_of(file, str(path))


def lines_of(file: IO[bytes], name: str) -> Iterator[bytes]:
    """Yield the lines of an open zstd stream of any number of frames; ``name`` is for the error."""
    for block in _blocks(file, name):
        lines = block.split(b"\n")
        del block  # while its lines are used it would take as much memory as they do
        if not lines[-1]:
            lines.pop()
        yield from lines


def read_structs(kind: type[T], path: Path) -> Iterator[T]:
    """Yield the lines of a zstd JSON Lines file as structs of a kind; raises ``WorkError`` as ``read_lines`` does."""
    decode = msgspec.json.Decoder(kind).decode_lines  # in half of the time that one line after the other takes
    with open(path, "rb") as file:
        for block in _blocks(file, str(path)):
            structs = decode(block)
            del block
            yield from structs


def _blocks(file: IO[bytes], name: str) -> Iterator[bytes]:
    """Yield the content of an open zstd stream in pieces of whole lines; the last may lack its newline."""
    held: list[bytes] = []
    for chunk in content_of(file, name):
        end = chunk.rfind(b"\n") + 1
        if end:
            yield b"".join([*held, chunk[:end]])
            held.clear()
        if end < len(chunk):
            held.append(chunk[end:])
    if held:
        yield b"".join(held)
