"""What to change in TeX at which pandoc stopped: the fault mended where it can be named, else its construct cut.

Papers on arXiv compile, so the fault is mostly a construct that pandoc cannot read: a macro with delimited arguments, a
figure drawn by programs, a conditional across groups.
"""

from __future__ import annotations

import re

from sources.extract.latex.macros import definitions, drop_definitions
from sources.extract.latex.normalise import balance_environments
from sources.extract.latex.scan import Stash, after_groups

_POSITION = re.compile(r"\(line (\d+), column (\d+)\)")
_LOOP = re.compile(r"Loop encountered in expanding macro \\?([A-Za-z@]+)")
_COMMAND = re.compile(r"\\(?:[A-Za-z@]+\*?|.)", re.DOTALL)
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_DOLLAR = re.compile(r"\\.|\$\$?", re.DOTALL)
_BLANK = re.compile(r"\n[ \t]*\n")
_BODY = "\\begin{document}"


def repair(tex: str, message: str, stash: Stash, seen: set[int]) -> str | None:
    """Return ``tex`` changed where pandoc's ``message`` points, or None when nothing is left to try.

    ``message`` speaks of the text with its verbatim pieces in place, ``tex`` has them in ``stash``. ``seen`` holds the
    lines that were cut before: a fault at the same line again cuts the paragraph.
    """
    if loop := _LOOP.search(message):
        changed = drop_definitions(tex, loop[1])
        return changed if changed != tex else None
    found = _POSITION.search(message)
    if "end of input" in message or "\\end{" in message:
        # an open group hides the end of an environment and the other way round, so both are mended at once
        for changed in (balance_environments(balance_groups(tex)), balance_dollars(tex)):
            if changed != tex:
                return changed
    if found is None:
        return None
    line, column = stash.line_before(tex, int(found[1])), int(found[2])
    changed = cut_paragraph(tex, line) if line in seen else cut_command(tex, line, column)
    seen.add(line)
    if changed == tex:
        changed = cut_paragraph(tex, line)
    return changed if changed != tex else None


def balance_groups(text: str) -> str:
    """Return ``text`` without the braces that close nothing or are never closed."""
    open_at: list[int] = []
    surplus: set[int] = set()
    for match in _BRACE.finditer(text):
        if match[0] == "{":
            open_at.append(match.start())
        elif match[0] == "}":
            if open_at:
                open_at.pop()
            else:
                surplus.add(match.start())
    surplus.update(open_at)
    return _without(text, surplus)


def balance_dollars(text: str) -> str:
    """Return ``text`` without the last ``$`` of each paragraph of the body that has an odd number of them."""
    start = max(text.find(_BODY), 0)
    surplus: set[int] = set()
    for paragraph_start, paragraph_end in _paragraphs(text, start):
        single = [m.start() for m in _DOLLAR.finditer(text, paragraph_start, paragraph_end) if m[0] == "$"]
        if len(single) % 2:
            surplus.add(single[-1])
    return _without(text, surplus)


def _without(text: str, positions: set[int]) -> str:
    out: list[str] = []
    last = 0
    for position in sorted(positions):
        out.append(text[last:position])
        last = position + 1
    return "".join([*out, text[last:]])


def _paragraphs(text: str, start: int) -> list[tuple[int, int]]:
    ends = [match.start() for match in _BLANK.finditer(text, start)]
    return list(zip([start, *ends], [*ends, len(text)], strict=True))


def _line_span(text: str, line: int) -> tuple[int, int] | None:
    """Return where line number ``line`` (from 1) begins and ends, None where there is none."""
    start = 0
    for _ in range(line - 1):
        start = text.find("\n", start) + 1
        if start == 0:
            return None
    end = text.find("\n", start)
    return start, len(text) if end < 0 else end


def cut_command(text: str, line: int, column: int) -> str:
    """Return ``text`` without the definition, or else the command with its arguments, at that place."""
    span = _line_span(text, line)
    if span is None:
        return text
    place = min(span[0] + column - 1, span[1])
    for item in definitions(text):
        if item.start <= place <= item.end:
            return text[: item.start] + text[item.end :]
        if item.start > place:
            break
    commands = [match for match in _COMMAND.finditer(text, span[0], span[1]) if match.start() <= place]
    if not commands:
        return text
    command = commands[-1]
    if command[0] in {"\\begin", "\\end"}:
        return text
    return text[: command.start()] + text[after_groups(text, command.end()) :]


def cut_paragraph(text: str, line: int) -> str:
    """Return ``text`` without the paragraph of the body that holds ``line``, its environments and groups balanced."""
    span = _line_span(text, line)
    if span is None:
        return text
    body = text.find(_BODY)
    floor = body + len(_BODY) if 0 <= body < span[0] else 0
    ceiling = text.find("\\end{document}", floor)
    ceiling = len(text) if ceiling < 0 or not floor else ceiling
    for start, end in _paragraphs(text, floor):
        if start <= span[0] <= end:
            before, after = text[:start], text[min(end, ceiling) :]
            return balance_groups(balance_environments(before + "\n" + after))
    return text
