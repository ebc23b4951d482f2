"""Normalisation of text and hashes of its spans, shared by filters and dedup, vectorised over code points.

No Python object is made per word or per shingle; every step is linear in the text, whatever it holds.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[Any]  #: one unsigned integer per character: uint8 for ASCII text, else uint32
Positions = npt.NDArray[np.intp]
Hashes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

#: Part of the key of every stage that stores something made from normalised text: raise it when a rule changes.
NORMALISATION = 1

SPACE = 0x20
_CODE_POINTS = 0x110000
_ASCII = 0x80
#: Code points to look at one by one, as first and end: the rest below ``_HAN_END`` is Han and Korean, kept as it is.
_CHANGING = ((0, 0x3400), (0x4DC0, 0x4E00), (0xA000, 0xAC00), (0xD7A4, 0x20000), (0x2F800, 0x2FA20))
#: From here on there are no letters.
_HAN_END = 0x40000
#: Marks without a look of their own: grapheme joiner, Mongolian and general variation selectors.
_INVISIBLE_MARKS = frozenset({0x034F, 0x180B, 0x180C, 0x180D, 0x180F, *range(0xFE00, 0xFE10)})
#: Categories without a capital, an accent or an invisible character: letters without case, what is not assigned, mathematical
#: symbols, punctuation.
_PLAIN = frozenset({"Lo", "Cn", "Co", "Cs", "Sm", "Po"})
#: Characters that are normalised at a time on the way to words.
_PIECE = 1 << 18
#: Marks what normalisation removes; no character normalises to NUL otherwise.
_REMOVED = 0

#: Scripts written without spaces between words, as first and last code point: each of their characters is a word.
UNSPACED_SCRIPTS = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3005, 0x3007),  # Han iteration mark, closing mark, zero
    (0x3040, 0x30FF),  # Hiragana, Katakana
    (0x31F0, 0x31FF),  # Katakana phonetic extensions
    (0x3400, 0x4DBF),  # Han extension A
    (0x4E00, 0x9FFF),  # Han
    (0xA9E0, 0xA9FF),  # Myanmar extended B
    (0xAA60, 0xAA7F),  # Myanmar extended A
    (0xF900, 0xFAFF),  # Han compatibility
    (0xFF66, 0xFF9F),  # Katakana, half width
    (0x1AFF0, 0x1B16F),  # Kana supplements
    (0x20000, 0x3FFFF),  # Han extensions B and later
)
_FIRST_UNSPACED = UNSPACED_SCRIPTS[0][0]

#: Base of the polynomial hash modulo 2^64 (odd, so that it has an inverse).
_BASE = 0x9E6D62D06F6A9A9B
#: Powers are kept for texts up to this many characters; a longer text pays for its own.
_KEPT_POWERS = 1 << 16


def normalise(text: str) -> str:
    """Return ``text`` as duplicates are compared: lower case, digits as 0, words apart by single spaces, no accents.

    Punctuation, symbols and control characters become spaces; marks and invisible format characters go (field-notes
    section 5). Canonically equivalent texts give the same result, and a second pass changes nothing.
    """
    if text.isascii():
        codes: Codes = np.frombuffer(text.encode("ascii").translate(_ascii_table()), np.uint8)
        return _fold_spaces(codes).tobytes().decode("ascii")
    codes = _table()[_utf32(text)]
    codes = _fold_spaces(codes[codes != _REMOVED])
    # Single characters are decomposed by the table; what is left to compose is Korean and Indic letters in pieces.
    return unicodedata.normalize("NFC", codes.tobytes().decode("utf-32-le"))


def spaced(text: str) -> bytes:
    """Return the words of ``normalise(text)`` in UTF-8, in order, with one or more spaces between and around them.

    A character of a script without spaces between words is a word of its own. Most of ``normalise``'s cost is left out.
    """
    if text.isascii():
        return text.encode("ascii").translate(_ascii_table())
    return b" ".join([_spaced_piece(piece) for piece in _at_spaces(text)])


def _spaced_piece(text: str) -> bytes:
    codes = _table()[_utf32(text)]
    if not codes.all():
        codes = codes[codes != _REMOVED]
    if len(codes) and int(codes.max()) >= _ASCII:
        codes = _utf32(unicodedata.normalize("NFC", codes.tobytes().decode("utf-32-le")))
        alone = unspaced(codes)
        if alone is not None:
            apart = np.full(len(codes) + 2 * int(np.count_nonzero(alone)), SPACE, np.uint32)
            apart[np.arange(len(codes)) + 2 * np.cumsum(alone) - alone] = codes
            codes = apart
        return codes.tobytes().decode("utf-32-le").encode()
    return codes.astype(np.uint8).tobytes()


def _at_spaces(text: str) -> Iterator[str]:
    """Yield a text in pieces, cut at spaces: beside one there is nothing to compose. Memory is bounded where there are any."""
    start = 0
    while len(text) - start > _PIECE:
        end = text.rfind(" ", start, start + _PIECE)
        if end < start:
            break
        yield text[start:end]
        start = end + 1
    yield text[start:]


def code_points(text: str) -> Codes:
    """Return the characters of ``text`` as integers, lone surrogates included; read-only."""
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), np.uint8)
    return _utf32(text)


def unspaced(codes: Codes) -> Flags | None:
    """Return which characters belong to scripts without spaces between words, None when there is none."""
    if codes.dtype == np.uint8 or not len(codes) or int(codes.max()) < _FIRST_UNSPACED:
        return None
    flags: Flags = _unspaced_table()[codes]
    return flags if flags.any() else None


def span_hashes(codes: Codes, starts: Positions, ends: Positions) -> Hashes:
    """Return a 64-bit hash for each span of ``codes``, the same for the same characters wherever they stand.

    A polynomial in the characters modulo 2^64, taken from running sums over the whole text, then mixed.
    """
    powers, inverses = _powers(len(codes))
    sums = np.zeros(len(codes) + 1, np.uint64)
    # Adding one keeps leading NULs apart from nothing at all.
    np.cumsum((codes.astype(np.uint64) + np.uint64(1)) * powers, out=sums[1:])
    return _mix((sums[ends] - sums[starts]) * inverses[starts])


def _mix(values: Hashes) -> Hashes:
    """Return the values with every input bit spread over all output bits (the finaliser of splitmix64), in place."""
    values ^= values >> np.uint64(30)
    values *= np.uint64(0xBF58476D1CE4E5B9)
    values ^= values >> np.uint64(27)
    values *= np.uint64(0x94D049BB133111EB)
    values ^= values >> np.uint64(31)
    return values


def _powers(count: int) -> tuple[Hashes, Hashes]:
    """Return the first ``count`` powers of the base, and their inverses modulo 2^64."""
    if count <= _KEPT_POWERS:
        powers, inverses = _kept_powers()
        return powers[:count], inverses
    return _make_powers(count)


@lru_cache(maxsize=1)
def _kept_powers() -> tuple[Hashes, Hashes]:
    return _make_powers(_KEPT_POWERS)


def _make_powers(count: int) -> tuple[Hashes, Hashes]:
    tables = []
    for base in (_BASE, pow(_BASE, -1, 1 << 64)):
        factors = np.full(count, base, np.uint64)
        factors[0] = 1
        tables.append(np.multiply.accumulate(factors))
    return tables[0], tables[1]


def _utf32(text: str) -> Codes:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _fold_spaces(codes: Codes) -> Codes:
    """Return the codes with runs of spaces as one, none at the ends."""
    if not len(codes):
        return codes
    space = codes == SPACE
    keep = np.empty(len(codes), bool)
    keep[0] = not space[0]
    np.logical_and(space[1:], space[:-1], out=keep[1:])
    np.logical_not(keep[1:], out=keep[1:])
    folded: Codes = codes[keep]
    return folded[:-1] if len(folded) and folded[-1] == SPACE else folded


@lru_cache(maxsize=1)
def _ascii_table() -> bytes:
    """Return the table of ``bytes.translate``; ASCII has nothing to remove, only to replace."""
    return bytes(_normalised_character(code) for code in range(_ASCII)) + bytes(range(_ASCII, 0x100))


@lru_cache(maxsize=1)
def _table() -> Codes:
    """Return what each code point normalises to, ``_REMOVED`` for what goes."""
    table = np.arange(_CODE_POINTS, dtype=np.uint32)
    for first, end in _CHANGING:
        table[first:end] = [_normalised_character(code) for code in range(first, end)]
    table[_HAN_END:] = _REMOVED  # tags, variation selectors and private use
    return table


def _normalised_character(code: int) -> int:
    character = chr(code)
    category = unicodedata.category(character)
    if category in _PLAIN and not unicodedata.decomposition(character):  # most of the table: only a matter of time
        return code if category == "Lo" else SPACE
    character = character.lower()
    base = "".join(part for part in unicodedata.normalize("NFD", character) if not _goes(part))
    if not base:
        return _REMOVED
    if len(base) > 1:  # Korean syllables, two-part vowels, Tibetan stacks: letters, not letters with accents
        base = unicodedata.normalize("NFC", base)
        if len(base) > 1:
            return ord(character)  # the composition exclusions, taken apart by the final NFC
    if base == "ς":  # lower() writes a final sigma by its neighbours: one letter here
        return ord("σ")
    category = unicodedata.category(base)
    if category == "Nd":
        return ord("0")
    return SPACE if category[0] in "PSZC" else ord(base)


def _goes(character: str) -> bool:
    """Tell whether a character is an accent or an invisible format character.

    An accent is what canonical ordering moves (combining class not 0): the vowel signs of Indic scripts stay, and the
    final NFC has no runs left to re-order, which would take quadratic time.
    """
    return (
        unicodedata.combining(character) != 0
        or unicodedata.category(character) in ("Me", "Cf")
        or ord(character) in _INVISIBLE_MARKS
    )


@lru_cache(maxsize=1)
def _unspaced_table() -> Flags:
    table = np.zeros(_CODE_POINTS, bool)
    for first, last in UNSPACED_SCRIPTS:
        table[first : last + 1] = True
    return table
