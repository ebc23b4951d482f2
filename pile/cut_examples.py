"""Examples of what was cut from texts that stay, and of benchmarks in documents: beside the document, an example of its own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import msgspec

from pile.cuts import REPEATED_TEXT, Cut, passages, without
from pile.cuts import STAGE as CUT
from pile.decontaminate import CONTAMINATED, Found, found_in
from pile.decontaminate import STAGE as DECONTAMINATE
from pile.document import Document
from pile.example import EXCERPT, Example
from pile.stage import Work

#: Between passages of one document.
BETWEEN = "\n[...]\n"


class CutExamples:
    """What was cut and found in a part's documents, which come by ascending row."""

    def __init__(self, work: Work, cuts: list[Cut]) -> None:
        self._cuts = [(cut.stage, dict(passages(work, cut))) for cut in cuts]
        self._found: dict[int, list[Found]] = {}
        for cut in cuts:
            if cut.stage == DECONTAMINATE:
                found = groupby(found_in(work, cut.key), key=lambda one: one.row)
                self._found = {row: list(mine) for row, mine in found}

    def rest(self, row: int, document: Document) -> Document:
        """Return a document without what was cut from it."""
        for _, cuts in self._cuts:
            if row in cuts:
                document = msgspec.structs.replace(document, text=without(document.text, cuts[row]))
        return document

    def of(self, row: int, document: Document) -> Iterator[Example]:
        """Yield an example of what other documents say, too, and one of the benchmarks in a document."""
        for stage, cuts in self._cuts:
            if stage == CUT and row in cuts:
                cut = [document.text[start:end].strip() for start, end in cuts[row]]
                share = f"{sum(map(len, cut)):,} of {len(document.text):,} characters are said by other documents, too"
                yield _example(document, CUT, REPEATED_TEXT, share, BETWEEN.join(cut))
        if row in self._found:
            said = [
                f"{one.benchmark} item {one.item + 1}, {one.grams} of its {one.of} rare grams: {one.text!r}"
                for one in self._found[row]
            ]
            yield _example(document, DECONTAMINATE, CONTAMINATED, "; ".join(said[:3]), document.text)


def _example(document: Document, stage: str, reason: str, detail: str, text: str) -> Example:
    return Example(
        document.source, stage, reason, document.id, document.url, detail, characters=len(text), text=text[:EXCERPT]
    )
