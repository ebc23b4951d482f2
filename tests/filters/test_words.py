"""filters.words: where words begin and end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.words import words


def cut(text: str) -> list[str]:
    found = words(text)
    return [text[start:end] for start, end in zip(found.starts, found.ends, strict=True)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The cat sat, it's fine.", "The|cat|sat|,|it|'s|fine|."),
        ("e-mail covid-19 3.14 1,000 12:30", "e|-|mail|covid-19|3.14|1,000|12:30"),
        ("2020-01-02 5–10 -5 +3", "2020|-|01|-|02|5–10|-5|+3"),
        ("U.S. e.g. J. Smith end.Start end.", "U.S.|e.g.|J.|Smith|end|.|Start|end|."),
        ("see https://example.org/a/b?c=d, or me@example.org", "see|https://example.org/a/b?c=d|,|or|me@example.org"),
        ("wait... what---- !! ==", "wait|...|what|----|!|!|=|="),
        ("(“quoted”)", "(|“|quoted|”|)"),
        ("汉字，abc漢", "汉|字|，|abc|漢"),
        ("กำ", "ก|ำ"),
        ("ก่า", "ก่|า"),
        ("Привет, мир", "Привет|,|мир"),
        ("naïve cafe\u0301", "naïve|cafe\u0301"),
        ("", ""),
        (".", "."),
    ],
)
def test_words(text: str, expected: str) -> None:
    assert cut(text) == [word for word in expected.split("|") if word]


@given(st.text(st.characters(), max_size=120))
def test_words_hold_all_that_is_no_white_space_and_nothing_else(text: str) -> None:
    assert "".join(cut(text)) == "".join(text.split())
