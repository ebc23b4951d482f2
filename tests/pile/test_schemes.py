"""Schemes reach their budget, keep under their caps, and follow the formulas of the field notes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pile.errors import RequestError
from pile.proposal import Wish, propose
from pile.schemes import fill
from pile.units import amount
from pile.weights import Component


def component(name: str, size: int, epochs: float = 1.0, cap: float | None = None, documents: int = 10) -> Component:
    return Component(name, size, documents, epochs, cap, True)


def unimax(sizes: list[float], budget: float, most: float) -> list[float]:
    """UniMax as the field notes have it, section 6, scheme 3."""
    amounts, left = {}, budget
    for place, n in enumerate(sorted(range(len(sizes)), key=lambda n: sizes[n])):
        amounts[n] = min(left / (len(sizes) - place), most * sizes[n])
        left -= amounts[n]
    return [amounts[n] for n in range(len(sizes))]


wants = st.lists(
    st.tuples(st.one_of(st.just(0.0), st.floats(1e-2, 1e4)), st.floats(1e-3, 1e6)), min_size=1, max_size=12
).filter(lambda pairs: any(want for want, _ in pairs))


@given(pairs=wants, share=st.floats(0.001, 1.0))
def test_a_budget_is_reached_under_the_ceilings_and_in_proportion_below_them(
    pairs: list[tuple[float, float]], share: float
) -> None:
    wanted, most = [want for want, _ in pairs], [ceiling for _, ceiling in pairs]
    budget = share * sum(ceiling for want, ceiling in pairs if want)
    amounts = fill(wanted, most, budget)
    assert math.isclose(sum(amounts), budget, rel_tol=1e-6)
    assert all(0 <= got <= ceiling for got, ceiling in zip(amounts, most, strict=True))
    assert all(got == 0 for got, want in zip(amounts, wanted, strict=True) if not want)
    # Who is below a ceiling has the same rate as all others there, and nobody at a ceiling would have had less.
    free = [got / want for got, want, top in zip(amounts, wanted, most, strict=True) if want and got < top * (1 - 1e-6)]
    held = [got / want for got, want, top in zip(amounts, wanted, most, strict=True) if want and got >= top]
    assert all(math.isclose(rate, max(free), rel_tol=1e-5) for rate in free)
    assert not free or all(rate <= max(free) * (1 + 1e-5) for rate in held)


@given(sizes=st.lists(st.floats(1, 1e6), min_size=1, max_size=12), share=st.floats(0.01, 1.0), most=st.floats(0.5, 8))
def test_unimax_is_the_algorithm_of_its_paper(sizes: list[float], share: float, most: float) -> None:
    budget = share * most * sum(sizes)
    found = fill([1.0] * len(sizes), [most * size for size in sizes], budget)
    assert found == pytest.approx(unimax(sizes, budget, most), rel=1e-9)


def test_a_budget_above_all_ceilings_is_refused_with_what_can_be_reached() -> None:
    with pytest.raises(RequestError, match=r"3\.00 KiB cannot be reached.* 2\.00 KiB; lower --budget to 2048B,"):
        fill([1, 1, 0], [1024, 1024, 9999], 3072)


def test_epochs_keep_the_proportions_of_the_recipe() -> None:
    found = [component("a", 1000, 1.0), component("b", 500, 3.0), component("c", 100, 0.0)]
    assert propose(found, Wish("epochs", "5000B")).epochs == {"a": 2.0, "b": 6.0, "c": 0.0}


def test_epochs_without_a_budget_stay_as_they_are() -> None:
    found = [component("a", 977, 1.7), component("b", 533, 0.25)]
    assert propose(found, Wish("epochs")).epochs == {"a": 1.7, "b": 0.25}


@pytest.mark.parametrize(("tau", "ratio"), [(1.0, 16.0), (2.0, 4.0), (4.0, 2.0)])
def test_temperature_flattens(tau: float, ratio: float) -> None:
    found = [component("large", 16_000_000), component("small", 1_000_000)]
    epochs = propose(found, Wish("temperature", "17MB", tau=tau)).epochs
    assert epochs["large"] * 16 / epochs["small"] == pytest.approx(ratio, rel=1e-4)


@pytest.mark.parametrize("tau", [0.001, 1e9])
def test_extreme_temperatures_stay_numbers(tau: float) -> None:
    found = [component("large", 10**13), component("small", 3)]
    epochs = propose(found, Wish("temperature", "1MB", tau=tau)).epochs
    assert sum(epochs[one.name] * one.bytes for one in found) == pytest.approx(1e6, rel=1e-5)


def test_a_sources_own_cap_holds_below_the_common_one_and_the_rest_goes_to_the_others() -> None:
    found = [component("a", 1000, cap=1.5), component("b", 1000), component("c", 1000)]
    epochs = propose(found, Wish("proportional", "7500B", max_epochs=4)).epochs
    assert epochs == {"a": 1.5, "b": 3.0, "c": 3.0}


def test_a_budget_of_documents_counts_documents() -> None:
    found = [component("pages", 1000, documents=100), component("books", 100_000, documents=50)]
    assert propose(found, Wish("proportional", "300docs")).epochs == {"pages": 2.0, "books": 2.0}
    assert propose(found, Wish("unimax", "200docs", max_epochs=3)).epochs == {"pages": 1.0, "books": 2.0}


def test_epochs_that_are_rounded_never_pass_their_cap() -> None:
    cap = 1.23456789
    found = [component("a", 997, cap=cap), component("b", 1009, cap=cap)]
    assert propose(found, Wish("unimax", f"{cap * 2006 - 0.001:.5f}B")).epochs["a"] <= cap


@pytest.mark.parametrize(
    ("text", "count", "unit"),
    [
        ("300GB", 300e9, "bytes"),
        ("1.5 TiB", 1.5 * 2**40, "bytes"),
        ("2e9", 2e9, "bytes"),
        ("7kb", 7000, "bytes"),
        ("1e6docs", 1e6, "documents"),
        ("12 documents", 12, "documents"),
        ("300B tokens", 300e9, "tokens"),
        ("1.5Ttokens", 1.5e12, "tokens"),
        ("2e9 tokens", 2e9, "tokens"),
    ],
)
def test_amounts_are_read_with_their_units(text: str, count: float, unit: str) -> None:
    assert amount(text) == (count, unit)


@given(st.text(max_size=12))
def test_any_other_text_is_no_amount(text: str) -> None:
    try:
        count, _ = amount(text)
    except RequestError as error:
        assert "\n" not in str(error).replace(repr(text), "")
    else:
        assert 0 < count < math.inf
