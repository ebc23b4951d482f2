"""The tree that trafilatura extracts (a small TEI: https://trafilatura.readthedocs.io/) to plain text.

Blocks are a blank line apart; headings, list items and table rows have lines of their own; code stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

#: Elements that are paragraphs by themselves, apart from what surrounds them.
BLOCKS = frozenset(["p", "head", "quote", "ab", "div", "table", "list", "fw", "figure", "row", "cell"])
SPACE = re.compile(r"\s+")
#: What separates the cells of a row.
CELL_BREAK = " | "
#: Longest cell of a table of data, in characters. What is longer, or has blocks in it, is a layout: its cells are paragraphs.
CELL_BOUND = 400
CELL_BLOCKS = ("head", "list", "table", "quote")
#: Spaces by which a list in a list is moved in.
INDENT = "  "


def render(body: Any) -> str:
    """Return the text of an extracted ``<body>``. The tree is no deeper than the parser allows (256), so recursion is safe."""
    writer = _Writer()
    _element(body, writer)
    writer.end_block()
    return "\n\n".join(block for block in writer.blocks if block)


class _Writer:
    """Blocks that are done, and the pieces of the one that is being written."""

    def __init__(self) -> None:
        self.blocks: list[str] = []
        self._pieces: list[str] = []

    def inline(self, text: str | None) -> None:
        if text:
            self._pieces.append(SPACE.sub(" ", text))

    def line_break(self) -> None:
        self._pieces.append("\n")

    def verbatim(self, text: str) -> None:
        self.end_block()
        self.blocks.append(text.strip("\n").rstrip())

    def end_block(self) -> None:
        if self._pieces:
            lines = (SPACE.sub(" ", line).strip() for line in "".join(self._pieces).split("\n"))
            self._pieces = []
            self.blocks.append("\n".join(line for line in lines if line))


def _element(element: Any, writer: _Writer) -> None:
    tag = element.tag
    if tag == "lb":
        writer.line_break()
    elif tag == "code" and "\n" in "".join(element.itertext()).strip():
        writer.verbatim("".join(element.itertext()))
    elif tag == "list":
        writer.end_block()
        writer.blocks.append("\n".join(_items(element, "")))
    elif tag == "table" and not _is_layout(element):
        writer.end_block()
        writer.blocks.append("\n".join(_rows(element)))
    elif tag in BLOCKS:
        writer.end_block()
        _children(element, writer)
        writer.end_block()
    else:
        _children(element, writer)
    # A tail of the body is none of its text.
    if element.getparent() is not None:
        writer.inline(element.tail)


def _children(element: Any, writer: _Writer) -> None:
    writer.inline(element.text)
    for child in element:
        _element(child, writer)


def _items(element: Any, indent: str) -> list[str]:
    """Return the lines of a list, each item with a dash, the lists in it moved in."""
    lines: list[str] = []
    for item in element:
        inner = _Writer()
        inner.inline(item.text)
        nested: list[str] = []
        for child in item:
            if child.tag == "list":
                nested += _items(child, indent + INDENT)
                inner.inline(child.tail)
            else:
                _element(child, inner)
        inner.end_block()
        own = [line for block in inner.blocks for line in block.split("\n") if line]
        if own:
            lines.append(f"{indent}- {own[0]}")
            lines += [f"{indent}{INDENT}{line}" for line in own[1:]]
        lines += nested
    return lines


def _rows(table: Any) -> list[str]:
    rows = []
    for row in table.iter("row"):
        cells = [SPACE.sub(" ", "".join(_cell_text(cell))).strip() for cell in row.iterchildren("cell")]
        if any(cells):
            rows.append(CELL_BREAK.join(cells).strip(CELL_BREAK))
    return rows


def _is_layout(table: Any) -> bool:
    """Return whether a table only places parts of the page."""
    if any(next(cell.iter(*CELL_BLOCKS), None) is not None for cell in table.iter("cell")):
        return True
    return any(sum(map(len, cell.itertext())) > CELL_BOUND for cell in table.iter("cell"))


def _cell_text(element: Any) -> Iterator[str]:
    """Yield the pieces of a cell's text, with a space where a block or a line begins or ends in it."""
    yield element.text or ""
    for child in element:
        gap = " " if child.tag in BLOCKS or child.tag in ("item", "lb") else ""
        yield gap
        yield from _cell_text(child)
        yield gap
        yield child.tail or ""
