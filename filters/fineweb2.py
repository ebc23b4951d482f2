"""The rules of FineWeb-2: those of Gopher and FineWeb with numbers and stop words of one language.

Penedo et al. 2025 (https://arxiv.org/abs/2506.20920) and https://github.com/huggingface/fineweb-2, whose ``configs/`` has a file
of numbers and stop words for each of its languages. They are not repeated here: write those of yours into the recipe.
"""

from __future__ import annotations

from typing import ClassVar

from filters import fineweb, gopher
from filters.figures import figures
from filters.rules import Bounds, Positive, Scores, Share
from pile.document import Document

#: FineWeb-2 allows ten times as many characters in repeated lines as FineWeb, in every language.
DUPLICATE_CHARACTERS = 0.1
#: What is left of Gopher's rules on repetition: none on paragraphs, since trafilatura leaves none, nor on characters of lines.
REPETITION = ("duplicate_lines", *gopher.GRAM_RULES)


class FineWeb2(gopher.QualityRules, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keeps running text in a language. The reason of a drop is ``fineweb2_`` and the name of the first rule broken.

    ``stop_words`` are frequent words of the language, letter case as they stand in texts; there is no list that suits all. The
    other defaults are those that FineWeb-2 has for every language, else Gopher's and FineWeb's for English. In its files
    ``duplicate_lines`` is called ``dup_line_frac``, ``top_2_gram`` and its like ``top_n_grams``, ``duplicate_5_gram`` and its
    like ``dup_n_grams``, ``line_punctuation`` ``line_punct_thr``, ``newlines`` ``new_line_ratio``, ``min_mean_word_length`` and
    ``max_mean_word_length`` ``..._avg_word_length``, and ``alphabetic_words`` ``max_non_alpha_words_ratio``.

    Words are those of ``filters.words`` in every language, where FineWeb-2 has a tokenizer for each. Of a text mostly in a script
    without spaces between words, characters are counted as words, n-grams are twice as long, and mean word length has no score.
    """

    version: ClassVar[int] = 1
    family: ClassVar[str] = "fineweb2"
    decided_by: ClassVar[tuple[str, ...]] = (
        *REPETITION,
        "line_punctuation",
        "duplicate_characters",
        "newlines",
        *gopher.QUALITY_DECIDED_BY,
    )

    duplicate_lines: Share = gopher.DUPLICATE_LINES
    top_2_gram: Share = gopher.TOP_2_GRAM
    top_3_gram: Share = gopher.TOP_3_GRAM
    top_4_gram: Share = gopher.TOP_4_GRAM
    duplicate_5_gram: Share = gopher.DUPLICATE_5_GRAM
    duplicate_6_gram: Share = gopher.DUPLICATE_6_GRAM
    duplicate_7_gram: Share = gopher.DUPLICATE_7_GRAM
    duplicate_8_gram: Share = gopher.DUPLICATE_8_GRAM
    duplicate_9_gram: Share = gopher.DUPLICATE_9_GRAM
    duplicate_10_gram: Share = gopher.DUPLICATE_10_GRAM
    line_punctuation: Share = fineweb.LINE_PUNCTUATION
    duplicate_characters: Share = DUPLICATE_CHARACTERS
    newlines: Positive = fineweb.NEWLINES

    def measure(self, document: Document) -> Scores:
        """Return the figures that the rules look at."""
        found = figures(document.text)
        if not found.repetition:
            return {}
        scores: Scores = {rule: found.repetition[rule] for rule in REPETITION}
        scores.update(fineweb.line_shares(found))
        scores.update(self.quality(found, symbols_as_words=True))  # as FineWeb-2's numbers have it
        return scores

    def bounds(self) -> Bounds:
        """Return what the rules allow, in FineWeb-2's order: repetition, lines, quality."""
        return {
            **{rule: (0, getattr(self, rule)) for rule in REPETITION},
            "line_punctuation": (self.line_punctuation, 1),
            "duplicate_characters": (0, self.duplicate_characters),
            "newlines": (0, self.newlines),
            **self.quality_bounds(),
        }
