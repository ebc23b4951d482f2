"""filters.gopher on anything at all: odd input, options that make no sense, real texts."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.gopher import GopherQuality, GopherRepetition
from filters.language import identify
from pile.document import Document, Verdict

SHARED = Path(os.environ.get("PILE_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))
needs_shared = pytest.mark.skipif(not (SHARED / "data").is_dir(), reason=f"no real texts: {SHARED}/data is absent")

ANY_TEXT = st.text(st.characters(), max_size=120)


def quality(text: str, **options: Any) -> Verdict:
    return msgspec.convert(options, GopherQuality).judge(Document("x", text))


def repetition(text: str, **options: Any) -> Verdict:
    return msgspec.convert(options, GopherRepetition).judge(Document("x", text))


@given(ANY_TEXT)
def test_any_text_gives_a_verdict_that_its_reason_explains(text: str) -> None:
    for verdict in (quality(text), repetition(text)):
        assert verdict.keep == (verdict.reason == "")
        msgspec.json.encode(verdict)


@given(ANY_TEXT, ANY_TEXT)
def test_a_verdict_does_not_depend_on_the_document_before(text: str, other: str) -> None:
    first = quality(text), repetition(text)
    quality(other)
    assert (quality(text), repetition(text)) == first


@pytest.mark.parametrize("text", ["", " ", "\n\n\n", "\r\n" * 9, "\u3000"])
def test_nothing_visible_is_empty(text: str) -> None:
    assert repetition(text) == Verdict(False, "empty")
    assert quality(text).reason == "gopher_word_count"


@pytest.mark.parametrize(
    "piece",
    [
        "x",
        "7",
        "😀",
        "\x00",
        "\ud800",
        "a b ",
        "#",
        ".",
        "\r\n",
        "汉",
        "a'",
        "http://a/",
        "://",
        "-\n",
        "a\u0301\u0327",
    ],
)
def test_long_lines_of_anything_give_a_verdict(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    for verdict in (quality(text), repetition(text)):
        assert verdict.keep == (verdict.reason == "")


@pytest.mark.parametrize(
    ("filter_type", "options", "key"),
    [
        (GopherQuality, {"min_words": 9, "max_words": 8}, "min_words"),
        (GopherQuality, {"min_mean_word_length": 9, "max_mean_word_length": 8}, "min_mean_word_length"),
        (GopherQuality, {"min_stop_words": 9}, "min_stop_words"),
        (GopherQuality, {"bullet_lines": 90}, "bullet_lines"),
        (GopherRepetition, {"top_2_gram": -1}, "top_2_gram"),
        (GopherRepetition, {"top_5_gram": 0.5}, "top_5_gram"),
    ],
)
def test_options_that_make_no_sense_are_refused_by_name(filter_type: type, options: dict[str, Any], key: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=key):
        msgspec.convert(options, filter_type)


# Real texts


@needs_shared
def test_gold_news_articles_are_kept() -> None:
    with gzip.open(SHARED / "data/html-gold/scrapinghub/gold.jsonl.gz", "rt") as lines:
        texts = [text for text in (json.loads(line)["main_content"] for line in lines) if identify(text)[0] == "en"]
    assert len(texts) >= 70
    dropped = [text[:40] for text in texts if not quality(text, symbols_as_words=False).keep]
    assert len(dropped) <= 1, dropped  # a list of basketball results
    assert sum(repetition(text).keep for text in texts) >= 0.97 * len(texts)


@needs_shared
def test_gold_articles_without_spaces_are_not_short() -> None:
    with gzip.open(SHARED / "data/html-gold/newspaper4k/gold.jsonl.gz", "rt") as lines:
        articles = [json.loads(line) for line in lines]
    texts = [article["main_content"] for article in articles if article["lang"] in ("zh", "ja", "th")]
    assert len(texts) >= 5
    reasons = {quality(text).reason for text in texts}
    assert not reasons & {"gopher_word_count", "gopher_mean_word_length", "gopher_stop_words"}
    assert all(repetition(text).keep for text in texts)
