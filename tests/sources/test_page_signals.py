"""sources.extract.page_signals: what is seen of a page's markup, and that it never fails."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.extract.html import read

PARAGRAPH = (
    "The keeper climbed the steps each evening, lit the lamp, wound the clockwork and wrote the weather in the log. "
)


def signals(body: str, head: str = "", url: str | None = "https://www.own.example/page") -> dict[str, float]:
    return read(f"<html><head><title>x</title>{head}</head><body>{body}</body></html>", url=url).signals


def test_an_ordinary_page_has_none() -> None:
    assert signals(f"<p>{PARAGRAPH * 4}</p><p><a href='/more'>{PARAGRAPH}</a></p>") == {}


def test_hidden_text_is_a_share_of_the_text() -> None:
    found = signals(f"<p>{PARAGRAPH * 3}</p><div style='display: none'><p>{PARAGRAPH * 3}</p></div>")
    assert found == {"hidden": pytest.approx(0.5, abs=0.01)}


def test_keywords_for_search_engines_are_counted() -> None:
    assert signals(f"<p>{PARAGRAPH}</p>", "<meta name=Keywords content='cheap shoes, shoes, , sale; boots'>") == {
        "keywords": 4
    }


def test_links_to_other_hosts_count_and_those_to_the_sites_own_do_not() -> None:
    body = f"<p>{PARAGRAPH * 2}<a href='https://{{}}/x'>{PARAGRAPH * 2}</a></p>"
    assert signals(body.format("blog.own.example")) == {}
    assert signals(body.format("other.example"))["anchors"] == pytest.approx(0.5, abs=0.01)


def test_entropy_is_that_of_the_hosts_linked_to() -> None:
    links = "".join(f"<a href='//www.site{number}.test/'>x</a> " for number in range(8))
    assert signals(f"<p>{PARAGRAPH}{links}</p>")["hosts"] == 3.0


@pytest.mark.parametrize("url", [None, "", "http://[", "//", "http://a:b:c", "\ud800", "http://xn--/"])
def test_no_address_is_too_odd(url: str | None) -> None:
    assert "anchors" in signals(f"<p>{PARAGRAPH * 2}<a href='http://other.example'>{PARAGRAPH * 2}</a></p>", url=url)


@given(st.text(max_size=200), st.text(max_size=50))
def test_any_markup_and_address_is_read(text: str, url: str) -> None:
    found = read(f"<a href='{text}'>{text}<meta name=keywords content='{text}'>", url=url).signals
    assert all(value > 0 for value in found.values())
