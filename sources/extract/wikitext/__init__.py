"""Wikitext to readable text: words, headings, lists and TeX; no templates, tables, references, captions or markup.

The language is described at https://www.mediawiki.org/wiki/Help:Formatting. Every pass is linear in the page, whatever its
nesting: mwparserfromhell, the usual library, takes a minute for 40 kB of unclosed tables, so it is the oracle of the tests.
"""

from __future__ import annotations

import re

from sources.extract.wikitext.blocks import BREAK, layout, unescape
from sources.extract.wikitext.measures import superscript
from sources.extract.wikitext.names import LOCAL_SWITCH, SWITCH, words
from sources.extract.wikitext.structure import GONE, Structure
from sources.extract.wikitext.verbatim import restore, set_aside

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})(?=[\s/>])[^<>]*>")
_SUPERSCRIPT = re.compile(r"<sup(?:\s[^<>]*)?>([^<>\n]{0,200})</sup\s*>", re.I)
_URL = re.compile(r"\[(?:(?:https?|ftps?|news|irc):|(?=//))(?://)?[^\s\[\]<>\"\x01-\x04]+|\[mailto:[^\s\[\]<>]+", re.I)
_VARIANT = re.compile(r"-\{([^{}\n]{0,500})\}-")
_POEM = re.compile(r"(</?poem(?=[\s>])[^<>]*>)", re.I)
_QUOTES = re.compile(r"'{2,}")

#: Tags that only dress a run of text.
_INLINE = words(
    """a abbr b bdi bdo big cite code data del dfn em font i ins kbd mark nowiki q rb rp rt rtc ruby s samp small span
    strike strong sub sup time tt u var wbr noinclude onlyinclude includeonly ref references section poem math gallery pre
    source syntaxhighlight timeline imagemap score templatestyles langconvert"""
)
#: Tags that begin or end a block.
_BLOCK = words("blockquote caption center dd div dl dt ol p table tbody td th thead tr ul hr h1 h2 h3 h4 h5 h6 li")


def text(wikitext: str, *, title: str = "", namespaces: frozenset[str] = frozenset()) -> str:
    """Return the words of a page, in paragraphs parted by blank lines, headings on their own lines.

    ``title`` is what ``{{PAGENAME}}`` shows; ``namespaces`` are the wiki's own names, lower case, of its file and category
    namespaces (``siteinfo`` of a dump has them). Never raises; time and memory are linear in the length.
    """
    source = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "", wikitext.replace("\r\n", "\n").replace("\r", "\n"))
    source, kept = set_aside(source)
    variables = {"pagename": title, "fullpagename": title, "basepagename": title, "subpagename": title}
    source = Structure(source, namespaces, variables).text()
    return restore(layout(_inline(source)), kept).strip()


def _inline(source: str) -> str:
    """Take out tags, switches, external links and quotes, and leave lines."""
    if "<" in source:
        source = _poems(source)
        source = _SUPERSCRIPT.sub(lambda match: superscript(unescape(match[1])), source)
        source = _TAG.sub(_tag, source)
    if "__" in source:
        source = LOCAL_SWITCH.sub("", SWITCH.sub("", source))
    if "-{" in source:
        source = _VARIANT.sub(_variant, source)
    source = _external_links(source)
    return "\n".join(_unquote(line) if "''" in line else line for line in source.split("\n"))


def _poems(source: str) -> str:
    """Keep the line breaks of ``<poem>``; its leading colons are indentation."""
    parts = _POEM.split(source)
    for i in range(2, len(parts) - 1, 2):
        if parts[i - 1][1] != "/" and parts[i + 1][1] == "/":
            parts[i] = re.sub(BREAK + ":+", BREAK, re.sub(r"(?<!\n)\n(?!\n)", BREAK, parts[i].strip()))
    return "".join(parts)


def _tag(match: re.Match[str]) -> str:
    closes, name = match[1], match[2].lower()
    if name == "br":
        return BREAK
    if name in _INLINE:
        return ""
    if name == "li":
        return "" if closes else "\n* "
    if len(name) == 2 and name[0] == "h" and name[1] in "123456":
        marks = "=" * int(name[1])
        return marks + "\n" if closes else "\n" + marks
    return "\n\n" if name in _BLOCK else match[0]


def _variant(match: re.Match[str]) -> str:
    """Of the spellings in ``-{zh-hans:A; zh-hant:B}-`` the first."""
    first = match[1].rpartition("|")[2].partition(";")[0]
    code, colon, spelling = first.partition(":")
    return spelling.strip() if colon and code.strip().replace("-", "").isalpha() else first


def _external_links(source: str) -> str:
    """``[https://a.b words]`` to words, ``[https://a.b]`` to nothing."""
    pieces: list[str] = []
    position = close = line = 0
    for match in _URL.finditer(source):
        if match.start() < position:
            continue
        # Found places are kept, so that a thousand unclosed links do not search the page a thousand times.
        close = _find(source, "]", match.end(), close)
        line = _find(source, "\n", match.end(), line)
        pieces.append(source[position : match.start()])
        if close < line:
            words = source[match.end() : close].strip()
            pieces.append(words or GONE)
            position = close + 1
        else:
            position = match.end()
    pieces.append(source[position:])
    return "".join(pieces)


def _find(source: str, sign: str, start: int, known: int) -> int:
    """Return the first place of ``sign`` from ``start``; ``known`` is an earlier answer, still right when beyond it."""
    if known >= start:
        return known
    found = source.find(sign, start)
    return found if found >= 0 else len(source)


def _unquote(line: str) -> str:
    """Take out the marks of bold and italic, giving apostrophes back where MediaWiki would (``l'''Avare''``)."""
    runs = list(_QUOTES.finditer(line))
    widths = [min(len(run[0]), 5) if len(run[0]) != 4 else 3 for run in runs]
    bold = sum(width in (3, 5) for width in widths) % 2
    italic = sum(width in (2, 5) for width in widths) % 2
    apostrophe = -1
    if bold and italic:
        candidates = [i for i, width in enumerate(widths) if width == 3]
        apostrophe = min(candidates, key=lambda i: _looks_bold(line, runs[i].start()), default=-1)
    pieces: list[str] = []
    position = 0
    for i, run in enumerate(runs):
        pieces.append(line[position : run.start()])
        pieces.append("'" * (len(run[0]) - widths[i] + (i == apostrophe)))
        position = run.end()
    pieces.append(line[position:])
    return "".join(pieces)


def _looks_bold(line: str, start: int) -> int:
    """Order of MediaWiki's doQuotes: after a one-letter word, then a longer word, then a space."""
    before, earlier = line[start - 1 : start], line[start - 2 : start - 1]
    if before in ("", " "):
        return 2
    return 0 if earlier in ("", " ") else 1
