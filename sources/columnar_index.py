"""Common Crawl's columnar index: parquet files, sorted by host, with one row for each capture of a crawl.

Upstream: https://data.commoncrawl.org/cc-index/table/cc-main/warc/ (columns: https://github.com/commoncrawl/cc-index-table).
"""

from __future__ import annotations

import io
from bisect import bisect_left
from collections.abc import Collection, Iterator
from typing import Any

from pile.errors import FetchError
from pile.plugins import Reader
from sources.crawl_index import Page, Wanted
from sources.crawl_lists import ROOT, paths

#: The part of the table that holds what was got, beside crawldiagnostics and robotstxt.
SUBSET = "subset=warc/"
DOMAIN, STATUS, LANGUAGES = "url_host_registered_domain", "fetch_status", "content_languages"
TYPE, SENT_TYPE = "content_mime_detected", "content_mime_type"
PLACE = ("url", "warc_filename", "warc_record_offset", "warc_record_length")


def pages(upstream: Reader, crawl: str, wanted: Wanted) -> Iterator[Page]:
    """Yield the captures that are wanted, in the index's order, of a domain's hosts and of others that are registered with it.

    With domains only the row groups are read that can hold them; without, every row of the index is. Raises ``FetchError``
    where a file cannot be read or lacks a column.
    """
    files = [path for path in paths(upstream, crawl, "cc-index-table") if SUBSET in path and path.endswith(".parquet")]
    if not files:
        raise FetchError(
            f"{ROOT}/crawl-data/{crawl}/cc-index-table.paths.gz names no file of {SUBSET}; use index = 'cdx'"
        )
    registered = sorted(wanted.suffixes)
    for path in files:
        yield from _rows(upstream, f"{ROOT}/{path}", wanted, registered)


def _rows(upstream: Reader, address: str, wanted: Wanted, registered: list[str]) -> Iterator[Page]:
    import pyarrow as pa  # late: it takes as long as all the rest of the start-up
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(pa.PythonFile(_Remote(upstream, address), mode="r")) as file:
            names = frozenset(file.schema_arrow.names)
            columns = _columns(names, address, wanted)
            for group in range(file.num_row_groups):
                if wanted.domains and not _may_hold(file, group, registered):
                    continue
                mask = _fits(file.read_row_group(group, columns=columns, use_threads=False), wanted, registered)
                if pc.any(mask).as_py():  # the addresses are most of the bytes
                    table = file.read_row_group(group, columns=PLACE, use_threads=False).filter(mask)
                    yield from map(Page, *(table[name].to_pylist() for name in PLACE))
    except (pa.ArrowException, OSError) as error:
        said = " ".join(str(error).split())[:200]
        raise FetchError(
            f"{address} cannot be read as an index: {said}; try again later, or use index = 'cdx'"
        ) from error


def _columns(names: frozenset[str], address: str, wanted: Wanted) -> list[str]:
    """Return the columns that decide; raises ``FetchError`` where a crawl's index lacks one of them, or one of ``PLACE``."""
    needed = [STATUS, *([LANGUAGES] if wanted.languages else []), *([DOMAIN] if wanted.domains else [])]
    if missing := [name for name in (*PLACE, *needed) if name not in names]:
        why = " (Common Crawl tells languages since CC-MAIN-2018-39)" if LANGUAGES in missing else ""
        raise FetchError(f"{address} has no column {', '.join(missing)}{why}; name another crawl")
    return [*needed, *(name for name in (TYPE, SENT_TYPE) if name in names)]


def _may_hold(file: Any, group: int, registered: list[str]) -> bool:
    """Return whether a row group holds one of these registered domains; only then its other columns are worth their bytes."""
    described = file.metadata.row_group(group)
    place = next(i for i in range(described.num_columns) if described.column(i).path_in_schema == DOMAIN)
    bounds = described.column(place).statistics
    if bounds is not None and bounds.has_min_max and isinstance(bounds.min, str):
        first = bisect_left(registered, bounds.min)
        if first == len(registered) or registered[first] > bounds.max:
            return False
    found = file.read_row_group(group, columns=[DOMAIN], use_threads=False)[DOMAIN].unique().to_pylist()
    return not set(registered).isdisjoint(found)


def _fits(table: Any, wanted: Wanted, registered: list[str]) -> Any:
    """Return the rows that are wanted as a mask."""
    import pyarrow as pa
    import pyarrow.compute as pc

    def among(column: Any, values: Collection[str]) -> Any:
        return pc.is_in(column, pa.array(sorted(values), pa.string()))

    types = [table[name] for name in (TYPE, SENT_TYPE) if name in table.column_names]
    mask = pc.equal(table[STATUS], 200)
    mask = pc.and_(mask, among(pc.coalesce(*types), wanted.mime)) if types else mask
    if wanted.languages:  # codes of three letters, the most frequent first
        mask = pc.and_(mask, among(pc.utf8_slice_codeunits(table[LANGUAGES], 0, 3), wanted.languages))
    if wanted.domains:
        mask = pc.and_(mask, among(table[DOMAIN], registered))
    return mask


class _Remote(io.RawIOBase):
    """An upstream's file as pyarrow reads it: here and there a range."""

    def __init__(self, upstream: Reader, address: str) -> None:
        size = upstream.size(address)
        if size is None:
            raise FetchError(
                f"{address}: upstream does not tell its size; use a folder as the mirror, or index = 'cdx'"
            )
        self._upstream, self._address, self._size, self._at = upstream, address, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        left = self._size - self._at
        size = left if size < 0 else min(size, left)
        if size <= 0:
            return b""
        content = self._upstream.read_range(self._address, self._at, size)
        self._at += len(content)
        return content
