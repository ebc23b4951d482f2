"""What repeated n-grams cover of a text that has been cut into words.

An n-gram can only be repeated where the next shorter one is, so that each size looks at what is left of the last. Every size
takes time in proportion to that, or n log n for the sorting of hashes.
"""

from __future__ import annotations

from collections.abc import Sequence
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


#: Tells the words of one text from those of another that is looked at with it, and what stands between texts from any word.
_TEXT = np.uint64(0xA0761D6478BD642F)
_BETWEEN = np.uint64(0xE7037ED1A0B428DB)


class Grams(NamedTuple):
    """What n-grams cover, in characters, by their size in words."""

    #: Times the most frequent n-gram (the first of equals) occurs, times its length with spaces between its words; no space
    #: belongs between two characters of a script without them.
    top: dict[int, int]
    #: Length, without spaces, of the n-grams that occurred before, going from left to right and skipping over each.
    duplicate: dict[int, int]


def gram_duplicates(cuts: Sequence[Words], top: range, duplicate: range) -> list[Grams]:
    """Return for each text the most frequent n-grams' figures for the sizes ``top``, all repeated ones' for ``duplicate``.

    Texts are looked at together, which is quicker; what stands in one is never compared with what stands in another.
    """
    found = [Grams(dict.fromkeys(top, 0), dict.fromkeys(duplicate, 0)) for _ in cuts]
    texts = _Texts.of(cuts)
    positions = _PLACES[: len(texts.words)] if len(texts.words) <= _PACKED else np.arange(len(texts.words))
    grams = texts.words
    for size in range(2, max(top[-1], duplicate[-1]) + 1):
        positions = positions[: positions.searchsorted(len(texts.words) - size, "right")]
        grams = grams[: len(positions)] * _JOIN
        grams += texts.words[size - 1 :] if size == 2 else texts.words.take(positions + (size - 1))
        kept, firsts, times = _repeated(grams)
        if size in top:
            for text, covered in enumerate(texts.most_frequent(positions.take(firsts), times, size)):
                found[text].top[size] = covered
        positions, grams = positions.take(kept), grams.take(kept)
        if size in duplicate and len(positions):
            places = _skipping(positions.tolist(), grams.tolist(), size)
            for text, covered in enumerate(texts.covered(places, size)):
                found[text].duplicate[size] = covered
    return found


class _Texts(NamedTuple):
    """The words of some texts one after the other, with a word behind each text that is nowhere else."""

    words: Hashes
    begins: Positions  #: where each text begins, and one more
    characters: Positions  #: in the words before each word
    joined: Positions | None  #: how many words before each have no space before them, None when all have

    @classmethod
    def of(cls, cuts: Sequence[Words]) -> _Texts:
        begins = np.zeros(len(cuts) + 1, np.intp)
        np.cumsum([len(cut.starts) + 1 for cut in cuts], out=begins[1:])
        words = np.empty(begins[-1], np.uint64)
        characters = np.zeros(len(words) + 1, np.intp)
        alone = np.zeros(len(words), bool)
        for text, (cut, begin) in enumerate(zip(cuts, begins.tolist(), strict=False)):
            end = begin + len(cut.starts)
            np.add(cut.hashes, _PLACES[text : text + 1].view(np.uint64) * _TEXT, out=words[begin:end])
            np.subtract(cut.ends, cut.starts, out=characters[begin + 1 : end + 1])
            words[end : end + 1] = _PLACES[text : text + 1].view(np.uint64) * _BETWEEN
            if cut.alone is not None:
                alone[begin:end] = cut.alone
        joined = None
        if alone.any():
            joined = np.zeros(len(words) + 1, np.intp)
            np.cumsum(alone[1:] & alone[:-1], out=joined[2:])
        return cls(words, begins, np.cumsum(characters), joined)

    def most_frequent(self, places: Positions, times: Positions, size: int) -> list[int]:
        """Return for each text the characters in its most frequent n-gram, from those repeated: first places and times.

        With none repeated, the text's first is as frequent as any.
        """
        # The most times, then the first place, as one number; the places are below the number of words.
        limit = len(self.words)
        best = limit + (limit - 1 - self.begins[:-1])
        np.maximum.at(best, self._text_of(places), times * limit + (limit - 1 - places))
        first = limit - 1 - best % limit
        last = np.minimum(first + size, limit)
        length = self.characters.take(last) - self.characters.take(first) + size - 1
        if self.joined is not None:
            length -= self.joined.take(last) - self.joined.take(np.minimum(first + 1, limit))
        length[first + size >= self.begins[1:]] = 0
        covered: list[int] = (best // limit * length).tolist()
        return covered

    def covered(self, places: list[int], size: int) -> list[int]:
        """Return for each text the characters in the n-grams at some places."""
        at = np.array(places, np.intp)
        sums = np.zeros(len(self.begins) - 1, np.intp)
        np.add.at(sums, self._text_of(at), self.characters.take(at + size) - self.characters.take(at))
        covered: list[int] = sums.tolist()
        return covered

    def _text_of(self, places: Positions) -> Positions:
        return self.begins.searchsorted(places, "right") - 1


def _repeated(grams: Hashes) -> tuple[Positions, Positions, Positions]:
    """Return which n-grams occur more than once, ascending; and of those equal to each other the first, and how many they are."""
    order, again = _sorted(grams)
    repeats = again.nonzero()[0]
    begins = np.empty(len(repeats) + 1, bool)
    begins[0] = begins[-1] = True
    np.not_equal(repeats[1:], repeats[:-1] + 1, out=begins[1:-1])
    bounds = begins.nonzero()[0]
    firsts = order.take(repeats.take(bounds[:-1]))
    kept = np.concatenate((firsts, order.take(repeats + 1)))
    kept.sort()
    return kept, firsts, bounds[1:] - bounds[:-1] + 1


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


def _skipping(places: list[int], names: list[int], size: int) -> list[int]:
    """Return where repeated n-grams are met again, none overlapping: after each, go on behind it.

    What is skipped is not remembered as seen.
    """
    seen: set[int] = set()
    covered: list[int] = []
    behind = 0
    for place, name in zip(places, names, strict=True):
        if place >= behind:
            if name in seen:
                covered.append(place)
                behind = place + size
            else:
                seen.add(name)
    return covered
