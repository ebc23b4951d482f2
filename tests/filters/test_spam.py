"""filters.spam: what is spam, what is not, why, and that every text has a score."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters import spam_model
from filters.spam import Spam, score
from filters.spam_text import HEAD, TAIL, read
from pile.document import Document
from pile.errors import PluginError

CASINO = (
    "Claim your welcome bonus at the best online casino! Free spins for all, no deposit bonus. Play now and win big. "
    * 3
)
PILLS = "Buy cheap viagra from our online pharmacy, no prescription needed! Order now at http://pills.example/ and save 80%! "
LOAN = "Bad credit? No problem! Get fast cash with our payday loan, instant approval. Apply now, call 0800 123 4567 today!!!"
TEXT_MESSAGE = (
    "URGENT! You have won a 1000 pounds prize guaranteed. Call 09061701461 now. Claim code K52. Valid 12hrs only"
)

ENCYCLOPEDIA = (
    "A casino is a facility for gambling. Casinos are often built near hotels and restaurants. The first licensed house in "
    "Europe was opened in Venice in 1638 to provide controlled gambling during the carnival season; it was closed in 1774 by "
    "the city's government, which thought that it was impoverishing the local gentry. Most games have mathematically "
    "determined odds that give the house an advantage over the players. "
)
ABSTRACT = (
    "Sildenafil was first studied for angina. We randomly assigned 532 men with erectile dysfunction to placebo or to 25, 50 or "
    "100 mg of the drug for 24 weeks. Efficacy was assessed with the International Index of Erectile Function. Increasing doses "
    "were associated with improved function; headache, flushing and dyspepsia were the most common adverse effects. "
)
LETTER = "Hi Anna, the meeting is moved to Thursday because Tom is ill. Could you send me the minutes of the last one? Thanks!"


@pytest.mark.parametrize("text", [CASINO, PILLS, LOAN, TEXT_MESSAGE])
def test_an_advertisement_is_spam(text: str) -> None:
    verdict = Spam().judge(Document("x", text))
    assert (verdict.keep, verdict.reason) == (False, "spam")
    assert score(text) == verdict.scores["probability"] >= 0.9


@pytest.mark.parametrize("text", [ENCYCLOPEDIA, ABSTRACT, LETTER, ABSTRACT * 5])
def test_what_is_written_about_casinos_and_drugs_is_not(text: str) -> None:
    assert score(text) < 0.5


@pytest.mark.parametrize("name", ["spam-casino", "spam-doorway", "spam-watches"])
def test_pages_that_were_made_as_spam_are_found(root: Path, name: str) -> None:
    from sources.extract.html import main_text

    page = (root / f"tests/data/upstream/web/pages/{name}.html").read_text()
    assert score(main_text(page)) >= 0.5


def test_a_verdict_names_the_signals_and_phrases_behind_it() -> None:
    scores = Spam().measure(Document("x", CASINO))
    assert isinstance(scores["lexicon"], float)
    assert scores["lexicon"] > 0
    assert "free spins" in str(scores["phrases"])


def test_the_threshold_alone_decides_on_stored_scores() -> None:
    scores = {"probability": 0.7}
    assert Spam(threshold=0.8).decide(scores).keep
    assert not Spam(threshold=0.7).decide(scores).keep
    assert Spam.decided_by == ("threshold",)


def test_what_a_web_source_saw_of_a_page_raises_the_probability() -> None:
    bare = Spam().measure(Document("x", LETTER))
    seen = Spam().measure(Document("x", LETTER, meta={"page": {"anchors": 0.95, "keywords": 60.0}}))
    assert seen["probability"] > bare["probability"]  # type: ignore[operator]
    assert "page_anchors" in seen


@pytest.mark.parametrize("page", [None, "odd", {}, {"hidden": "x"}, {"anchors": None}, {"other": 3.0}])
def test_odd_or_missing_page_signals_change_nothing(page: object) -> None:
    bare = Spam().measure(Document("x", LETTER))
    assert Spam().measure(Document("x", LETTER, meta={"page": page})) == bare


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n ",
        "0123456789" * 50,
        "😀🎉" * 200,
        "\0" * 100,
        "\ud800 lone \udfff",
        "a",
        "。",
        "!" * 5000,
        "_link_",
        "ſK",
    ],
)
def test_any_text_has_a_score(text: str) -> None:
    assert 0 <= score(text) <= 1
    assert 0 <= Spam().judge(Document("x", text)).scores["probability"] <= 1  # type: ignore[operator]


@given(st.text(alphabet=st.characters(), max_size=300))
@settings(max_examples=200)
def test_any_characters_have_a_score(text: str) -> None:
    assert 0 <= score(text) <= 1
    assert "\n" not in read(text).feature


@pytest.mark.parametrize("unit", ["x", "http://", "a@", "0", "free spins ", "é", "中", "www.", ".", "\ud800"])
def test_ten_megabytes_on_one_line_take_no_longer_than_a_page(unit: str) -> None:
    begun = time.process_time()
    assert 0 <= score(unit * (10_000_000 // len(unit))) <= 1
    assert time.process_time() - begun < 5  # a page takes under a millisecond; without a bound this is minutes
    assert len(read(unit * 1_000_000).line) <= 3 * (HEAD + TAIL + 1)


def test_names_of_hosts_and_people_and_numbers_are_not_read() -> None:
    one = read("See http://one.example/a?b=1 or write to ann@one.example by 12 May 2003, www.one.example").feature
    other = read("See https://two.test/zzz or write to bob@two.test by 31 May 1999, www.two.test").feature
    assert one == other
    assert "one" not in one.split()


def test_the_shipped_model_is_small_and_holds_no_host_names() -> None:
    data = spam_model.SHIPPED.read_bytes()
    assert len(data) < 1_500_000
    stored = msgspec.msgpack.decode(spam_model._unpacked(data), type=spam_model.Stored)
    assert not [word for word in spam_model.opened(stored.fasttext).get_words() if "." in word]


def test_no_signal_of_the_shipped_model_speaks_against_spam_and_fasttext_has_a_say() -> None:
    stored = msgspec.msgpack.decode(spam_model._unpacked(spam_model.SHIPPED.read_bytes()), type=spam_model.Stored)
    for weights in (stored.weights, stored.short_weights):
        named = dict(zip(stored.inputs, weights, strict=True))
        assert all(weight >= 0 for name, weight in named.items() if name != "few_words")
        assert named["fasttext"] >= 0.15


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "cannot be used"),
        (b"not a model", "cannot be used"),
        (None, "cannot be read"),
        (spam_model.SHIPPED.read_bytes()[:5000], "cannot be used"),
    ],
)
def test_a_model_that_is_none_stops_the_recipe_in_one_line(tmp_path: Path, data: bytes | None, message: str) -> None:
    file = tmp_path / "own.model"
    if data is not None:
        file.write_bytes(data)
    with pytest.raises(PluginError, match=message) as error:
        Spam(model=str(file))
    assert "\n" not in str(error.value)
    assert "own.model" in str(error.value)


def test_a_model_of_another_sha256_stops_the_recipe() -> None:
    with pytest.raises(PluginError, match="sha256"):
        Spam(model=str(spam_model.SHIPPED), sha256="0" * 64)
