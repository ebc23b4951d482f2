"""What is left out of a page before it is parsed."""

from __future__ import annotations

import pytest

from sources.extract.html import main_text
from sources.extract.unread import without_unread


@pytest.mark.parametrize(
    ("page", "left"),
    [
        ("a<!-- x -->b<!-->c", "abc"),
        ("a<script>if (a < b) {}</script >b<STYLE>p{}</style>c<svg><path/></svg>d<svg/>e", "abcd<svg/>e"),
        ("a<script>b", "a<script>b"),
        ('<script type="application/ld+json">{}</script>', '<script type="application/ld+json">{}</script>'),
        ("a<nav class=top><a>x</a></nav>b<footer>y</footer>c", "abc"),
        ("<nav><h1>What it is about</h1> and more</nav>", "<nav><h1>What it is about</h1> and more</nav>"),
        ("<nav>never closed <p>text <nav>x</nav> more", "<nav>never closed <p>text  more"),
        ("<navigation>x</navigation>", "<navigation>x</navigation>"),
    ],
)
def test_what_no_reader_needs_is_left_out_and_what_does_not_end_stays(page: str, left: str) -> None:
    assert without_unread(page) == left


@pytest.mark.parametrize("piece", ["<nav>", "<nav><h1>", "<svg>", "<!--", "<script>", "<footer><nav>", "<svg/>"])
@pytest.mark.timeout(30)
def test_markup_that_never_ends_is_read_in_linear_time(piece: str) -> None:
    without_unread(piece * 300_000 + "</nav>")


def test_a_page_that_is_all_navigation_keeps_its_text() -> None:
    words = " ".join(["The ferry leaves the old harbour at seven in the morning, and comes back with the tide."] * 9)
    assert words in main_text(f"<html><body><nav><p>{words}</p></nav></body></html>")
