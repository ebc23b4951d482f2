"""One file on its way from an upstream: from the first byte, or from where an earlier attempt broke off.

The rules for resuming are RFC 9110's: only a 206 whose Content-Range fits is added to what is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Literal

from pile.document import Input
from pile.errors import ChecksumError, FetchError, NotTheFileError
from pile.transport import magic
from pile.transport.address import Address
from pile.transport.partial import Part, Whole
from pile.transport.politeness import TransientError

if TYPE_CHECKING:
    import httpx

    from pile.transport.web import Web

#: The answer to a range that begins where the file ends.
NOTHING_LEFT = frozenset({416})

#: RFC 9110, 14.4.
CONTENT_RANGE = re.compile(r"bytes (?:(?P<first>\d+)-(?P<last>\d+)|\*)/(?P<size>\d+|\*)")


class Transfer:
    """Brings one ``Input`` into one ``Part``. ``bound`` is in bytes: a larger file is refused."""

    def __init__(self, web: Web, address: Address, input: Input, part: Part, bound: int | None = None) -> None:
        self._web = web
        self._address = address
        self._input = input
        self._part = part
        self._bound = bound
        self._furthest = part.size
        self._checked = False

    def run(self, *, keep_damaged: bool) -> str:
        """Bring all bytes; return "" or, with ``keep_damaged``, how they differ from what is pinned.

        Bytes that differ are fetched once more from the start: a transfer can go wrong unseen. Raises ``FetchError``.
        """
        host = self._web.politeness.host(self._address.host)
        attempt = partial(self._attempt, keep_damaged)
        damage = ""
        for _ in range(2):
            if damage:
                self._part.restart(Whole(self._input.url))
            self._checked = False
            self._web.politeness.persist(self._address.label, host, attempt, self._got_further)
            self._check("end")
            damage = self._part.digests.damage()
            if not damage:
                return ""
        if not keep_damaged:
            self._part.discard()
            raise ChecksumError(
                f"{self._address.label}: {damage}, twice; lock again if the upstream has a new file, else try later"
            )
        return damage

    def _got_further(self) -> bool:
        if self._part.size - self._furthest < self._web.politeness.patience.worthwhile:
            return False
        self._furthest = self._part.size
        return True

    def _attempt(self, keep_damaged: bool) -> None:
        headers = {}
        if self._part.size and self._part.whole.validator:
            headers = {"Range": f"bytes={self._part.size}-", "If-Range": self._part.whole.validator}
        with self._web.ask("GET", self._address, headers, accept=NOTHING_LEFT) as response:
            if response.status_code == 416:
                self._settle_416(response)
                return
            self._refuse_encoding(response)
            chunks = self._web.politeness.paced(response.iter_raw())
            goes_on = response.status_code == 206
            size = self._settle_206(response) if goes_on else self._settle_200(response, chunks, keep_damaged)
            for chunk in chunks:
                self._add(chunk)
            self._settle_end(response, size)

    def _settle_200(self, response: httpx.Response, chunks: Iterator[bytes], keep_damaged: bool) -> int | None:
        """Begin at byte 0; return the size of the whole where the answer tells it."""
        size = announced(response)
        first = next(chunks, b"")
        # Before anything is thrown away: an error page must not cost the bytes that are there.
        magic.check(self._input.url, first[: magic.HEAD], "start" if first else "end")
        if size is not None and self._input.size not in (None, size) and not keep_damaged:
            raise ChecksumError(
                f"{self._address.label}: the upstream has {size} bytes, but {self._input.size} are pinned; lock again"
            )
        headers = response.headers
        etag, modified = headers.get("etag", ""), headers.get("last-modified", "")
        self._part.restart(Whole(self._input.url, etag=etag, last_modified=modified, size=size))
        self._add(first)
        return size

    def _settle_206(self, response: httpx.Response) -> int | None:
        """Go on at the byte that was asked for and return the size of the whole, or raise to begin again."""
        found = CONTENT_RANGE.fullmatch(response.headers.get("content-range", "").strip())
        whole = self._part.whole
        size = int(found["size"]) if found and found["size"] != "*" else whole.size
        fits = found is not None and self._part.size > 0 and found["first"] == str(self._part.size)
        # Some servers know Range and not If-Range.
        same = response.headers.get("etag", whole.etag) == whole.etag and whole.size in (None, size)
        if not fits or not same:
            self._part.restart(Whole(self._input.url))
            raise TransientError("a part came that does not go on where the last one ended")
        return size

    def _settle_416(self, response: httpx.Response) -> None:
        """Nothing is left to send: then all is there, or what is there is of another file."""
        found = CONTENT_RANGE.fullmatch(response.headers.get("content-range", "").strip())
        size = int(found["size"]) if found and found["size"] != "*" else self._part.whole.size
        if size != self._part.size:
            self._part.restart(Whole(self._input.url))
            raise TransientError("the upstream's file has become shorter")

    def _settle_end(self, response: httpx.Response, size: int | None) -> None:
        if size is None and "transfer-encoding" not in response.headers:
            # The end of the connection is the only end that there is: it proves nothing.
            size = self._input.size
        if size is not None and self._part.size < size:
            raise TransientError(f"the answer ended at byte {self._part.size} of {size}")

    def _refuse_encoding(self, response: httpx.Response) -> None:
        """Raw bytes are stored: they must not be a compression that the address does not promise."""
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("", "identity") and not magic.is_compressed(self._input.url):
            raise NotTheFileError(
                f"{self._address.label}: it comes encoded as {encoding}, though asked for as it is; check what stands "
                "between you and the host (a proxy?)"
            )

    def _add(self, chunk: bytes) -> None:
        self._part.append(chunk)
        if self._bound is not None and self._part.size > self._bound:
            self._part.discard()
            raise FetchError(
                f"{self._address.label}: over {self._bound} bytes, too large for a list; check the address"
            )
        if not self._checked and self._part.size >= magic.HEAD:
            self._check("start")

    def _check(self, at: Literal["start", "end"]) -> None:
        self._checked = True
        try:
            magic.check(self._input.url, self._part.head, at, self._part.tail(magic.TAIL) if at == "end" else b"")
        except NotTheFileError:
            self._part.discard()
            raise


def announced(response: httpx.Response) -> int | None:
    """Return the size in bytes that an answer promises for its body, None when it promises none."""
    length = response.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else None
