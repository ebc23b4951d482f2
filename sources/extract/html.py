"""The main text of a web page: what its author wrote there, without navigation, advertisements and the page's machinery.

A learnt choice among the page's blocks of text (``blocks``) reads it; where that is unsure of an article, trafilatura
(https://trafilatura.readthedocs.io/) does, which takes four times as long and is better on pages unlike those learnt from.
"""

from __future__ import annotations

import logging
import re
from typing import NamedTuple

import trafilatura
from lxml import etree

from sources.extract.block_counts import WHITE_SPACE
from sources.extract.blocks import Chosen, choose
from sources.extract.charset import decode
from sources.extract.html_body import render
from sources.extract.unread import without_unread

#: Longest page that is read, in characters. Common Crawl cuts pages at 5 MiB; longer ones are data, not text.
SIZE_BOUND = 8 << 20
#: The same in bytes, which are not decoded when there are more: no encoding takes more than four for a character.
BYTES_BOUND = 4 * SIZE_BOUND
#: Most tags of a page that is read. Real pages have about 2,000; the largest in ../shared/data/html-gold has 70,000.
TAG_BOUND = 300_000
#: Most attributes of one tag; the parsers compare each with all others (20,000 take them 3 s).
ATTRIBUTE_BOUND = 5_000
#: Most tags of a page that the precise extractor may read: it needs about 15 microseconds for each, and where it helps, on
#: ../shared/data/html-gold, pages have fewer.
PRECISE_TAG_BOUND = 3_500

#: The precise extractor's text is taken when it has at least one word for so many of the other's: less is a failure of it.
PRECISE_SHARE = 5

#: A tag that may have too many attributes, and the text behind it: the shortest attribute takes two characters, with its gap.
LONG_TAG = re.compile(rf"<[a-zA-Z][^<]{{{2 * ATTRIBUTE_BOUND},}}+")
QUOTED = re.compile(r"""\"[^"]*"|'[^']*'""")
#: Characters that no text has; XML, which the precise extractor works on, forbids them.
CONTROLS = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
CELL_BREAK = " | "
#: What is not seen at the end of a line: white space, and characters without width.
UNSEEN = WHITE_SPACE + "\u200b\u200c\u200d\u2060\ufeff"
BLANK_LINES = re.compile(r"\n{3,}")
#: What trafilatura and lxml raise on pages that they were not made for.
FAILURES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    etree.LxmlError,
)

# trafilatura logs a warning for each page without text; main_text says so by returning none.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)


class MainText(NamedTuple):
    """A page's main text; ``extractor`` is what read it (``blocks``, ``trafilatura``, "" for nothing), ``why`` says why that."""

    text: str
    extractor: str
    why: str
    signals: dict[str, float] | None = None  #: of ``page_signals``


def main_text(html: bytes | str, *, url: str | None = None) -> str:
    """Return the main text of a page, "" when it has none or is not bounded as a page is (``SIZE_BOUND`` and the others).

    Bytes are decoded as ``charset.decode`` does. Paragraphs are a blank line apart; headings, list items and table rows have
    lines of their own; ``\\n`` is the only line end. The same page always gives the same text, whatever came before it.
    ``url`` is where the page was; it decides nothing of the text.
    """
    return read(html, url=url).text


def read(html: bytes | str, *, url: str | None = None) -> MainText:
    """Return the main text of a page as ``main_text`` does, with the extractor that read it and why that one."""
    if len(html) > (BYTES_BOUND if isinstance(html, bytes) else SIZE_BOUND):
        return MainText("", "", f"over {SIZE_BOUND} characters")
    page = decode(html).text if isinstance(html, bytes) else html
    if len(page) > SIZE_BOUND:
        return MainText("", "", f"over {SIZE_BOUND} characters")
    if "\0" in page:
        page = page.replace("\0", "")
    lean = without_unread(page)
    found = _bounded(lean, url)
    if found.text or len(lean) == len(page):
        return found
    return _bounded(page, url)  # what is called navigation, or a footer, may be all that there is


def _bounded(page: str, url: str | None) -> MainText:
    """Return the main text of markup that is bounded as a page is."""
    pieces = page.split("<")
    if len(pieces) > TAG_BOUND + 1:
        return MainText("", "", f"over {TAG_BOUND} tags")
    if len(max(pieces, key=len)) > 2 * ATTRIBUTE_BOUND and _has_endless_tag(page):
        return MainText("", "", f"a tag with over {ATTRIBUTE_BOUND} attributes")
    found = choose(page, url)
    return routed(page, found)._replace(signals=found.signals)


def routed(page: str, found: Chosen) -> MainText:
    """Return the main text of a page whose blocks are chosen: these, or what trafilatura reads where the model is unsure."""
    text = _tidy(found.text)
    if found.sure or page.count("<") > PRECISE_TAG_BOUND:
        return MainText(text, "blocks" if text else "", found.why)
    precise = _precise(page)
    if PRECISE_SHARE * len(precise.split()) >= len(text.split()):
        return MainText(precise, "trafilatura", found.why)
    return MainText(text, "blocks", f"{found.why}; trafilatura found less than 1/{PRECISE_SHARE} of the words")


def _has_endless_tag(page: str) -> bool:
    """Return whether a tag has more attributes than ``ATTRIBUTE_BOUND``."""
    for found in LONG_TAG.finditer(page):
        inside = QUOTED.sub("=", found[0]).partition(">")[0]  # what is in quotes is none
        if len(inside.split()) > ATTRIBUTE_BOUND:
            return True
    return False


def _precise(page: str) -> str:
    """Return the main text by trafilatura. Its duplicate filter remembers earlier pages, so it stays off.

    Its fast mode leaves out what it falls back on; on the pages that come here that changes no score and takes a third less.
    """
    try:
        found = trafilatura.bare_extraction(
            CONTROLS.sub("", page), fast=True, include_comments=False, deduplicate=False
        )
        return _tidy(render(found.body)) if found is not None and found.body is not None else ""
    except FAILURES:
        return ""


def _tidy(text: str) -> str:
    """Return a text without what is not seen at the ends of lines, and with no more than one blank line in a row."""
    text = CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return BLANK_LINES.sub("\n\n", "\n".join(map(_tidy_line, text.split("\n")))).strip()


def _tidy_line(line: str) -> str:
    line = line.rstrip(UNSEEN)
    if not line.endswith(" |"):
        return line
    cells = line.rstrip(" \t\xa0|")
    return cells if CELL_BREAK in line[:-2] or not cells else line  # a bar may also end a line of code
