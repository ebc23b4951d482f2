"""What was seen is told by its first address, however long ago."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sources import seen_payloads
from sources.seen_payloads import BLOCK, SeenPayloads

DIGESTS = st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 9), max_size=300)


def test_the_first_address_is_told_after_many_more() -> None:
    seen = SeenPayloads()
    count = 3 * BLOCK + 7
    assert all(seen.first(n * 7919, f"https://a.example/ä/{n}") is None for n in range(count))
    for n in (0, 1, BLOCK - 1, BLOCK, 2 * BLOCK + 5, count - 1):
        assert seen.first(n * 7919, "https://b.example/") == f"https://a.example/ä/{n}"


@given(DIGESTS)
def test_it_answers_as_a_dictionary_would(digests: list[int]) -> None:
    before, seen_payloads.BLOCK = seen_payloads.BLOCK, 4
    try:
        seen, expected = SeenPayloads(), {}
        for place, digest in enumerate(digests):
            assert seen.first(digest, f"page {place}") == expected.get(digest)
            expected.setdefault(digest, f"page {place}")
    finally:
        seen_payloads.BLOCK = before
