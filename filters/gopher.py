"""The rules for text quality and repetition of Gopher, with the paper's numbers as defaults.

Rae et al. 2021, appendix A1.1 and Table A1 (https://arxiv.org/abs/2112.11446). Where the paper leaves something open (what a
word is, how n-grams are counted) the rules decide as datatrove 0.10 does, so that results compare with FineWeb's.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from filters.statistics import all_lines, bullet_lines, duplicates, ellipsis_lines, gram_duplicates, with_letters
from filters.words import Words, occurring, words
from pile.document import Document, Verdict

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

#: What begins a bullet line (the paper says "a bullet point"; datatrove takes these two).
BULLETS = "•-"
#: Characters that make about a word in scripts without spaces: pile's own, after the mean length of Chinese words.
UNSPACED_WORD = 2
#: Sizes of n-grams, in words, that the rules of Table A1 look at.
_TOP_SIZES = range(2, 5)
_DUPLICATE_SIZES = range(5, 11)
#: Digits after the point that scores are rounded to before they are compared.
_DIGITS = 4

Count = Annotated[int, msgspec.Meta(ge=0)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Positive = Annotated[float, msgspec.Meta(ge=0)]


class GopherQuality(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keeps what looks like running text. The reason of a drop is ``gopher_`` and the name of the first rule broken.

    A text mostly in a script without spaces between words (Chinese, Japanese, Thai, ...) has its characters counted as words;
    mean word length and stop words say nothing about it, and are skipped.
    """

    version: ClassVar[int] = 2
    libraries: ClassVar[tuple[str, ...]] = ()

    min_words: Count = MIN_WORDS
    max_words: Count = MAX_WORDS
    min_mean_word_length: Positive = MIN_MEAN_WORD_LENGTH
    max_mean_word_length: Positive = MAX_MEAN_WORD_LENGTH
    symbol_ratio: Positive = SYMBOL_RATIO
    bullet_lines: Share = BULLET_LINES
    ellipsis_lines: Share = ELLIPSIS_LINES
    alphabetic_words: Share = ALPHABETIC_WORDS
    #: Whether a punctuation mark or symbol is a word without a letter, as in datatrove and FineWeb, or, as the paper reads,
    #: no word. For ``alphabetic_words`` alone, and it weighs: of 1,476 gold texts of web pages 335 break that rule, or 21.
    symbols_as_words: bool = False
    min_stop_words: Count = MIN_STOP_WORDS  #: 0 switches the rule off, as a text in another language needs
    stop_words: tuple[str, ...] = STOP_WORDS

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for options that nothing can meet."""
        if self.min_words > self.max_words:
            raise ValueError(
                f"min_words = {self.min_words} is above max_words = {self.max_words}: nothing would be kept"
            )
        if self.min_mean_word_length > self.max_mean_word_length:
            raise ValueError(
                f"min_mean_word_length = {self.min_mean_word_length} is above max_mean_word_length = "
                f"{self.max_mean_word_length}: nothing would be kept"
            )
        if self.min_stop_words > len(set(self.stop_words)):
            raise ValueError(f"min_stop_words = {self.min_stop_words}, but stop_words has {len(set(self.stop_words))}")

    def judge(self, document: Document) -> Verdict:
        """Decide by the text alone; the scores are the figures that the rules look at, whichever decided."""
        cut = words(document.text)
        scores = self._measure(document.text, cut)
        broken = {
            "word_count": not self.min_words <= scores["word_count"] <= self.max_words,
            "mean_word_length": not cut.mostly_unspaced
            and not self.min_mean_word_length <= scores["mean_word_length"] <= self.max_mean_word_length,
            "symbol_ratio": scores["symbol_ratio"] > self.symbol_ratio,
            "bullet_lines": scores["bullet_lines"] > self.bullet_lines,
            "ellipsis_lines": scores["ellipsis_lines"] > self.ellipsis_lines,
            "alphabetic_words": scores["alphabetic_words"] < self.alphabetic_words,
            "stop_words": not cut.mostly_unspaced and scores["stop_words"] < self.min_stop_words,
        }
        return _verdict(broken, scores)

    def _measure(self, text: str, cut: Words) -> dict[str, float]:
        lengths = (cut.ends - cut.starts)[~cut.symbol]
        everything = len(cut.starts)
        lines = all_lines(cut)
        symbols = max(text.count("#"), text.count("...") + text.count("…"))
        return {
            "word_count": len(lengths),
            "mean_word_length": _ratio(int(lengths.sum()), len(lengths)),
            "symbol_ratio": _ratio(symbols, everything),
            "bullet_lines": _ratio(bullet_lines(cut, BULLETS), lines),
            "ellipsis_lines": _ratio(ellipsis_lines(cut), lines),
            "alphabetic_words": _ratio(with_letters(cut), everything if self.symbols_as_words else len(lengths)),
            "stop_words": occurring(cut, self.stop_words),
        }


class GopherRepetition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keeps what does not repeat itself. The reason of a drop is ``gopher_`` and the name of the first rule broken.

    Every option is the highest share allowed; 1 switches its rule off. A text without a visible character is ``empty``.
    A text mostly in a script without spaces between words has its n-grams taken over twice as many characters.
    """

    version: ClassVar[int] = 2
    libraries: ClassVar[tuple[str, ...]] = ()

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

    def judge(self, document: Document) -> Verdict:
        """Decide by the text alone; the scores are the figures that the rules look at, whichever decided."""
        cut = words(document.text)
        if not len(cut.starts):
            return Verdict(False, "empty")
        scores = _repetition(cut)
        return _verdict({rule: score > getattr(self, rule) for rule, score in scores.items()}, scores)


def _repetition(cut: Words) -> dict[str, float]:
    """Return the shares, in the order in which they decide, each named as its option."""
    characters = len(cut.codes)
    paragraphs = cut.paragraph_ends - cut.paragraph_starts
    same_paragraphs, paragraph_characters = duplicates(cut.paragraph_hashes, paragraphs)
    lines = cut.line_ends - cut.line_starts
    same_lines, line_characters = duplicates(cut.line_hashes, lines)
    # A newline at either end of the text has an empty line beyond it, as datatrove splits; elsewhere empty lines count not.
    empty = int(cut.line_starts[0] > 0) + int(cut.line_ends[-1] < characters)
    scores = {
        "duplicate_paragraphs": _ratio(same_paragraphs, len(paragraphs)),
        "duplicate_paragraph_characters": _ratio(paragraph_characters, characters),
        "duplicate_lines": _ratio(same_lines + int(empty == 2), len(lines) + empty),
        "duplicate_line_characters": _ratio(line_characters, characters),
    }
    word = UNSPACED_WORD if cut.mostly_unspaced else 1
    grams = gram_duplicates(cut, tuple(n * word for n in _TOP_SIZES), tuple(n * word for n in _DUPLICATE_SIZES))
    for size, covered in grams.top.items():
        scores[f"top_{size // word}_gram"] = min(
            _ratio(covered, characters), 1.0
        )  # overlapping ones can cover more than all
    for size, covered in grams.duplicate.items():
        scores[f"duplicate_{size // word}_gram"] = _ratio(covered, characters)
    return scores


def _ratio(part: int, whole: int) -> float:
    return round(part / whole, _DIGITS) if whole else 0.0


def _verdict(broken: dict[str, bool], scores: dict[str, float]) -> Verdict:
    for rule, is_broken in broken.items():
        if is_broken:
            return Verdict(False, f"gopher_{rule}", {**scores})
    return Verdict(True, "", {**scores})
