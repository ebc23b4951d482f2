"""Read the pages of a MediaWiki XML export as they stream by: bzip2 (one or many streams), gzip or plain.

The format is https://www.mediawiki.org/xml/export-0.11.xsd (0.10 and earlier differ only in details that are not read here);
memory holds one page, whatever the size of the dump.
"""

from __future__ import annotations

import bz2
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Protocol

import msgspec
from lxml import etree

from pile.errors import DamagedInputError

#: Decompressed bytes given to the parser at a time.
CHUNK = 1 << 18

#: Namespace numbers, the same on every wiki (https://www.mediawiki.org/wiki/Help:Namespaces): Media, File, Category.
_MEDIA, _FILE, _CATEGORY = "-2", "6", "14"


class Reading(Protocol):
    """Anything that gives bytes in order."""

    def read(self, size: int, /) -> bytes: ...


class Site(msgspec.Struct, frozen=True):
    """The head of a dump: where its pages are on the web ("" when it does not say) and its own words for two namespaces."""

    base: str = ""
    namespaces: tuple[str, ...] = ()  #: local names of the file, media and category namespaces, lower case


class Page(msgspec.Struct, frozen=True):
    """One page with its newest revision. ``text`` is None when the dump says that it was deleted, or leaves it out."""

    id: str
    title: str
    namespace: int
    redirect: bool
    model: str
    text: str | None
    revision: str
    timestamp: str
    site: Site


def pages(path: Path) -> Iterator[Page]:
    """Yield every page in order; raises ``DamagedInputError`` after the last whole page when the file cannot be read on."""
    with path.open("rb") as raw:
        parser = etree.XMLPullParser(
            events=("end",),
            tag=("{*}siteinfo", "{*}page"),
            huge_tree=True,  # a page may be longer than libxml2's 10 MB
            resolve_entities=False,  # none is declared in a dump; one that is must not grow
            no_network=True,
            remove_comments=True,  # else a comment would end its page's text
            remove_pis=True,
        )
        site = Site()
        for cause in _feed(raw, parser):
            for _, element in parser.read_events():
                if etree.QName(element).localname == "siteinfo":
                    site = _site(element)
                else:
                    yield _page(element, site)
                _forget(element)
            if cause:
                raise DamagedInputError(cause, raw.tell())


def _feed(raw: IO[bytes], parser: Any) -> Iterator[str]:
    """Give the parser a chunk at a time; yield after each "", or why it is the last when the file is not whole."""
    try:
        stream = _decompressed(raw)
        while chunk := stream.read(CHUNK):
            parser.feed(chunk)
            yield ""
        parser.close()
    except (EOFError, OSError, zlib.error) as error:
        yield f"the compressed data ends early or is damaged: {error}"
    except etree.XMLSyntaxError as error:
        yield f"the XML ends early or is broken: {error}"
    else:
        yield ""


def _decompressed(raw: IO[bytes]) -> Reading:
    magic = raw.read(3)
    raw.seek(0)
    if magic == b"BZh":
        return bz2.open(raw)
    return gzip.open(raw) if magic[:2] == b"\x1f\x8b" else raw


def _forget(element: Any) -> None:
    """Free a read element and everything before it."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _site(element: Any) -> Site:
    names = [
        (name.text or "").strip().lower()
        for name in element.iterfind("{*}namespaces/{*}namespace")
        if name.get("key") in (_MEDIA, _FILE, _CATEGORY)
    ]
    return Site(base=_text(element, "base"), namespaces=tuple(name for name in names if name))


def _page(element: Any, site: Site) -> Page:
    revisions = element.findall("{*}revision")
    revision = revisions[-1] if revisions else element.makeelement("revision")
    content = revision.find("{*}text")
    gone = content is None or content.get("deleted") is not None
    namespace = _text(element, "ns")
    return Page(
        id=_text(element, "id"),
        title=_text(element, "title"),
        namespace=int(namespace) if namespace.lstrip("-").isdigit() else 0,
        redirect=element.find("{*}redirect") is not None,
        model=_text(revision, "model") or "wikitext",
        text=None if gone else "".join(content.itertext()),
        revision=_text(revision, "id"),
        timestamp=_text(revision, "timestamp"),
        site=site,
    )


def _text(element: Any, name: str) -> str:
    return (element.findtext("{*}" + name) or "").strip()
