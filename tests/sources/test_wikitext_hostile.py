"""Wikitext that nobody would write: nothing raises, nothing is left to hang, and control characters are no way in."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.extract.wikitext import text

#: Length of each page below. A quadratic pass over it takes minutes (mwparserfromhell 0.7.2: 57 s on 40 kB of "{|").
LENGTH = 100_000

UNITS = [
    "{{a|", "{{nowrap|", "}}", "}}}", "{{{1|", "[[a|", "[[File:a.jpg|", "]]", "{|\n|-\n| x\n", "{|\n{{a|\n", "\n|}",
    "<table><tr>",
    "<b>", "'''a ''b ", "'", "<ref>x ", "<ref name=a>x", "<math>", "<poem>", "<sup>", "<!--", "<!-- -->", "<", "[http://a.b ",
    "{{a|[[b|<ref>", "==x\n", "{{a|\n==b==\n", "#*x\n", ":", "  ", "\n", ", ; ", "( ", "({{x}} ", "{{x}},;( ", "&amp;&nbsp",
    "-{a", "__A", "=", "\x01", "{{lang|fr|}}}",
]  # fmt: skip


@pytest.mark.timeout(20)
@pytest.mark.parametrize("unit", UNITS)
def test_a_long_run_of_one_construct_is_read_in_time(unit: str) -> None:
    text(unit * (LENGTH // len(unit)))


@pytest.mark.parametrize(
    ("opening", "closing"), [("{{nowrap|", "}}"), ("[[a|", "]]"), ("{|\n", "\n|}"), ("<ref>", "</ref>")]
)
def test_ten_thousand_levels_do_not_exhaust_the_stack(opening: str, closing: str) -> None:
    page = "Before.\n\n" + opening * 10_000 + "deep" + closing * 10_000 + "\n\nAfter."
    result = text(page)
    assert result.startswith("Before.")
    assert result.endswith("After.")


def test_what_is_nested_less_deep_is_kept() -> None:
    assert text("{{nowrap|" * 30 + "deep" + "}}" * 30) == "deep"


def test_marks_used_inside_cannot_be_forged() -> None:
    assert text("<nowiki>kept</nowiki> \x010\x02 \x03 \x04") == "kept 0"


#: Whatever opens, closes, parts or fills.
PARTS = [
    *(
        "{{",
        "}}",
        "{{{",
        "[[",
        "]]",
        "|",
        "=",
        "{|",
        "|}",
        "|-",
        "(",
        ")",
        "]",
        "-{",
        "}-",
        "''",
        "'''",
        ";",
        ":",
        "word",
    ),
    *(
        "<ref>",
        "</ref>",
        "<ref/>",
        "<math>",
        "</math>",
        "<nowiki>",
        "</nowiki>",
        "<br>",
        "<!--",
        "-->",
        "<poem>",
        "</poem>",
    ),
    *(
        "<table>",
        "</table>",
        "lang|fr|",
        "nowrap|",
        "convert|5|km",
        "File:a.jpg|",
        "&nbsp;",
        "__TOC__",
        "<pre>",
        "</pre>",
    ),
    *("\n", "\n\n", "== h ==", "* ", "# ", "[http://a.b ", "<ref name=a>", "\u00a0", " "),
]

markup = st.lists(st.sampled_from(PARTS), max_size=60).map("".join)


@settings(max_examples=400)
@given(markup)
def test_any_mixture_of_markup_gives_text_of_the_promised_form(page: str) -> None:
    result = text(page)
    assert result == result.strip()
    assert "\n\n\n" not in result or "<pre>" in page
    assert not any(mark in result for mark in "\x00\x01\x02\x03\x04\x05")
    if not any(tag in page for tag in ("<nowiki>", "<math>", "<pre>")):
        assert "{{" not in result
        assert "[[" not in result
        assert "<ref" not in result
    assert result == text(page), "the same page gives the same text"


@settings(max_examples=100)
@given(st.text(alphabet=st.characters(categories=["L", "N"]), min_size=1, max_size=40))
def test_words_without_markup_come_through(words: str) -> None:
    assert text(f"Before {words} after.") == f"Before {words} after."
