"""Which pages of a crawl are chosen from its index, and in what batches they are fetched.

Both of Common Crawl's indexes (``cdx``, ``columnar``) give the same pages; what is fetched does not depend on which was asked.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from pile import ranges
from pile.document import Input
from pile.errors import FetchError, RecipeError
from pile.ranges import Range
from sources.crawl_lists import ROOT

logger = logging.getLogger(__name__)

#: The most pages of a selection. Each is a request, as pages of a host lie scattered over all files of a crawl; a million at
#: twenty a second take 14 hours, and Common Crawl asks who wants more to read whole files.
PAGES_BOUND = 1_000_000
#: Pages of a batch: at least so many, where there are, and at most.
FEWEST, MOST = 64, 1024
#: Bytes of a batch from which on it takes no further page.
BATCH_BYTES = 64 << 20
#: Between ``FEWEST`` and ``MOST``, one page in so many ends its batch. Its own address says which: another domain more or
#: less then changes the batches beside it, and what was fetched in the others is not fetched again.
ENDS_ONE_IN = 192
#: MIME types of pages, where the recipe names none.
PAGES = frozenset({"text/html", "application/xhtml+xml"})
#: Domains without a page that are named in a warning.
NAMED = 5
#: A host's name, in lower case and ASCII (punycode), of two labels or more.
DOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})+")


class Page(NamedTuple):
    """One capture in an index: its address, and where it lies: ``file`` below ``ROOT``, ``offset`` and ``length`` in bytes."""

    url: str
    file: str
    offset: int
    length: int


class Wanted(NamedTuple):
    """What a recipe asks of an index: hosts of these domains, pages mainly in these languages (ISO 639-3), of these types.

    Empty domains and languages are all. Pages that were got with another status than 200 are never wanted.
    """

    domains: frozenset[str]
    languages: frozenset[str]
    mime: frozenset[str]

    @property
    def suffixes(self) -> frozenset[str]:
        """Return every domain with what it is a part of: one of them is the registered domain of any page of it."""
        labels = [domain.split(".") for domain in self.domains]
        return frozenset(".".join(parts[start:]) for parts in labels for start in range(len(parts) - 1))

    def domain_of(self, url: str) -> str:
        """Return the wanted domain that a page is of, "" when it is of none."""
        try:
            labels = (urlsplit(url).hostname or "").split(".")
        except ValueError:
            return ""
        return next((d for start in range(len(labels)) if (d := ".".join(labels[start:])) in self.domains), "")


def domains_in(content: bytes, name: str) -> list[str]:
    """Return the domains of a list: one on a line, ``#`` begins a comment; raises ``RecipeError`` with the line's number."""
    found = []
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        domain = line.partition("#")[0].strip().lower()
        if domain and not DOMAIN.fullmatch(domain):
            raise RecipeError(f"{name}: line {number}: {domain[:100]!r} is no domain; write one as in example.com")
        if domain:
            found.append(domain)
    if not found:  # which would stand for all domains
        raise RecipeError(f"{name} holds no domain; write one on a line, as in example.com")
    return found


def chosen(pages: Iterable[Page], wanted: Wanted, most: int | None) -> list[Page]:
    """Return the first ``most`` pages that are of a wanted domain, each place once.

    Raises ``RecipeError`` for more than ``PAGES_BOUND``, ``FetchError`` where there is none.
    """
    found: dict[tuple[str, int], Page] = {}
    seen: set[str] = set()
    for page in pages:
        domain = wanted.domain_of(page.url)
        if wanted.domains and not domain:
            continue
        seen.add(domain)
        found.setdefault((page.file, page.offset), page)
        if len(found) == most:
            break
        if len(found) > PAGES_BOUND:
            raise RecipeError(
                f"common_crawl: over {PAGES_BOUND:,} pages are in the index for this selection; narrow it, set pages = N, or "
                "read whole files (files = N) with filters"
            )
    if not found:
        raise FetchError(
            "common_crawl: the index has no page for this selection; correct domains, index_languages or mime"
        )
    if len(found) != most and (missing := sorted(wanted.domains - seen)):
        more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
        logger.warning("common_crawl: no page in the index for %s%s", ", ".join(missing[:NAMED]), more)
    return list(found.values())


def batches(pages: Collection[Page], crawl: str) -> list[Input]:
    """Return inputs that bring these pages, the same ones in whatever order the pages come."""
    return [
        _input(sorted(batch, key=lambda page: (page.file, page.offset)), crawl)
        for batch in _cut(sorted(pages, key=_order))
    ]


def mark(url: str) -> str:
    """Return what stands for an address in the lock: enough to tell that a record is of another page."""
    return hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _order(page: Page) -> tuple[list[str], str, str, int]:
    """By host from its end, so that a domain's pages lie together."""
    host = page.url.partition("://")[2].partition("/")[0]
    return host.split(".")[::-1], page.url, page.file, page.offset


def _cut(pages: list[Page]) -> Iterator[list[Page]]:
    batch: list[Page] = []
    size = 0
    for page in pages:
        batch.append(page)
        size += page.length
        ends = len(batch) >= FEWEST and int(mark(page.url), 16) % ENDS_ONE_IN == 0
        if ends or len(batch) == MOST or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _input(batch: list[Page], crawl: str) -> Input:
    """Return the input of a batch: its name is a digest of what it brings."""
    base = f"{ROOT}/crawl-data/{crawl}/"
    lines = ranges.write(base, [Range(f"{ROOT}/{page.file}", page.offset, page.length) for page in batch])
    marks = " ".join(mark(page.url.replace(" ", "%20")) for page in batch)
    name = hashlib.sha256("\n".join([*lines, marks]).encode()).hexdigest()[:16]
    return Input(f"{base}#{name}", sum(page.length for page in batch), options={"urls": marks}, ranges=lines)
