"""The rules for text quality and repetition of Gopher, with the paper's numbers as defaults.

Rae et al. 2021, appendix A1.1 and Table A1 (https://arxiv.org/abs/2112.11446). Where the paper leaves something open (what a
word is, how n-grams are counted) the rules decide as datatrove 0.10 does, so that results compare with FineWeb's.
"""

from __future__ import annotations

from math import inf
from typing import ClassVar

from filters.figures import Figures, figures, share
from filters.rules import Bounds, Count, Positive, Rules, Scores, Share
from pile.document import Document

# Quality: Gopher, appendix A1.1, "Quality Filtering".
MIN_WORDS = 50  #: words in a document, at least
MAX_WORDS = 100_000  #: words in a document, at most
MIN_MEAN_WORD_LENGTH = 3.0  #: characters
MAX_MEAN_WORD_LENGTH = 10.0  #: characters
SYMBOL_RATIO = 0.1  #: hash signs per word and, apart from them, ellipses per word, at most
BULLET_LINES = 0.9  #: share of lines that begin with a bullet, at most
ELLIPSIS_LINES = 0.3  #: share of lines that end in an ellipsis, at most
ALPHABETIC_WORDS = 0.8  #: share of words with a letter in them, at least
MIN_STOP_WORDS = 2  #: different stop words, at least
STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")

# Repetition: Gopher, Table A1. Each is the highest share allowed.
DUPLICATE_LINES = 0.30  #: of the lines, those that repeat an earlier one
DUPLICATE_PARAGRAPHS = 0.30  #: of the paragraphs, the same
DUPLICATE_LINE_CHARACTERS = 0.20  #: of the characters, those in such lines
DUPLICATE_PARAGRAPH_CHARACTERS = 0.20  #: of the characters, those in such paragraphs
TOP_2_GRAM = 0.20  #: of the characters, those of the most frequent pair of words
TOP_3_GRAM = 0.18
TOP_4_GRAM = 0.16
DUPLICATE_5_GRAM = 0.15  #: of the characters, those in five words that occurred before
DUPLICATE_6_GRAM = 0.14
DUPLICATE_7_GRAM = 0.13
DUPLICATE_8_GRAM = 0.12
DUPLICATE_9_GRAM = 0.11
DUPLICATE_10_GRAM = 0.10


#: The options of these rules that decide, and measure nothing.
QUALITY_DECIDED_BY = (
    "min_words",
    "max_words",
    "min_mean_word_length",
    "max_mean_word_length",
    "symbol_ratio",
    "bullet_lines",
    "ellipsis_lines",
    "alphabetic_words",
    "min_stop_words",
)
#: The rules of Table A1 on n-grams; each is an option too.
GRAM_RULES = (
    "top_2_gram",
    "top_3_gram",
    "top_4_gram",
    "duplicate_5_gram",
    "duplicate_6_gram",
    "duplicate_7_gram",
    "duplicate_8_gram",
    "duplicate_9_gram",
    "duplicate_10_gram",
)


class QualityRules(Rules, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Gopher's rules on words and lines, which FineWeb-2 has with other numbers."""

    min_words: Count = MIN_WORDS
    max_words: Count = MAX_WORDS
    min_mean_word_length: Positive = MIN_MEAN_WORD_LENGTH
    max_mean_word_length: Positive = MAX_MEAN_WORD_LENGTH
    symbol_ratio: Positive = SYMBOL_RATIO
    bullet_lines: Share = BULLET_LINES
    ellipsis_lines: Share = ELLIPSIS_LINES
    alphabetic_words: Share = ALPHABETIC_WORDS
    min_stop_words: Count = MIN_STOP_WORDS  #: 0 switches the rule off
    stop_words: tuple[str, ...]

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for options that no text can meet."""
        for name in ("words", "mean_word_length"):
            low, high = getattr(self, f"min_{name}"), getattr(self, f"max_{name}")
            if low > high:
                raise ValueError(f"min_{name} = {low} is above max_{name} = {high}: nothing would be kept")
        if self.min_stop_words > len(set(self.stop_words)):
            raise ValueError(
                f"min_stop_words = {self.min_stop_words}, but stop_words has {len(set(self.stop_words))}: "
                "list some of the language, or set min_stop_words = 0"
            )

    def quality(self, found: Figures, symbols_as_words: bool) -> Scores:
        """Return the figures that these rules look at."""
        everything = len(found.cut.starts) if symbols_as_words else found.cut.word_count
        scores: Scores = {**found.quality, "alphabetic_words": share(found.with_letters, everything)}
        stop_words = found.stop_words(self.stop_words)
        if stop_words is not None:
            scores["stop_words"] = stop_words
        scores["unspaced"] = found.unspaced
        return scores

    def quality_bounds(self) -> Bounds:
        """Return what these rules allow."""
        return {
            "word_count": (self.min_words, self.max_words),
            "mean_word_length": (self.min_mean_word_length, self.max_mean_word_length),
            "symbol_ratio": (0, self.symbol_ratio),
            "bullet_lines": (0, self.bullet_lines),
            "ellipsis_lines": (0, self.ellipsis_lines),
            "alphabetic_words": (self.alphabetic_words, 1),
            "stop_words": (self.min_stop_words, inf),
        }


class GopherQuality(QualityRules, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keeps what looks like running text. The reason of a drop is ``gopher_`` and the name of the first rule broken.

    A text mostly in a script without spaces between words (Chinese, Japanese, Thai, ...) has its characters counted as words
    (the score ``unspaced`` is their share); mean word length and stop words say nothing about it, and have no score, unless
    ``stop_words`` lists some in such a script.
    """

    version: ClassVar[int] = 3
    family: ClassVar[str] = "gopher"
    decided_by: ClassVar[tuple[str, ...]] = QUALITY_DECIDED_BY

    #: Whether a punctuation mark or symbol is a word without a letter, as in datatrove and FineWeb, or, as the paper reads,
    #: no word. For ``alphabetic_words`` alone, and it weighs: of 1,476 gold texts of web pages 335 break that rule, or 21.
    symbols_as_words: bool = False
    stop_words: tuple[str, ...] = STOP_WORDS  #: a text in another language needs others

    def measure(self, document: Document) -> Scores:
        """Return the figures that the rules look at."""
        return self.quality(figures(document.text), self.symbols_as_words)

    def bounds(self) -> Bounds:
        """Return what the rules allow."""
        return self.quality_bounds()


class GopherRepetition(Rules, frozen=True, forbid_unknown_fields=True):
    """Keeps what does not repeat itself. The reason of a drop is ``gopher_`` and the name of the first rule broken.

    Every option is the highest share allowed; 1 switches its rule off. A text without a visible character is ``empty``.
    A text mostly in a script without spaces between words (the score ``unspaced`` is the share of their characters among the
    words) has its n-grams taken over twice as many characters.
    """

    version: ClassVar[int] = 3
    family: ClassVar[str] = "gopher"
    decided_by: ClassVar[tuple[str, ...]] = (
        "duplicate_paragraphs",
        "duplicate_paragraph_characters",
        "duplicate_lines",
        "duplicate_line_characters",
        *GRAM_RULES,
    )

    duplicate_paragraphs: Share = DUPLICATE_PARAGRAPHS
    duplicate_paragraph_characters: Share = DUPLICATE_PARAGRAPH_CHARACTERS
    duplicate_lines: Share = DUPLICATE_LINES
    duplicate_line_characters: Share = DUPLICATE_LINE_CHARACTERS
    top_2_gram: Share = TOP_2_GRAM
    top_3_gram: Share = TOP_3_GRAM
    top_4_gram: Share = TOP_4_GRAM
    duplicate_5_gram: Share = DUPLICATE_5_GRAM
    duplicate_6_gram: Share = DUPLICATE_6_GRAM
    duplicate_7_gram: Share = DUPLICATE_7_GRAM
    duplicate_8_gram: Share = DUPLICATE_8_GRAM
    duplicate_9_gram: Share = DUPLICATE_9_GRAM
    duplicate_10_gram: Share = DUPLICATE_10_GRAM

    def measure(self, document: Document) -> Scores:
        """Return the shares that the rules look at."""
        found = figures(document.text)
        return {**found.repetition, "unspaced": found.unspaced} if found.repetition else {}

    def bounds(self) -> Bounds:
        """Return what the rules allow."""
        return {rule: (0, getattr(self, rule)) for rule in self.decided_by}
