"""Downloads: every byte that a build reads from outside comes through ``Upstream``, whole and verified, or not at all.

A download streams to a partial file, resumes, and gets its name only when size, checksum and first bytes are right.
"""

from __future__ import annotations

import glob
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import msgspec

from pile import ranges
from pile.document import Input
from pile.errors import ChecksumError, FetchError, NoSuchFileError, RecipeError
from pile.ranges import Range
from pile.transport import magic
from pile.transport.address import Address, Mirror
from pile.transport.partial import Digests, Part, storage
from pile.transport.politeness import Patience, Politeness
from pile.transport.ranged import RangeTransfer
from pile.transport.transfer import Transfer, announced

if TYPE_CHECKING:
    from pile.transport.web import Web

__all__ = ["READ_BOUND", "Fetched", "Patience", "Upstream"]

#: The largest file, in bytes, that ``Upstream.read`` holds in memory. Lists and indexes have a few MB at most; the
#: bound only keeps a wrong address from filling the memory.
READ_BOUND = 1 << 30
#: Bytes that are read at a time from a file that is used in place.
_BLOCK = 1 << 20
#: What the file of an input that is parts of files is called.
PARTS = "parts"
#: Answers of a host that knows no HEAD: the size is unknown then, which is no failure.
NO_SUCH_METHOD = frozenset({405, 501})

#: What to do with bytes that are not the ones pinned.
OnDamage = Literal["stop", "keep"]


class Fetched(msgspec.Struct, frozen=True):
    """A complete file on this machine; ``damage`` says how it differs from what is pinned, where that was allowed."""

    path: str
    size: int
    sha256: str
    damage: str = ""


def _silent(_: int) -> None:
    """Small files are no part of what the bar shows."""


class Upstream:
    """All that a build reads from outside, behind one door; safe to share between threads.

    ``mirror`` is a folder or an http(s) URL that stands for every upstream; ``base`` is what paths without a scheme are
    relative to. ``advice`` maps a host (``HOST``, or ``s3://BUCKET``) to the sentence that explains its 403,
    ``connections`` a host to how many connections it may be asked over at a time, ``intervals`` a host to how many seconds
    at least lie between two requests. ``progress`` is told of bytes as they
    come, and with a negative number of bytes that were thrown away: the sum for a file is its size. ``sleep`` and
    ``clock`` are how seconds pass.
    """

    def __init__(
        self,
        *,
        mirror: str | None = None,
        base: Path = Path(),
        scratch: Path | None = None,
        progress: Callable[[int], object] | None = None,
        advice: Mapping[str, str] = MappingProxyType({}),
        connections: Mapping[str, int] = MappingProxyType({}),
        intervals: Mapping[str, float] = MappingProxyType({}),
        patience: Patience = Patience(),  # noqa: B008 (frozen)
        sleep: Callable[[float], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base = base
        self._mirror = Mirror(mirror, base)
        self._scratch = scratch
        self._progress = progress
        self._progress_lock = threading.Lock()
        self._politeness, self._advice = Politeness(patience, connections, intervals, sleep, clock), advice
        self._client: Web | None = None
        self._client_lock = threading.Lock()

    def __enter__(self) -> Upstream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections. A thread that is still at work ends with ``FetchError``; what it has is kept."""
        self._politeness.stop()
        with self._client_lock:
            if self._client is not None:
                self._client.close()

    @property
    def _web(self) -> Web:
        """The HTTP client, made when the first file is not on this machine: importing and making it takes half a second."""
        with self._client_lock:
            if self._client is None:
                from pile.transport.web import Web

                self._client = Web(self._politeness, self._advice)
            return self._client

    def read(self, url: str) -> bytes:
        """Return the whole of a small upstream file, as stored; raises ``FetchError``."""
        address = self._mirror.locate(url)
        input = Input(url)
        if address.path is not None:
            size = _stat(address, self._base)
            if size > READ_BOUND:
                raise FetchError(f"{url}: {size} bytes, too large to be read whole; check the address")
            with storage(address.path):
                content = address.path.read_bytes()
            magic.check(url, content[: magic.HEAD], "end", content[-magic.TAIL :])
            return content
        return self._held(
            input, lambda part: Transfer(self._web, address, input, part, READ_BOUND).run(keep_damaged=False)
        )

    def read_range(self, url: str, offset: int, length: int) -> bytes:
        """Return ``length`` bytes of an upstream file from ``offset`` on; raises ``FetchError``, also where there are fewer.

        They count as progress: an index is long.
        """
        input = Input("", length, ranges=ranges.write("", [Range(url, offset, length)]))
        return self._held(input, lambda part: self._range_transfer(input, part).run(keep_damaged=False), self._count)

    def _held(
        self, input: Input, transfer: Callable[[Part], object], progress: Callable[[int], None] = _silent
    ) -> bytes:
        """Return what a transfer brings, without keeping it on the disk."""
        if self._scratch is not None:
            with storage(self._scratch):
                self._scratch.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self._scratch, prefix="pile-read-") as folder:
            target = Path(folder) / "content"
            with Part(target, input, progress) as part:
                transfer(part)
                part.commit()
            return target.read_bytes()

    def _range_transfer(self, input: Input, part: Part) -> RangeTransfer:
        return RangeTransfer(self._web, self._mirror.locate, lambda address: _stat(address, self._base), input, part)

    def find(self, patterns: list[str]) -> list[str]:
        """Return the person's own files that match glob patterns, sorted; ``**`` stands for any folders.

        Patterns are relative to ``base``, and so are their results. Raises ``RecipeError`` for one without any file.
        """
        found: set[str] = set()
        for pattern in patterns:
            # A name with brackets in it that is there is meant as it stands.
            names = [pattern]
            if not (self._base / pattern).is_file():
                # ``Path.glob`` takes no absolute patterns.
                names = glob.glob(pattern, root_dir=self._base, recursive=True)  # noqa: PTH207
            files = [name for name in names if (self._base / name).is_file()]
            if not files:
                why = "matches only folders; write FOLDER/*" if names else "matches no file"
                raise RecipeError(f"{pattern!r} {why} (in {self._base.absolute()}); correct the pattern")
            found.update(files)
        return sorted(found)

    def size(self, url: str) -> int | None:
        """Return the size of an upstream file in bytes, None where upstream does not say; raises ``FetchError``."""
        address = self._mirror.locate(url)
        if address.path is not None:
            return _stat(address, self._base)

        def attempt() -> int | None:
            with self._web.ask("HEAD", address, {}, accept=NO_SUCH_METHOD) as response:
                return announced(response) if response.status_code == 200 else None

        return self._politeness.persist(address.label, self._politeness.host(address.host), attempt)

    def download(self, input: Input, folder: Path, on_damage: OnDamage = "stop") -> Fetched:
        """Return the complete file for ``input``: in ``folder`` under its upstream's name, or where it is already.

        A path without a scheme and a file in a mirror's folder are used in place; an input's ``ranges`` are written one
        after the other into a file of ``folder``. Raises ``ChecksumError`` when size or
        checksum are not the ones pinned (with ``on_damage="keep"`` the file is taken as it is), ``NotTheFileError`` for
        an error page or another kind of file, ``FetchError`` for what else stops it. Run again, it resumes.
        """
        address = self._mirror.locate(input.url)
        if address.path is not None and not input.ranges:
            _stat(address, self._base)
            return self._verify(address.name, address.path, input, on_damage)
        target = folder / (PARTS if input.ranges else address.filename)
        if target.is_file() and (input.checksum or input.size == target.stat().st_size):
            done = self._verify(input.url, target, input, "keep")
            if not done.damage:
                return done
            self._count(-done.size)
        with Part(target, input, self._count) as part:
            one = Transfer(self._web, address, input, part) if not input.ranges else self._range_transfer(input, part)
            damage = one.run(keep_damaged=on_damage == "keep")
            part.commit()
            return Fetched(str(target), part.size, part.digests.sha256, damage)

    def _verify(self, name: str, path: Path, input: Input, on_damage: OnDamage) -> Fetched:
        """Return the file at ``path`` for ``input``, where it is."""
        digests = Digests(input)
        head = tail = b""
        with storage(path), open(path, "rb") as file:
            while chunk := file.read(_BLOCK):
                head = head or chunk[: magic.HEAD]
                tail = (tail + chunk)[-magic.TAIL :]
                digests.update(chunk)
                self._count(len(chunk))
        magic.check(input.url, head, "end", tail)
        damage = digests.damage()
        if damage and on_damage == "stop":
            raise ChecksumError(f"{name}: {path} has {damage}; restore the file, or lock again if the change is meant")
        return Fetched(str(path), digests.size, digests.sha256, damage)

    def _count(self, size: int) -> None:
        if self._progress is not None:
            with self._progress_lock:
                self._progress(size)


def _stat(address: Address, base: Path) -> int:
    """Return the size in bytes of a file on this machine; raises ``FetchError`` when there is none."""
    path = address.path
    assert path is not None
    if path.is_file():
        return path.stat().st_size
    where = f"no file {path} in the mirror; put it there, or build without --mirror"
    if "://" not in address.name:
        where = f"no such file; paths are relative to {base.absolute()}"
    raise NoSuchFileError(f"{address.name}: {where}")
