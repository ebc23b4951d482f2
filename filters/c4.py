"""The rules of C4: lines that are no sentences do not count, and what is left must hold some.

Raffel et al. 2020, section 2.2 (https://jmlr.org/papers/v21/20-074.html). What the paper leaves open (in which order, what a
citation is, which policies, words of a thousand characters) is as in its published code and in datatrove 0.10. The rule on bad
words is left out, as there.
"""

from __future__ import annotations

import re
from math import inf
from typing import ClassVar

import msgspec
import numpy as np

from filters.figures import UNSPACED_WORD, Figures, figures, share
from filters.rules import Bounds, Count, Rules, Scores
from filters.terminals import TERMINAL_CHARACTERS
from filters.words import words
from pile.document import Document

MIN_SENTENCES = 5  #: sentences in the lines that count, at least
MIN_LINE_WORDS = 3  #: words of a line that counts, at least: what white space parts
MAX_WORD_LENGTH = 1000  #: characters of a word in a line that counts, at most
#: What a line that counts ends in; an ellipsis is none.
LINE_ENDS: tuple[str, ...] = (".", "?", "!", '"', "'")
#: The same for a text mostly in a script without spaces, where C4 says nothing: a sentence's end, or what closes behind it.
UNSPACED_LINE_ENDS = (*sorted(TERMINAL_CHARACTERS), '"', "'", "”", "’", "」", "』", "）", ")")
ELLIPSIS = "..."
#: Lines with one of these do not count, whatever the case of their letters.
SCRIPT = b"javascript"
POLICIES = (b"terms of use", b"privacy policy", b"cookie policy", b"uses cookies", b"use of cookies", b"use cookies")
#: A text with one of these in a line that would count is no text.
PLACEHOLDER = b"lorem ipsum"
CURLY_BRACKET = "{"
#: Wikipedia's marks: [1], [], [edit], [citation needed].
_CITATION = re.compile(r"\[(?:\d*|edit|citation needed)\]")


class C4(Rules, frozen=True, forbid_unknown_fields=True):
    """Keeps what has some sentences in lines that count. The reason of a drop is ``c4_`` and the name of the rule broken.

    Lines count that end as sentences do, have a few words, none of them endless, do not mention JavaScript and are no notice of
    a policy; ``citations`` are taken out first. C4 deletes all other lines. This filter decides by what would stay, and leaves
    the text alone, unless ``remove_lines`` says that it is to be rewritten as C4 does. As in C4's code, a curly bracket or
    "lorem ipsum" drops the document only from a line that ends as a sentence does and has its words; its paper says any.

    Letter case is looked through in A to Z. A sentence ends as ``filters.words`` has it. In a text mostly in a script without
    spaces between words, two characters make a word, words have no greatest length, and lines may end in the marks of those
    scripts; in one mostly in Thai or Lao, where no mark ends a sentence, lines need none and ``sentences`` has no score.
    """

    version: ClassVar[int] = 1
    family: ClassVar[str] = "c4"
    decided_by: ClassVar[tuple[str, ...]] = ("min_sentences", "lorem_ipsum", "curly_bracket")

    min_sentences: Count = MIN_SENTENCES  #: 0 switches the rule off
    lorem_ipsum: bool = True
    curly_bracket: bool = True
    line_punctuation: bool = True
    min_line_words: Count = MIN_LINE_WORDS
    max_word_length: Count = MAX_WORD_LENGTH  #: 0 switches the rule off
    javascript: bool = True
    policies: bool = True
    citations: bool = True
    remove_lines: bool = False

    def measure(self, document: Document) -> Scores:
        """Return the share of the lines that count, their sentences, and how many lines hold what no text holds."""
        found = figures(document.text)
        if not len(found.cut.starts):
            return {}
        kept = self._counting(found)
        scores: Scores = {
            "lorem_ipsum": kept.placeholders,
            "curly_bracket": kept.brackets,
            "kept_lines": share(len(kept.lines), len(found.stripped_lines)),
            "unspaced": found.unspaced,
        }
        if found.marks_sentences:
            scores["sentences"] = _sentences(found, kept.lines)
        return scores

    def bounds(self) -> Bounds:
        """Return what the rules allow."""
        return {
            "lorem_ipsum": (0, 0 if self.lorem_ipsum else inf),
            "curly_bracket": (0, 0 if self.curly_bracket else inf),
            "sentences": (self.min_sentences, inf),
        }

    def rewrite(self, document: Document) -> Document:
        """Return the document with the lines that count, without citations; the same one where nothing is to go."""
        if not self.remove_lines:
            return document
        text = "\n".join(self._counting(figures(document.text)).lines.values()).strip()
        return document if text == document.text else msgspec.structs.replace(document, text=text)

    def _counting(self, found: Figures) -> _Counting:
        text, lines = found.text, found.stripped_lines
        cited = self.citations and "[" in text and _CITATION.search(text) is not None
        cleaned = [_CITATION.sub("", line) for line in lines] if cited else lines
        kept = _Counting(dict(enumerate(cleaned)))
        if self.line_punctuation and found.marks_sentences:
            ends = UNSPACED_LINE_ENDS if found.mostly_unspaced else LINE_ENDS
            kept.lines = {
                number: line
                for number, line in kept.lines.items()
                if line.endswith(ends) and not line.endswith(ELLIPSIS)
            }
        # Words are those of the line with its citations.
        kept.lines = {number: line for number, line in kept.lines.items() if self._has_words(lines[number], found)}
        if cited or CURLY_BRACKET in text or _mentions(_lowered(text)):
            kept.lines = {number: line for number, line in kept.lines.items() if not self._is_none(line, kept)}
        return kept

    def _has_words(self, line: str, found: Figures) -> bool:
        """Tell whether a line has enough words, and none of them is endless."""
        if found.mostly_unspaced:
            return len(line) >= self.min_line_words * UNSPACED_WORD
        if (
            self.max_word_length
            and len(line) > self.max_word_length
            and max(map(len, line.split())) > self.max_word_length
        ):
            return False
        return len(line.split(None, self.min_line_words)) >= self.min_line_words

    def _is_none(self, line: str, kept: _Counting) -> bool:
        """Count what no text holds, and tell whether a line mentions JavaScript or a policy."""
        lowered = _lowered(line)
        kept.placeholders += PLACEHOLDER in lowered
        if self.javascript and SCRIPT in lowered:
            return True
        kept.brackets += CURLY_BRACKET in line
        return self.policies and any(policy in lowered for policy in POLICIES)


class _Counting:
    """The lines that count, by their number, and how many lines hold what no text holds."""

    def __init__(self, lines: dict[int, str]) -> None:
        self.lines = lines
        self.placeholders = 0
        self.brackets = 0


def _lowered(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass").lower()


def _mentions(lowered: bytes) -> bool:
    return any(word in lowered for word in (SCRIPT, PLACEHOLDER, *POLICIES))


def _sentences(found: Figures, lines: dict[int, str]) -> int:
    """Return the sentences in some of the lines, which are as in the text but for those that have had something taken out."""
    original, cut = found.stripped_lines, found.cut
    whole = [number for number, line in lines.items() if line is original[number] and line]
    changed = [line for number, line in lines.items() if line is not original[number] and line.strip()]
    flags = np.zeros(len(original) + 1, bool)
    flags[whole] = True
    begins = found.line_ends.searchsorted(cut.sentence_begins, "right")
    inside = (found.line_ends.searchsorted(cut.sentence_ends, "right") == begins) & flags.take(begins)
    return len(whole) + int(np.count_nonzero(inside)) + sum(1 + len(words(line).sentence_ends) for line in changed)
