"""Parts of upstream files, as an ``Input`` has them: "ADDRESS OFFSET+LENGTH OFFSET+LENGTH ...", one line for each file.

The address goes on where the input's ``url`` (without its fragment) ends; offset and length are in bytes of the file as stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple

from pile.document import Input
from pile.errors import FetchError

_PART = re.compile(r"([0-9]{1,18})\+([1-9][0-9]{0,17})")


class Range(NamedTuple):
    """``length`` bytes of the file at ``url`` from ``offset`` on."""

    url: str
    offset: int
    length: int

    @property
    def end(self) -> int:
        """Return the offset of the first byte that is not in it."""
        return self.offset + self.length


def write(base: str, ranges: Iterable[Range]) -> list[str]:
    """Return ranges, all of files whose addresses begin with ``base``, in the order given."""
    lines = []
    for url, group in groupby(ranges, key=lambda one: one.url):
        parts = " ".join(f"{one.offset}+{one.length}" for one in group)
        lines.append(f"{url.removeprefix(base).replace(' ', '%20')} {parts}")
    return lines


def read(input: Input) -> list[Range]:
    """Return the ranges of an input in order; raises ``FetchError`` for a line that nobody could have written."""
    base = input.url.partition("#")[0]
    found = []
    for line in input.ranges:
        name, *parts = line.split(" ")
        matches = [_PART.fullmatch(part) for part in parts]
        if not matches or None in matches:
            raise FetchError(f"{input.url}: the lock's line {line[:200]!r} names no parts of a file; lock again")
        found += [Range(base + name, int(match[1]), int(match[2])) for match in matches if match]
    return found
