"""Sketches: four bits of each MinHash digest, by which pairs that are surely no duplicates are left out.

After Li and König 2010, "b-bit minwise hashing" (https://arxiv.org/abs/0910.3349): equal low bits of two digests estimate the
Jaccard coefficient nearly as well as the digests, in an eighth of the room.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Sketches = npt.NDArray[np.uint64]

BITS = 4
#: Digests in a word of a sketch.
_DIGESTS = 64 // BITS
#: A pair is left out when its sketches agree in so many standard deviations fewer digests than a pair at the threshold would be
#: expected to: one in 741 of those exactly there, by the normal law. The deviation is that of independent digests, which is
#: more than theirs (see ``signature.digests``).
DEVIATIONS = 3.0
_LOWEST_BITS = np.uint64(0x1111111111111111)


def width(permutations: int) -> int:
    """Return the words of a sketch of so many digests."""
    return -(-permutations // _DIGESTS)


def sketches(matrix: npt.NDArray[np.uint32]) -> Sketches:
    """Return the sketch of each row of digests, one row of ``width`` words for each."""
    documents, permutations = matrix.shape
    low = np.zeros((documents, width(permutations) * _DIGESTS), np.uint8)
    low[:, :permutations] = matrix & np.uint32((1 << BITS) - 1)
    packed = low[:, 0::2] | low[:, 1::2] << np.uint8(BITS)
    return np.ascontiguousarray(packed).view(np.uint64)


def differing(one: Sketches, other: Sketches) -> npt.NDArray[np.int64]:
    """Return for each pair of rows in how many digests their sketches differ."""
    difference = one ^ other
    difference |= difference >> np.uint64(2)
    difference |= difference >> np.uint64(1)
    found: npt.NDArray[np.int64] = np.bitwise_count(difference & _LOWEST_BITS).sum(axis=1, dtype=np.int64)
    return found


def most_differing(threshold: float, permutations: int) -> int:
    """Return in how many digests the sketches of a pair may differ that is to be compared."""
    agree = threshold + (1 - threshold) / (1 << BITS)
    deviation = math.sqrt(permutations * agree * (1 - agree))
    return min(permutations, math.floor(permutations * (1 - agree) + DEVIATIONS * deviation))
