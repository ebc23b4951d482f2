"""Everything that rules look at of one text, each taken when first asked for, and once however many filters ask.

The figures of the last text are kept until the next one comes, so that the filters of one document share them; they are of
that text alone, and decide nothing by having been there before.
"""

from __future__ import annotations

from functools import cached_property, lru_cache

import numpy as np

from filters.grams import gram_duplicates
from filters.lines import duplicates, filled_lines, paragraphs, stripped_lines
from filters.words import LETTER, Words, occurring, words
from pile.text import code_points, unspaced

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
#: Sizes of n-grams, in words, that the rules of Gopher's Table A1 look at.
TOP_SIZES = range(2, 5)
DUPLICATE_SIZES = range(5, 11)


@lru_cache(maxsize=1)
def figures(text: str) -> Figures:
    """Return the figures of ``text``, and keep the last text's."""
    return Figures(text)


class Figures:
    """The figures of one text."""

    def __init__(self, text: str) -> None:
        """Take nothing yet."""
        self.text = text

    @cached_property
    def cut(self) -> Words:
        """The words."""
        return words(self.text)

    @cached_property
    def unspaced(self) -> float:
        """The share of words that are characters of scripts without spaces between words, rounded."""
        return round(self.cut.unspaced, DIGITS)

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

    @cached_property
    def marks_sentences(self) -> bool:
        """Whether a mark ends a sentence in the script that most words are in: in Thai and Lao it is a space."""
        if not self.mostly_unspaced or self.cut.alone is None:
            return True
        first = self.cut.codes.take(self.cut.starts[self.cut.alone])
        thai = np.count_nonzero((first >= UNMARKED_SCRIPTS[0]) & (first <= UNMARKED_SCRIPTS[1]))
        return bool(thai <= MOSTLY * len(first))

    @cached_property
    def stripped_lines(self) -> list[str]:
        """The lines of ``str.splitlines`` without white space at their ends."""
        return stripped_lines(self.text)

    @cached_property
    def filled_lines(self) -> list[str]:
        """What stands between newlines, but for what is empty."""
        return filled_lines(self.text)

    @cached_property
    def visible_lines(self) -> list[str]:
        """The filled lines, but for those of white space."""
        return [line for line in self.filled_lines if not line.isspace()]

    @cached_property
    def duplicate_lines(self) -> tuple[int, int]:
        """How many of the filled lines repeat an earlier one, and their characters."""
        return duplicates(self.filled_lines)

    @cached_property
    def with_letters(self) -> int:
        """How many words have a letter in them."""
        cut = self.cut
        begin = cut.firsts & np.uint8(LETTER) != 0
        others = (~(begin | cut.symbol)).nonzero()[0]
        within = np.stack((cut.starts.take(others), cut.ends.take(others)), axis=1).ravel()
        classes = np.append(cut.classes, np.uint8(0))
        later = np.bitwise_or.reduceat(classes, within)[::2] & np.uint8(LETTER) if len(others) else within
        return int(np.count_nonzero(begin)) + int(np.count_nonzero(later))

    @cached_property
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
        word = UNSPACED_WORD if self.mostly_unspaced else 1
        top, duplicate = (range(sizes[0] * word, sizes[-1] * word + 1, word) for sizes in (TOP_SIZES, DUPLICATE_SIZES))
        grams = gram_duplicates(self.cut, top, duplicate)
        for size, covered in grams.top.items():  # overlapping ones can cover more than all
            scores[f"top_{size // word}_gram"] = min(share(covered, characters), 1.0)
        for size, covered in grams.duplicate.items():
            scores[f"duplicate_{size // word}_gram"] = share(covered, characters)
        return scores

    @cached_property
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
        if not self.mostly_unspaced:
            return occurring(self.cut, listed)
        alike = [word for word in listed if unspaced(code_points(word)) is not None]
        return sum(word in self.text for word in alike) if alike else None


def share(part: int, whole: int) -> float:
    """Return ``part`` of ``whole``, 0 of nothing, rounded as every score is before it is compared."""
    return round(part / whole, DIGITS) if whole else 0.0
