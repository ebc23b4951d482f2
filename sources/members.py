"""Compressed files that are made of members: gzip (one member per record in a web archive), zstd, or no compression.

What one member holds is read without trusting it: a member that is broken ends, and the next one is looked for in the bytes.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from fastwarc import ZstdReader

#: Bytes that are read from the file at a time.
CHUNK = 1 << 14
#: Bytes of the file that are in hand: where a member ends, the file is read again from there, and from here it costs nothing.
BUFFER = 1 << 18
#: Bytes that a member must inflate to for ``begins`` to judge whether a gzip signature in the file is the start of a member.
FIRST_BYTES = 512
#: RFC 1952: ID1, ID2, CM = deflate, and flags of which the upper three are reserved and zero.
GZIP_START = re.compile(rb"\x1f\x8b\x08[\x00-\x1f]")
GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGICS = (b"\x28\xb5\x2f\xfd", b"\x5d\x2a\x4d\x18")  # the second is a dictionary's frame, as .warc.zst begins


class Member:
    """A stretch of decompressed bytes. ``offset`` is where it begins in the file, in bytes of the file; ``compressed`` whether
    offsets in it are other ones than the file's.

    After ``read`` has returned b"": ``damage`` says why it ends before its end ("" when it does not), ``cut`` that this is
    the end of the file as well, and ``checked`` that its bytes are those that were compressed (a CRC says so).
    """

    def __init__(
        self, offset: int, read: Callable[[int], bytes], extend: Callable[[], bool] = bool, compressed: bool = True
    ) -> None:
        self.offset = offset
        self.compressed = compressed
        self.damage = ""
        self.cut = False
        self.checked = False
        self._read = read
        self._extend = extend

    def read(self, size: int) -> bytes:
        """Return at most ``size`` more bytes, b"" at the end."""
        return self._read(size)

    def extend(self) -> bool:
        """Go on into the next member, as some writers do inside of a record; return False when that one begins a record."""
        return self._extend()


def members(path: Path, begins: Callable[[bytes], bool]) -> Iterator[Member]:
    """Yield the members of a file in order; what is left unread of one is skipped when the next is asked for.

    A file that is not gzip, by its first bytes and its name, is one member. ``begins`` says whether a member's first bytes
    look right: only what does is taken for a member after a broken one. Bytes between members that are none are a member
    that is damaged at once.
    """
    with open(path, "rb", buffering=BUFFER) as file:
        first = file.read(FIRST_BYTES)
        file.seek(0)
        if first.startswith(GZIP_MAGIC) or (path.suffix == ".gz" and first and not begins(first)):
            yield from gzip_members(file, begins)
        elif first.startswith(ZSTD_MAGICS):
            yield _zstd_member(path)
        elif first:
            yield Member(0, file.read, compressed=False)


def _zstd_member(path: Path) -> Member:
    reader = ZstdReader(str(path))

    def read(size: int) -> bytes:
        try:
            data: bytes = reader.read(size)
        except OSError as error:
            member.damage, member.cut = f"zstd: {error}", True
            return b""
        return data

    member = Member(0, read)
    return member


def gzip_members(file: IO[bytes], begins: Callable[[bytes], bool]) -> Iterator[Member]:
    """Yield the gzip members of an open file, as ``members`` does."""
    offset: int | None = 0
    while offset is not None:
        inflated = _Inflated(file, offset, begins)
        member = inflated.member
        yield member
        while member.read(CHUNK):
            pass
        if not member.damage:
            offset = _skip_zeros(file, inflated.end)
            continue
        # Damaged bytes can inflate on into the members that follow: look from the damaged one's own start.
        offset = _next_member(file, offset + 1, begins)
        member.cut = member.cut and offset is None


class _Inflated:
    """The gzip member at ``offset``, inflated as it is read."""

    def __init__(self, file: IO[bytes], offset: int, begins: Callable[[bytes], bool]) -> None:
        self.member = Member(offset, self._read, self._extend)
        self.end = offset  #: offset after the member, once it has been read to its end
        self._file = file
        self._begins = begins
        self._at = offset
        self._inflater = zlib.decompressobj(wbits=31)

    def _read(self, size: int) -> bytes:
        member, inflater = self.member, self._inflater
        while not inflater.eof and not member.damage:
            data = inflater.unconsumed_tail
            if not data:
                self._file.seek(self._at)
                data = self._file.read(CHUNK)
                self._at += len(data)
            if not data:
                member.damage, member.cut = "the file ends inside of a gzip member", True
                break
            try:
                out = inflater.decompress(data, size)
            except zlib.error as error:
                member.damage = f"gzip: {error}"
                break
            if inflater.eof:
                self.end = self._at - len(inflater.unused_data)
                member.checked = True
            if out:
                return out
        return b""

    def _extend(self) -> bool:
        at = _skip_zeros(self._file, self.end) if self.member.checked else None
        if at is None:
            return False
        first = _Inflated(self._file, at, self._begins).member.read(FIRST_BYTES)
        if not first or self._begins(first):
            return False
        self._at = at
        self._inflater = zlib.decompressobj(wbits=31)
        self.member.checked = False
        return True


def _skip_zeros(file: IO[bytes], offset: int) -> int | None:
    """Return the offset of the first byte that is no padding, None at the end of the file."""
    file.seek(offset)
    while data := file.read(CHUNK):
        rest = data.lstrip(b"\0")
        if rest:
            return offset + len(data) - len(rest)
        offset += len(data)
    return None


def _next_member(file: IO[bytes], offset: int, begins: Callable[[bytes], bool]) -> int | None:
    """Return the offset of the first member from ``offset`` on that begins right, None when there is none."""
    overlap = 3  # a signature that lies across two chunks
    while True:
        file.seek(offset)
        data = file.read(CHUNK)
        for found in GZIP_START.finditer(data):
            if begins(_Inflated(file, offset + found.start(), begins).member.read(FIRST_BYTES)):
                return offset + found.start()
        if len(data) <= overlap:
            return None
        offset += len(data) - overlap
