"""Judges a document by its length in words and in characters.

A word is what ``filters.words`` counts: punctuation is none, and a Chinese character is one.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from filters.words import words
from pile.document import Document, Verdict

#: Below a sentence or two there is nothing to learn from; pile's own choice, kept low so that Gopher's 50 can follow.
MIN_WORDS = 20
MIN_CHARACTERS = 100
#: Above the longest novels; pile's own choice against files that are no documents.
MAX_WORDS = 1_000_000
MAX_CHARACTERS = 10_000_000

Count = Annotated[int, msgspec.Meta(ge=0)]


class Length(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keeps documents between the bounds, both included. Reasons: ``short``, ``long``."""

    version: ClassVar[int] = 2
    libraries: ClassVar[tuple[str, ...]] = ()

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

    def judge(self, document: Document) -> Verdict:
        """Decide by the text alone; scores are ``words`` and ``characters``."""
        characters = len(document.text)
        if characters > self.max_characters:  # not worth cutting up
            return Verdict(False, "long", {"characters": characters})
        count = words(document.text).word_count
        reason = ""
        if count < self.min_words or characters < self.min_characters:
            reason = "short"
        elif count > self.max_words:
            reason = "long"
        return Verdict(not reason, reason, {"words": count, "characters": characters})
