"""zstd streams of any number of frames, read a whole frame at a time where that is small enough to hold.

Decompressing a frame in one call takes half the time that it takes piece by piece, into buffers that grow.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import IO

import zstandard

from pile.errors import WorkError

#: Frames written by other tools may ask for a window this large.
MAX_WINDOW = 1 << 31
#: Stored bytes asked of a file at a time: most of a frame of ours.
READ_BYTES = 1 << 18
#: Bytes as stored, and of content, of the largest frame that is decompressed in one call; others come piece by piece.
MOST_STORED, MOST_CONTENT = 8 << 20, 64 << 20
#: What frames that hold nothing to be read begin with; the lowest digit is free (RFC 8878, 3.1.2).
SKIPPABLE = 0x184D2A50
#: Bytes that tell where blocks begin: of a frame that is skipped also where it ends.
LEAST_BYTES = 8


def content_of(file: IO[bytes], name: str) -> Iterator[bytes]:
    """Yield the uncompressed bytes of an open stream; raises ``WorkError`` where it is damaged or cut short.

    ``name`` is for the error.
    """
    zstd = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW)
    data, place = b"", 0
    try:
        while True:
            end = frame_end(data, place)
            if end is not None:
                yield _content(zstd, data[place:end])
                place = end
            elif len(data) - place > MOST_STORED:
                data, place = (yield from _pieces(zstd, data[place:], file)), 0
            elif more := file.read(READ_BYTES):
                data, place = data[place:] + more, 0
            else:
                break
        if place < len(data):
            zstd.decompressobj().decompress(data[place:])  # says what is wrong, unless bytes are missing
            raise WorkError(f"{name} is cut short; delete its folder and build again")
    except zstandard.ZstdError as error:
        raise WorkError(f"{name} is damaged: {error}; delete its folder and build again") from error


def _content(zstd: zstandard.ZstdDecompressor, frame: bytes) -> bytes:
    """Return what a whole frame holds."""
    if _skipped(frame, 0):
        return b""
    size = zstandard.frame_content_size(frame)
    if 0 <= size <= MOST_CONTENT:
        return zstd.decompress(frame)
    return zstd.decompressobj().decompress(frame)  # a size that is unknown, or wrong and more than memory


def _pieces(zstd: zstandard.ZstdDecompressor, data: bytes, file: IO[bytes]) -> Generator[bytes, None, bytes]:
    """Yield what a large frame holds, which begins with ``data``; return what was read beyond it."""
    frame = zstd.decompressobj()
    while data:
        if content := frame.decompress(data):
            yield content
        if frame.eof:
            return frame.unused_data
        data = file.read(READ_BYTES)
    raise zstandard.ZstdError("the last frame is cut short")


def frame_end(data: bytes, start: int) -> int | None:
    """Return where the frame ends that starts at a place, None where that is beyond the data; raises ``ZstdError``."""
    if len(data) < start + LEAST_BYTES:
        return None
    if _skipped(data, start):
        place = start + 8 + int.from_bytes(data[start + 4 : start + 8], "little")
        return place if place <= len(data) else None
    if data[start : start + 4] != zstandard.FRAME_HEADER:
        raise zstandard.ZstdError(f"no frame begins with {data[start : start + 4].hex(' ')}")
    descriptor = data[start + 4]
    alone = descriptor >> 5 & 1
    place = start + 6 - alone + (0, 1, 2, 4)[descriptor & 3] + (alone, 2, 4, 8)[descriptor >> 6]
    last = 0
    while not last:
        if place + 3 > len(data):
            return None
        header = int.from_bytes(data[place : place + 3], "little")
        last, kind = header & 1, header >> 1 & 3
        place += 3 + (1 if kind == 1 else header >> 3)  # a block of one repeated byte has that byte alone
    place += 4 * (descriptor >> 2 & 1)
    return place if place <= len(data) else None


def _skipped(data: bytes, start: int) -> bool:
    """Return whether the frame that starts at a place holds nothing to be read."""
    return int.from_bytes(data[start : start + 4], "little") & ~0xF == SKIPPABLE
