"""Sketches leave out pairs far below the threshold, and hardly any at it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.signature import digests
from dedup.sketch import differing, most_differing, sketches, width

PERMUTATIONS = 112
SHINGLES = 650


@given(st.integers(1, 200), st.integers(1, 5), st.integers(0, 2**32))
def test_digests_that_differ_in_their_low_bits_are_counted(permutations: int, documents: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    one, other = (chance.integers(0, 64, (documents, permutations)).astype(np.uint32) for _ in range(2))
    found = sketches(one), sketches(other)
    assert found[0].shape == (documents, width(permutations))
    assert differing(*found).tolist() == np.count_nonzero(one % 16 != other % 16, axis=1).tolist()


@pytest.mark.parametrize(("jaccard", "least", "most"), [(0.8, 0.99, 1), (0.85, 1, 1), (0.6, 0, 0.05), (0.5, 0, 0.0005)])
def test_pairs_at_the_threshold_pass_and_those_far_below_do_not(jaccard: float, least: float, most: float) -> None:
    pairs = 2_000
    shared = round(SHINGLES * 2 * jaccard / (1 + jaccard))
    chance = np.random.default_rng(7)
    hashes = chance.integers(0, 2**64, (pairs, 2 * SHINGLES - shared), np.uint64)
    starts = np.arange(pairs + 1) * SHINGLES
    one, other = hashes[:, :SHINGLES], hashes[:, -SHINGLES:]
    made = [sketches(digests(np.ascontiguousarray(side).ravel(), starts, PERMUTATIONS)) for side in (one, other)]
    passed = np.mean(differing(*made) <= most_differing(0.8, PERMUTATIONS))
    assert least <= passed <= most


@pytest.mark.parametrize("permutations", [1, 2, 9])
def test_few_permutations_leave_no_pair_out(permutations: int) -> None:
    assert most_differing(0.8, permutations) == min(permutations, most_differing(0.8, permutations))
    assert most_differing(0.8, 1) == 1
