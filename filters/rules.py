"""What the families of rules have in common: a score for each rule, and bounds that decide by it.

A rule that says nothing about a text (stop words of English in a Chinese page) has no score there, and drops nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

import msgspec

from filters.figures import take_ahead
from pile.document import Document, Verdict

Count = Annotated[int, msgspec.Meta(ge=0)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Positive = Annotated[float, msgspec.Meta(ge=0)]
Scores = dict[str, float | str]
#: The lowest and the highest score of what is kept, by the rule's name; in the order in which rules decide.
Bounds = dict[str, tuple[float, float]]


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A family of rules. The reason of a drop is the family's name and that of the first rule broken."""

    family: ClassVar[str]
    libraries: ClassVar[tuple[str, ...]] = ()

    def measure(self, document: Document) -> Scores:
        """Return the score of each rule that says something about the text; none where nothing is visible."""
        raise NotImplementedError

    def bounds(self) -> Bounds:
        """Return what the rules allow."""
        raise NotImplementedError

    def decide(self, scores: Mapping[str, float | str]) -> Verdict:
        """Return the verdict on what has these scores; without any it is ``empty``."""
        if not scores:
            return Verdict(False, "empty")
        for rule, (low, high) in self.bounds().items():
            score = scores.get(rule)
            if isinstance(score, (int, float)) and not low <= score <= high:
                return Verdict(False, f"{self.family}_{rule}", dict(scores))
        return Verdict(True, "", dict(scores))

    def expect(self, documents: Sequence[Document]) -> None:
        """Take what rules look at of some documents together, which is quicker; one call does for all families."""
        take_ahead([document.text for document in documents])

    def judge(self, document: Document) -> Verdict:
        """Decide by the text alone."""
        return self.decide(self.measure(document))
