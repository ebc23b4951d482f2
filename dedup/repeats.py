"""What may stand in many documents and is worth saying once: paragraphs, lines, long substrings; how a text is cut into them.

Near-duplicates are whole documents; here cookie notices, footers and quoted licences go, and the documents around them stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Literal, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from dedup.sign import text_hash
from pile.text import NORMALISATION, SPACE, Codes, code_points, spaced, span_hashes, unspaced
from pile.words import PIECE_BYTES, word_hashes

#: Documents from which on something is a repeat: what two share may be a quotation; of substrings, Lee et al. (2022,
#: "Deduplicating Training Data Makes Language Models Better") take all that occur twice.
AT_LEAST = {"paragraphs": 3, "lines": 3, "substrings": 2}
#: White space between paragraphs.
BETWEEN = re.compile(r"\n[ \t]*\n\s*")
#: Characters whose substrings are hashed at a time.
PIECE = 1 << 20
#: A cut moves back to the last white space within so many characters, so that no half word stays.
LONGEST_WORD = 40

Halves = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]


class Repeats(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of repeat that a recipe has cut; the most preferred document that has it keeps it.

    Paragraphs (between blank lines) and lines are the same when their words are, normalised as for near-duplicates.
    Substrings are the same character by character, and begin with a word; the last word of what is shared may stay.
    """

    of: Literal["paragraphs", "lines", "substrings"]
    documents: int | None = None  #: that have it, at least; ``AT_LEAST`` when left out
    words: int = 8  #: of the shortest paragraph or line that is looked at
    characters: int = 400  #: of the shortest substring that is found
    sources: list[str] = []  #: whose documents are looked at; all when left out

    def __post_init__(self) -> None:
        for name, least in (("documents", 2), ("words", 1), ("characters", 20)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"repeats of {self.of}: {name} must be at least {least}, not {value}")

    @property
    def least(self) -> int:
        """How many documents make a repeat."""
        return AT_LEAST[self.of] if self.documents is None else self.documents

    @property
    def facts(self) -> list[str | int]:
        """What the hashes of a text depend on."""
        if self.of == "substrings":
            return [self.of, self.characters]
        return [self.of, self.words, NORMALISATION]


class Units(NamedTuple):
    """Some of a text's units in order: where each begins and ends (in characters), and 128 bits of hash."""

    starts: Places
    ends: Places
    high: Halves
    low: Halves


def units(text: str, repeats: Repeats) -> Iterator[Units]:
    """Yield all units of a text that may be cut, in order, some at a time."""
    if repeats.of == "substrings":
        yield from _substrings(text, repeats.characters)
        return
    spans: list[tuple[int, int]] = []
    size = 0
    for start, end in _spans(text, repeats.of):
        spans.append((start, end))
        size += end - start
        if size > PIECE_BYTES:
            yield _hashed(text, spans, repeats.words)
            spans, size = [], 0
    if spans:
        yield _hashed(text, spans, repeats.words)


def _spans(text: str, of: str) -> Iterator[tuple[int, int]]:
    """Yield where paragraphs or lines begin, and where the next ones do."""
    ends = [found.end() for found in (BETWEEN.finditer(text) if of == "paragraphs" else re.finditer("\n", text))]
    yield from pairwise([0, *ends, len(text)])


def _hashed(text: str, spans: list[tuple[int, int]], words: int) -> Units:
    passages = [text[start:end] for start, end in spans]
    hashes, bounds = word_hashes([spaced(passage) for passage in passages])
    long = np.flatnonzero(np.diff(bounds) >= words)
    digests = b"".join([text_hash(passages[n], hashes[bounds[n] : bounds[n + 1]]) for n in long.tolist()])
    halves = np.frombuffer(digests, ">u8").reshape(-1, 2).astype(np.uint64)
    places = np.array(spans, np.int64)[long]
    return Units(places[:, 0], places[:, 1], halves[:, 0], halves[:, 1])


def _substrings(text: str, characters: int) -> Iterator[Units]:
    """Yield the substrings of so many characters that begin where a word does."""
    for first in range(0, max(1, len(text) - characters + 1), PIECE):
        codes = code_points(text[first : first + PIECE + characters - 1])
        starts = _word_starts(codes, first == 0 or text[first - 1].isspace())
        starts = starts[(starts < PIECE) & (starts + characters <= len(codes))]
        ends = starts + characters
        high = span_hashes(codes, starts, ends)
        # A second hash of the same form, of other numbers for the same characters.
        scattered = (codes.astype(np.uint32) * np.uint32(0x9E3779B1)) ^ (codes.astype(np.uint32) >> np.uint32(3))
        low = span_hashes(scattered, starts, ends)
        yield Units(starts + first, ends + first, high, low)


def _word_starts(codes: Codes, first: bool) -> npt.NDArray[np.intp]:
    """Return where words begin; ``first`` says whether one may begin with the first character."""
    space = (codes == SPACE) | (codes == ord("\n")) | (codes == ord("\t"))
    begins = ~space
    begins[1:] &= space[:-1]
    if len(begins):
        begins[0] &= first
    alone = unspaced(codes)
    return np.flatnonzero(begins if alone is None else begins | alone)


def merged(text: str, spans: list[tuple[int, int]], of: str) -> list[tuple[int, int]]:
    """Return spans, ascending, that cover the same characters and do not touch; a substring's end moves back to a word's."""
    whole: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if whole and start <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(end, whole[-1][1]))
        else:
            whole.append((start, end))
    return [(start, _end_of_word(text, end)) for start, end in whole] if of == "substrings" else whole


def _end_of_word(text: str, end: int) -> int:
    if end == len(text) or text[end].isspace():
        return end
    for place in range(end, end - LONGEST_WORD, -1):
        if text[place - 1].isspace():
            return place
    return end
