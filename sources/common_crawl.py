"""Common Crawl: the main text of the web pages that one of its crawls got, from its WARC or WET files, or chosen by its index.

Upstream: https://data.commoncrawl.org/ (what there is: https://index.commoncrawl.org/collinfo.json).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import msgspec

from pile.document import Document, Drop, Input, Pin, Record, SideFile
from pile.plugins import Reader
from sources import crawl_index, crawl_lists
from sources.crawl_index import DOMAIN, Wanted
from sources.crawl_lists import NEWS, NEWS_MONTH, ROOT
from sources.extract.block_model import MODEL_SHA256
from sources.web_address import plain_address, plain_host

# What takes long to import is imported late: only workers read pages (pile.plugins.WORKERS_ONLY).

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

    Pages of ``blocked_hosts`` and of the hosts below them, those at or below ``blocked_urls``, and those that
    ``block_lists`` name in either way, are dropped (``blocked_host``, ``blocked_url``). A list is a file of the person's own,
    or several by a pattern, or a web address: a host or an address in each line, or a hosts file; plain or gzip.
    """

    crawl: Crawl = "latest"
    files: Number | None = None
    languages: tuple[Language, ...] = ()
    blocked_hosts: tuple[str, ...] = ()
    blocked_urls: tuple[str, ...] = ()
    block_lists: tuple[str, ...] = ()
    format: Literal["warc", "wet"] = "warc"
    domains: tuple[str, ...] = ()
    domain_list: str = ""
    index_languages: tuple[IndexLanguage, ...] = ()
    mime: tuple[str, ...] = ()
    pages: Number | None = None
    index: Literal["columnar", "cdx"] = "columnar"

    version: ClassVar[int] = 3
    libraries: ClassVar[tuple[str, ...]] = (
        "fastwarc",
        "idna",
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
        {"crawl", "files", "block_lists", "domains", "domain_list", "index_languages", "mime", "pages", "index"}
    )

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for options that contradict each other, and for rules that no page could meet."""
        for host in self.blocked_hosts:
            if not plain_host(host):
                raise ValueError(f'blocked_hosts: {host!r} is no host; write one such as "spam.example"')
        for url in self.blocked_urls:
            if not plain_address(url):
                raise ValueError(f'blocked_urls: {url!r} is no address; write one such as "example.com/spam/"')
        self._check_selection()

    def _check_selection(self) -> None:
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
        from sources.block_list import pinned

        crawl = crawl_lists.newest(upstream, self.crawl)
        side = pinned(self.block_lists, upstream)
        options = {
            name: value
            for name, value in msgspec.structs.asdict(self).items()
            if name in ALWAYS or value != DEFAULTS[name]
        }
        options["crawl"] = crawl
        if not (self.domains or self.domain_list or self.index_languages or self.mime):
            paths = crawl_lists.paths(upstream, crawl, self.format)
            return Pin(options, [Input(f"{ROOT}/{path}") for path in paths[: self.files]], side)
        return Pin(options, self._chosen(upstream, crawl), side)

    def _chosen(self, upstream: Reader, crawl: str) -> list[Input]:
        from sources import cdx, columnar_index

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

    def records(self, input: Input, path: Path, *side: SideFile) -> Iterator[Record | Drop]:
        """Yield a record for each page that passes the gates, named by its WARC-Record-ID or by file and offset.

        ``side`` are the block lists. Bytes that cannot be read as a record are ``malformed_record``; what is not the page
        that an index names is an ``index_mismatch``. Raises ``DamagedInputError`` after the last good record when the file
        ends early.
        """
        from sources import selected, warc, wet
        from sources.block_list import block_list
        from sources.page_gates import Gates

        if input.url == self.domain_list:
            return
        gates = Gates(block_list(self.blocked_hosts, self.blocked_urls, side))
        name = input.url.rpartition("/")[2]
        if self.format == "wet":
            for page in wet.conversions(path, name):
                drop = page if isinstance(page, Drop) else gates.text_stopped(page)
                yield drop or Record(page.id, page)
            return
        for capture in selected.captures(input, path) if input.ranges else warc.captures(path, name):
            found = capture if isinstance(capture, Drop) else gates.passed(capture)
            yield found if isinstance(found, Drop) else Record(found.capture.id, found)

    def parse(self, record: Record) -> Document | Drop:
        """Return a page's main text, or the text of a WET record, as a document, or what stops it."""
        from sources.page_document import conversion_document, page_document
        from sources.page_gates import Page

        make = page_document if isinstance(record.data, Page) else conversion_document
        return make(record.name, record.data, self.languages)


#: Options that a lock always has; others only where they are not what they are by default, so that old locks stay as they are.
ALWAYS = frozenset({"crawl", "files", "languages"})
DEFAULTS = msgspec.structs.asdict(CommonCrawl())
