"""The lines and paragraphs of a text as strings, and what rules count of them.

A document of five thousand characters has some seventy lines: too few for arrays to pay.
"""

from __future__ import annotations


def filled_lines(text: str) -> list[str]:
    """Return what stands between newlines, but for what is empty."""
    return [line for line in text.split("\n") if line]


def paragraphs(text: str) -> list[str]:
    """Return the paragraphs, apart by an empty line."""
    stripped = text.strip()
    if "\n\n" not in stripped:
        return [stripped]
    return [paragraph for piece in stripped.split("\n\n") if (paragraph := piece.lstrip("\n"))]


def duplicates(pieces: list[str]) -> tuple[int, int]:
    """Return how many pieces repeat an earlier one, and how many characters they have together."""
    if len(set(pieces)) == len(pieces):
        return 0, 0
    seen: set[str] = set()
    characters = 0
    for piece in pieces:
        if piece in seen:
            characters += len(piece)
        else:
            seen.add(piece)
    return len(pieces) - len(seen), characters
