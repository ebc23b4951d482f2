"""LaTeX to text: pandoc first, mended source where pandoc stops on one construct, pylatexenc where nothing mends it.

Maths stays TeX between dollars; preamble, labels, citations, references, drawings and tables go.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

import msgspec

from sources.extract.latex import pandoc
from sources.extract.latex.citations import Bibliography
from sources.extract.latex.equations import OTHER_NUMBERS
from sources.extract.latex.flatten import Flat
from sources.extract.latex.normalise import normalise, unwrap
from sources.extract.latex.plain import plain_text
from sources.extract.latex.repair import repair
from sources.extract.latex.scan import Stash
from sources.extract.latex.skipped import text_commands
from sources.extract.latex.tree_text import text_of

#: How often pandoc is asked about one paper until it reads it.
MAX_TRIES = 9


class LatexText(NamedTuple):
    """A paper as text."""

    title: str
    text: str  #: title, abstract and body; "" where the source has none
    converter: str  #: "pandoc", "pandoc-repaired" or "pylatexenc"


class UnparsableError(ValueError):
    """No converter reads this source."""


def to_text(
    flat: Flat, bibliography: Bibliography, *, program: Path | None = None, seconds: float = pandoc.SECONDS
) -> LatexText:
    """Return title and text of a flattened LaTeX source.

    ``bibliography`` has the names of cited works. ``seconds`` bounds all runs of pandoc together; past it
    ``RecordHungError`` is raised. Raises ``UnparsableError`` where pandoc stops and the fall-back does too.
    """
    deadline = time.monotonic() + seconds
    tex = normalise(flat.text)
    try:
        conversion, mended, tries = _convert(tex, flat.stash, deadline, program)
        conversion = _with_skipped_text(conversion, mended, flat.stash, deadline, program)
        numbered = OTHER_NUMBERS.search(tex) is None
        title, text = text_of(conversion.tree, bibliography, numbered=numbered)
    except (pandoc.PandocError, msgspec.DecodeError, RecursionError) as error:
        title, text = _fall_back(flat.stash.restore(tex), str(error))
        return LatexText(title, text, "pylatexenc")
    return LatexText(title, text, "pandoc" if tries == 1 else "pandoc-repaired")


def _convert(tex: str, stash: Stash, deadline: float, program: Path | None) -> tuple[pandoc.Conversion, str, int]:
    """Return what pandoc made, of which source, at which try; raises ``PandocError`` after the last."""
    seen: set[int] = set()
    for number in range(1, MAX_TRIES + 1):
        try:
            return pandoc.tree(stash.restore(tex), deadline, program=program), tex, number
        except pandoc.PandocError as error:
            mendable = error.status in (pandoc.EXIT_PARSE_ERROR, pandoc.EXIT_MACRO_LOOP) and number < MAX_TRIES
            changed = repair(tex, error.message, stash, seen) if mendable else None
            if changed is None:
                raise
            tex = changed
    raise AssertionError("the last try returns or raises")


def _with_skipped_text(
    conversion: pandoc.Conversion, tex: str, stash: Stash, deadline: float, program: Path | None
) -> pandoc.Conversion:
    """Ask once more where pandoc skipped commands with prose in them, the commands unwrapped."""
    names = text_commands(conversion.messages)
    if not names:
        return conversion
    try:
        second = pandoc.tree(stash.restore(unwrap(tex, names)), deadline, program=program)
    except pandoc.PandocError:
        return conversion
    return second if len(second.tree) > len(conversion.tree) else conversion


def _fall_back(tex: str, cause: str) -> tuple[str, str]:
    try:
        return plain_text(tex)
    except (ValueError, RecursionError) as error:
        detail = f"{cause}; pylatexenc: {error or type(error).__name__}"
        raise UnparsableError(" ".join(detail.split())) from error
