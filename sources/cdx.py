"""Common Crawl's CDX API: the captures of one domain, as lines of JSON. It is for a few domains; there is one server.

Upstream: https://index.commoncrawl.org/ (a pywb server: https://pywb.readthedocs.io/en/latest/manual/cdxserver_api.html).
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from pile.errors import FetchError, NoSuchFileError, RecipeError
from pile.plugins import Reader
from sources.crawl_index import Page, Wanted

ROOT = "https://index.commoncrawl.org"
#: The most domains that are asked about: each is two requests or more, a second apart. The columnar index has no such bound.
DOMAINS_BOUND = 100
FIELDS = "url,filename,offset,length,status,mime,mime-detected,languages"


class _Line(msgspec.Struct):
    """One capture; every value is text, also the numbers."""

    url: str
    filename: str
    offset: int
    length: int
    status: str
    mime: str = ""
    mime_detected: str = msgspec.field(name="mime-detected", default="")
    languages: str = ""


class _Extent(msgspec.Struct):
    """The answer to how many pages of answers there are."""

    pages: int


def pages(upstream: Reader, crawl: str, wanted: Wanted) -> Iterator[Page]:
    """Yield the captures of every wanted domain; a domain without any is none (the server then says 404).

    Raises ``RecipeError`` for more domains than the server is to be asked about, ``FetchError`` for an answer that is not the
    API's.
    """
    if len(wanted.domains) > DOMAINS_BOUND:
        raise RecipeError(
            f"common_crawl: {len(wanted.domains)} domains are too many for index = 'cdx', which takes {DOMAINS_BOUND}; use "
            "index = 'columnar'"
        )
    for domain in sorted(wanted.domains):
        query = f"{ROOT}/{crawl}-index?url=*.{domain}&output=json&fl={FIELDS}&filter==status:200"
        for number in range(_extent(upstream, f"{query}&showNumPages=true")):
            address = f"{query}&page={number}"
            for line in _answer(upstream, address).splitlines():
                if line.strip() and (page := _page(line, address, wanted)):
                    yield page


def _answer(upstream: Reader, address: str) -> bytes:
    try:
        return upstream.read(address)
    except NoSuchFileError:
        return b""


def _extent(upstream: Reader, address: str) -> int:
    answer = _answer(upstream, address)
    if not answer.strip():
        return 0
    try:
        found = msgspec.json.decode(answer, type=_Extent | int)
    except msgspec.DecodeError as error:
        raise FetchError(
            f"{address} is not a number of pages: {error}; try again later, or use index = 'columnar'"
        ) from error
    return found if isinstance(found, int) else found.pages


def _page(line: bytes, address: str, wanted: Wanted) -> Page | None:
    try:
        found = msgspec.json.decode(line, type=_Line, strict=False)
    except msgspec.DecodeError as error:
        said = line[:80].decode("utf-8", "replace")
        raise FetchError(
            f"{address} holds a line that is no capture ({error}): {said!r}; try again later, or use index = 'columnar'"
        ) from error
    language = found.languages.partition(",")[0]
    fits = found.status == "200" and (found.mime_detected or found.mime) in wanted.mime
    if not fits or (wanted.languages and language not in wanted.languages):
        return None
    return Page(found.url, found.filename, found.offset, found.length)
