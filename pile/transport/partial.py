"""A file that is not complete yet: ``NAME.part``, and ``NAME.part.json`` with what is known of the whole.

It outlives a crash, it is hashed while it grows, and it gets its name only when every byte is on the disk.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec

from pile.document import Input
from pile.errors import ChecksumError, FetchError
from pile.transport.magic import HEAD

#: What an ``Input.checksum`` may begin with.
ALGORITHMS = ("md5", "sha1", "sha256")
#: Bytes that are read at a time when a file is hashed.
_BLOCK = 1 << 20


class Whole(msgspec.Struct, frozen=True):
    """What the upstream said of the file when its first byte came: what a resumed download must find again."""

    url: str
    etag: str = ""
    last_modified: str = ""
    size: int | None = None

    @property
    def validator(self) -> str:
        """Return what ``If-Range`` can hold, "" when nothing can: a weak ETag does not stand for the same bytes.

        A date counts only where there is no ETag at all (RFC 9110, 13.1.5).
        """
        if self.etag:
            return "" if self.etag.startswith("W/") else self.etag
        return self.last_modified


class Digests:
    """The sha256 of a content, and the checksum that is pinned for it, computed in one pass."""

    def __init__(self, input: Input) -> None:
        self._input = input
        self._algorithm, _, wanted = input.checksum.partition(":")
        self._wanted = wanted.strip().lower()
        if input.checksum and (self._algorithm not in ALGORITHMS or not self._wanted):
            raise ChecksumError(f"{input.url}: pinned checksum {input.checksum!r} begins with none of {ALGORITHMS}")
        self.restart()

    def restart(self) -> None:
        """Forget all bytes."""
        self.size = 0
        self._hashes = {name: hashlib.new(name, usedforsecurity=False) for name in {"sha256", self._algorithm} - {""}}

    def update(self, chunk: bytes) -> None:
        """Take further bytes in."""
        self.size += len(chunk)
        for digest in self._hashes.values():
            digest.update(chunk)

    @property
    def sha256(self) -> str:
        """Return the hex digest of all bytes so far."""
        return self._hashes["sha256"].hexdigest()

    def damage(self) -> str:
        """Return how the bytes differ from what is pinned, "" when they do not."""
        if self._input.size is not None and self.size != self._input.size:
            return f"{self.size} bytes, but {self._input.size} are pinned"
        got = self._hashes[self._algorithm].hexdigest() if self._algorithm else ""
        return f"{self._algorithm} {got}, but {self._wanted} is pinned" if got != self._wanted else ""


class Part:
    """The growing file, a context manager: ``commit`` or ``discard`` ends it, anything else leaves it to resume."""

    def __init__(self, target: Path, input: Input, progress: Callable[[int], None]) -> None:
        self.target = target
        self.path = target.with_name(target.name + ".part")
        self._record = target.with_name(target.name + ".part.json")
        self.digests = Digests(input)
        self.head = b""
        self._progress = progress
        with storage(target.parent):
            target.parent.mkdir(parents=True, exist_ok=True)
            self.whole = self._recall(input.url)
            self._file: BinaryIO = open(self.path, "ab+", buffering=_BLOCK)  # noqa: SIM115 (closed by __exit__)
            self._take_up()

    def __enter__(self) -> Part:
        return self

    def __exit__(self, *_: object) -> None:
        with storage(self.path.parent):
            self._file.close()
            if not self.size:
                self.path.unlink(missing_ok=True)
                self._record.unlink(missing_ok=True)

    @property
    def size(self) -> int:
        """Return how many bytes there are."""
        return self.digests.size

    def restart(self, whole: Whole) -> None:
        """Throw all bytes away; ``whole`` says of what the next ones are the beginning."""
        with storage(self.path.parent):
            self._empty()
            self.whole = whole
            draft = self._record.with_name(self._record.name + ".new")
            draft.write_bytes(msgspec.json.encode(whole))
            draft.replace(self._record)

    def append(self, chunk: bytes) -> None:
        """Write the next bytes."""
        with storage(self.path.parent):
            self._file.write(chunk)
        self._count(chunk)

    def tail(self, size: int) -> bytes:
        """Return the last bytes."""
        with storage(self.path.parent):
            self._file.flush()
            self._file.seek(max(0, self.size - size))
            return self._file.read()

    def commit(self) -> None:
        """Give the file its name, once it is on the disk."""
        with storage(self.path.parent):
            self._file.flush()
            os.fsync(self._file.fileno())
            self.path.replace(self.target)
            self._record.unlink(missing_ok=True)
            folder = os.open(self.target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def discard(self) -> None:
        """Leave nothing behind."""
        with storage(self.path.parent):
            self._empty()
            self.path.unlink(missing_ok=True)
            self._record.unlink(missing_ok=True)

    def _recall(self, url: str) -> Whole:
        try:
            whole = msgspec.json.decode(self._record.read_bytes(), type=Whole)
        except (FileNotFoundError, msgspec.DecodeError):
            return Whole(url)
        return whole if whole.url == url else Whole(url)

    def _take_up(self) -> None:
        """Hash the bytes that an earlier run left, or throw them away when nobody knows what they begin."""
        if not self.whole.validator:
            self._empty()
            return
        self._file.seek(0)
        while chunk := self._file.read(_BLOCK):
            self._count(chunk)

    def _count(self, chunk: bytes) -> None:
        self.digests.update(chunk)
        if len(self.head) < HEAD:
            self.head += chunk[: HEAD - len(self.head)]
        self._progress(len(chunk))

    def _empty(self) -> None:
        if self.size:
            self._progress(-self.size)
        self.digests.restart()
        self.head = b""
        if self._file.seek(0, os.SEEK_END):
            self._file.truncate(0)


@contextmanager
def storage(folder: Path) -> Iterator[None]:
    """Turn what the operating system says of a folder into one line that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise FetchError(f"{folder}: the disk is full; free space, then run the same command again") from error
        raise FetchError(f"{folder}: {error.strerror or error}; correct it, then run the same command again") from error
