"""filters.gopher: each rule on an example counted by hand, all of them against slow and obvious references."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.gopher import GopherQuality, GopherRepetition
from pile.document import Document, Verdict

PROSE = (
    "Early that morning the two surveyors walked along the river with their maps folded under one arm. "
    "They had promised the mayor to be back before noon, and neither of them wanted to explain another delay. "
    "Mist still lay over the meadows. A heron rose from the reeds, circled once above the old mill and settled again "
    "a little further down, where the bank had fallen in last spring."
)

#: Texts in which lines, bullets, ellipses and line ends of all kinds meet.
LINED_TEXT = st.lists(
    st.sampled_from(
        ["a", "a b", "-", "•", "- x", "...", "..", "…", " ", "\n", "\n\n", "\r\n", "\r", "\x85", "\u2028", "漢"]
    ),
    max_size=25,
).map("".join)


def quality(text: str, **options: Any) -> Verdict:
    return msgspec.convert(options, GopherQuality).judge(Document("x", text))


def repetition(text: str, **options: Any) -> Verdict:
    return msgspec.convert(options, GopherRepetition).judge(Document("x", text))


def test_running_text_is_kept_by_both() -> None:
    assert quality(PROSE).keep
    assert quality(PROSE).reason == ""
    assert repetition(PROSE).keep


# Quality, rule by rule


def test_word_count() -> None:
    fifty = " ".join(["the", "of"] + ["lamp"] * 48)
    assert quality(fifty).keep
    assert quality(fifty.removesuffix(" lamp")).reason == "gopher_word_count"
    assert quality(fifty.removesuffix(" lamp") + " , ; !").scores["word_count"] == 49  # punctuation is no word
    assert quality(fifty, max_words=50).keep
    assert quality(fifty + " lamp", max_words=50).reason == "gopher_word_count"


def test_mean_word_length() -> None:
    verdict = quality("The cat sat, it's fine.", min_words=1)
    assert verdict.reason == "gopher_mean_word_length"
    assert verdict.scores["mean_word_length"] == 2.8333  # (3 + 3 + 3 + 2 + 2 + 4) / 6
    assert quality("abc the to of", min_words=1, min_mean_word_length=2.5).keep
    assert quality("the to " + "x" * 26, min_words=1).reason == "gopher_mean_word_length"  # 31 / 3 is over 10


def test_symbol_ratio() -> None:
    ten = "the old of lamp lamp lamp lamp lamp lamp lamp"
    off = {"min_words": 1, "ellipsis_lines": 1}
    assert quality(f"{ten} #", **off).keep  # one of eleven words
    verdict = quality(f"{ten} # #", **off)
    assert verdict.reason == "gopher_symbol_ratio"
    assert verdict.scores["symbol_ratio"] == 0.1667  # two of twelve
    assert quality(f"{ten} ... …", **off).reason == "gopher_symbol_ratio"
    assert quality(f"{ten} # …", **off).keep  # each kind is counted by itself


def test_bullet_lines() -> None:
    lines = [f"- the matter of item {number}" for number in range(10)]
    verdict = quality("\n".join(lines), min_words=1, symbols_as_words=False, alphabetic_words=0)
    assert verdict.reason == "gopher_bullet_lines"
    assert verdict.scores["bullet_lines"] == 1
    lines[3] = "the matter - of - item"
    assert quality("\n".join(lines), min_words=1, alphabetic_words=0).keep  # nine of ten is allowed


def test_ellipsis_lines() -> None:
    lines = ["the end of the matter..."] * 1 + ["the end of a matter… "] * 2 + ["the end ... of it"] * 4
    verdict = quality("\n".join(lines), min_words=1, min_mean_word_length=0, symbol_ratio=1)
    assert verdict.reason == "gopher_ellipsis_lines"
    assert verdict.scores["ellipsis_lines"] == 0.4286  # three of seven


def test_alphabetic_words() -> None:
    verdict = quality("the sum of many 12 3000", min_words=1)
    assert verdict.reason == "gopher_alphabetic_words"
    assert verdict.scores["alphabetic_words"] == 0.6667
    assert quality("the sum, of many.", min_words=1).keep
    as_datatrove = quality("the sum, of many.", min_words=1, symbols_as_words=True)
    assert as_datatrove.reason == "gopher_alphabetic_words"  # 4 of 6


def test_stop_words() -> None:
    assert quality("The the lamp lamp", min_words=1).reason == "gopher_stop_words"  # one, and in small letters only
    assert quality("the lamp of lamp", min_words=1).scores["stop_words"] == 2
    assert quality("der Lampe und", min_words=1, stop_words=["der", "und"]).keep
    assert quality("lamp lamp", min_words=1, min_stop_words=0, stop_words=[]).keep


@pytest.mark.parametrize(
    "text",
    [
        "昨天下午，几位老师带着学生走进山里的小村庄，参观了那里的茶园和古老的水车。村里的人说，今年雨水足，茶叶长得比往年好，城里来买茶的客人也多了起来。",
        "きのうの午後、先生たちは生徒と山の小さな村をたずね、茶畑と古い水車を見学した。村の人によると、今年は雨が多く、お茶の出来は例年よりよいという。",
        "เมื่อวานนี้ครูพานักเรียนไปเที่ยวหมู่บ้านเล็กๆในหุบเขา ชาวบ้านเล่าว่าปีนี้ฝนตกดี ใบชาจึงงามกว่าทุกปี และมีคนจากในเมืองมาซื้อมากขึ้น",
    ],
    ids=["zh", "ja", "th"],
)
def test_a_text_without_spaces_is_counted_by_character_and_kept(text: str) -> None:
    verdict = quality(text)
    assert verdict.keep
    assert verdict.scores["word_count"] >= 50
    assert repetition(text).keep


def test_a_text_without_spaces_that_repeats_itself_is_dropped() -> None:
    assert not repetition("欢迎光临本店，今日特价。" * 20).keep


@given(LINED_TEXT)
def test_lines_are_those_of_splitlines(text: str) -> None:
    lines = text.splitlines()
    bullets = sum(line.lstrip().startswith(("•", "-")) for line in lines)
    ellipses = sum(line.rstrip().endswith(("...", "…")) for line in lines)
    scores = quality(text).scores
    assert scores["bullet_lines"] == (round(bullets / len(lines), 4) if lines else 0)
    assert scores["ellipsis_lines"] == (round(ellipses / len(lines), 4) if lines else 0)


# Repetition, rule by rule


def test_duplicate_lines() -> None:
    verdict = repetition("aa\nb\naa\naa")
    assert verdict.reason == "gopher_duplicate_lines"
    assert verdict.scores["duplicate_lines"] == 0.5
    assert verdict.scores["duplicate_line_characters"] == 0.4  # four of ten, newlines counted in the whole
    assert verdict.scores["duplicate_paragraphs"] == 0


def test_duplicate_paragraphs() -> None:
    verdict = repetition("one two\n\nthree\n\none two")
    assert verdict.reason == "gopher_duplicate_paragraphs"
    assert verdict.scores["duplicate_paragraphs"] == 0.3333
    assert verdict.scores["duplicate_paragraph_characters"] == 0.3043  # 7 of 23


def test_characters_in_duplicate_lines_and_paragraphs() -> None:
    unlike = [f"{number}" for number in range(8)]
    again = ["some rather long line of text"] * 2
    assert repetition("\n".join(unlike + again)).reason == "gopher_duplicate_line_characters"
    assert repetition("\n\n".join(unlike + again)).reason == "gopher_duplicate_paragraph_characters"


def test_top_grams() -> None:
    scores = repetition("a b a b c").scores
    assert scores["top_2_gram"] == 0.6667  # "a b" twice: 6 of 9 characters
    assert scores["top_3_gram"] == 0.5556  # none repeated: the first, "a b a"
    assert scores["top_4_gram"] == 0.7778
    text = "one fine day we met, one fine day we met again somewhere quite different from all of those other places"
    for size in (2, 3, 4):
        only = {f"top_{other}_gram": 0.1 if other == size else 1 for other in (2, 3, 4)}
        assert repetition(text, **only).reason == f"gopher_top_{size}_gram"
    assert repetition("a a a a").scores["top_2_gram"] == 1.0  # 9 of 7, since they overlap


@pytest.mark.parametrize("size", range(5, 11))
def test_duplicate_grams(size: int) -> None:
    phrase = " ".join("abcdefghij"[:size])
    text = f"{phrase} x {phrase}"
    off = {f"top_{n}_gram": 1 for n in (2, 3, 4)} | {f"duplicate_{n}_gram": 1 for n in range(5, 11) if n != size}
    verdict = repetition(text, **off)
    assert verdict.reason == f"gopher_duplicate_{size}_gram"
    assert verdict.scores[f"duplicate_{size}_gram"] == round(size / len(text), 4)
    if size < 10:
        assert verdict.scores[f"duplicate_{size + 1}_gram"] == 0


def test_overlapping_duplicates_are_not_counted_twice() -> None:
    scores = repetition(" ".join("a" * 11)).scores
    assert scores["duplicate_5_gram"] == 0.4762  # words 2-6 and 7-11: 10 of 21 characters


def reference_grams(tokens: list[str], size: int) -> tuple[int, int]:
    """Return length times count of the most frequent n-gram, and the length of those met again, going left to right."""
    grams = [tuple(tokens[at : at + size]) for at in range(len(tokens) - size + 1)]
    if not grams:
        return 0, 0
    top, times = Counter(grams).most_common(1)[0]
    seen, covered, at = set(), 0, 0
    while at < len(grams):
        if grams[at] in seen:
            covered += sum(map(len, grams[at]))
            at += size
        else:
            seen.add(grams[at])
            at += 1
    return times * len(" ".join(top)), covered


@given(st.lists(st.sampled_from(["a", "b", "cc", "ddd", ","]), min_size=1, max_size=60))
def test_grams_are_those_of_the_reference(tokens: list[str]) -> None:
    text = " ".join(tokens)
    scores = repetition(text).scores
    for size in (2, 3, 4):
        assert scores[f"top_{size}_gram"] == round(min(reference_grams(tokens, size)[0] / len(text), 1), 4)
    for size in range(5, 11):
        assert scores[f"duplicate_{size}_gram"] == round(reference_grams(tokens, size)[1] / len(text), 4)


@given(LINED_TEXT.filter(str.strip))
def test_lines_and_paragraphs_are_those_of_the_reference(text: str) -> None:
    scores = repetition(text).scores
    for name, pieces in (("paragraph", re.split(r"\n{2,}", text.strip())), ("line", re.split(r"\n+", text))):
        again = [piece for at, piece in enumerate(pieces) if piece in pieces[:at]]
        assert scores[f"duplicate_{name}s"] == round(len(again) / len(pieces), 4)
        assert scores[f"duplicate_{name}_characters"] == round(sum(map(len, again)) / len(text), 4)
