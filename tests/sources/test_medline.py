"""Titles, abstracts, formulas and dates of MEDLINE citations, from markup written for these tests."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from sources.extract import medline

MATHML = 'xmlns:m="http://www.w3.org/1998/Math/MathML"'


def element(xml: str, tag: str = "AbstractText") -> Any:
    return etree.fromstring(f"<{tag} {MATHML}>{xml}</{tag}>")


def abstract(*parts: str) -> medline.Abstract:
    return medline.abstract(etree.fromstring(f"<Abstract>{''.join(parts)}</Abstract>").iterfind("AbstractText"))


def title(text: str | None, vernacular: str | None = None) -> medline.Title:
    made = [None if t is None else element(t, "T") for t in (text, vernacular)]
    return medline.title(*made)


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("in <i>E. coli</i>, <b>all</b> of <u>them</u>.", "in E. coli, all of them."),
        ("area of 4 m<sup>2</sup> and CO<sub>2</sub>", "area of 4 m2 and CO2"),
        ("Fe<sub>3</sub>O<sub>4</sub>, T<sub>1/2</sub>, CD4<sup>+</sup> cells", "Fe3O4, T1/2, CD4+ cells"),
        ("the 19<sup>th</sup> of June", "the 19th of June"),
        ("labelled <sup>14</sup>C, m<sup>6</sup>A", "labelled 14C, m6A"),
        ("a<i>b<sub>c</sub></i>d", "abcd"),
        ("before <!-- a remark --> after<?note x?>.", "before after."),
    ],
)
def test_inline_tags_leave_their_text_and_add_no_space(markup: str, text: str) -> None:
    assert medline.inline(element(markup)) == text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("10<sup>6</sup> cells", "10^6 cells"),
        ("3 × 10<sup>-3</sup>, 10<sup>−9</sup>", "3 × 10^-3, 10^−9"),
        ("2<sup>n</sup> and 2<sup>n+1</sup>", "2^n and 2^{n+1}"),
        ("10<sup><i>4</i></sup>/ml", "10^4/ml"),
        ("strain mc<sup>2</sup>155", "strain mc^{2}155"),
        ("101<sub>2</sub> is five", "101_2 is five"),
        ("10<sup> </sup>g", "10 g"),
    ],
)
def test_scripts_that_would_make_another_number_are_marked(markup: str, text: str) -> None:
    assert medline.inline(element(markup)) == text


def test_white_space_of_every_kind_becomes_one_space() -> None:
    assert medline.inline(element("\n  one\u2009two\u00a0\u00a0three\r\n\tfour ")) == "one two three four"


@pytest.mark.parametrize(
    ("math", "text"),
    [
        ("<m:msup><m:mi>x</m:mi><m:mn>2</m:mn></m:msup>", "x^2"),
        ("<m:msub><m:mi>a</m:mi><m:mrow><m:mi>i</m:mi><m:mi>j</m:mi></m:mrow></m:msub>", "a_{ij}"),
        ("<m:msubsup><m:mo>∑</m:mo><m:mi>i</m:mi><m:mi>n</m:mi></m:msubsup>", "∑_i^n"),
        ("<m:mfrac><m:mrow><m:mi>a</m:mi><m:mo>+</m:mo><m:mi>b</m:mi></m:mrow><m:mi>c</m:mi></m:mfrac>", "(a+b)/c"),
        ("<m:msqrt><m:mi>x</m:mi><m:mo>-</m:mo><m:mn>1</m:mn></m:msqrt>", "√(x-1)"),
        ("<m:mroot><m:mi>x</m:mi><m:mn>3</m:mn></m:mroot>", "x^(1/3)"),
        ("<m:mfenced><m:mi>a</m:mi><m:mi>b</m:mi></m:mfenced>", "(a,b)"),
        ("<m:mi>f</m:mi><m:mo>\u2061</m:mo><m:mi>x</m:mi>", "fx"),
        ("<m:mi>k</m:mi><m:mspace/><m:mtext> per day </m:mtext>", "k per day"),
        (
            "<m:mmultiscripts><m:mi>He</m:mi><m:mi>n</m:mi><m:none/><m:mprescripts/><m:none/><m:mn>3</m:mn>"
            "</m:mmultiscripts>",
            "3He_n",
        ),
        (
            "<m:mtable><m:mtr><m:mtd><m:mn>1</m:mn></m:mtd><m:mtd><m:mn>2</m:mn></m:mtd></m:mtr>"
            "<m:mtr><m:mtd><m:mn>3</m:mn></m:mtd></m:mtr></m:mtable>",
            "1 2; 3",
        ),
        ("<m:semantics><m:mi>y</m:mi><m:annotation>\\mathbf{y}</m:annotation></m:semantics>", "y"),
        ("<m:mmultiscripts/>", ""),
    ],
)
def test_formulas_read_on_one_line(math: str, text: str) -> None:
    spread = math.replace("><", ">\n   <")
    assert medline.inline(element(f"(<m:math>{spread}</m:math>)")) == f"({text})"


def test_a_translated_title_loses_its_brackets_and_says_so() -> None:
    assert title("[On the moss of old roofs].") == medline.Title("On the moss of old roofs.", translated=True)
    assert title("[Why do roofs leak?]") == medline.Title("Why do roofs leak?", translated=True)
    assert title("[Moss (author's transl)].").text == "Moss."
    assert title("[Uptake of [3H]thymidine].").text == "Uptake of [3H]thymidine."


def test_brackets_that_do_not_hold_the_whole_title_stay() -> None:
    for text in ("[18F]FDG uptake in mice [corrected].", "Uptake of [3H]thymidine.", "Moss [Letter]."):
        assert title(text) == medline.Title(text)


@pytest.mark.parametrize("placeholder", ["[Not Available].", "[Not available]", "[In Process Citation]", "", None])
def test_a_title_that_is_not_there_gives_way_to_the_vernacular_one(placeholder: str | None) -> None:
    assert title(placeholder, "Über <i>Moose</i>.") == medline.Title("Über Moose.", vernacular=True)
    assert title(placeholder) == medline.Title("")


def test_labelled_parts_are_paragraphs_with_their_label() -> None:
    made = abstract(
        '<AbstractText Label="METHODS" NlmCategory="METHODS">We looked.</AbstractText>',
        '<AbstractText Label="UNLABELLED">We thought.</AbstractText>',
        '<AbstractText Label="RESULTS:" NlmCategory="UNASSIGNED">We saw.</AbstractText>',
        '<AbstractText Label="CONCLUSION">Conclusion: moss.</AbstractText>',
        '<AbstractText Label="FUNDING"/>',
    )
    assert made.text == "METHODS: We looked.\n\nWe thought.\n\nRESULTS: We saw.\n\nConclusion: moss."


@pytest.mark.parametrize(
    "notice",
    [
        "An abstract is unavailable. This article is available as HTML full text and PDF.",
        "No abstract available.",
        "[This corrects the article DOI: 10.5555/moss.1.].",
        "[This corrects the article doi: 10.5555/a] [This corrects the article doi: 10.5555/b].",
    ],
)
def test_a_notice_in_place_of_an_abstract_is_no_abstract(notice: str) -> None:
    assert abstract(f"<AbstractText>{notice}</AbstractText>").text == ""


def test_an_abstract_that_speaks_of_abstracts_stays() -> None:
    text = "No abstract available to us named the moss, so we named it."
    assert abstract(f"<AbstractText>{text}</AbstractText>").text == text


@pytest.mark.parametrize("mark", ["AT 250 WORDS", "AT 400 WORDS", ""])
def test_the_mark_of_a_cut_abstract_goes_and_is_remembered(mark: str) -> None:
    made = abstract(f"<AbstractText>Roofs were wet. (ABSTRACT TRUNCATED {mark})</AbstractText>".replace(" )", ")"))
    assert made == medline.Abstract("Roofs were wet.", truncated=True)


def test_a_copyright_line_at_the_end_of_an_abstract_goes_to_its_own_field() -> None:
    line = "(MossInfo Database Record (c) 2021 ABC, all rights reserved)"
    made = abstract(f"<AbstractText>Roofs were wet (or dry). {line}.</AbstractText>")
    assert made == medline.Abstract("Roofs were wet (or dry).", copyright=line)


@pytest.mark.parametrize(
    ("dates", "iso"),
    [
        ("<D><Year>1975</Year><Month>Sep</Month></D>", "1975-09"),
        ("<D><Year>2021</Year><Month>02</Month><Day>7</Day></D>", "2021-02-07"),
        ("<D><Year>2021</Year><Month>02</Month><Day>30</Day></D>", "2021-02"),
        ("<D><Year>2021</Year><Month>13</Month></D>", "2021"),
        ("<D><Year>2021</Year><Season>Spring</Season></D>", "2021"),
        ("<D><MedlineDate>1998 Dec-1999 Jan</MedlineDate></D>", "1998-12"),
        ("<D><MedlineDate>1975 Aug 15-31</MedlineDate></D>", "1975-08-15"),
        ("<D><MedlineDate>Spring 2000</MedlineDate></D>", "2000"),
        ("<D><MedlineDate>long ago</MedlineDate></D>", ""),
        ("<D/>", ""),
        ("", ""),
    ],
)
def test_dates_are_iso_as_exactly_as_they_are_known(dates: str, iso: str) -> None:
    assert medline.published(etree.fromstring(f"<Dates>{dates}</Dates>")) == iso


def test_the_first_publication_counts_and_the_more_exact_date_of_it() -> None:
    def first(*dates: str) -> str:
        names = ("Year", "Month", "Day")
        xml = "".join(
            f"<D>{''.join(f'<{n}>{v}</{n}>' for n, v in zip(names, d.split('-'), strict=False))}</D>" for d in dates
        )
        return medline.published(etree.fromstring(f"<Dates>{xml}</Dates>"))

    assert first("2024-06", "2023-12-01") == "2023-12-01"
    assert first("1975-09", "2006-03-01") == "1975-09"
    assert first("2023", "2023-04-05", "2023-02-03") == "2023-02-03"


@given(st.text(alphabet=st.characters(categories=("L", "N", "P", "Zs")), max_size=80), st.sampled_from("ib"))
def test_emphasis_never_changes_the_text(text: str, tag: str) -> None:
    plain, marked = etree.Element("AbstractText"), etree.Element("AbstractText")
    plain.text = marked.text = text[: len(text) // 2]
    plain.text += text[len(text) // 2 :]
    etree.SubElement(marked, tag).text = text[len(text) // 2 :]
    assert medline.inline(marked) == medline.inline(plain) == " ".join(text.split())
