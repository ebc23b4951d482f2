"""Common Crawl: the main text of the web pages that one of its crawls got, from its WARC or WET files, or chosen by its index.

Upstream: https://data.commoncrawl.org/ (what there is: https://index.commoncrawl.org/collinfo.json).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import msgspec

from pile.document import Document, Drop, Input, Pin, Record
from pile.plugins import Reader
from sources import cdx, columnar_index, crawl_index, crawl_lists, http_message, selected
from sources.crawl_index import DOMAIN, Wanted
from sources.crawl_lists import NEWS, NEWS_MONTH, ROOT
from sources.extract.block_model import MODEL_SHA256
from sources.extract.charset import decode
from sources.extract.html import main_text
from sources.extract.page_language import other_language
from sources.extract.page_type import html_type, sniffed
from sources.warc import Capture, captures
from sources.wet import Conversion, conversions

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
IndexLanguage = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{3}$")]
Number = Annotated[int, msgspec.Meta(ge=1)]


class CommonCrawl(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Pages of one crawl ("CC-MAIN-2026-30"; "latest") or month of news ("CC-NEWS-2026-07"; "CC-NEWS-latest").

    All of its first ``files`` archives, as ``format`` says: "warc", or "wet" with Common Crawl's own text. With ``languages``,
    pages that are surely written in others are dropped before the cost of extraction (``other_language``); a ``language``
    filter still judges what goes on.

    Or only those pages that a crawl's index has for ``domains`` (and for those in the file ``domain_list``, one on a line; a
    domain is one that can be registered, or a host below it), mainly written in ``index_languages`` (ISO 639-3, as in "eng")
    and of the types ``mime`` (HTML and XHTML, when left out): the first ``pages`` of them, each fetched alone. ``index`` is
    "columnar", of which a selection without domains reads every row, or "cdx", a server for a few domains.
    """

    crawl: Crawl = "latest"
    files: Number | None = None
    languages: tuple[Language, ...] = ()
    format: Literal["warc", "wet"] = "warc"
    domains: tuple[str, ...] = ()
    domain_list: str = ""
    index_languages: tuple[IndexLanguage, ...] = ()
    mime: tuple[str, ...] = ()
    pages: Number | None = None
    index: Literal["columnar", "cdx"] = "columnar"

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
    connections: ClassVar[dict[str, int]] = {"data.commoncrawl.org": 8, "index.commoncrawl.org": 1}
    #: Seconds. Its status page speaks of "a few thousand" requests a second for all of its users: 20 are one percent. The
    #: index is one server, and once a second is how often Common Crawl wants to be asked again.
    intervals: ClassVar[dict[str, float]] = {"data.commoncrawl.org": 0.05, "index.commoncrawl.org": 1.0}
    advice: ClassVar[dict[str, str]] = dict.fromkeys(
        ("data.commoncrawl.org", "index.commoncrawl.org"),
        "Common Crawl blocks clients that ask too fast: wait some hours, then run the same command again",
    )
    #: Options that say which inputs there are, and nothing of what is in them.
    choosing: ClassVar[frozenset[str]] = frozenset(
        {"crawl", "files", "domains", "domain_list", "index_languages", "mime", "pages", "index"}
    )

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for options that contradict each other."""
        news = self.crawl.startswith(NEWS)
        if news and self.crawl != f"{NEWS}-latest" and not NEWS_MONTH.fullmatch(self.crawl):
            raise ValueError(
                f"crawl = {self.crawl!r}: news is named by its month, as in '{NEWS}-2026-07', or '{NEWS}-latest'"
            )
        chosen = [name for name in ("domains", "domain_list", "index_languages", "mime") if getattr(self, name)]
        if news and self.format == "wet":
            raise ValueError(f"format = 'wet': {NEWS} has WARC files only; leave format out")
        if chosen and (news or self.format == "wet" or self.files is not None):
            which = "crawl = 'CC-NEWS-...'" if news else "format = 'wet'" if self.format == "wet" else "files"
            raise ValueError(
                f"{chosen[0]} chooses single pages of the WARC files of a CC-MAIN crawl; leave out {which}"
            )
        if wrong := next((domain for domain in self.domains if not DOMAIN.fullmatch(domain)), None):
            raise ValueError(f"domains: {wrong!r} is no domain; write one as in 'example.com'")
        if self.pages and not chosen:
            raise ValueError(
                "pages is of a selection by domains, index_languages or mime; for whole archives set files"
            )
        if self.index == "cdx" and not (self.domains or self.domain_list):
            raise ValueError("index = 'cdx' is asked for domains; name some, or use index = 'columnar'")

    def pin(self, upstream: Reader) -> Pin:
        """Return the crawl's id and its archives in the order of its list, or the batches of the pages that are chosen.

        Upstream publishes no checksums; sizes would cost a request for each of 100,000 files. A list of domains is the first
        input, so that a build sees when it has changed. Raises ``RecipeError`` for a crawl that there is not, ``FetchError``
        where a list or an index cannot be had or read.
        """
        crawl = crawl_lists.newest(upstream, self.crawl)
        options = {
            name: value
            for name, value in msgspec.structs.asdict(self).items()
            if name in ALWAYS or value != DEFAULTS[name]
        }
        options["crawl"] = crawl
        if not (self.domains or self.domain_list or self.index_languages or self.mime):
            paths = crawl_lists.paths(upstream, crawl, self.format)
            return Pin(options, [Input(f"{ROOT}/{path}") for path in paths[: self.files]])
        return Pin(options, self._chosen(upstream, crawl))

    def _chosen(self, upstream: Reader, crawl: str) -> list[Input]:
        lists = []
        domains = set(self.domains)
        if self.domain_list:
            content = upstream.read(self.domain_list)
            domains.update(crawl_index.domains_in(content, self.domain_list))
            lists = [Input(self.domain_list, len(content), f"sha256:{hashlib.sha256(content).hexdigest()}")]
        mime = frozenset(self.mime) or crawl_index.PAGES
        wanted = Wanted(frozenset(domains), frozenset(self.index_languages), mime)
        index = cdx if self.index == "cdx" else columnar_index
        if self.index == "cdx":  # its answer to a crawl that there is not is that of one without such pages
            crawl_lists.check(upstream, crawl)
        found = crawl_index.chosen(index.pages(upstream, crawl, wanted), wanted, self.pages)
        return [*lists, *crawl_index.batches(found, crawl)]

    def records(self, input: Input, path: Path) -> Iterator[Record | Drop]:
        """Yield a record for each capture or conversion, named by its WARC-Record-ID or by file and offset.

        Bytes that cannot be read as a record are ``malformed_record``; what is not the page that an index names is an
        ``index_mismatch``. Raises ``DamagedInputError`` after the last good record when the file ends early.
        """
        items: Iterator[Capture | Conversion | Drop]
        name = input.url.rpartition("/")[2]
        if input.ranges:
            items = selected.captures(input, path)
        elif input.url == self.domain_list:
            return
        else:
            items = conversions(path, name) if self.format == "wet" else captures(path, name)
        for item in items:
            yield item if isinstance(item, Drop) else Record(item.id, item)

    def parse(self, record: Record) -> Document | Drop:
        """Return the page's main text as a document, or the first of the gates, cheapest first, that stops it."""
        if isinstance(record.data, Conversion):
            return _text(record.name, record.data, self.languages)
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


#: Options that a lock always has; others only where they are not what they are by default, so that old locks stay as they are.
ALWAYS = frozenset({"crawl", "files", "languages"})
DEFAULTS = msgspec.structs.asdict(CommonCrawl())


def _text(name: str, page: Conversion, languages: tuple[str, ...]) -> Document | Drop:
    """Return the text of a WET record as a document, or what stops it."""
    if page.truncated:
        return Drop(name, "truncated", f"{page.url}: {page.truncated[:100]}")
    if page.missing or len(page.text) > PAGE_BOUND:
        return Drop(name, "too_large", f"{page.url}: over {min(len(page.text), PAGE_BOUND)} bytes")
    text = page.text.decode("utf-8", "replace")
    if not text.strip(" \t\r\n\0"):
        return Drop(name, "empty_page", page.url)
    if languages and (code := other_language(escape(text, quote=False), languages)):
        return Drop(name, "other_language", f"{page.url}: {code}")
    created = page.date if DATE.fullmatch(page.date) else ""
    meta: dict[str, Any] = {"languages": list(page.languages)} if page.languages else {}
    if page.repaired:
        meta["repaired"] = "Content-Length"
    return Document(id=name, text=text, url=page.url, license=LICENSE, created=created, meta=meta)


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
