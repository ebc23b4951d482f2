"""The global order: neighbours are independent of source and input order, and every prefix has the mixture of the whole.

Seeds are fixed, so that these tests cannot fail by chance; the bounds are those of a chance of about one in ten thousand.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pile.corpus import Corpus

Values = npt.NDArray[np.float64]

#: Below it a test does not believe in chance. Over 120 other seeds p-values were evenly spread, the least of 360 was .0012.
LEAST_CHANCE = 1e-4
#: Standard deviations that a normal variable exceeds with that chance.
MOST_DEVIATIONS = 3.9
#: What the largest distance of a Brownian bridge from 0 exceeds with that chance: 2 exp(-2 x^2).
MOST_OF_A_BRIDGE = 2.23

#: Documents and epochs of each source: effective sizes of 2000, 1500 and 900.
SOURCES = {"big": (2000, 1.0), "half": (3000, 0.5), "thrice": (300, 3.0)}

RECIPE = "\n".join(
    ['name = "toy"', "seed = {seed}", "[output]", "shards = 8"]
    + [
        f'[sources.{name}]\nuse = "local"\nepochs = {epochs}\noptions = {{{{ paths = ["{name}.jsonl"] }}}}'
        for name, (_, epochs) in SOURCES.items()
    ]
)


class Order:
    """A corpus's order as numbers: of each line its source, its place in the input (0 to 1), and its length."""

    def __init__(self, lines: list[dict[str, Any]]) -> None:
        names = list(SOURCES)
        self.source = np.array([names.index(line["meta"]["pile_set_name"]) for line in lines])
        native = [int(line["meta"]["id"].partition(":")[2]) for line in lines]
        sizes = np.array([SOURCES[names[source]][0] for source in self.source])
        self.place: Values = (np.array(native) + 0.5) / sizes
        self.length: Values = np.array([float(len(line["text"])) for line in lines])


@pytest.fixture(scope="module", params=[1, 2, 3])
def order(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, local_executor: Any, build_into: Any
) -> Order:
    folder: Path = tmp_path_factory.mktemp("order")
    chance = random.Random(7)
    for name, (count, _) in SOURCES.items():
        texts = (f"{name} {n} " + "word " * chance.randrange(1, 200) for n in range(count))
        (folder / f"{name}.jsonl").write_text(
            "\n".join(json.dumps({"id": str(n), "text": t}) for n, t in enumerate(texts))
        )
    (folder / "toy.toml").write_text(RECIPE.format(seed=request.param))
    build_into(folder, folder / "toy.toml", local_executor)
    return Order(list(Corpus(str(folder / "out"))))


def chance_of_pairs(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> float:
    """Return the p-value of a chi-squared test of independence of two series of three classes (four degrees of freedom)."""
    observed = np.zeros((3, 3))
    np.add.at(observed, (left, right), 1)
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0)) / observed.sum()
    half = ((observed - expected) ** 2 / expected).sum() / 2
    return float(np.exp(-half) * (1 + half))


def deviations_of_correlation(left: Values, right: Values) -> float:
    """Return by how many standard deviations two series are correlated."""
    return float(np.corrcoef(left, right)[0, 1] * np.sqrt(len(left)))


def bridge(values: Values) -> float:
    """Return how far the share of a prefix in the sum of all lies from its share in the count, at most: of a random order, as
    far as a Brownian bridge is from 0.
    """
    return float(np.abs(np.cumsum(values - values.mean())).max() / (values.std() * np.sqrt(len(values))))


def test_neighbours_are_independent_of_their_sources(order: Order) -> None:
    for distance in (1, 2, 10):
        assert chance_of_pairs(order.source[:-distance], order.source[distance:]) > LEAST_CHANCE


def test_neighbours_are_independent_of_the_order_of_the_input(order: Order) -> None:
    for distance in (1, 2, 10):
        assert abs(deviations_of_correlation(order.place[:-distance], order.place[distance:])) < MOST_DEVIATIONS
    assert abs(deviations_of_correlation(order.place, np.arange(len(order.place)) * 1.0)) < MOST_DEVIATIONS


def test_every_prefix_has_the_mixture_within_the_expected_error(order: Order) -> None:
    for source in range(len(SOURCES)):
        of_source = (order.source == source) * 1.0
        assert bridge(of_source) < MOST_OF_A_BRIDGE
        assert bridge(of_source * order.length) < MOST_OF_A_BRIDGE  # its share of the bytes
    assert bridge(order.length) < MOST_OF_A_BRIDGE


def test_the_shares_of_the_whole_are_the_epochs(order: Order) -> None:
    counts = np.bincount(order.source)
    assert counts[0] == 2000
    assert counts[2] == 900
    assert abs(counts[1] - 1500) < MOST_DEVIATIONS * np.sqrt(3000 / 4)


def test_an_order_that_is_none_does_not_pass(order: Order) -> None:
    """The tests above can fail: by a corpus in the order of its input, or sorted within stretches of a hundred only."""
    by_input = np.lexsort((order.place, order.source))
    stretches = np.concatenate([np.sort(part) for part in np.array_split(order.source, 40)])
    assert chance_of_pairs(order.source[by_input][:-1], order.source[by_input][1:]) < LEAST_CHANCE**5
    assert chance_of_pairs(stretches[:-1], stretches[1:]) < LEAST_CHANCE**5
    assert deviations_of_correlation(order.place[by_input][:-1], order.place[by_input][1:]) > 10 * MOST_DEVIATIONS
    assert bridge((order.source[by_input] == 0) * 1.0) > 10 * MOST_OF_A_BRIDGE
