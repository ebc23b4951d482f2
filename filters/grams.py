"""What repeated n-grams cover of a text that has been cut into words.

An n-gram can only be repeated where the next shorter one is, so that each size looks at what is left of the last. Every size
takes time in proportion to that, or n log n for the sorting of hashes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from filters.words import Words
from pile.text import Flags, Hashes, Positions

#: Joins the hashes of words to that of an n-gram (odd, so that no word's bits are lost).
_JOIN = np.uint64(0xD6E8FEB86659FD93)
#: Up to this many n-grams, hashes are sorted with their positions in their low bits, which is quicker: what is left of a hash
#: tells texts of that length apart (48 bits; one text in a hundred thousand has one pair of n-grams taken for the same).
_PACKED = 1 << 16
_PLACES = np.arange(_PACKED)


class Grams(NamedTuple):
    """What n-grams cover, in characters, by their size in words."""

    #: Times the most frequent n-gram (the first of equals) occurs, times its length with spaces between its words.
    top: dict[int, int]
    #: Length, without spaces, of the n-grams that occurred before, going from left to right and skipping over each.
    duplicate: dict[int, int]


def gram_duplicates(cut: Words, top: range, duplicate: range) -> Grams:
    """Return the most frequent n-grams' figures for the sizes ``top``, all repeated ones' for the larger sizes ``duplicate``."""
    found = Grams(dict.fromkeys(top, 0), dict.fromkeys(duplicate, 0))
    words, count = cut.hashes, len(cut.hashes)
    grams, positions = words, _PLACES[:count] if count <= _PACKED else np.arange(count)
    lengths = np.zeros(count + 1, np.intp)
    np.cumsum(cut.ends - cut.starts, out=lengths[1:])
    for size in range(2, min(duplicate[-1], count) + 1):
        times, first = 1, 0  # with no n-gram repeated, the text's first is as frequent as any
        if len(positions):
            positions = positions[: positions.searchsorted(count - size, "right")]
            grams = grams[: len(positions)] * _JOIN
            grams += words[size - 1 :] if size == 2 else words.take(positions + (size - 1))
            kept, times, first = _repeated(grams, positions)
            positions, grams = positions.take(kept), grams.take(kept)
        if size in top:
            found.top[size] = times * _length(cut, first, size)
        if size in duplicate and len(positions):
            found.duplicate[size] = _skipping(positions.tolist(), grams.tolist(), lengths, size)
    return found


def _repeated(grams: Hashes, positions: Positions) -> tuple[Positions, int, int]:
    """Return which n-grams occur more than once, ascending; how often the most frequent one does, and the first place of it.

    Of n-grams as frequent as each other, the one that comes first in the text counts.
    """
    order, again = _sorted(grams)
    repeats = again.nonzero()[0]
    if not len(repeats):
        return repeats, 1, 0
    begins = np.empty(len(repeats) + 1, bool)
    begins[0] = begins[-1] = True
    np.not_equal(repeats[1:], repeats[:-1] + 1, out=begins[1:-1])
    bounds = begins.nonzero()[0]
    counts = bounds[1:] - bounds[:-1]
    most = np.maximum.reduce(counts)
    firsts = order.take(repeats.take(bounds[:-1]))
    first = positions[np.minimum.reduce(firsts[counts == most])]
    kept = np.concatenate((firsts, order.take(repeats + 1)))
    kept.sort()
    return kept, int(most) + 1, int(first)


def _sorted(grams: Hashes) -> tuple[Positions, Flags]:
    """Return where the n-grams stand in the order of their hashes, of equals the first first; and which equal the one before."""
    count = len(grams)
    if count > _PACKED:
        order = grams.argsort(stable=True)
        ordered = grams.take(order)
        return order, ordered[1:] == ordered[:-1]
    low = np.uint64((1 << count.bit_length()) - 1)
    packed = grams & ~low
    packed |= _PLACES[:count].view(np.uint64)
    packed.sort()
    order = (packed & low).view(np.int64)
    packed |= low
    return order, packed[1:] == packed[:-1]


def _skipping(places: list[int], names: list[int], lengths: Positions, size: int) -> int:
    """Return the characters in repeated n-grams, none counted twice: after a repeated one go on behind it.

    What is skipped is not remembered as seen. ``lengths`` are the characters of the words before each.
    """
    seen: set[int] = set()
    characters: int = 0
    behind = 0
    for place, name in zip(places, names, strict=True):
        if place >= behind:
            if name in seen:
                behind = place + size
                characters += lengths.item(behind) - lengths.item(place)
            else:
                seen.add(name)
    return characters


def _length(cut: Words, first: int, size: int) -> int:
    """Return the characters of one n-gram, with spaces between its words; none between characters of a script without them."""
    last = first + size
    length = sum(cut.ends[first:last].tolist()) - sum(cut.starts[first:last].tolist()) + size - 1
    if cut.alone is not None:
        alone = cut.alone[first:last]
        length -= int(np.count_nonzero(alone[:-1] & alone[1:]))
    return length
