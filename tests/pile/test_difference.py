"""The difference that `pile inspect` shows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pile.difference import MOST_CHARACTERS, difference

TEXT = st.lists(st.sampled_from("abcd"), max_size=60).map(" ".join)


def test_a_difference_shows_what_changed_with_words_around() -> None:
    words = [f"w{n}" for n in range(100)]
    changed = [*words[:50], "new", *words[51:]]
    shown = difference(" ".join(words), " ".join(changed))
    assert shown == "… w44 w45 w46 w47 w48 w49 [-w50-] {+new+} w51 w52 w53 w54 w55 w56 …"


def test_words_only_added_and_only_taken_away() -> None:
    assert difference("a b", "a x b") == "a {+x+} b"
    assert difference("a x b", "a b") == "a [-x-] b"


@given(TEXT, TEXT)
def test_a_difference_is_empty_only_for_the_same_words(first: str, second: str) -> None:
    assert (difference(first, second) == "") == (first.split() == second.split())


def test_very_different_long_texts_are_cut_short() -> None:
    first, second = (" ".join(f"{letter}{n}" for n in range(50_000)) for letter in "xy")
    assert len(difference(first, second)) <= MOST_CHARACTERS + 2
