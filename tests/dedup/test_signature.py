"""The kernel: unbiased estimates, band collisions at the rate of the formula."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from datasketch import MinHash
from hypothesis import given
from hypothesis import strategies as st

from dedup.signature import band_hashes, digests, jaccard

#: Results further from what is expected than this many standard errors fail; the seeds are fixed.
SIGMAS = 4


def random_pairs(count: int, size: int, shared: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the hashes and bounds of 2 x count sets; sets 2i and 2i+1 are of ``size`` and share ``shared``."""
    chance = np.random.default_rng(seed)
    hashes = chance.integers(0, 1 << 64, (count, 2, size), dtype=np.uint64)
    hashes[:, 1, :shared] = hashes[:, 0, :shared]
    return hashes.ravel(), np.arange(2 * count + 1) * size


def test_digests_estimate_jaccard_without_bias_as_datasketch_does() -> None:
    size, shared, permutations, count = 120, 90, 112, 400
    true = shared / (2 * size - shared)
    grams, starts = random_pairs(count, size, shared, seed=5)
    matrix = digests(grams, starts, permutations)
    ours = (matrix[0::2] == matrix[1::2]).mean(axis=1)
    oracle = []
    for pair in grams.reshape(count, 2, size)[:150]:
        sketches = [MinHash(permutations, hashfunc=int, scheme="affine64") for _ in pair]
        for sketch, hashes in zip(sketches, pair, strict=True):
            sketch.update_batch(hashes.tolist())
        oracle.append(sketches[0].jaccard(sketches[1]))
    error = (true * (1 - true) / permutations) ** 0.5  # of one estimate
    assert abs(ours.mean() - true) < SIGMAS * error / count**0.5
    assert abs(np.mean(oracle) - true) < SIGMAS * error / len(oracle) ** 0.5
    # rensa's permutations are not quite independent, to the good: single estimates scatter less than theory asks.
    assert 0.5 * error < ours.std() < 1.1 * error
    assert np.std(oracle) == pytest.approx(error, rel=0.25)


@pytest.mark.parametrize(("bands", "rows"), [(14, 8), (9, 13), (20, 3)])
@pytest.mark.parametrize("shared", [80, 100, 107, 114])  # of 120: J of .50, .71, .80, .90
def test_bands_collide_at_the_rate_of_the_formula(bands: int, rows: int, shared: int) -> None:
    count, size = 1_500, 120
    true = shared / (2 * size - shared)
    expected = 1 - (1 - true**rows) ** bands
    grams, starts = random_pairs(count, size, shared, seed=shared)
    hashes = band_hashes(digests(grams, starts, bands * rows), bands, rows)
    proposed = (hashes[0::2] == hashes[1::2]).any(axis=1).mean()
    error = (expected * (1 - expected) / count) ** 0.5
    assert abs(proposed - expected) <= SIGMAS * error + 1 / count


def test_equal_digests_hash_differently_in_different_bands() -> None:
    assert len(np.unique(band_hashes(np.full((1, 112), 7, np.uint32), 14, 8))) == 14


def test_digests_do_not_depend_on_the_batch() -> None:
    grams, starts = random_pairs(20, 50, 25, seed=3)
    together = digests(grams, starts, 112)
    alone = [digests(grams[a:b], np.array([0, b - a]), 112)[0] for a, b in pairwise(starts.tolist())]
    assert np.array_equal(together, np.stack(alone))


@given(st.sets(st.integers(0, 40)), st.sets(st.integers(0, 40)))
def test_jaccard_is_the_share_of_the_union_that_is_shared(first: set[int], second: set[int]) -> None:
    arrays = [np.array(sorted(s), np.uint64) for s in (first, second)]
    expected = len(first & second) / len(first | second) if first | second else 0.0
    assert jaccard(*arrays) == expected
