"""filters.length: bounds in words and characters."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.length import Length
from pile.document import Document, Verdict


def judge(text: str, **options: Any) -> Verdict:
    return msgspec.convert({"min_words": 0, "min_characters": 0, **options}, Length).judge(Document("x", text))


def test_the_bounds_belong_to_what_is_kept() -> None:
    assert judge("one two three", min_words=3, max_words=3, min_characters=13, max_characters=13).keep


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"min_words": 4}, "short"),
        ({"min_characters": 14}, "short"),
        ({"max_words": 2}, "long"),
        ({"max_characters": 12}, "long"),
    ],
)
def test_each_bound_has_its_reason(options: dict[str, int], reason: str) -> None:
    assert judge("one two three", **options).reason == reason


def test_punctuation_is_no_word_and_a_chinese_character_is_one() -> None:
    assert judge("one, two - three!").scores["words"] == 3
    assert judge("汉字测试。").scores == {"words": 4, "characters": 5}


def test_the_defaults_drop_what_has_no_sentence() -> None:
    assert Length().judge(Document("x", "Home | About | Contact")).reason == "short"
    assert Length().judge(Document("x", "The committee will meet again in March to settle the question. " * 3)).keep


@given(st.text(st.characters()))
def test_any_text_gives_a_verdict(text: str) -> None:
    assert judge(text).keep
    assert Length().judge(Document("x", text)).reason in ("", "short")


@pytest.mark.parametrize("unit", ["words", "characters"])
def test_bounds_that_nothing_meets_are_refused(unit: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=f"min_{unit} = 9 is above max_{unit} = 8"):
        msgspec.convert({f"min_{unit}": 9, f"max_{unit}": 8}, Length)
