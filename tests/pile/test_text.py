"""pile.text: the normal form of a text and its words, against slow and obvious references."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pile import text as kernel
from pile.text import code_points, normalise, spaced, unspaced

ANY_TEXT = st.text(st.characters(), max_size=80)  # lone surrogates too


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


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("汉字测试汉字", ["汉", "字", "测", "试", "汉", "字"]),
        ("かなカナ", ["か", "な", "カ", "ナ"]),
        ("ก ข", ["ก", "ข"]),
        ("abc汉def", ["abc", "汉", "def"]),
        ("한국 사람", ["한국", "사람"]),
        ("\u1112\u1161\u11ab, É!", ["한", "e"]),
        ("", []),
        ("!?…", []),
    ],
)
def test_words_stand_apart_and_scripts_without_spaces_have_a_word_a_character(text: str, words: list[str]) -> None:
    assert spaced(text).decode().split() == words


@given(st.one_of(ANY_TEXT, st.text(st.sampled_from("ab Cé\u0301—漢한ไ \u00ad\n,0٣"), max_size=80)), st.integers(1, 20))
def test_spaced_has_the_words_of_the_normal_form_however_it_is_cut(text: str, piece: int) -> None:
    codes = code_points(normalise(text))
    alone = unspaced(codes)
    flags = [False] * len(codes) if alone is None else alone.tolist()
    apart = "".join(f" {chr(code)} " if one else chr(code) for code, one in zip(codes.tolist(), flags, strict=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "_PIECE", piece)
        assert spaced(text).decode().split() == apart.split()
