"""Where the words of a text are, as positions and hashes: the one pass over it that all rules share.

No Python object is made per word, and every step is linear in the text. Operations on arrays are few and small on purpose:
for a text of 5,000 characters each costs a microsecond or more, whatever it does.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from filters.terminals import SENTENCE_TERMINALS
from pile.text import UNSPACED_SCRIPTS, Codes, Flags, Hashes, Positions, code_points, span_hashes

Classes = npt.NDArray[np.uint8]

_CODE_POINTS = 0x110000
#: Where classes stop being computed one by one: Han follows, then planes without letters.
_TABLE_END = 0x20000
_HAN_END = 0x40000

# What a character is: one of three kinds in the low bits, then flags.
_SPACE, _WORD, _SYMBOL = 0, 1, 2
_KIND = 3
LETTER, _DIGIT, _UPPER, PUNCTUATION, TERMINAL, _UNSPACED = 4, 8, 16, 32, 64, 128
#: The part of a class that says what its character does to a symbol beside it, and how many bits that has.
_BESIDE, _BESIDE_BITS = _KIND | LETTER | _DIGIT | _UPPER, 5

#: Stands between texts that are cut together.
_BETWEEN = "  "
_FULL_STOP = ord(".")
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
_ROLE_BITS = 7
_LAST_ROLE = max(ord(character) for characters in _ROLES.values() for character in characters) + 1
# What a symbol does where it stands, as bits.
_IS_JOINED, _BEGINS, _MAY_RUN, _MAY_ABBREVIATE = 1, 2, 4, 8


class Words(NamedTuple):
    """A text cut up. Positions count characters; ``ends`` are one past the last.

    A word is a run of letters, digits and marks, or one punctuation mark or symbol, or one character of a script without
    spaces between words (with its marks). So words are the tokens of an English tokenizer, as in datatrove and FineWeb.
    """

    codes: Codes
    classes: Classes
    starts: Positions
    ends: Positions
    hashes: Hashes
    lettered: Flags  #: which words have a letter in them
    symbol: Flags  #: which words are punctuation or symbols
    characters: int  #: in the words that are neither
    alone: Flags | None  #: which words are single characters of a script without spaces, None when there is none
    #: Where sentences end that are followed by another, and where the next begin: first characters of words.
    sentence_ends: Positions
    sentence_begins: Positions

    @property
    def word_count(self) -> int:
        """The number of words that are no mere symbols."""
        return len(self.starts) - int(np.count_nonzero(self.symbol))

    @property
    def unspaced(self) -> float:
        """The share of those that are characters of scripts without spaces, from 0 to 1."""
        return int(np.count_nonzero(self.alone)) / self.word_count if self.alone is not None else 0.0


def words(text: str) -> Words:
    """Return the words of ``text``; ``filters.figures`` keeps them for all filters of one document."""
    codes, classes = _classified(text)
    kinds = classes & np.uint8(_KIND)
    alone_at = None
    if int(classes.max(initial=0)) >= _UNSPACED:
        alone_at = (classes >= np.uint8(_UNSPACED)) & (kinds == np.uint8(_WORD))
    bounds = _bounds(codes, classes, kinds, alone_at, text)
    kind = kinds.take(bounds[:-1])
    visible = kind.nonzero()[0]
    starts, ends = bounds.take(visible), bounds.take(visible + 1)
    symbol = kind.take(visible) == np.uint8(_SYMBOL)
    sentences = _sentences(classes.take(starts), symbol, ends - starts)
    return Words(
        codes=codes,
        classes=classes,
        starts=starts,
        ends=ends,
        hashes=span_hashes(codes, starts, ends),
        lettered=np.bitwise_or.reduceat(classes, starts) & np.uint8(LETTER) != 0 if len(starts) else kind == 0,
        symbol=symbol,
        characters=int(np.count_nonzero(kinds == np.uint8(_WORD))),
        alone=None if alone_at is None else alone_at.take(starts),
        sentence_ends=starts.take(sentences[0]),
        sentence_begins=starts.take(sentences[1]),
    )


def words_of(texts: Sequence[str]) -> list[Words]:
    """Return the words of each text, as ``words`` does but for how characters are stored; together they are cut sooner.

    Between texts stand two spaces: no rule of words looks further, or across white space.
    """
    together = words(_BETWEEN.join(texts))
    first_characters = list(accumulate((len(text) + len(_BETWEEN) for text in texts), initial=0))
    first_words = together.starts.searchsorted(first_characters)
    lengths = np.zeros(len(together.starts) + 1, np.intp)
    np.cumsum((together.ends - together.starts) * ~together.symbol, out=lengths[1:])
    characters = np.diff(lengths[first_words]).tolist()
    # A sentence that ends in one text is followed by none in the next.
    first_sentences = together.sentence_ends.searchsorted(first_characters).tolist()
    end_sentences = together.sentence_begins.searchsorted(first_characters).tolist()
    words_at = first_words.tolist()
    found = []
    for at, text in enumerate(texts):
        begin, first, end = first_characters[at], words_at[at], words_at[at + 1]
        first_sentence, end_sentence = first_sentences[at], end_sentences[at + 1]
        alone = None if together.alone is None else together.alone[first:end]
        found.append(
            Words(
                codes=together.codes[begin : begin + len(text)],
                classes=together.classes[begin : begin + len(text)],
                starts=together.starts[first:end] - begin,
                ends=together.ends[first:end] - begin,
                hashes=together.hashes[first:end],
                lettered=together.lettered[first:end],
                symbol=together.symbol[first:end],
                characters=characters[at],
                alone=alone if alone is not None and alone.any() else None,
                sentence_ends=together.sentence_ends[first_sentence:end_sentence] - begin,
                sentence_begins=together.sentence_begins[first_sentence:end_sentence] - begin,
            )
        )
    return found


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


def _sentences(firsts: Classes, symbol: Flags, lengths: Positions) -> tuple[Positions, Positions]:
    """Return which words end a sentence that is followed by another, and which words begin the next.

    A sentence ends with a word that is one of ``filters.terminals`` alone, and takes the punctuation that follows with it; the
    next begins with the next word that is no punctuation. So does spaCy's sentencizer, which datatrove uses: "Mr. Smith" is two.
    """
    ends = ((firsts >= np.uint8(TERMINAL)) & symbol).nonzero()[0]
    ends = ends[lengths.take(ends) == 1]
    others = ((firsts < np.uint8(PUNCTUATION)) | ~symbol).nonzero()[0]
    place = others.searchsorted(ends)
    # Of several marks before the same word the last one counts; behind the last word nothing begins.
    counts = place < len(others)
    counts[:-1] &= place[1:] != place[:-1]
    return ends[counts], others.take(place[counts])


def _classified(text: str) -> tuple[Codes, Classes]:
    """Return the code points of a text and their classes."""
    codes = code_points(text)
    if codes.dtype == np.uint8:
        return codes, np.frombuffer(codes.tobytes().translate(_ascii_classes()), np.uint8)
    return codes, _classes().take(codes)


def _bounds(codes: Codes, classes: Classes, kinds: Classes, alone: Flags | None, text: str) -> Positions:
    """Return where words and the white space between them begin, and the end; ``kinds`` gets _WORD for symbols in a word."""
    if not len(codes):
        return np.zeros(1, np.intp)
    symbols = (kinds == np.uint8(_SYMBOL)).nonzero()[0]
    effects = _effects(codes, classes, symbols, text)
    kinds[symbols[effects & np.uint8(_IS_JOINED) != 0]] = _WORD
    edges = np.empty(len(codes) + 1, bool)
    np.not_equal(kinds[1:], kinds[:-1], out=edges[1:-1])
    edges[symbols[effects & np.uint8(_BEGINS) != 0]] = True
    runs = symbols[effects & np.uint8(_MAY_RUN) != 0]
    runs = runs[codes.take(runs) == codes.take(runs - 1)]
    if len(runs):
        edges[runs[kinds.take(runs - 1) == _SYMBOL]] = False
    if alone is not None:
        edges[:-1] |= alone
        edges[1:] |= alone
        # Vowel signs and tone marks stay with their letter.
        edges[1:-1][(classes[1:] == _WORD | _UNSPACED) & (kinds[:-1] == _WORD)] = False
    edges[0] = edges[-1] = True
    return edges.nonzero()[0]


def _effects(codes: Codes, classes: Classes, symbols: Positions, text: str) -> Classes:
    """Return what each symbol does to the words beside it."""
    beside = np.zeros(len(classes) + 3, np.uint8)  # two spaces before the text, one behind
    np.bitwise_and(classes, np.uint8(_BESIDE), out=beside[2:-1])
    around = beside.take(symbols + 1).astype(np.intp)
    around <<= _BESIDE_BITS
    around |= beside.take(symbols + 3)
    around |= _roles().take(codes.take(symbols), mode="clip")
    effects = _effect_table().take(around)
    dots = (effects & np.uint8(_MAY_ABBREVIATE)).nonzero()[0]
    # An abbreviation ends behind a single letter: a capital, or one with a full stop before it.
    dots = dots[beside.take(symbols.take(dots)) & np.uint8(_KIND) != _WORD]
    if len(dots):
        at = symbols.take(dots)
        dotted = (codes.take(np.maximum(at - 2, 0)) == _FULL_STOP) & (at > 1)
        more = (codes.take(np.minimum(at + 1, len(codes) - 1)) == _FULL_STOP) & (at + 1 < len(codes))
        effects[dots[(dotted | (beside.take(at + 1) & np.uint8(_UPPER) != 0)) & ~more]] = _IS_JOINED
    if "://" in text:
        spans = np.array([match.span() for match in _ADDRESS.finditer(text)], np.intp).reshape(-1, 2)
        inside = spans[:, 0].searchsorted(symbols, "right") > spans[:, 1].searchsorted(symbols, "right")
        effects[inside] = _IS_JOINED
    return effects


@lru_cache(maxsize=1)
def _effect_table() -> Classes:
    """Return what a symbol does, by its roles, the class before it and the class after it, as ``_effects`` packs them."""
    index = np.arange(1 << _ROLE_BITS + 2 * _BESIDE_BITS)
    roles, before, after = index >> 2 * _BESIDE_BITS, index >> _BESIDE_BITS & _BESIDE, index & _BESIDE
    joins = (roles & _JOINS & before & after & _WORD) != 0  # _WORD and _JOINS are the same bit
    joins &= ~((roles & _PARTS_LETTERS != 0) & (after & LETTER != 0))
    joins &= ~((roles & _PARTS_DIGITS != 0) & (before & after & _DIGIT != 0))
    joins |= (roles & _SIGN != 0) & (before & _KIND == _SPACE) & (after & _DIGIT != 0)
    # "end.Start" lacks a space, "U.S" does not.
    sentence = (before & after & LETTER != 0) & (before & _UPPER == 0) & (after & _UPPER != 0)
    joins &= ~((roles & _DOT != 0) & sentence)
    ends = (roles & _DOT != 0) & (before & LETTER != 0) & (after & _WORD == 0)
    effects = joins * _IS_JOINED | (~joins | (roles & _APOSTROPHE != 0)) * _BEGINS
    effects |= (~joins & (roles & _RUN != 0)) * _MAY_RUN | (~joins & ends) * _MAY_ABBREVIATE
    packed: Classes = effects.astype(np.uint8)
    return packed


@lru_cache(maxsize=1)
def _roles() -> Positions:
    """Return the roles of symbols by code point, as ``_effects`` packs them; the last entry stands for all that follow."""
    table = np.zeros(_LAST_ROLE + 1, np.intp)
    for role, characters in _ROLES.items():
        for character in characters:
            table[ord(character)] |= role << 2 * _BESIDE_BITS
    return table


@lru_cache(maxsize=1)
def _ascii_classes() -> bytes:
    """Return the table of ``bytes.translate``."""
    return _classes()[:0x100].tobytes()


@lru_cache(maxsize=1)
def _classes() -> npt.NDArray[np.uint8]:
    """Return the class of each code point."""
    table = np.full(_CODE_POINTS, _SYMBOL, np.uint8)
    table[:_TABLE_END] = [_class(chr(code)) for code in range(_TABLE_END)]
    table[_TABLE_END:_HAN_END] = _WORD | LETTER
    for first, last in UNSPACED_SCRIPTS:
        table[first : last + 1] |= _UNSPACED
    for first, last in SENTENCE_TERMINALS:
        table[first : last + 1] |= TERMINAL
    return table


def _class(character: str) -> int:
    if character.isspace():
        return _SPACE
    if character.isalpha():
        return _WORD | LETTER | (_UPPER if character.isupper() else 0)
    category = unicodedata.category(character)
    if category[0] == "N":
        return _WORD | _DIGIT
    # Marks and invisible format characters belong to the word that they stand in.
    if category[0] == "M" or category == "Cf":
        return _WORD
    return _SYMBOL | (PUNCTUATION if category[0] == "P" else 0)
