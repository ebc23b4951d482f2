"""Overlaps of one set of hashes with many agree with plain set arithmetic, also where hashes crowd in one place of the table."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.overlap import FEW, Overlaps

#: Hashes of few high and few low bits: many meet in one place of the table, and 0 and 1 are among them.
HASHES = st.builds(lambda high, low: high << 48 | low, st.integers(0, 3), st.integers(0, 7))
SETS = st.sets(HASHES, max_size=20)


def _sorted(hashes: set[int]) -> np.ndarray:
    return np.array(sorted(hashes), np.uint64)


@given(SETS, st.lists(SETS, min_size=1, max_size=3 * FEW), st.lists(SETS, min_size=FEW, max_size=2 * FEW))
def test_coefficients_are_those_of_sets(one: set[int], others: list[set[int]], more: list[set[int]]) -> None:
    overlaps = Overlaps()
    for batch in (others, more):  # what one call leaves in the table must not reach the next
        found = overlaps.coefficients(_sorted(one), [_sorted(other) for other in batch])
        assert found.tolist() == [len(one & other) / max(len(one | other), 1) for other in batch]
        one = batch[0]
