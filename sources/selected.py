"""Pages that were chosen from an index and fetched one by one: a file of gzip members, each to be the page that the index names.

Each member is read on its own, so that one that is wrong says nothing of the others.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from pile import ranges
from pile.document import Drop, Input
from pile.errors import DamagedInputError
from pile.ranges import Range
from sources.crawl_index import mark
from sources.members import gzip_members
from sources.records import begins
from sources.warc import Capture, capture, read


def captures(input: Input, path: Path) -> Iterator[Capture | Drop]:
    """Yield the captures of a batch's pages. One that cannot be read is a ``malformed_record``, any other than the page that the
    index names an ``index_mismatch``; ids and details name file and offset at the upstream.

    Raises ``DamagedInputError`` when the file ends before its pages do.
    """
    with open(path, "rb") as file:
        for one, expected in zip(ranges.read(input), input.options["urls"].split(), strict=True):
            at = file.tell()
            content = file.read(one.length)
            if len(content) < one.length:
                raise DamagedInputError("the file ends before its pages do", at)
            yield from _captures(content, one, expected)


def _captures(content: bytes, one: Range, expected: str) -> Iterator[Capture | Drop]:
    name = f"{one.url.rpartition('/')[2]}:{one.offset}"
    where = f"{name}: {one.length} bytes"
    found = False
    try:
        for item in read(gzip_members(io.BytesIO(content), begins), name, capture):
            found = True
            if isinstance(item, Drop):
                yield Drop(item.id, item.reason, f"{where}: {item.detail}")
            elif mark(item.url) == expected:
                yield item
            else:
                yield Drop(
                    item.id, "index_mismatch", f"{where}: the record is of {item.url}, the index names another page"
                )
    except DamagedInputError as error:
        found = True
        yield Drop(name, "malformed_record", f"{where}: {error.cause}")
    if not found:
        yield Drop(name, "index_mismatch", f"{where}: no response is there, where the index names a page")
