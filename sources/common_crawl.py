"""Common Crawl: the main text of the web pages that one of its crawls got, from its WARC files.

Upstream: https://data.commoncrawl.org/ (what there is: https://index.commoncrawl.org/collinfo.json).
"""

from __future__ import annotations

import difflib
import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec

from pile.document import Document, Drop, Input, Pin, Record
from pile.errors import FetchError, RecipeError
from pile.plugins import Reader
from sources import http_message
from sources.extract.block_model import MODEL_SHA256
from sources.extract.charset import decode
from sources.extract.html import main_text
from sources.extract.page_language import other_language
from sources.page_gates import refused, refused_payload
from sources.warc import Capture, captures

CRAWLS = "https://index.commoncrawl.org/collinfo.json"
ROOT = "https://data.commoncrawl.org"
#: https://commoncrawl.org/terms-of-use
LICENSE = "Common Crawl Terms of Use; page copyright retained by owners"
#: An ISO 8601 date or date-time, as WARC-Date is; anything else a writer put there is left out.
DATE = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?)?)?")

Language = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2,3}$")]
Crawl = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]+$")]


class _Listed(msgspec.Struct):
    """One crawl in collinfo.json."""

    id: str


class CommonCrawl(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Pages of one crawl (``"latest"``, or an id such as ``"CC-MAIN-2026-30"``), of its first ``files`` WARC files.

    With ``languages``, pages that are surely written in others are dropped before the cost of extraction
    (``other_language``); a ``language`` filter still judges what goes on.
    """

    crawl: Crawl = "latest"
    files: Annotated[int, msgspec.Meta(ge=1)] | None = None
    languages: tuple[Language, ...] = ()

    version: ClassVar[int] = 1
    libraries: ClassVar[tuple[str, ...]] = (
        "fastwarc",
        "lxml",
        "numpy",
        "pycld2",
        "resiliparse",
        "trafilatura",
        "warcio",
    )
    models: ClassVar[tuple[str, ...]] = (MODEL_SHA256,)
    #: Eight connections are what Common Crawl's own downloader stays below; its 403 is a block, and asking on prolongs it.
    connections: ClassVar[dict[str, int]] = {"data.commoncrawl.org": 8}
    advice: ClassVar[dict[str, str]] = dict.fromkeys(
        ("data.commoncrawl.org", "index.commoncrawl.org"),
        "Common Crawl blocks clients that ask too fast: wait some hours, then run the same command again",
    )
    #: Options that say which inputs there are, and nothing of what is in them.
    choosing: ClassVar[frozenset[str]] = frozenset({"crawl", "files"})

    def pin(self, upstream: Reader) -> Pin:
        """Return the crawl's id and its WARC files in the order of its list.

        Upstream publishes no checksums; sizes would cost a request for each of 100,000 files. Raises ``RecipeError`` for a
        crawl that there is not, ``FetchError`` where a list cannot be had or read.
        """
        crawl = _crawls(upstream)[0] if self.crawl == "latest" else self.crawl
        address = f"{ROOT}/crawl-data/{crawl}/warc.paths.gz"
        try:
            packed = upstream.read(address)
        except FetchError as error:
            known = _crawls(upstream)
            if crawl in known:
                raise
            close = difflib.get_close_matches(crawl, known, n=1, cutoff=0)[0]
            raise RecipeError(
                f"common_crawl crawl = {crawl!r}: no such crawl; did you mean {close!r}? "
                f"{CRAWLS} names {len(known)}, the newest is {known[0]!r}"
            ) from error
        try:
            paths = gzip.decompress(packed).decode().split()
        except (EOFError, gzip.BadGzipFile, zlib.error, UnicodeDecodeError) as error:
            raise FetchError(f"{address} cannot be read: {error}; try again later") from error
        if not paths:
            raise FetchError(f"{address} names no file; try again later, or name another crawl than {crawl}")
        inputs = [Input(f"{ROOT}/{path}") for path in paths[: self.files]]
        return Pin({**msgspec.structs.asdict(self), "crawl": crawl}, inputs)

    def records(self, input: Input, path: Path) -> Iterator[Record | Drop]:
        """Yield a record for each capture of an archive, named by its WARC-Record-ID or by file and offset.

        Bytes that cannot be read as a record are ``malformed_record``. Raises ``DamagedInputError`` after the last good
        record when the file ends early.
        """
        for item in captures(path, input.url.rpartition("/")[2]):
            yield item if isinstance(item, Drop) else Record(item.id, item)

    def parse(self, record: Record) -> Document | Drop:
        """Return the page's main text as a document, or the first of the gates, cheapest first, that stops it."""
        capture: Capture = record.data
        if reason := refused(capture):
            return Drop(record.name, *reason)
        payload = http_message.payload(capture.response)
        if reason := refused_payload(capture, payload):
            return Drop(record.name, *reason)
        page = decode(payload.body, capture.response.header("content-type"))
        if self.languages and (code := other_language(page.text, self.languages)):
            return Drop(record.name, "other_language", f"{capture.url}: {code}")
        text = main_text(page.text, url=capture.url)
        if not text:
            return Drop(record.name, "no_text", f"{capture.url}: no main text in {len(payload.body)} bytes")
        meta: dict[str, Any] = {"charset": page.charset}
        if capture.repaired:
            meta["repaired"] = "Content-Length"
        return Document(
            id=record.name,
            text=text,
            url=capture.url,
            license=LICENSE,
            created=capture.date if DATE.fullmatch(capture.date) else "",
            meta=meta,
        )


def _crawls(upstream: Reader) -> list[str]:
    """Return the ids of all crawls, the newest first."""
    try:
        listed = msgspec.json.decode(upstream.read(CRAWLS), type=list[_Listed])
    except msgspec.DecodeError as error:
        raise FetchError(f"{CRAWLS} is not the list of crawls: {error}; try again later") from error
    if not listed:
        raise FetchError(f"{CRAWLS} names no crawl; try again later")
    return [crawl.id for crawl in listed]
