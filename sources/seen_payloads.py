"""The payloads of one input that were seen so far, by digest, and the address of the page that had each first.

An archive may have any number of pages: what is kept of each is 12 bytes and its address, packed to about a quarter.
"""

from __future__ import annotations

import zlib

import numpy as np

#: Pages whose digests and addresses are packed at a time: some 1.2 MB before they are.
BLOCK = 1 << 12
_BETWEEN = b"\0"


class SeenPayloads:
    """Remembers 64-bit digests: two payloads of 100,000 have the same one by chance with a probability of 3e-10."""

    def __init__(self) -> None:
        self._recent: dict[int, str] = {}
        self._digests = np.empty(0, np.uint64)  # ascending
        self._places = np.empty(0, np.uint32)  # of each: when it was seen
        self._addresses: list[bytes] = []

    def first(self, digest: int, address: str) -> str | None:
        """Return the address that came with a digest before; without one, remember this."""
        found = self._recent.get(digest)
        if found is None:
            found = self._packed(digest)
        if found is None:
            self._recent[digest] = address
            if len(self._recent) == BLOCK:
                self._pack()
        return found

    def _packed(self, digest: int) -> str | None:
        at = int(np.searchsorted(self._digests, np.uint64(digest)))
        if at == len(self._digests) or self._digests[at] != digest:
            return None
        block, place = divmod(int(self._places[at]), BLOCK)
        return zlib.decompress(self._addresses[block]).split(_BETWEEN)[place].decode("utf-8", "replace")

    def _pack(self) -> None:
        addresses = [address.encode("utf-8", "replace").replace(_BETWEEN, b"") for address in self._recent.values()]
        places = np.arange(len(self._digests), len(self._digests) + BLOCK, dtype=np.uint32)
        self._addresses.append(zlib.compress(_BETWEEN.join(addresses)))
        digests = np.concatenate([self._digests, np.fromiter(self._recent, np.uint64, BLOCK)])
        order = np.argsort(digests)
        self._digests, self._places = digests[order], np.concatenate([self._places, places])[order]
        self._recent = {}
