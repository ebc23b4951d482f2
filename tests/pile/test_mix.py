"""Epochs, splits and order are stateless hashes: exact in expectation, nested, and independent of everything else."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from pile.chance import chance
from pile.document import Document
from pile.gather import shard_start
from pile.mix import Line, Mixer, shard_line
from pile.recipe import Splits


@given(epochs=st.floats(0, 20), more=st.floats(0, 5), id=st.text(max_size=20))
def test_more_epochs_never_take_a_copy_away(epochs: float, more: float, id: str) -> None:
    fewer, after = Mixer(1, Splits()).copies(epochs, id), Mixer(1, Splits()).copies(epochs + more, id)
    assert int(epochs) <= fewer <= int(epochs) + 1
    assert fewer <= after


def test_copies_are_exact_in_expectation() -> None:
    number = 20_000
    total = sum(Mixer(5, Splits()).copies(1.37, f"s:{n}") for n in range(number))
    assert abs(total / number - 1.37) < 0.012  # three and a half standard deviations


def test_whole_epochs_are_exact() -> None:
    assert {Mixer(0, Splits()).copies(3.0, f"s:{n}") for n in range(500)} == {3}
    assert {Mixer(0, Splits()).copies(0.0, f"s:{n}") for n in range(500)} == {0}


def test_splits_have_their_shares_and_follow_the_cluster_alone() -> None:
    mixer = Mixer(3, Splits(validation=0.1, test=0.05))
    drawn = Counter(mixer.split(cluster) for cluster in range(20_000))
    assert abs(drawn["validation"] / 20_000 - 0.1) < 0.008
    assert abs(drawn["test"] / 20_000 - 0.05) < 0.006
    assert mixer.split(77) == Mixer(3, Splits(validation=0.1, test=0.05)).split(77)


def test_purposes_and_seeds_draw_independently() -> None:
    draws = [(chance(1, "copy", n), chance(1, "order", n), chance(2, "copy", n)) for n in range(4000)]
    for one in range(3):
        mean = sum(draw[one] for draw in draws) / len(draws)
        assert abs(mean - 0.5) < 0.02
        for two in range(one):
            both = sum(draw[one] > 0.5 and draw[two] > 0.5 for draw in draws) / len(draws)
            assert abs(both - 0.25) < 0.03


@given(total=st.integers(1, 10_000), shards=st.integers(1, 300))
def test_shards_differ_by_one_document_and_share_out_all(total: int, shards: int) -> None:
    starts = [shard_start(n, total, shards) for n in range(shards + 1)]
    sizes = [after - before for before, after in pairwise(starts)]
    assert sum(sizes) == total
    assert max(sizes) - min(sizes) <= 1


def test_a_shard_line_is_what_readers_of_the_pile_expect() -> None:
    document = Document("web:1", "text", "web", "http://a", "CC0", "2026", {"id": "mine", "title": "t"})
    assert shard_line(document) == (
        b'{"text":"text","meta":{"pile_set_name":"web","id":"web:1","url":"http://a","license":"CC0",'
        b'"created":"2026","title":"t"}}'
    )


@given(
    text=st.text(st.sampled_from('a"\\\n\tü€𝄞/u\x00\x1f\x7f'), max_size=30)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
def test_a_stored_text_goes_into_its_line_as_it_is(text: str) -> None:
    document = Document("web:1", text, "web", meta={"title": text})
    line = msgspec.json.decode(msgspec.json.encode(document), type=Line)
    assert line.plain_text() == text
    assert shard_line(line) == shard_line(document)
