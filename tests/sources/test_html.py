"""Pages to main text, through ``sources.extract.html.main_text``."""

from __future__ import annotations

import collections
import io
import json
import os
import random
import re
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources.extract import html
from sources.extract.blocks import Chosen
from sources.extract.html import main_text

SHARED = Path(os.environ.get("PILE_SHARED") or Path(__file__).resolve().parents[2].parent / "shared")
WCXB = SHARED / "data" / "html-gold" / "wcxb" / "wcxb-dev.jsonl.zst"

PARAGRAPH = (
    "The keeper climbed the {n} steps each evening, lit the lamp, wound the clockwork and wrote the weather in the log, "
    "and nobody in the village could remember a night on which the light had failed. "
)
ARTICLE = "".join(f"<p>{PARAGRAPH.format(n=number)}</p>" for number in range(60, 66))


def page(body: str, head: str = "") -> str:
    return (
        f"<!DOCTYPE html><html><head><title>The lamp</title>{head}<style>p{{color:red}}</style></head><body>"
        "<nav><ul><li><a href='/'>Home</a></li><li><a href='/shop'>Shop</a></li></ul></nav>"
        f"<main><article><h1>The lamp on the mole</h1>{body}</article></main>"
        "<footer><a href='/privacy'>Privacy policy</a> Copyright 2026 Example Harbour</footer>"
        "<script>var tracker = 'on';</script></body></html>"
    )


#: Both extractors: a page with much text goes to one, with little to the other.
BOTH = pytest.mark.parametrize("body", [ARTICLE, ARTICLE * 8], ids=["precise", "fast"])


@BOTH
def test_the_text_is_what_the_author_wrote(body: str) -> None:
    text = main_text(page(body))
    assert PARAGRAPH.format(n=60).strip() in text and PARAGRAPH.format(n=65).strip() in text
    assert not re.search("Shop|Privacy|Copyright|tracker|color|[<>\r\x00]", text)


@BOTH
def test_paragraphs_and_headings_are_a_blank_line_apart(body: str) -> None:
    text = main_text(page(body.replace("<p>", "<h2>Winter nights on the mole</h2><p>", 2)))
    assert "Winter nights on the mole\n\nThe keeper climbed the 60 steps" in text
    assert f"failed.\n\n{PARAGRAPH.format(n=62)[:20]}" in text
    assert not re.search(r"\n{3}|[ \t]\n", text)


@BOTH
def test_items_rows_and_code_keep_their_lines(body: str) -> None:
    extra = (
        "<ol><li>Trim the wick of the lamp before dark</li><li>Wind the clockwork until it stops</li></ol>"
        "<table><tr><th>Month</th><th>Nights lit</th></tr><tr><td>January</td><td>31</td></tr></table>"
        "<pre><code>def nights(month):\n    if month == 1:\n        return 31\n</code></pre>"
    )
    text = main_text(page(body + extra + body))
    assert re.search(r"^(-|1\.) Trim the wick of the lamp before dark\n(-|2\.) Wind the clockwork", text, re.M)
    assert "Month | Nights lit\nJanuary | 31" in text
    assert "def nights(month):\n    if month == 1:\n        return 31" in text


def test_bytes_are_decoded_and_a_string_is_taken_as_it_is() -> None:
    body = ARTICLE.replace("lamp", "lámpa")
    expected = main_text(page(body))
    assert "lámpa" in expected
    assert main_text(page(body).encode()) == expected
    assert main_text(page(body, "<meta charset=iso-8859-2>").encode("iso-8859-2")) == expected


def test_entities_become_their_characters_once() -> None:
    assert "5 < 6 & &lt; é" in main_text(
        page(ARTICLE + "<p>It is said that 5 &lt; 6 &amp; &amp;lt; &eacute; there.</p>")
    )


def test_the_precise_extractor_reads_what_the_blocks_are_unsure_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "choose", lambda text, url: Chosen("from the blocks", "unsure" not in text, "a test"))
    monkeypatch.setattr(html, "_precise", lambda text: "" if "failure" in text else "from the precise extractor")
    assert main_text(page("<p>clear</p>")) == "from the blocks"
    assert main_text(page("<p>unsure</p>")) == "from the precise extractor"
    assert main_text(page("<p>unsure, and a failure</p>")) == "from the blocks"


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\0",
        b"\xff\xfe",
        bytes(range(256)) * 20,
        b"<",
        b"<html>",
        b"<!--" * 1000,
        b"<![CDATA[<?xml",
        b"<script>" * 1000,
        "\ud800",
        "<p>&#xD800;&#0;&#x110000;</p>",
    ],
)
def test_garbage_gives_a_text_or_none(garbage: bytes | str) -> None:
    main_text(garbage).encode("utf-8")


HUGE = {
    "too long": "<p>word</p>" + " word" * (html.SIZE_BOUND // 5),
    "too many tags": "<br>" * (html.TAG_BOUND + 1),
    "too deep": "<div>" * 100_000 + "word" + "</div>" * 100_000,
    "too deep and never closed": "<b>word" * 100_000,
    "a million attributes": "<div " + " ".join(f"a{k}" for k in range(1_000_000)) + ">word</div>",
    "attributes behind a quoted bracket": '<div t=">" ' + " ".join(f"a{k}=1" for k in range(200_000)) + ">word</div>",
}


@pytest.mark.parametrize("text", HUGE.values(), ids=HUGE)
def test_what_no_page_is_gives_no_text(text: str) -> None:
    assert main_text(page(text)) == ""


def test_what_some_pages_are_is_read() -> None:
    for body in (
        "<font>" * 900 + ARTICLE + "</font>" * 900,
        "<ul>" + "<li>An item with some words" * 3000 + "</ul>" + ARTICLE,
        "<select>" + "<option>A country" * 20_000 + "</select>" + ARTICLE * 4,
        ARTICLE + "<p>" + " |" * 100_000 + "</p>" + "\t" * 100_000,
        "<p>word & word</p>" * 20_000,
    ):
        assert len(main_text(page(body))) > 500


PAGES = [page(ARTICLE), page(ARTICLE * 8), page("<table><tr><td>" + ARTICLE + "</table>")]
TOKENS = [
    "<",
    ">",
    "</p>",
    '"',
    "<!--",
    "-->",
    "<table>",
    "<select>",
    "<svg>",
    "<template>",
    "\0",
    "&#0;",
    "<plaintext>",
    "\ud800",
]


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(PAGES),
    st.lists(st.tuples(st.integers(0, 6000), st.integers(0, 300), st.sampled_from(TOKENS)), max_size=12),
)
def test_a_mutilated_page_gives_the_same_text_each_time(text: str, cuts: list[tuple[int, int, str]]) -> None:
    for at, size, token in cuts:
        text = text[:at] + token + text[at + size :]
    found = main_text(text)
    found.encode("utf-8")
    assert not re.search("[\0\r\ud800-\udfff]", found)
    assert found == main_text(text)


WORD = re.compile(r"\w+")


def word_f1(text: str, gold: str) -> float:
    got, want = (collections.Counter(WORD.findall(part.lower())) for part in (text, gold))
    both = (got & want).total()
    return 2 * both / (got.total() + want.total()) if got or want else 1.0


def wcxb(step: int) -> list[dict[str, str]]:
    with open(WCXB, "rb") as file:
        stream = zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(file)
        return [json.loads(line) for k, line in enumerate(io.TextIOWrapper(stream, "utf-8")) if k % step == 0]


@pytest.mark.skipif(not WCXB.is_file(), reason=f"no {WCXB}")
def test_real_pages_give_their_main_text_in_any_order() -> None:
    pages = wcxb(25)
    first = [main_text(one["html"], url=one["url"]) for one in pages]
    scores = [word_f1(text, one["main_content"] or "") for text, one in zip(first, pages, strict=True)]
    # All 1,497 pages give .82 (benchmarks); every 25th gave .817 when this was written.
    assert sum(scores) / len(scores) > 0.79
    order = list(range(0, len(pages), 4))
    random.Random(5).shuffle(order)
    assert [main_text(pages[k]["html"]) for k in order] == [first[k] for k in order]
