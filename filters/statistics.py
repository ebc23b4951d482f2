"""What rules look at in a text that has been cut into words: shares of lines, duplicates and repeated n-grams.

Every figure takes time in proportion to the text, or n log n for the sorting of hashes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from filters.words import LETTER, Words
from pile.text import Flags, Hashes, Positions

_NEWLINE = ord("\n")
_RETURN = ord("\r")
#: Joins the hashes of words to that of an n-gram (odd, so that no word's bits are lost).
_JOIN = np.uint64(0xD6E8FEB86659FD93)


def with_letters(cut: Words) -> int:
    """Return how many words have a letter in them."""
    if not len(cut.starts):
        return 0
    return int(np.count_nonzero(np.bitwise_or.reduceat(cut.classes, cut.starts) & np.uint8(LETTER)))


def bullet_lines(cut: Words, bullets: str) -> int:
    """Return how many lines have one of the characters ``bullets`` as their first that is no white space."""
    first = cut.codes[cut.starts]
    found = first == ord(bullets[0])
    for bullet in bullets[1:]:
        found |= first == ord(bullet)
    marked = np.flatnonzero(found)
    before = np.where(marked > 0, cut.ends[marked - 1], -1)
    return int(np.count_nonzero((before < 0) | _has_break(cut, before, cut.starts[marked])))


def ellipsis_lines(cut: Words) -> int:
    """Return how many lines have an ellipsis ("…" or "...") as their last that is no white space."""
    last = cut.ends - 1
    found = cut.codes[last] == ord("…")
    dots = np.flatnonzero((cut.codes[last] == ord(".")) & (last >= 2))
    found[dots] = (cut.codes[last[dots] - 1] == ord(".")) & (cut.codes[last[dots] - 2] == ord("."))
    marked = np.flatnonzero(found)
    after = np.append(cut.starts, -1)[marked + 1]
    return int(np.count_nonzero((after < 0) | _has_break(cut, cut.ends[marked], after)))


def all_lines(cut: Words) -> int:
    """Return the number of lines as ``str.splitlines`` counts them, empty ones included."""
    breaks = cut.breaks
    here = cut.codes[breaks]
    pairs = (here[:-1] == _RETURN) & (here[1:] == _NEWLINE) & (breaks[1:] == breaks[:-1] + 1)
    last_is_open = len(cut.codes) > 0 and (not len(breaks) or int(breaks[-1]) < len(cut.codes) - 1)
    return len(breaks) - int(np.count_nonzero(pairs)) + int(last_is_open)


def duplicates(hashes: Hashes, lengths: Positions) -> tuple[int, int]:
    """Return how many elements repeat an earlier one, and how many characters they have together."""
    order = hashes.argsort()
    ordered = hashes[order]
    again = ordered[1:] == ordered[:-1]
    return int(np.count_nonzero(again)), int(lengths[order][1:][again].sum())


class Grams(NamedTuple):
    """What n-grams cover, in characters, by their size in words."""

    #: Times the most frequent n-gram (the first of equals) occurs, times its length with spaces between its words.
    top: dict[int, int]
    #: Length, without spaces, of the n-grams that occurred before, going from left to right and skipping over each.
    duplicate: dict[int, int]


def gram_duplicates(cut: Words, top: tuple[int, ...], duplicate: tuple[int, ...]) -> Grams:
    """Return the most frequent n-grams' figures for the sizes ``top`` and all repeated ones' for the sizes ``duplicate``.

    An n-gram can only be repeated where the next shorter one is, so that each size looks at what is left of the last.
    """
    lengths = cut.ends - cut.starts
    ends = _sums(lengths)
    ends_with_gaps = _sums(lengths + 1)
    if cut.alone is not None:  # no space belongs between the characters of such a script
        lengths[:-1] -= cut.alone[:-1] & cut.alone[1:]
        ends_with_gaps = _sums(lengths + 1)
    found = Grams({}, {})
    positions = np.arange(len(lengths))
    grams = cut.hashes
    for size in range(2, max(top + duplicate) + 1):
        times, first = 1, 0  # with no n-gram repeated, the text's first is as frequent as any
        if len(positions):
            positions = positions[: positions.searchsorted(len(lengths) - size, side="right")]
            grams = grams[: len(positions)] * _JOIN + cut.hashes[positions + (size - 1)]
            order = grams.argsort()
            ordered = grams[order]
            again = ordered[1:] == ordered[:-1]
            if not again.any():
                positions, grams = positions[:0], grams[:0]
            else:
                if size in top:
                    times, first = _most_frequent(again, positions[order])
                kept = _repeated(again, order)
                positions, grams = positions[kept], grams[kept]
        if size in top:
            length = ends_with_gaps[first + size] - ends_with_gaps[first] - 1 if size <= len(lengths) else 0
            found.top[size] = times * int(length)
        if size in duplicate:
            found.duplicate[size] = _skipping(positions, grams, ends, size)
    return found


def _sums(lengths: Positions) -> Positions:
    sums = np.zeros(len(lengths) + 1, np.intp)
    np.cumsum(lengths, out=sums[1:])
    return sums


def _most_frequent(again: Flags, positions: Positions) -> tuple[int, int]:
    """Return how often the most frequent n-gram occurs and where it is first; of equals, the one that comes first.

    ``positions`` are in the order of the n-grams' hashes; ``again`` tells where a hash equals the one before.
    """
    edges = np.concatenate(([0], np.flatnonzero(~again) + 1, [len(positions)]))
    counts = edges[1:] - edges[:-1]
    most = int(counts.max())
    return most, int(np.minimum.reduceat(positions, edges[:-1])[counts == most].min())


def _repeated(again: Flags, order: Positions) -> Positions:
    """Return where those n-grams stand that occur more than once, ascending."""
    same = np.zeros(len(order), bool)
    same[1:] = again
    same[:-1] |= again
    kept = order[same]
    kept.sort()
    return kept


def _skipping(positions: Positions, grams: Hashes, ends: Positions, size: int) -> int:
    """Return the characters in repeated n-grams, none counted twice: after a repeated one go on behind it.

    ``positions`` are those of all n-grams that occur more than once. What is skipped is not remembered as seen.
    """
    if not len(positions):
        return 0
    seen: set[int] = set()
    covered: list[int] = []
    behind = 0
    for place, name in zip(positions.tolist(), grams.tolist(), strict=True):
        if place < behind:
            continue
        if name in seen:
            covered.append(place)
            behind = place + size
        else:
            seen.add(name)
    if not covered:
        return 0
    at = np.array(covered, np.intp)
    return int((ends[at + size] - ends[at]).sum())


def _has_break(cut: Words, starts: Positions, ends: Positions) -> Flags:
    """Tell for each stretch from start to end whether a line ends in it."""
    found: Flags = cut.breaks.searchsorted(starts) < cut.breaks.searchsorted(ends)
    return found
