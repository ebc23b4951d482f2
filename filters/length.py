"""Judges a document by its length in words and in characters.

A word is what ``filters.words`` counts: punctuation is none, and a Chinese character is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from filters.figures import figures
from filters.rules import Count
from pile.document import Document, Verdict

#: Below a sentence or two there is nothing to learn from; pile's own choice, kept low so that Gopher's 50 can follow.
MIN_WORDS = 20
MIN_CHARACTERS = 100
#: Above the longest novels; pile's own choice against files that are no documents.
MAX_WORDS = 1_000_000
MAX_CHARACTERS = 10_000_000


class Length(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keeps documents between the bounds, both included. Reasons: ``short``, ``long``."""

    version: ClassVar[int] = 2
    libraries: ClassVar[tuple[str, ...]] = ()
    decided_by: ClassVar[tuple[str, ...]] = ("min_words", "max_words", "min_characters")

    min_words: Count = MIN_WORDS
    max_words: Count = MAX_WORDS
    min_characters: Count = MIN_CHARACTERS
    max_characters: Count = MAX_CHARACTERS

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for bounds that nothing can meet."""
        for unit, low, high in (
            ("words", self.min_words, self.max_words),
            ("characters", self.min_characters, self.max_characters),
        ):
            if low > high:
                raise ValueError(f"min_{unit} = {low} is above max_{unit} = {high}: no document would be kept")

    def measure(self, document: Document) -> dict[str, float | str]:
        """Return ``words`` and ``characters``; no ``words`` above ``max_characters``, where they are not worth counting."""
        characters = len(document.text)
        if characters > self.max_characters:
            return {"characters": characters}
        return {"words": figures(document.text).cut.word_count, "characters": characters}

    def decide(self, scores: Mapping[str, float | str]) -> Verdict:
        """Return the verdict on what has these scores."""
        words, characters = float(scores.get("words", self.min_words)), float(scores["characters"])
        reason = ""
        if words < self.min_words or characters < self.min_characters:
            reason = "short"
        elif words > self.max_words or characters > self.max_characters:
            reason = "long"
        return Verdict(not reason, reason, dict(scores))

    def judge(self, document: Document) -> Verdict:
        """Decide by the text alone."""
        return self.decide(self.measure(document))
