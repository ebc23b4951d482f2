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
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, cast

import msgspec

from pile.document import Document, Drop, Input, Pin, Record, SideFile
from pile.errors import FetchError, RecipeError
from pile.plugins import Reader
from sources.extract.block_model import MODEL_SHA256
from sources.extract.charset import decode
from sources.extract.page_language import other_language
from sources.web_address import plain_address, plain_host

if TYPE_CHECKING:
    from sources.page_gates import Page

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

    Pages of ``blocked_hosts`` and of the hosts below them, those at or below ``blocked_urls``, and those that
    ``block_lists`` name in either way, are dropped (``blocked_host``, ``blocked_url``). A list is a file of the person's own,
    or several by a pattern, or a web address: a host or an address in each line, or a hosts file; plain or gzip.
    """

    crawl: Crawl = "latest"
    files: Annotated[int, msgspec.Meta(ge=1)] | None = None
    languages: tuple[Language, ...] = ()
    blocked_hosts: tuple[str, ...] = ()
    blocked_urls: tuple[str, ...] = ()
    block_lists: tuple[str, ...] = ()

    version: ClassVar[int] = 2
    libraries: ClassVar[tuple[str, ...]] = (
        "fastwarc",
        "idna",
        "lxml",
        "numpy",
        "pycld2",
        "resiliparse",
        "trafilatura",
        "warcio",
        "xxhash",
    )
    models: ClassVar[tuple[str, ...]] = (MODEL_SHA256,)
    #: Eight connections are what Common Crawl's own downloader stays below; its 403 is a block, and asking on prolongs it.
    connections: ClassVar[dict[str, int]] = {"data.commoncrawl.org": 8}
    advice: ClassVar[dict[str, str]] = dict.fromkeys(
        ("data.commoncrawl.org", "index.commoncrawl.org"),
        "Common Crawl blocks clients that ask too fast: wait some hours, then run the same command again",
    )
    #: Options that say which inputs there are, and nothing of what is in them.
    choosing: ClassVar[frozenset[str]] = frozenset({"crawl", "files", "block_lists"})

    def __post_init__(self) -> None:
        """Refuse rules that no page could meet; raises ``ValueError``."""
        for host in self.blocked_hosts:
            if not plain_host(host):
                raise ValueError(f'blocked_hosts: {host!r} is no host; write one such as "spam.example"')
        for url in self.blocked_urls:
            if not plain_address(url):
                raise ValueError(f'blocked_urls: {url!r} is no address; write one such as "example.com/spam/"')

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
        from sources.block_list import pinned

        inputs = [Input(f"{ROOT}/{path}") for path in paths[: self.files]]
        return Pin({**msgspec.structs.asdict(self), "crawl": crawl}, inputs, pinned(self.block_lists, upstream))

    def records(self, input: Input, path: Path, *side: SideFile) -> Iterator[Record | Drop]:
        """Yield a record for each capture of an archive that passes the gates, named by its WARC-Record-ID or by file and offset.

        ``side`` are the block lists. Bytes that cannot be read as a record are ``malformed_record``. Raises
        ``DamagedInputError`` after the last good record when the file ends early.
        """
        from sources.block_list import block_list  # late, as below: only workers need what takes long to import
        from sources.page_gates import Gates
        from sources.warc import captures

        gates = Gates(block_list(self.blocked_hosts, self.blocked_urls, side))
        for item in captures(path, input.url.rpartition("/")[2]):
            found = item if isinstance(item, Drop) else gates.passed(item)
            yield found if isinstance(found, Drop) else Record(found.capture.id, found)

    def parse(self, record: Record) -> Document | Drop:
        """Return the page's main text as a document; a page without, or surely in another language, is a drop."""
        from sources.extract.html import read

        capture, body = cast("Page", record.data)
        page = decode(body, capture.response.header("content-type"))
        facts: dict[str, Any] = {"html": {"bytes": len(body), "characters": len(page.text), "charset": page.charset}}
        utf8 = body if page.charset == "utf-8" else b""
        if self.languages and (other := other_language(page.text, self.languages, utf8)):
            detail = f"{other.code} is {other.percent} % of {other.size:,} bytes of text"
            return Drop(record.name, "other_language", detail, url=capture.url, facts=facts)
        found = read(page.text, url=capture.url)
        if not found.text:
            return Drop(record.name, "no_text", found.why, url=capture.url, facts=facts)
        meta: dict[str, Any] = {"charset": page.charset}
        if capture.repaired:
            meta["repaired"] = "Content-Length"
        return Document(
            id=record.name,
            text=found.text,
            url=capture.url,
            license=LICENSE,
            created=capture.date if DATE.fullmatch(capture.date) else "",
            meta=meta,
            facts={**facts, "extractor": f"{found.extractor} ({found.why})"},
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
