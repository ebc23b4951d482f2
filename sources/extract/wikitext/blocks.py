"""Lines of nearly clean wikitext to headings, paragraphs and lists, as a reader sees them.

Wikitext's line marks are few (https://www.mediawiki.org/wiki/Help:Formatting): ``=`` headings, ``*#:;`` lists, a leading
space for preformatted lines, blank lines between paragraphs.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import NamedTuple

from sources.extract.wikitext.structure import GONE

#: Stands for a line break inside a paragraph (``<br>``, the lines of a poem).
BREAK = "\x03"
#: Stands for nothing, between signs that would be markup without it (``[<nowiki/>[``).
SEPARATOR = "\x05"

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
#: No-break and thin spaces become spaces; soft hyphens, zero-width spaces and direction marks go. ZWJ and ZWNJ are spelling.
_SPACES = str.maketrans(
    dict.fromkeys("\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f", " ")
    | dict.fromkeys("\u00ad\u200b\u200e\u200f\u2060\ufeff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
)

# Repairs around GONE (g). Repetitions are bounded so that no run of signs costs more than its length.
_REPAIRS = (
    (re.compile(r"[(\[][\s,;:/–—-]{0,8}\x04[\s,;:/–—\-\x04]{0,40}[)\]]"), GONE),  # "(g; g)"
    (re.compile(r"([(\[])\s{0,4}\x04[\s,;:\x04]{0,40}"), r"\1"),  # "(g; born 1950)"
    (re.compile(r"^\x04[\s,;:\x04]{0,40}"), ""),  # "g, next"
    (re.compile(r"[\s,;]{0,8}\x04[\s\x04]{0,40}(?=[)\];,])"), ""),  # "(born 1950; g)", "word g, next"
    (re.compile(r"([.!?])\s{0,4}\x04\s{0,4}[.](?=\s|$)"), r"\1"),  # "end. g."
    (re.compile(r" ?\x04(?=[.!?:])"), ""),  # "word g."
)
_EMPTY_BRACKETS = re.compile(r"(?<=\s)\([\s,;]{0,8}\)")

_LIST = re.compile(r"[*#:;]+")
#: A line of a table or template whose frame is broken.
_DEBRIS = re.compile(r"\||!(?:\s|.*!!)")
#: A heading's depth below which nothing is nested (MediaWiki's h1 to h6).
_MAX_LEVEL = 6


class Block(NamedTuple):
    """A heading (level 1 to 6) or a piece of body (level 0)."""

    level: int
    text: str


def unescape(text: str) -> str:
    """Return ``text`` with character references resolved once; only those that end in a semicolon, as MediaWiki does."""
    return _ENTITY.sub(lambda match: html.unescape(match[0]), text) if "&" in text else text


def fold(text: str) -> str:
    """Return ``text`` with every run of white space as one space and invisible signs gone."""
    return " ".join((text if text.isascii() else text.translate(_SPACES)).split())


def layout(source: str) -> str:
    """Return headings, paragraphs and lists, each parted by a blank line; headings without any body are left out."""
    return "\n\n".join(block.text for block in _without_bare_headings(list(_blocks(source))))


def clean(text: str) -> str:
    """Return one paragraph as plain text: entities resolved, spaces folded, no traces around what was taken out."""
    text = fold(unescape(text)).replace(SEPARATOR, "")
    if GONE in text:
        for pattern, replacement in _REPAIRS:
            text = pattern.sub(replacement, text)
        text = text.replace(GONE, "")
    if "(" in text:
        text = _EMPTY_BRACKETS.sub("", text)
    lines = (" ".join(line.split()) for line in text.split(BREAK))
    return "\n".join(line for line in lines if line)


def _says_something(text: str) -> bool:
    return any(character.isalnum() for character in text)


def _without_bare_headings(blocks: list[Block]) -> list[Block]:
    """Read backwards: a heading stays when something of its own section, or of a deeper one, has stayed after it."""
    kept: list[Block] = []
    below = [False] * (_MAX_LEVEL + 2)  #: below[n]: something has stayed since the last heading of level n or less
    for block in reversed(blocks):
        if block.level == 0:
            below = [True] * len(below)
            kept.append(block)
            continue
        if below[block.level]:
            kept.append(block)
        # For a shallower heading what is seen so far still counts; a heading of this level or deeper starts afresh.
        below = [seen if level < block.level else False for level, seen in enumerate(below)]
    return kept[::-1]


def _heading(line: str) -> Block | None:
    stripped = line.replace(GONE, "").strip()
    left = len(stripped) - len(stripped.lstrip("="))
    right = len(stripped) - len(stripped.rstrip("="))
    if not line.startswith(("=", GONE)) or not left or not right or left == len(stripped):
        return None
    level = min(left, right, _MAX_LEVEL)
    return Block(level, clean(stripped[level:-level]))


def _blocks(source: str) -> Iterator[Block]:
    paragraph: list[str] = []
    group = _Group()
    for line in source.split("\n"):
        heading = _heading(line) if "=" in line else None
        marks = _LIST.match(line)
        if paragraph and (heading or marks or line.startswith(" ") or not line.strip()):
            yield from _body(clean(" ".join(paragraph)))
            paragraph = []
        if group.lines and not (marks or line.startswith(" ")):
            yield from _body(group.take())
        if heading:
            if heading.text:
                yield heading
        elif marks:
            group.add(marks[0], clean(line[marks.end() :]))
        elif line.startswith(" "):
            group.add("", clean(line))
        elif line.strip() and not _DEBRIS.match(line.strip()) and not line.startswith("----"):
            paragraph.append(line)
    yield from _body(clean(" ".join(paragraph)))
    yield from _body(group.take())


def _body(text: str) -> Iterator[Block]:
    if _says_something(text):
        yield Block(0, text)


class _Group:
    """The lines of one list, numbered as MediaWiki would."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._numbers: dict[str, int] = {}
        self._last_is_term = False
        self._bare_term = False  #: the last line is a ``;`` term, and what stood under it has been left out

    def take(self) -> str:
        """Return the list and begin another."""
        self._drop_bare_term()
        text = "\n".join(self.lines)
        self.lines, self._numbers = [], {}
        return text

    def add(self, marks: str, text: str) -> None:
        """Add a line; one that says nothing is left out and takes no number, and so is a term with nothing else under it."""
        is_term = marks.endswith(";")
        if not _says_something(text):
            self._bare_term = self._bare_term or (bool(self.lines) and self._last_is_term and not is_term)
            return
        if is_term:
            self._drop_bare_term()
        self._bare_term, self._last_is_term = False, is_term
        self._numbers = {key: number for key, number in self._numbers.items() if marks.startswith(key)}
        depth = sum(mark in "*#" for mark in marks)
        bullet = ""
        if marks.endswith("*"):
            bullet = "- "
        elif marks.endswith("#"):
            self._numbers[marks] = self._numbers.get(marks, 0) + 1
            bullet = f"{self._numbers[marks]}. "
        indent = "  " * (depth - 1 if bullet else depth)
        self.lines.append(indent + bullet + text.replace("\n", "\n" + indent + " " * len(bullet)))

    def _drop_bare_term(self) -> None:
        if self._bare_term:
            self.lines.pop()
        self._bare_term = False
