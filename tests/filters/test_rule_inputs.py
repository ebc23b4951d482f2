"""Every rule filter on anything at all, one by one and with what they share taken ahead."""

from __future__ import annotations

import time
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.c4 import C4
from filters.figures import take_ahead
from filters.fineweb import FineWeb
from filters.fineweb2 import FineWeb2
from filters.gopher import STOP_WORDS, GopherQuality, GopherRepetition
from filters.length import Length
from filters.pii import Pii
from pile.document import Document, Verdict
from pile.plugins import names, resolve

FILTERS = (GopherRepetition(), GopherQuality(), C4(), FineWeb(), FineWeb2(stop_words=STOP_WORDS), Length(), Pii())
#: What meets at the edges of words, lines, sentences and scripts.
PIECES = [
    "a",
    "The",
    " ",
    "  ",
    "\n",
    "\n\n",
    "\r\n",
    "\x85",
    ".",
    "...",
    "?!",
    "'",
    "-",
    "#",
    "https://a.b/",
    "U.S.",
    "5",
    "漢",
    "。",
]
PIECES += ["ก", "\u0e48", "\u0301", "😀", "\x00", "\ud800", "я", "•", "(", "[1]", "{", "a b c. "]
ANY_TEXT = st.one_of(st.text(st.characters(), max_size=80), st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
LONG = [
    "x",
    "7",
    "😀",
    "\x00",
    "\ud800",
    "a b ",
    ". ",
    "\n",
    "a.\n",
    "漢",
    "ก",
    "я漢a\u0e48 ",
    "[1]",
    "{",
    "a@",
    "1.",
    "the of ",
]


def verdicts(text: str) -> Iterator[Verdict]:
    for filter in FILTERS:
        yield filter.judge(Document("x", text))


@pytest.fixture(autouse=True)
def nothing_taken_ahead() -> Iterator[None]:
    yield
    take_ahead([])


@given(ANY_TEXT)
def test_any_text_gives_a_verdict_that_its_reason_explains(text: str) -> None:
    for verdict in verdicts(text):
        assert verdict.keep == (verdict.reason == "")
        msgspec.json.encode(verdict)


@given(ANY_TEXT)
def test_stored_scores_decide_as_the_text_did(text: str) -> None:
    for filter in FILTERS:
        verdict = filter.judge(Document("x", text))
        stored = msgspec.json.decode(msgspec.json.encode(verdict.scores))
        assert filter.decide(stored) == verdict


@given(st.lists(ANY_TEXT, max_size=5))
def test_a_verdict_is_the_same_when_texts_were_taken_together(texts: list[str]) -> None:
    take_ahead([])
    alone = [list(verdicts(text)) for text in texts]
    take_ahead(texts)
    assert [list(verdicts(text)) for text in texts] == alone


@pytest.mark.parametrize("piece", LONG)
def test_long_lines_of_anything_give_a_verdict(piece: str) -> None:
    for verdict in verdicts(piece * (100_000 // len(piece))):
        assert verdict.keep == (verdict.reason == "")


def test_options_that_only_decide_change_no_score() -> None:
    document = Document("x", "The old mill of the valley, and that is all. " * 9 + "\n{ a b c.\nshort\nshort")
    for filter in FILTERS:
        options = msgspec.structs.asdict(filter)
        for name in filter.decided_by:
            value = options[name]
            changed = (
                (not value) if isinstance(value, bool) else 0 if name.startswith("min") else value / 2 if value else 1
            )
            other = msgspec.structs.replace(filter, **{name: type(value)(changed)})
            assert other.measure(document) == filter.measure(document), name


def test_every_filter_of_the_catalogue_is_found() -> None:
    assert {"c4", "fineweb", "fineweb2", "license", "pii"} <= set(names("filter"))
    for name in ("c4", "fineweb", "fineweb2", "license", "pii"):
        assert resolve("filter", name).__doc__


@pytest.mark.slow
@pytest.mark.parametrize("piece", ["x", "\n", "я漢a\u0e48 ", "a@", "the of "])
def test_work_grows_no_faster_than_the_text(piece: str) -> None:
    def seconds(characters: int) -> float:
        began = time.process_time()
        for _ in verdicts(piece * (characters // len(piece))):
            pass
        return time.process_time() - began

    seconds(10_000)
    assert seconds(4_000_000) < 12 * seconds(1_000_000)


@pytest.mark.slow
def test_ten_megabytes_on_one_line_give_a_verdict() -> None:
    for verdict in verdicts("Nothing here ever ends, " * 420_000):
        assert verdict.keep == (verdict.reason == "")
