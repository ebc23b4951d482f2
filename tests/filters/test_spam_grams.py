"""filters.spam_grams: what a line is known by, the tables' weights, and how they are learnt."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters import spam_grams, spam_model
from filters.spam import Spam
from filters.spam_grams import BITS, SHORT, Table, log_odds, profile
from filters.spam_grams_training import matrix, table
from filters.spam_text import HEAD, read
from pile.document import Document
from pile.errors import PluginError

SPAM = [f"{name} click here for cheap pills" for name in ("ann", "bob", "cay", "dan", "eve", "fay")]
CLEAN = [f"{name} wrote the minutes of our meeting" for name in ("gus", "hal", "ian", "jon", "kim", "lee")]
GROUPS = np.arange(12)
LABELS = np.array([True] * 6 + [False] * 6)


def learnt(lines: list[str], groups: np.ndarray = GROUPS, counts: np.ndarray | None = None) -> Table:
    return table(
        matrix([profile(line) for line in lines]), LABELS, groups, np.ones(12) if counts is None else counts, 4
    )


def only(places: np.ndarray) -> Table:
    weights = np.zeros(1 << BITS, np.int8)
    weights[places] = 1
    return Table(weights.tobytes(), 1.0, 0.0)


@pytest.mark.parametrize("before", ["", "x ", "some words before ", "ä ", "中 ", "many " * 300])
def test_words_are_the_same_wherever_they_stand(before: str) -> None:
    assert set(profile("cheap pills").places) <= set(profile(f"{before}cheap pills and more").places)


def test_words_of_other_letters_or_in_another_order_are_others() -> None:
    one, other = set(profile("cheap pills").places), set(profile("pills cheap").places)
    assert one & other
    assert one - other  # the pair, and what spans the space
    assert not set(profile("qqqqqq").places) & set(profile("zzzzzz").places)


@given(st.text(max_size=400))
def test_any_line_has_a_profile_of_bounded_length(text: str) -> None:
    found = profile(read(text).line)
    assert float(found.values @ found.values) <= 2 + 1e-9
    assert (found.places < 1 << BITS).all()
    assert np.isfinite(log_odds(read(text).line, only(found.places)))


def test_a_line_said_again_and_again_weighs_no_more() -> None:
    weighed = only(profile("cheap pills").places)
    assert log_odds("cheap pills " * 200, weighed) <= 2 * log_odds("cheap pills", weighed)


def test_what_tells_the_labels_apart_is_learnt_and_names_are_not() -> None:
    weighed = learnt([*SPAM, *CLEAN])
    assert log_odds("zoe click here for cheap pills", weighed) > 1
    assert log_odds("zoe wrote the minutes of our meeting", weighed) < -1
    assert log_odds("ann", weighed) == weighed.bias


def test_what_occurs_in_few_groups_is_not_learnt() -> None:
    weighed = learnt([*SPAM, *CLEAN], groups=np.array([0] * 6 + [1] * 6))
    assert not any(weighed.weights)


def test_what_counts_for_more_weighs_more() -> None:
    lines = ["the same line"] * 12
    more = learnt(lines, counts=np.where(LABELS, 3.0, 1.0))
    assert log_odds("the same line", more) > 0.5 > abs(log_odds("the same line", learnt(lines)))


def test_the_same_rows_give_the_same_table() -> None:
    assert learnt([*SPAM, *CLEAN]) == learnt([*SPAM, *CLEAN])


def test_short_and_long_texts_have_tables_of_their_own() -> None:
    shipped = msgspec.msgpack.decode(spam_model._unpacked(spam_model.SHIPPED.read_bytes()), type=spam_model.Stored)
    apart = msgspec.structs.replace(
        shipped, grams=Table(bytes(1 << BITS), 1.0, 7.0), short_grams=Table(bytes(1 << BITS), 1.0, -7.0)
    )
    model = spam_model.Model(apart, spam_model.opened(apart.fasttext))
    assert model.grams_odds(" ".join(["word"] * SHORT)) == -7
    assert model.grams_odds(" ".join(["word"] * (SHORT + 1))) == 7
    assert spam_grams.is_short("")


def test_the_middle_of_a_page_is_read() -> None:
    said = "The committee met in the harbour to hear what the engineers had found. " * 40
    offer = "Buy cheap viagra online, no prescription, order now and save 80%! " * 12
    assert len(said) < HEAD - len(offer)
    assert Spam().measure(Document("x", said + offer + said)) != Spam().measure(Document("x", said + said + said))


def test_a_model_with_a_table_cut_short_stops_the_recipe(tmp_path: Path) -> None:
    shipped = msgspec.msgpack.decode(spam_model._unpacked(spam_model.SHIPPED.read_bytes()), type=spam_model.Stored)
    cut = msgspec.structs.replace(shipped, grams=Table(b"\0" * 10, 1.0, 0.0))
    (tmp_path / "cut.model").write_bytes(spam_model.pack(cut))
    with pytest.raises(PluginError, match="10 places"):
        Spam(model=str(tmp_path / "cut.model"))
