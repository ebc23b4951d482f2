"""The rules of FineWeb on the lines of a text, with the paper's numbers as defaults, decided as datatrove 0.10 decides.

Penedo et al. 2024, section 3.6 (https://arxiv.org/abs/2406.17557): three shares of lines that tell a good crawl from a bad one,
and the ratio of newlines to words, which datatrove adds.
"""

from __future__ import annotations

from typing import ClassVar

from filters.figures import Figures, figures, share
from filters.lines import duplicates
from filters.rules import Bounds, Count, Positive, Rules, Scores, Share
from filters.terminals import TERMINAL_CHARACTERS
from pile.document import Document

LINE_PUNCTUATION = 0.12  #: share of lines that end in a character that ends a sentence, at least
SHORT_LINES = 0.67  #: share of lines of few characters, at most
SHORT_LINE = 30  #: characters that a short line has at most
DUPLICATE_CHARACTERS = 0.01  #: share of the characters in lines that repeat an earlier one, at most
NEWLINES = 0.3  #: newlines per word, punctuation marks counted as words, at most (datatrove's ``new_line_ratio``)


class FineWeb(Rules, frozen=True, forbid_unknown_fields=True):
    """Keeps what is written in lines that end as sentences do. The reason of a drop is ``fineweb_`` and the rule's name.

    Lines are what stands between newlines, without those of white space; one that ends in a space ends in no punctuation. A
    text without any is ``empty``. ``line_punctuation = 0``, ``short_lines = 1``, ``duplicate_characters = 1`` and a large
    ``newlines`` switch the rules off.

    In a text mostly in a script without spaces between words ``short_lines`` has no score (FineWeb-2 left the rule out for all
    languages but English), and in one mostly in Thai or Lao, where no mark ends a sentence, neither has ``line_punctuation``.
    """

    version: ClassVar[int] = 1
    family: ClassVar[str] = "fineweb"
    decided_by: ClassVar[tuple[str, ...]] = ("line_punctuation", "short_lines", "duplicate_characters", "newlines")

    line_punctuation: Share = LINE_PUNCTUATION
    short_lines: Share = SHORT_LINES
    short_line: Count = SHORT_LINE
    duplicate_characters: Share = DUPLICATE_CHARACTERS
    newlines: Positive = NEWLINES

    def measure(self, document: Document) -> Scores:
        """Return the shares that the rules look at."""
        found = figures(document.text)
        scores: Scores = {**line_shares(found)}
        if scores and not found.mostly_unspaced:
            lines = found.visible_lines
            scores["short_lines"] = share(sum([len(line) <= self.short_line for line in lines]), len(lines))
        return scores

    def bounds(self) -> Bounds:
        """Return what the rules allow."""
        return {
            "line_punctuation": (self.line_punctuation, 1),
            "short_lines": (0, self.short_lines),
            "duplicate_characters": (0, self.duplicate_characters),
            "newlines": (0, self.newlines),
        }


def line_shares(found: Figures) -> dict[str, float]:
    """Return the scores that FineWeb and FineWeb-2 share, and ``unspaced``; none without a visible character."""
    lines, text = found.visible_lines, found.text
    if not lines:
        return {}
    newlines = text.count("\n")
    scores = {
        "duplicate_characters": share(duplicates(lines)[1], len(text) - newlines),
        "newlines": share(newlines, found.words_as_spaced),
        "unspaced": found.unspaced,
    }
    if found.marks_sentences:
        scores["line_punctuation"] = share(sum([line[-1] in TERMINAL_CHARACTERS for line in lines]), len(lines))
    return scores
