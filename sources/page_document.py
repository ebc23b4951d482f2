"""Pages that passed their gates to documents: by their main text, or with the text that Common Crawl made of them (WET)."""

from __future__ import annotations

import re
from collections.abc import Collection
from html import escape
from typing import Any

from pile.document import Document, Drop
from sources.extract.charset import decode
from sources.extract.html import read
from sources.extract.page_language import other_language
from sources.page_gates import Page
from sources.wet import Conversion

#: https://commoncrawl.org/terms-of-use
LICENSE = "Common Crawl Terms of Use; page copyright retained by owners"
#: An ISO 8601 date or date-time, as WARC-Date is; anything else a writer put there is left out.
DATE = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?)?)?")


def page_document(name: str, page: Page, languages: Collection[str]) -> Document | Drop:
    """Return a page's main text as a document; a page without, or surely in none of ``languages``, is a drop."""
    capture, body = page
    decoded = decode(body, capture.response.header("content-type"))
    facts: dict[str, Any] = {"html": {"bytes": len(body), "characters": len(decoded.text), "charset": decoded.charset}}
    utf8 = body if decoded.charset == "utf-8" else b""
    if languages and (other := other_language(decoded.text, languages, utf8)):
        return Drop(name, "other_language", other.told, url=capture.url, facts=facts)
    found = read(decoded.text, url=capture.url)
    if not found.text:
        return Drop(name, "no_text", found.why, url=capture.url, facts=facts)
    meta: dict[str, Any] = {"charset": decoded.charset}
    if found.signals:
        meta["page"] = found.signals  # for the spam filter, which sees no markup
    return Document(
        id=name,
        text=found.text,
        url=capture.url,
        license=LICENSE,
        created=_created(capture.date),
        meta=meta | ({"repaired": "Content-Length"} if capture.repaired else {}),
        facts=facts | {"extractor": f"{found.extractor} ({found.why})"},
    )


def conversion_document(name: str, page: Conversion, languages: Collection[str]) -> Document | Drop:
    """Return a WET record's text as a document; one surely in none of ``languages`` is a drop."""
    text = page.text.decode("utf-8", "replace")
    if languages and (other := other_language(escape(text, quote=False), languages)):
        return Drop(name, "other_language", other.told, url=page.url)
    meta: dict[str, Any] = {"languages": list(page.languages)} if page.languages else {}
    return Document(
        id=name,
        text=text,
        url=page.url,
        license=LICENSE,
        created=_created(page.date),
        meta=meta | ({"repaired": "Content-Length"} if page.repaired else {}),
    )


def _created(date: str) -> str:
    return date if DATE.fullmatch(date) else ""
