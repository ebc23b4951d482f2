"""filters.c4: which lines count, what drops a document, what a rewritten one keeps."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.c4 import C4
from pile.document import Document, Verdict

FIVE = "The mill is old. The river is wide! Who was here first? Nobody knows that. We asked everyone."


def judge(text: str, **options: Any) -> Verdict:
    return msgspec.convert(options, C4).judge(Document("x", text))


def sentences(text: str, **options: Any) -> float | str:
    return judge(text, **options).scores["sentences"]


def test_five_sentences_are_enough() -> None:
    assert judge(FIVE).keep
    verdict = judge(FIVE.removesuffix(" We asked everyone."))
    assert verdict.reason == "c4_sentences"
    assert verdict.scores["sentences"] == 4
    assert judge("Just two. So there.", min_sentences=0).keep


@pytest.mark.parametrize(
    "line",
    [
        "this line has no end",
        "this one breaks off...",
        "too short.",
        "Please enable JavaScript to read on.",
        "We have a new Cookie Policy since May.",
        "All pages are under our terms of use.",
        f"One word here is {'x' * 1001} long.",
    ],
)
def test_lines_that_are_no_sentences_do_not_count(line: str) -> None:
    verdict = judge(f"{FIVE}\n{line}")
    assert verdict.scores["sentences"] == 5
    assert verdict.scores["kept_lines"] == 0.5


@pytest.mark.parametrize(
    ("line", "option"),
    [
        ("this line has no end", {"line_punctuation": False}),
        ("too short.", {"min_line_words": 2}),
        ("Please enable JavaScript to read on.", {"javascript": False}),
        ("We have a new Cookie Policy since May.", {"policies": False}),
        (f"One word here is {'x' * 1001} long.", {"max_word_length": 0}),
    ],
)
def test_each_rule_on_lines_can_be_switched_off(line: str, option: dict[str, Any]) -> None:
    assert sentences(f"{FIVE}\n{line}", **option) == 6


@pytest.mark.parametrize(
    ("line", "rule"),
    [("function () { is in no prose.", "curly_bracket"), ("Lorem Ipsum dolor sit amet.", "lorem_ipsum")],
)
def test_what_no_text_holds_drops_the_document_from_a_line_that_counts(line: str, rule: str) -> None:
    assert judge(f"{FIVE}\n{line}").reason == f"c4_{rule}"
    assert judge(f"{FIVE}\n{line}", **{rule: False}).keep
    assert judge(f"{FIVE}\n{line.removesuffix('.')}").keep  # as in C4's code; its paper says any line


def test_citations_are_taken_out_before_lines_are_looked_at() -> None:
    cited = "The mill is old.[12] The river[citation needed] is wide.[edit]"
    assert sentences(f"{FIVE}\n{cited}") == 7
    assert sentences(f"{FIVE}\n{cited}", citations=False) == 5
    assert sentences("This is a list of [2019] items.") == 1


def test_marks_in_a_row_end_one_sentence() -> None:
    assert sentences("What was that?! Nobody knows (yet.) The end.") == 3
    assert sentences('He said: "Stop." Then he left.') == 2


def test_chinese_has_sentences_and_words() -> None:
    text = "昨天下午老师带着学生进山。村里的人说今年雨水很足！你知道那里的茶园吗？我们参观了水车。大家都很高兴。"
    verdict = judge(text)
    assert verdict.keep
    assert verdict.scores["sentences"] == 5
    assert verdict.scores["unspaced"] == 1
    assert judge("短。\n" + text).scores["kept_lines"] == 0.5
    assert judge("山" * 2000 + "。" + text).keep  # no word is endless


def test_thai_has_no_marks_that_end_sentences() -> None:
    verdict = judge("เมื่อวานนี้ครูพานักเรียนไปเที่ยวหมู่บ้านเล็กๆในหุบเขา ชาวบ้านเล่าว่าปีนี้ฝนตกดี")
    assert verdict.keep
    assert "sentences" not in verdict.scores


def test_a_changed_threshold_decides_by_stored_scores() -> None:
    scores = C4().measure(Document("x", FIVE))
    assert C4().decide(scores).keep
    assert C4(min_sentences=6).decide(scores).reason == "c4_sentences"


def test_nothing_is_rewritten_unless_asked_for() -> None:
    document = Document("x", f"Home | About\n{FIVE}[1]\n")
    assert C4().rewrite(document) is document
    assert C4(remove_lines=True).rewrite(document).text == FIVE
    kept = Document("x", FIVE)
    assert C4(remove_lines=True).rewrite(kept) is kept


@given(
    st.lists(
        st.sampled_from(["a b c.", "a b.", "x", "[1]", "a b c. d e f! ", "{ a b.", "\r\n", "\n", " ", "汉字。", "\x85"])
    )
)
def test_a_rewritten_text_is_not_rewritten_again(pieces: list[str]) -> None:
    filter = C4(remove_lines=True, citations=False)
    once = filter.rewrite(Document("x", "".join(pieces)))
    if filter.measure(once).get("unspaced") == filter.measure(Document("x", "".join(pieces))).get("unspaced"):
        assert filter.rewrite(once) is once
