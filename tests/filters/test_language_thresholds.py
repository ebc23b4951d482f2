"""filters.language_thresholds: FineWeb-2's threshold for each language of a corpus."""

from __future__ import annotations

import statistics

from hypothesis import given
from hypothesis import strategies as st

from filters.language_thresholds import fineweb2_thresholds

CONFIDENCES = st.lists(st.integers(0, 10_000).map(lambda n: n / 10_000), min_size=1)


def test_the_rule_is_median_less_deviation_within_bounds() -> None:
    scores = [("de", 0.9), ("de", 0.7), ("de", 0.8), ("en", 1.0), ("xx", 0.1), ("xx", 0.9)]
    assert fineweb2_thresholds(scores) == {
        "de": round(0.8 - statistics.pstdev([0.7, 0.8, 0.9]), 4),
        "en": 0.9,
        "xx": 0.3,
    }
    assert fineweb2_thresholds([]) == {}


@given(CONFIDENCES)
def test_it_is_what_the_statistics_module_says(confidences: list[float]) -> None:
    expected = max(0.3, min(0.9, statistics.median(confidences) - statistics.pstdev(confidences)))
    found = fineweb2_thresholds(("de", confidence) for confidence in confidences)
    assert abs(found["de"] - expected) <= 0.0001


@given(CONFIDENCES)
def test_order_does_not_matter(confidences: list[float]) -> None:
    scores = [("de", confidence) for confidence in confidences]
    assert fineweb2_thresholds(scores) == fineweb2_thresholds(scores[::-1]) == fineweb2_thresholds(sorted(scores))
