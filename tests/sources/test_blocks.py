"""The learnt choice of a page's blocks of text."""

from __future__ import annotations

import gzip
import json
import os
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.extract.block_page import read_page
from sources.extract.blocks import choose, select

SHARED = Path(os.environ.get("PILE_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))
PAGES = SHARED / "data" / "html-gold" / "scrapinghub"

SENTENCES = [
    "The ferry leaves the old harbour at seven in the morning, and it comes back when the wind allows it.",
    "Nobody on the island owns a car, so that the only sounds are those of bells, dogs and the sea.",
    "We had been told that the bakery opens early, but the baker had gone to her sister's wedding.",
    "In the afternoon the light turns yellow, and the walls of the houses look as if they were made of bread.",
]
ARTICLE = f"""<html><head><title>A day on the island</title><meta property="og:type" content="article"></head><body>
<nav class="menu"><ul><li><a href="/">Start</a></li><li><a href="/about">Who we are</a></li></ul></nav>
<main><article class="post-content"><h1>A day on the island</h1>
{"".join(f"<p>{sentence} {sentence.replace('the', 'that')}</p>" for sentence in SENTENCES)}
<h2>What to bring</h2><ul><li>A warm coat for the way back, because it is cold on the water.</li>
<li>Some bread and cheese, since the only inn is closed on most days of the week.</li></ul>
<pre><code>for day in week:
    pack(day)</code></pre></article></main>
<aside class="sidebar related"><a href="/x">Ten more islands</a></aside>
<footer class="site-footer"><p>Copyright 2020 Island Press. <a href="/terms">Terms</a></p></footer></body></html>"""


def test_an_article_is_kept_and_what_is_around_it_is_not() -> None:
    text = choose(ARTICLE).text
    assert all(sentence in text for sentence in SENTENCES)
    for other in ("Who we are", "Ten more islands", "Terms", "Copyright"):
        assert other not in text


def test_paragraphs_are_a_blank_line_apart_and_items_have_a_line_each() -> None:
    text = choose(ARTICLE).text
    assert f"{SENTENCES[0].replace('the', 'that')}\n\n{SENTENCES[1]}" in text
    assert "\n\n- A warm coat for the way back, because it is cold on the water.\n- Some bread and cheese" in text


def test_code_keeps_its_lines_and_rows_their_cells() -> None:
    page = read_page(
        "<pre>if a:\n    b()\n</pre><table><tr><td>one</td><td>two</td></tr><tr><th>3</th><td>four</td></tr></table>"
    )
    assert page.texts == ["if a:\n    b()", "one | two", "3 | four"]


def test_breaks_are_line_ends_and_two_of_them_end_a_paragraph() -> None:
    assert read_page("<div>one<br>two<br><br>three</div>").texts == ["one\ntwo", "three"]


def test_text_for_readers_without_scripts_is_read() -> None:
    assert read_page("<body><noscript><p>The whole thread</p></noscript><script>no</script></body>").texts == [
        "The whole thread"
    ]


def test_every_element_holds_a_run_of_blocks_within_its_parent() -> None:
    page = read_page(ARTICLE)
    for element, parent in enumerate(page.parents):
        assert page.starts[parent] <= page.starts[element] <= page.ends[element] <= page.ends[parent]
    assert page.ends[0] == len(page.texts)


def test_the_choice_has_the_greatest_expected_f1() -> None:
    certain = 1 << 15
    keep, expected = select(np.array([certain, certain // 4, certain * 3 // 4, 0]), np.array([10, 10, 10, 50]))
    assert keep.tolist() == [True, False, True, False]
    assert expected == pytest.approx(2 * 17.5 / (20 + 20))


def test_a_page_without_text_gives_the_description_in_its_data() -> None:
    data = json.dumps({"@type": "Product", "description": "A <b>lamp</b> of brass."})
    page = f'<html><body><script type="application/ld+json">{data}</script></body></html>'
    assert choose(page).text == "A lamp of brass."


def test_the_same_page_gives_the_same_text_whatever_came_before() -> None:
    first = choose(ARTICLE).text
    choose("<p>" + "Another page altogether, with other words. " * 40)
    assert choose(ARTICLE).text == first
    assert choose(ARTICLE).text == first


@pytest.mark.parametrize(
    "page",
    [
        "",
        " ",
        "<",
        "<html>",
        "\x00",
        "<p>\x00\x01",
        "<!--",
        "<p" * 500,
        "<table><td><tr></p></td>",
        "</div></div><p>a",
        "<a><li></a>",
        "<script>",
        "<title>x",
        '<script type="application/ld+json">{"description": [[',
        "&#0;&#xD800;<p>&#1114112;",
        "<pre>\n\n</pre>",
        "<div>" * 3000 + "deep",
        "<br>" * 1000,
        "<meta><body><meta name=x>y",
    ],
)
def test_garbage_gives_text_and_no_exception(page: str) -> None:
    assert "\r" not in choose(page).text


@settings(max_examples=150)
@given(st.lists(st.sampled_from(re.findall(r"<[^<>]+>|[^<>]+", ARTICLE)) | st.text(max_size=8), max_size=60))
def test_pages_cut_to_pieces_are_read_all_the_same(pieces: list[str]) -> None:
    text = choose("".join(pieces)).text
    assert text == choose("".join(pieces)).text
    assert text == text.rstrip()  # code may begin with an indent


def _f1(text: str, gold: str) -> float:
    ours, theirs = (Counter(re.findall(r"\w+", part.lower())) for part in (text, gold))
    return 2 * (ours & theirs).total() / max(1, ours.total() + theirs.total())


@pytest.mark.skipif(not PAGES.exists(), reason="needs ../shared/data/html-gold")
def test_real_articles_that_the_model_was_not_trained_on_are_found() -> None:
    with gzip.open(PAGES / "gold.jsonl.gz", "rt", encoding="utf-8") as lines:
        gold = [json.loads(line) for line in lines][::3]
    scores = []
    for row in gold:
        page = gzip.decompress((PAGES / "html" / f"{row['id']}.html.gz").read_bytes()).decode("utf-8", "replace")
        scores.append(_f1(choose(page).text, row["main_content"]))
    assert sum(scores) / len(scores) > 0.88
