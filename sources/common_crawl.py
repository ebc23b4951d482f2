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
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec

from pile.document import Document, Drop, Input, Pin, Record
from pile.errors import FetchError, RecipeError
from pile.plugins import Reader
from sources import http_message
from sources.extract.block_model import MODEL_SHA256
from sources.extract.charset import decode
from sources.extract.page_language import other_language
from sources.extract.page_type import html_type, sniffed

if TYPE_CHECKING:
    from sources.warc import Capture

CRAWLS = "https://index.commoncrawl.org/collinfo.json"
ROOT = "https://data.commoncrawl.org"
#: https://commoncrawl.org/terms-of-use
LICENSE = "Common Crawl Terms of Use; page copyright retained by owners"
#: Longest page, in bytes after decoding: above Common Crawl's own bound of 5 MiB. What is longer is data, not text.
PAGE_BOUND = 8 << 20
#: Until crawl 2019-47 payloads were cut at 1 MiB without always saying so.
CUT_LENGTH = 1 << 20
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

    version: ClassVar[int] = 2
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
        from sources.warc import captures  # late, as below: only workers need what takes long to import

        for item in captures(path, input.url.rpartition("/")[2]):
            yield item if isinstance(item, Drop) else Record(item.id, item)

    def parse(self, record: Record) -> Document | Drop:
        """Return the page's main text as a document, or the first of the gates, cheapest first, that stops it."""
        from sources.extract.html import main_text

        capture: Capture = record.data
        if reason := _refused(capture):
            return Drop(record.name, *reason)
        payload = http_message.payload(capture.response)
        if reason := _refused_payload(capture, payload):
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


def _refused(capture: Capture) -> tuple[str, str] | None:
    """Return reason and detail when a capture's head says that it is no page."""
    response, url = capture.response, capture.url
    if response.status != 200:
        return "bad_status", f"{url}: status {response.status or 'missing'}"
    content_type = response.header("content-type")
    if html_type(content_type) is False:
        return "not_html", f"{url}: {content_type[:100]}"
    if capture.truncated:
        return "truncated", f"{url}: {capture.truncated[:100]}"
    if capture.missing:
        return "too_large", f"{url}: over {len(response.body)} bytes"
    return None


def _refused_payload(capture: Capture, payload: http_message.Payload) -> tuple[str, str] | None:
    """Return reason and detail when a capture's decoded body is no page."""
    body, url = payload.body, capture.url
    if payload.problem == "too_large" or len(body) > PAGE_BOUND:
        return "too_large", f"{url}: over {min(len(body), PAGE_BOUND)} bytes"
    if payload.problem or len(capture.response.body) == CUT_LENGTH:
        return "truncated", f"{url}: ends early after {len(body)} bytes"
    if not body.strip(b" \t\r\n\0"):
        return "empty_page", url
    kind = sniffed(body)
    if kind != "html" and (kind or html_type(capture.response.header("content-type")) is None):
        return "not_html", f"{url}: {kind or 'no markup in it, and no type'}"
    return None
