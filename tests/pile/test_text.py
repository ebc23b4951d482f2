"""pile.text: the normal form of a text and its shingles, against slow and obvious references."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pile.text import normalise, shingles

ANY_TEXT = st.text(st.characters(), max_size=80)  # lone surrogates too
FEW_WORDS = st.lists(st.sampled_from(["a", "b", "ab", "ba", "aa", "été", "한국", "नमस्ते"]), max_size=40)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        (" \t\n\x00 ", ""),
        ("Hello, World!", "hello world"),
        ("end.Start", "end start"),
        ("  a \r\n\u2028 b\u3000c\xa0d ", "a b c d"),
        ("In 2024: 3.5%", "in 0000 0 0"),
        ("٣ ๓", "0 0"),
        ("Café, CAFE\u0301", "cafe cafe"),
        ("“Don’t” — don't", "don t don t"),
        ("ΟΔΟΣ οδος", "οδοσ οδοσ"),
        ("co\u00adoper\u200bate", "cooperate"),
        ("😀 €5", "0"),
        ("İstanbul", "istanbul"),
        ("a\ud800b", "a b"),
        ("\u1112\u1161\u11ab \ud55c", "한 한"),
    ],
)
def test_normal_form(text: str, expected: str) -> None:
    assert normalise(text) == expected


def test_the_ascii_road_and_the_general_road_agree() -> None:
    ascii_text = "".join(map(chr, range(128))) + " Two  Words, 12! "
    assert normalise(ascii_text + " é") == normalise(ascii_text) + " e"


@given(ANY_TEXT)
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert once == " ".join(once.split(" ")).strip()
    once.encode()  # nothing in it that has no UTF-8


@given(ANY_TEXT)
def test_canonically_equivalent_texts_have_one_normal_form(text: str) -> None:
    forms = {normalise(unicodedata.normalize(form, text)) for form in ("NFC", "NFD")}
    assert forms == {normalise(text)}


def test_each_character_outside_the_rare_han_keeps_the_promises() -> None:
    for code in (*range(0x20000), *range(0x2F800, 0x2FA20), *range(0xE0000, 0xE01F0)):
        character = chr(code)
        normal = normalise(character)
        assert normalise(normal) == normal, hex(code)
        if unicodedata.category(character)[0] in "PSZC":
            assert normal == "", hex(code)
        if unicodedata.category(character) == "Nd":
            assert normal == "0", hex(code)
        if unicodedata.category(character) == "Lu":
            assert normal, hex(code)
            assert normalise(character.lower()) == normal, hex(code)


def test_long_runs_of_combining_marks_take_no_longer_than_their_length() -> None:
    assert normalise("a" + "\u0301\u0327" * 500_000) == "a"  # in quadratic time the run's time-out ends this


def tuples(text: str, size: int) -> set[tuple[str, ...]]:
    words = text.split()
    return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)}


@given(FEW_WORDS, FEW_WORDS, st.integers(1, 6))
def test_shingles_have_the_jaccard_of_word_tuples(left: list[str], right: list[str], size: int) -> None:
    texts = normalise(" ".join(left)), normalise(" ".join(right))
    hashed = [shingles(text, size) for text in texts]
    slow = [tuples(text, size) for text in texts]
    assert [len(values) for values in hashed] == [len(values) for values in slow]
    assert len(np.intersect1d(*hashed)) == len(slow[0] & slow[1])


@given(ANY_TEXT)
def test_shingles_are_sorted_unique_and_repeatable(text: str) -> None:
    first = shingles(normalise(text))
    assert first.dtype == np.uint64
    assert np.array_equal(np.unique(first), first)
    assert np.array_equal(first, shingles(normalise(text)))


def test_shingles_do_not_depend_on_where_they_stand_or_on_other_characters_around() -> None:
    phrase = "the quick brown fox jumps"
    (alone,) = shingles(phrase)
    assert alone in shingles("x " * 70_000 + phrase)
    assert alone in shingles("été 한국 " + phrase)


def test_too_few_words_have_no_shingles() -> None:
    assert len(shingles("")) == len(shingles("one two three four")) == 0
    assert len(shingles("one two three four five")) == 1


def test_word_boundaries_and_order_matter() -> None:
    assert not set(shingles("ab c", 2).tolist()) & set(shingles("a bc", 2).tolist())
    assert not set(shingles("a b", 2).tolist()) & set(shingles("b a", 2).tolist())


@pytest.mark.parametrize(
    ("text", "words"),
    [("汉字测试汉字", 6), ("かなカナ", 4), ("ก ข", 2), ("abc汉def", 3), ("한국 사람", 2), ("ไทย thai", 4)],
)
def test_scripts_without_spaces_shingle_by_character(text: str, words: int) -> None:
    assert len(shingles(text, words)) == 1
    assert len(shingles(text, words + 1)) == 0


def test_no_collisions_among_a_million_words() -> None:
    text = " ".join(f"{number:x}" for number in range(1_000_000))
    assert len(shingles(text, 1)) == 1_000_000
    assert len(shingles(text, 5)) == 999_996
