"""Everything that rules look at of one text, each taken when first asked for, and once however many filters ask.

The figures of the last text are kept until the next one comes, so that the filters of one document share them, and those of some
texts can be taken together before. They are of each text alone, and decide nothing by having been there before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import accumulate
from typing import Any, Generic, TypeVar

import numpy as np

from filters.grams import Grams, gram_duplicates
from filters.lines import duplicates, filled_lines, paragraphs
from filters.words import Words, occurring, words, words_of
from pile.text import Positions, code_points, unspaced

#: Characters that make about a word in scripts without spaces: pile's own, after the mean length of Chinese words.
UNSPACED_WORD = 2
#: Share of a text's words that are characters of such scripts above which rules treat it as one in them: pile's own.
MOSTLY = 0.5
#: Digits after the point that scores are rounded to before they are compared.
DIGITS = 4
#: Thai and Lao, as first and last code point.
UNMARKED_SCRIPTS = (0x0E00, 0x0EFF)
#: What begins a bullet line (Gopher's paper says "a bullet point"; datatrove takes these two), and what ends one that breaks off.
BULLETS = ("•", "-")
ELLIPSES = ("...", "…")
#: Characters of texts that are looked at together: their arrays fit a second-level cache.
TOGETHER = 60_000
#: Sizes of n-grams, in words, that the rules of Gopher's Table A1 look at.
TOP_SIZES = range(2, 5)
DUPLICATE_SIZES = range(5, 11)


def figures(text: str) -> Figures:
    """Return the figures of ``text``: those taken ahead, or new ones, which are kept until the next text's."""
    return _ahead.get(text) or _last(text)


def take_ahead(texts: Iterable[str]) -> None:
    """Take the costly figures of texts that filters are about to look at; keep them until the next call.

    Together they take half the time. A text's figures are the same however they were taken.
    """
    _ahead.clear()
    batch: list[str] = []
    room = TOGETHER
    for text in texts:
        if len(text) > room and batch:
            _take(batch)
            batch, room = [], TOGETHER
        if len(text) <= room:  # a longer one gains nothing
            batch.append(text)
            room -= len(text)
    _take(batch)


_ahead: dict[str, Figures] = {}


@lru_cache(maxsize=1)
def _last(text: str) -> Figures:
    return Figures(text)


def _take(texts: list[str]) -> None:
    found = [Figures(text, cut) for text, cut in zip(texts, words_of(texts), strict=True)]
    for unit in (1, UNSPACED_WORD):
        alike = [figures for figures in found if figures.characters_as_words == unit]
        for figures, grams in zip(alike, _grams(alike), strict=True):
            figures.grams = grams
    _ahead.update(zip(texts, found, strict=True))


def _grams(alike: list[Figures]) -> list[Grams]:
    """Return the n-grams of texts in which as many characters make a word."""
    if not alike:
        return []
    word = alike[0].characters_as_words
    top, duplicate = (range(sizes[0] * word, sizes[-1] * word + 1, word) for sizes in (TOP_SIZES, DUPLICATE_SIZES))
    return gram_duplicates([figures.cut for figures in alike], top, duplicate)


Value = TypeVar("Value")


class once(Generic[Value]):
    """A property that is computed when first asked for: ``functools.cached_property`` without the lock of Python 3.11."""

    def __init__(self, compute: Callable[[Any], Value]) -> None:
        """Keep what computes it."""
        self.compute = compute
        self.__doc__ = compute.__doc__

    def __get__(self, instance: Any, owner: type) -> Value:
        """Compute it, and put it where Python looks before it comes here again."""
        value = instance.__dict__[self.compute.__name__] = self.compute(instance)
        return value


class Figures:
    """The figures of one text."""

    def __init__(self, text: str, cut: Words | None = None) -> None:
        """Take nothing yet, but for the words where they are known."""
        self.text = text
        self.listed: dict[tuple[str, ...], int] = {}
        if cut is not None:
            self.cut = cut

    @once
    def cut(self) -> Words:
        """The words."""
        return words(self.text)

    @once
    def unspaced(self) -> float:
        """The share of words that are characters of scripts without spaces between words, rounded."""
        return round(self.cut.unspaced, DIGITS)

    @property
    def characters_as_words(self) -> int:
        """How many of the words make a word for n-grams: characters in a text mostly in a script without spaces, else one."""
        return UNSPACED_WORD if self.mostly_unspaced else 1

    @property
    def mostly_unspaced(self) -> bool:
        """Whether rules treat the text as one in such a script."""
        return self.unspaced > MOSTLY

    @property
    def words_as_spaced(self) -> int:
        """The number of words, punctuation marks and symbols among them, where about two characters make a word in scripts
        without spaces.
        """
        count = len(self.cut.starts)
        if self.mostly_unspaced:
            alone = round(self.cut.unspaced * self.cut.word_count)
            count -= alone - alone // UNSPACED_WORD
        return count

    @once
    def marks_sentences(self) -> bool:
        """Whether a mark ends a sentence in the script that most words are in: in Thai and Lao it is a space."""
        if not self.mostly_unspaced or self.cut.alone is None:
            return True
        first = self.cut.codes.take(self.cut.starts[self.cut.alone])
        thai = np.count_nonzero((first >= UNMARKED_SCRIPTS[0]) & (first <= UNMARKED_SCRIPTS[1]))
        return bool(thai <= MOSTLY * len(first))

    @once
    def whole_lines(self) -> list[str]:
        """The lines of ``str.splitlines`` with what ends them."""
        return self.text.splitlines(keepends=True)

    @once
    def stripped_lines(self) -> list[str]:
        """The same without white space at their ends, empty ones included."""
        return [line.strip() for line in self.whole_lines]

    @once
    def line_ends(self) -> Positions:
        """Where these lines end, one past the last character."""
        return np.fromiter(accumulate(map(len, self.whole_lines)), np.intp, len(self.whole_lines))

    @once
    def filled_lines(self) -> list[str]:
        """What stands between newlines, but for what is empty."""
        return filled_lines(self.text)

    @once
    def visible_lines(self) -> list[str]:
        """The filled lines, but for those of white space."""
        return [line for line in self.filled_lines if not line.isspace()]

    @once
    def duplicate_lines(self) -> tuple[int, int]:
        """How many of the filled lines repeat an earlier one, and their characters."""
        return duplicates(self.filled_lines)

    @once
    def with_letters(self) -> int:
        """How many words have a letter in them."""
        return int(np.count_nonzero(self.cut.lettered))

    @once
    def grams(self) -> Grams:
        """What repeated n-grams cover."""
        return _grams([self])[0]

    @once
    def repetition(self) -> dict[str, float]:
        """The shares of Gopher's Table A1 by the names of its rules, in datatrove's order; none without a visible character.

        In a text mostly in a script without spaces n-grams are taken over twice as many characters.
        """
        if not len(self.cut.starts):
            return {}
        text, characters = self.text, len(self.text)
        whole = paragraphs(text)
        same_paragraphs, paragraph_characters = duplicates(whole)
        same_lines, line_characters = self.duplicate_lines
        # A newline at either end of the text has an empty line beyond it, as datatrove splits; elsewhere empty lines count not.
        empty = (text[0] == "\n") + (text[-1] == "\n")
        scores = {
            "duplicate_paragraphs": share(same_paragraphs, len(whole)),
            "duplicate_paragraph_characters": share(paragraph_characters, characters),
            "duplicate_lines": share(same_lines + (empty == 2), len(self.filled_lines) + empty),
            "duplicate_line_characters": share(line_characters, characters),
        }
        word, grams = self.characters_as_words, self.grams
        for size, covered in grams.top.items():  # overlapping ones can cover more than all
            scores[f"top_{size // word}_gram"] = min(share(covered, characters), 1.0)
        for size, covered in grams.duplicate.items():
            scores[f"duplicate_{size // word}_gram"] = share(covered, characters)
        return scores

    @once
    def quality(self) -> dict[str, float]:
        """The figures of Gopher's quality rules that need no list of words, by the names of the rules.

        A word has no length worth a score where characters count as words.
        """
        cut, text, lines = self.cut, self.text, self.stripped_lines
        scores: dict[str, float] = {"word_count": cut.word_count}
        if not self.mostly_unspaced:
            symbols = cut.symbol.nonzero()[0]
            characters = int((cut.ends - cut.starts).sum()) - int(
                (cut.ends.take(symbols) - cut.starts.take(symbols)).sum()
            )
            scores["mean_word_length"] = share(characters, cut.word_count)
        symbols_of_a_kind = max(text.count("#"), text.count("...") + text.count("…"))
        scores["symbol_ratio"] = share(symbols_of_a_kind, len(cut.starts))
        scores["bullet_lines"] = share(sum([line.startswith(BULLETS) for line in lines]), len(lines))
        scores["ellipsis_lines"] = share(sum([line.endswith(ELLIPSES) for line in lines]), len(lines))
        return scores

    def stop_words(self, listed: tuple[str, ...]) -> int | None:
        """Return how many different words of the list occur, letter case as listed; None where such words cannot be told.

        In a text mostly in a script without spaces those of the list in such scripts are looked for, wherever they stand.
        """
        if listed in self.listed:
            return self.listed[listed]
        if not self.mostly_unspaced:
            # What stands between spaces is a word; few are left to be looked for among all words.
            left = tuple([word for word in listed if f" {word} " not in self.text or not word.isalpha()])
            return self.listed.setdefault(listed, len(set(listed)) - len(set(left)) + occurring(self.cut, left))
        alike = [word for word in listed if unspaced(code_points(word)) is not None]
        return sum(word in self.text for word in alike) if alike else None


def share(part: int, whole: int) -> float:
    """Return ``part`` of ``whole``, 0 of nothing, rounded as every score is before it is compared."""
    return round(part / whole, DIGITS) if whole else 0.0
