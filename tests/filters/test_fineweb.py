"""filters.fineweb and filters.fineweb2: each rule on an example counted by hand."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from filters.fineweb import FineWeb
from filters.fineweb2 import FineWeb2
from filters.gopher import GopherQuality, GopherRepetition
from pile.document import Document, Verdict

LINES = [f"Line number {number} says something of its own about the river." for number in range(9)]
CHINESE = "昨天下午老师带着学生进山。村里的人说今年雨水很足！\n你知道那里的茶园吗？我们参观了水车。\n大家都很高兴"
THAI = "เมื่อวานนี้ครูพานักเรียนไปเที่ยวหมู่บ้านเล็กๆในหุบเขา\nชาวบ้านเล่าว่าปีนี้ฝนตกดี"


def judge(text: str, **options: Any) -> Verdict:
    return msgspec.convert(options, FineWeb).judge(Document("x", text))


def judge2(text: str, **options: Any) -> Verdict:
    return msgspec.convert({"stop_words": [], "min_stop_words": 0, **options}, FineWeb2).judge(Document("x", text))


def test_lines_that_end_as_sentences_do_are_kept() -> None:
    verdict = judge("\n".join(LINES))
    assert verdict.keep
    assert verdict.scores["line_punctuation"] == 1


def test_line_punctuation() -> None:
    lines = [line.removesuffix(".") for line in LINES]
    assert judge("\n".join(lines)).reason == "fineweb_line_punctuation"
    verdict = judge("\n".join([*lines[:-1], LINES[-1], " \t", "Ends in a quote.”", "Ends in a space. "]))
    assert verdict.reason == "fineweb_line_punctuation"
    assert verdict.scores["line_punctuation"] == 0.0909  # one of eleven; a line of white space is none
    assert judge("\n".join(lines), line_punctuation=0).keep


def test_short_lines() -> None:
    verdict = judge(
        "\n".join(["x" * 29 + "."] * 1 + ["y" * 30 + "."] + [f"{number}." for number in range(3)]), newlines=9
    )
    assert verdict.reason == "fineweb_short_lines"
    assert verdict.scores["short_lines"] == 0.8  # 30 characters are short, 31 are not
    assert judge("\n".join(LINES), short_line=100).reason == "fineweb_short_lines"


def test_duplicate_characters() -> None:
    verdict = judge("\n".join([*LINES, LINES[0]]))
    assert verdict.reason == "fineweb_duplicate_characters"
    assert verdict.scores["duplicate_characters"] == 0.1  # newlines count for nothing


def test_newlines() -> None:
    verdict = judge("one two three.\n\n\nfour five six seven and eight makes a longer line.")
    assert verdict.scores["newlines"] == 0.2  # three for fifteen words, with the full stops
    assert (
        judge("one two three.\n\n\nfour five six seven and eight makes a longer line.", newlines=0.1).reason
        == "fineweb_newlines"
    )


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\u3000\n"])
def test_nothing_visible_is_empty(text: str) -> None:
    assert judge(text) == judge2(text) == Verdict(False, "empty")


def test_scripts_without_spaces_are_told_apart_in_the_scores() -> None:
    chinese, thai = judge(CHINESE), judge(THAI)
    assert chinese.keep and thai.keep
    assert chinese.scores["unspaced"] == 1
    assert chinese.scores["line_punctuation"] == 0.6667
    assert chinese.scores["newlines"] < 0.1  # two characters make a word
    assert "short_lines" not in chinese.scores
    assert "line_punctuation" not in thai.scores


def test_fineweb2_asks_for_the_stop_words_of_a_language() -> None:
    with pytest.raises(msgspec.ValidationError, match="stop_words"):
        msgspec.convert({}, FineWeb2)
    with pytest.raises(msgspec.ValidationError, match="min_stop_words = 2, but stop_words has 1"):
        msgspec.convert({"stop_words": ["und"]}, FineWeb2)
    german = " ".join(
        f"Der Fluss und die alte Mühle {number} stehen noch im Tal neben dem Wald." for number in range(9)
    )
    loose = {rule: 1 for rule in FineWeb2.decided_by if "gram" in rule}
    assert judge2(german, stop_words=["der", "und", "die", "im"], min_stop_words=3, **loose).keep
    assert judge2(german, stop_words=["the", "of"], min_stop_words=1, **loose).reason == "fineweb2_stop_words"


def test_fineweb2_finds_stop_words_in_scripts_without_spaces() -> None:
    scores = judge2(CHINESE, stop_words=["的", "我们", "们我", "the"], min_stop_words=1).scores
    assert scores["stop_words"] == 2
    assert "stop_words" not in judge2(CHINESE, stop_words=["the"], min_stop_words=1).scores


def test_fineweb2_has_the_scores_of_the_families_that_it_is_made_of() -> None:
    text = "\n".join([*LINES, LINES[3]])
    scores = judge2(text).scores
    document = Document("x", text)
    theirs = {
        **GopherRepetition().measure(document),
        **GopherQuality(symbols_as_words=True).measure(document),
        **FineWeb().measure(document),
    }
    assert "duplicate_paragraphs" not in scores
    assert "short_lines" not in scores
    assert {rule: theirs[rule] for rule in scores if rule != "stop_words"} == {
        rule: score for rule, score in scores.items() if rule != "stop_words"
    }
