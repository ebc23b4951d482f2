"""How much one set of shingle hashes shares with many others: a table of the one, through which the others are looked up.

Candidate pairs come by their first document, and in a large cluster one document is in hundreds of pairs.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.signature import jaccard
from pile.words import Hashes

#: From so many others on the table is faster than merging sorted sets one by one (of 650 hashes each: at 50 others 6 us a pair
#: instead of 15, at 5 others 20).
FEW = 8
#: Bits of a hash that name its place in the table: half a mebibyte, which fits a second-level cache.
_PLACE_BITS = np.uint64(16)
_PLACE = np.uint64(64) - _PLACE_BITS
#: What stands where no hash of the set belongs, and where several do: with a place of all zeros, neither is met elsewhere.
_FREE, _CROWDED = np.uint64(0), np.uint64(1)


class Overlaps:
    """Jaccard coefficients of sorted sets, one against many at a time; it holds the table between calls."""

    def __init__(self) -> None:
        self._table = np.full(1 << int(_PLACE_BITS), _FREE)

    def coefficients(self, one: Hashes, others: list[Hashes]) -> npt.NDArray[np.float64]:
        """Return the coefficient of ``one`` with each of the others, as ``signature.jaccard`` gives it."""
        if len(others) < FEW or not len(one) or not all(map(len, others)):
            return np.array([jaccard(one, other) for other in others])
        lengths = np.array([len(other) for other in others])
        starts = np.cumsum(lengths) - lengths
        shared = np.add.reduceat(self._found(one, np.concatenate(others)).view(np.uint8), starts, dtype=np.int64)
        found: npt.NDArray[np.float64] = shared / (lengths + (len(one) - shared))
        return found

    def _found(self, one: Hashes, hashes: Hashes) -> npt.NDArray[np.bool_]:
        """Tell of each hash whether it is in the sorted set ``one``."""
        table, places = self._table, _places(one)
        shares = places[1:] == places[:-1]
        crowded = np.zeros(len(one), bool)
        crowded[1:] = shares
        crowded[:-1] |= shares
        crowded |= one <= _CROWDED
        table[places] = one
        table[places[crowded]] = _CROWDED
        met = table.take(_places(hashes))
        found: npt.NDArray[np.bool_] = (met == hashes) & (hashes > _CROWDED)
        several = one[crowded]
        if len(several):
            rare = np.flatnonzero(met == _CROWDED)
            near = np.minimum(several.searchsorted(hashes[rare]), len(several) - 1)
            found[rare] = several[near] == hashes[rare]
        table[places] = _FREE
        return found


def _places(hashes: Hashes) -> npt.NDArray[np.int64]:
    found: npt.NDArray[np.int64] = (hashes >> _PLACE).view(np.int64)
    return found
