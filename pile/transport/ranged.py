"""Parts of files on their way from an upstream: many small ones in one ``Part``, with as few requests as are worth it.

Only a 206 with the Content-Range that was asked for is taken, or a 200, of which all that is wanted of its file is cut.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from pile import ranges
from pile.document import Input
from pile.errors import ChecksumError, FetchError
from pile.ranges import Range
from pile.transport import magic
from pile.transport.address import Address
from pile.transport.partial import Part, Whole, storage
from pile.transport.politeness import TransientError
from pile.transport.transfer import CONTENT_RANGE, NOTHING_LEFT, announced

if TYPE_CHECKING:
    import httpx

    from pile.transport.web import Web

#: Bytes between two parts of a file up to which one request brings both, and what is between them for nothing: about what
#: a connection of some MB/s brings in the time (0.1 s) that another request would take.
NEAR = 256 << 10
#: Bytes that are read at a time from a file of this machine.
_BLOCK = 1 << 20


class RangeTransfer:
    """Brings the ranges of one ``Input`` into one ``Part``. ``stat`` is asked for the size of a file of this machine."""

    def __init__(
        self, web: Web, locate: Callable[[str], Address], stat: Callable[[Address], int], input: Input, part: Part
    ) -> None:
        self._web = web
        self._locate = locate
        self._stat = stat
        self._input = input
        self._part = part
        self._ranges = ranges.read(input)
        self._furthest = part.size

    def run(self, *, keep_damaged: bool) -> str:
        """Bring all bytes; return "" or, with ``keep_damaged``, how they differ from what is pinned.

        Bytes that differ are fetched once more from the start. Raises ``FetchError``.
        """
        damage = ""
        # What an interrupted transfer left is gone on with when it is the beginning of the same parts.
        which = hashlib.sha256("\n".join(self._input.ranges).encode()).hexdigest()
        for _ in range(2):
            if damage or self._part.whole.etag != which:
                self._part.restart(Whole(self._input.url, etag=which))
                self._furthest = 0
            self._bring()
            damage = self._part.digests.damage()
            if not damage:
                return ""
        if not keep_damaged:
            self._part.discard()
            raise ChecksumError(
                f"{self._input.url}: {damage}, twice; lock again if upstream's files are new, else try later"
            )
        return damage

    def _bring(self) -> None:
        while rest := self._rest():
            address = self._locate(rest[0].url)
            if address.path is not None:
                self._copy(address, rest)
                continue
            host = self._web.politeness.host(address.host)
            self._web.politeness.persist(address.label, host, partial(self._attempt, address), self._got_further)

    def _got_further(self) -> bool:
        if self._part.size - self._furthest < self._web.politeness.patience.worthwhile:
            return False
        self._furthest = self._part.size
        return True

    def _rest(self) -> list[Range]:
        """Return what is still to come of the file that is next, as far as it is in the file's order."""
        here = self._part.size
        rest: list[Range] = []
        for one in self._ranges:
            if here >= one.length:
                here -= one.length
                continue
            if rest and (one.url != rest[0].url or one.offset < rest[-1].end):
                break
            rest.append(Range(one.url, one.offset + here, one.length - here))
            here = 0
        return rest

    def _attempt(self, address: Address) -> None:
        rest = self._rest()
        asked = _near(rest)
        first, last = asked[0].offset, asked[-1].end - 1
        fields = {"Range": f"bytes={first}-{last}"}
        with self._web.ask("GET", address, fields, accept=NOTHING_LEFT) as response:
            chunks = self._web.politeness.paced(response.iter_raw())
            if response.status_code == 200:  # a server that knows no ranges
                size = announced(response)
                if size is not None and size < rest[-1].end:
                    raise _too_short(address.label, size, rest[-1].end)
                self._cut(self._checked(rest[0].url, chunks), 0, rest)
            else:
                _settle(address, response, first, last)
                self._cut(chunks, first, asked)
                for _ in chunks:  # none: only an answer that is read to its end leaves its connection for the next
                    pass

    def _checked(self, url: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the chunks of a whole file, once its first bytes say that it is one."""
        first = next(chunks, b"")
        magic.check(url, first[: magic.HEAD], "start" if first else "end")
        yield first
        yield from chunks

    def _cut(self, chunks: Iterator[bytes], at: int, wanted: list[Range]) -> None:
        """Take what is wanted out of bytes that begin at offset ``at`` of a file, and leave the connection with the last."""
        left = iter(wanted)
        one = next(left)
        for chunk in chunks:
            end = at + len(chunk)
            while one.offset < end:
                self._part.append(chunk[max(0, one.offset - at) : one.end - at])
                if one.end > end:
                    break
                following = next(left, None)
                if following is None:
                    return
                one = following
            at = end
        raise TransientError(f"the answer ended at byte {at}, before byte {wanted[-1].end}")

    def _copy(self, address: Address, rest: list[Range]) -> None:
        """Take what is wanted of a file of this machine."""
        size, path = self._stat(address), address.path
        assert path is not None
        if rest[-1].end > size:
            raise _too_short(f"{address.name} ({path})", size, rest[-1].end)
        with storage(path), open(path, "rb") as file:
            for one in rest:
                file.seek(one.offset)
                left = one.length
                while left and (chunk := file.read(min(left, _BLOCK))):
                    self._part.append(chunk)
                    left -= len(chunk)


def _near(rest: list[Range]) -> list[Range]:
    """Return the first ranges of a file that one request brings at less cost than several."""
    asked = rest[:1]
    for before, after in pairwise(rest):
        if after.offset - before.end > NEAR:
            break
        asked.append(after)
    return asked


def _settle(address: Address, response: httpx.Response, first: int, last: int) -> None:
    """Raise unless the answer is the part that was asked for."""
    found = CONTENT_RANGE.fullmatch(response.headers.get("content-range", "").strip())
    size = int(found["size"]) if found and found["size"] != "*" else None
    if size is not None and size <= last and (response.status_code == 416 or (found and found["first"] == str(first))):
        raise _too_short(address.label, size, last + 1)
    if response.status_code == 416 or found is None or (found["first"], found["last"]) != (str(first), str(last)):
        got = response.headers.get("content-range", "none")[:80]
        raise TransientError(f"bytes {first}-{last} were asked for, but the answer's Content-Range is {got}")


def _too_short(name: str, size: int, end: int) -> FetchError:
    return FetchError(f"{name}: it has {size} bytes, but the lock names parts up to byte {end}; lock again")
