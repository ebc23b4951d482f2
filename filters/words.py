"""The one pass over a text that several rules share: its words, lines and paragraphs as positions and hashes.

No Python object is made per word; every step is linear in the text, or n log n for the sorting of hashes.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pile.text import Codes, Flags, Hashes, Positions, code_points, span_hashes, unspaced

_CODE_POINTS = 0x110000
#: Where classes stop being computed one by one: Han follows, then planes without letters.
_TABLE_END = 0x20000
_HAN_END = 0x40000

# What a character is: one of three kinds in the low bits, then flags.
_SPACE, _WORD, _SYMBOL = 0, 1, 2
_KIND = 3
LETTER, _DIGIT, _UPPER, _BREAK = 4, 8, 16, 32

_NEWLINE = ord("\n")
_FULL_STOP = ord(".")
#: Line ends of ``str.splitlines`` (Python's documentation); a carriage return before a newline belongs to it.
_LINE_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
# What a symbol does to the word that it stands in; the choices are those of spaCy's English tokenizer, which datatrove uses.
_JOINS, _PARTS_LETTERS, _PARTS_DIGITS, _APOSTROPHE, _SIGN, _RUN, _DOT = 1, 2, 4, 8, 16, 32, 64
_ROLES = {
    _JOINS: ".,:/-–‑@_&+~#%=?;|'’",  # between two letters or digits: addresses, numbers, file names
    _PARTS_LETTERS: "-–,:/=~",  # yet not before a letter: "e-mail" is three words, "covid-19" is one
    _PARTS_DIGITS: "-+",  # yet not between digits: a date is five words, a time of day one
    _APOSTROPHE: "'’",  # begins a word of its own: "it's" is two
    _SIGN: "+-",  # belongs to the number behind it
    _RUN: ".-~",  # repeated it is one symbol: ellipses and rules
    _DOT: ".",  # ends an abbreviation of single letters, parts "end.Start"
}
#: A web address is one word, up to its last letter, digit or slash.
_ADDRESS = re.compile(r"https?://[^\s<>\"“”(){}\[\]]*[\w/]")
_LAST_ROLE = max(ord(character) for characters in _ROLES.values() for character in characters) + 1


class Words(NamedTuple):
    """A text cut up. Positions count characters; ``ends`` are one past the last.

    A word is a run of letters, digits and marks, or one punctuation mark or symbol, or one character of a script without
    spaces between words (with its marks). So words are the tokens of an English tokenizer, as in datatrove and FineWeb.
    """

    codes: Codes
    classes: npt.NDArray[np.uint8]
    starts: Positions
    ends: Positions
    hashes: Hashes
    symbol: Flags  #: which words are punctuation or symbols
    alone: Flags | None  #: which words are single characters of a script without spaces, None when there is none
    breaks: Positions  #: where a character ends a line, as ``str.splitlines`` has it
    line_starts: Positions
    line_ends: Positions
    line_hashes: Hashes
    paragraph_starts: Positions
    paragraph_ends: Positions
    paragraph_hashes: Hashes

    @property
    def word_count(self) -> int:
        """The number of words that are no mere symbols."""
        return len(self.starts) - int(np.count_nonzero(self.symbol))

    @property
    def mostly_unspaced(self) -> bool:
        """Whether more than half of the words that are no symbols are characters of scripts without spaces."""
        return self.alone is not None and 2 * int(np.count_nonzero(self.alone)) > self.word_count


@lru_cache(maxsize=1)
def words(text: str) -> Words:
    """Return the words, lines and paragraphs of ``text``.

    The last text's result is kept, so that filters that judge the same document share it.
    """
    codes = code_points(text)
    classes = _classes()[codes]
    kinds = classes & np.uint8(_KIND)
    alone_at = unspaced(codes)
    if alone_at is not None:
        alone_at &= kinds == _WORD
    starts, ends = _word_spans(codes, classes, kinds, alone_at, _addresses(text))
    symbol = kinds[starts] == _SYMBOL
    breaks = np.flatnonzero(classes & np.uint8(_BREAK))
    lines, paragraphs = _line_spans(codes, breaks, starts, ends)
    hashes = span_hashes(
        codes,
        np.concatenate((starts, lines[0], paragraphs[0])),
        np.concatenate((ends, lines[1], paragraphs[1])),
    )
    first_line, first_paragraph = len(starts), len(starts) + len(lines[0])
    return Words(
        codes=codes,
        classes=classes,
        starts=starts,
        ends=ends,
        hashes=hashes[:first_line],
        symbol=symbol,
        alone=None if alone_at is None else alone_at[starts],
        breaks=breaks,
        line_starts=lines[0],
        line_ends=lines[1],
        line_hashes=hashes[first_line:first_paragraph],
        paragraph_starts=paragraphs[0],
        paragraph_ends=paragraphs[1],
        paragraph_hashes=hashes[first_paragraph:],
    )


def occurring(cut: Words, listed: tuple[str, ...]) -> int:
    """Return how many different words of the list occur, letter case as listed."""
    if not listed:
        return 0
    return int(np.count_nonzero((cut.hashes == _hashes_of(listed)[:, np.newaxis]).any(axis=1)))


@lru_cache(maxsize=16)
def _hashes_of(listed: tuple[str, ...]) -> Hashes:
    codes = code_points(" ".join(listed))
    lengths = np.array([len(word) for word in listed], np.intp)
    ends = np.cumsum(lengths + 1) - 1
    return np.unique(span_hashes(codes, ends - lengths, ends))


def _addresses(text: str) -> tuple[Positions, Positions]:
    """Return starts and ends of the web addresses."""
    found = [match.span() for match in _ADDRESS.finditer(text)] if "://" in text else []
    spans = np.array(found, np.intp).reshape(-1, 2)
    return spans[:, 0], spans[:, 1]


def _word_spans(
    codes: Codes,
    classes: npt.NDArray[np.uint8],
    kinds: npt.NDArray[np.uint8],
    alone: Flags | None,
    addresses: tuple[Positions, Positions],
) -> tuple[Positions, Positions]:
    """Return starts and ends of the words; ``kinds`` gets _WORD for symbols that belong to a word."""
    edges = np.ones(len(codes) + 1, bool)
    symbols = np.flatnonzero(kinds == _SYMBOL)
    roles = _roles()[np.minimum(codes[symbols], _LAST_ROLE, dtype=np.uint32)]
    joins = _joins(codes, classes, symbols, roles)
    if len(addresses[0]):
        inside = addresses[0].searchsorted(symbols, "right") > addresses[1].searchsorted(symbols, "right")
        joins |= inside
        roles[inside] = 0
    kinds[symbols[joins]] = _WORD
    np.not_equal(kinds[1:], kinds[:-1], out=edges[1:-1])
    edges[symbols[~joins]] = True
    edges[symbols[joins & (roles & _APOSTROPHE != 0)]] = True
    runs = symbols[~joins & (roles & _RUN != 0) & (symbols > 0)]
    edges[runs[(codes[runs] == codes[runs - 1]) & (kinds[runs - 1] == _SYMBOL)]] = False
    if alone is not None:
        edges[:-1] |= alone
        edges[1:] |= alone
        edges[:-1][(classes == _WORD) & alone] = False  # vowel signs and tone marks stay with their letter
    bounds = np.flatnonzero(edges)
    if not len(codes):
        return bounds[:0], bounds[:0]
    starts, ends = bounds[:-1], bounds[1:]
    visible = kinds[starts] != _SPACE
    return starts[visible], ends[visible]


def _joins(codes: Codes, classes: npt.NDArray[np.uint8], symbols: Positions, roles: npt.NDArray[np.uint8]) -> Flags:
    """Tell which symbols belong to the word beside them."""
    padded = np.zeros(len(classes) + 3, np.uint8)  # two spaces before the text, one behind
    padded[2:-1] = classes
    before, after = padded[symbols + 1], padded[symbols + 3]
    joins: Flags = (before & after & _WORD & roles) != 0  # _WORD and _JOINS are the same bit
    parts_letters = ((roles & _PARTS_LETTERS) != 0) & (after & LETTER != 0)
    parts_digits = ((roles & _PARTS_DIGITS) != 0) & (before & after & _DIGIT != 0)
    joins &= ~(parts_letters | parts_digits)
    joins |= ((roles & _SIGN) != 0) & (before & _KIND == _SPACE) & (after & _DIGIT != 0)
    dots = np.flatnonzero(roles & _DOT)
    before, after, dot = before[dots], after[dots], symbols[dots]
    sentence = (before & after & LETTER != 0) & (before & _UPPER == 0) & (after & _UPPER != 0)
    joins[dots] &= ~sentence  # "end.Start" lacks a space, "U.S" does not
    second = dot > 1
    dotted = second & (codes[np.maximum(dot - 2, 0)] == _FULL_STOP) & (before & LETTER != 0)
    initial = (padded[dot] & _KIND != _WORD) & (before & _UPPER != 0)
    more = codes[np.minimum(dot + 1, len(codes) - 1)] == _FULL_STOP
    more &= dot + 1 < len(codes)
    joins[dots] |= (dotted | initial) & (after & _WORD == 0) & ~more
    return joins


def _line_spans(
    codes: Codes, breaks: Positions, starts: Positions, ends: Positions
) -> tuple[tuple[Positions, Positions], tuple[Positions, Positions]]:
    """Return starts and ends of the lines that are not empty, and of the paragraphs (apart by an empty line)."""
    newlines = breaks[codes[breaks] == _NEWLINE]
    first_of_run = np.ones(len(newlines), bool)
    np.not_equal(newlines[1:], newlines[:-1] + 1, out=first_of_run[1:])
    last_of_run = np.ones(len(newlines), bool)
    last_of_run[:-1] = first_of_run[1:]
    run_starts, run_ends = newlines[first_of_run], newlines[last_of_run] + 1
    line_starts = np.concatenate(([0], run_ends))
    line_ends = np.concatenate((run_starts, [len(codes)]))
    filled = line_ends > line_starts
    lines = line_starts[filled], line_ends[filled]
    if not len(starts):
        return lines, (starts, ends)
    gap = (run_ends - run_starts > 1) & (run_starts >= starts[0]) & (run_starts < ends[-1])
    return lines, (np.concatenate((starts[:1], run_ends[gap])), np.concatenate((run_starts[gap], ends[-1:])))


@lru_cache(maxsize=1)
def _roles() -> npt.NDArray[np.uint8]:
    """Return the roles of symbols by code point; the last entry stands for all that follow."""
    table = np.zeros(_LAST_ROLE + 1, np.uint8)
    for role, characters in _ROLES.items():
        for character in characters:
            table[ord(character)] |= role
    return table


@lru_cache(maxsize=1)
def _classes() -> npt.NDArray[np.uint8]:
    """Return the class of each code point."""
    table = np.full(_CODE_POINTS, _SYMBOL, np.uint8)
    table[:_TABLE_END] = [_class(chr(code)) for code in range(_TABLE_END)]
    table[_TABLE_END:_HAN_END] = _WORD | LETTER
    return table


def _class(character: str) -> int:
    if character.isspace():
        return _SPACE | (_BREAK if character in _LINE_BREAKS else 0)
    if character.isalpha():
        return _WORD | LETTER | (_UPPER if character.isupper() else 0)
    category = unicodedata.category(character)
    if category[0] == "N":
        return _WORD | _DIGIT
    # Marks and invisible format characters belong to the word that they stand in.
    return _WORD if category[0] == "M" or category == "Cf" else _SYMBOL
