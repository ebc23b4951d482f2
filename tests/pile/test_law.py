"""The mixing law finds what made the losses of proxy runs, stays where they were, and refuses runs that cannot decide it."""

from __future__ import annotations

import csv
import math
import random
from pathlib import Path

import pytest

from pile.errors import DataError, PileError, RequestError
from pile.proposal import Proposal, Wish, propose
from pile.runs import read_runs
from pile.weights import Component

NAMES = ["web", "books", "code", "wiki"]
#: Of the law that the invented runs obey: floors, and slopes by component.
TRUTH = {"loss_web": (2.0, [-0.9, 0.4, 0.6, 0.1]), "loss_code": (0.8, [0.7, 0.5, -1.2, 0.6])}
FOUND = [Component(name, 1_000_000 * (4 - n), 1000, 1.0, None, True) for n, name in enumerate(NAMES)]


def losses_of(shares: list[float]) -> list[float]:
    return [
        floor + math.exp(sum(t * p for t, p in zip(slopes, shares, strict=True))) for floor, slopes in TRUTH.values()
    ]


def mixtures(count: int, spread: float = 1.0, around: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0)) -> list[list[float]]:
    """Return mixtures: with a small spread they keep near ``around``."""
    dice = random.Random(7)
    drawn = [[dice.gammavariate(a / spread, 1.0) for a in around] for _ in range(count)]
    return [[value / sum(row) for value in row] for row in drawn]


def write(path: Path, shares: list[list[float]], noise: float = 0.002) -> Path:
    dice = random.Random(3)
    with open(path, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["run", *NAMES, *TRUTH])
        for number, row in enumerate(shares):
            losses = [loss + dice.gauss(0, noise) for loss in losses_of(row)]
            rows.writerow([number, *(f"{share:.3f}" for share in row), *(f"{loss:.4f}" for loss in losses)])
    return path


def law(path: Path, budget: str = "10MB", **more: object) -> tuple[Proposal, list[float]]:
    """Return what the law proposes, and its shares."""
    proposal = propose(FOUND, Wish("law", budget, runs=path, **more))  # type: ignore[arg-type]
    amounts = [proposal.epochs[one.name] * one.bytes for one in FOUND]
    return proposal, [amount / sum(amounts) for amount in amounts]


def test_the_law_finds_a_better_mixture_and_says_how_well_it_ranks_what_was_held_out(tmp_path: Path) -> None:
    runs = mixtures(30)
    proposal, shares = law(write(tmp_path / "runs.csv", runs))
    natural = [0.4, 0.3, 0.2, 0.1]
    assert sum(losses_of(shares)) < sum(losses_of(natural)) - 0.05
    for component in range(4):
        ran = [row[component] for row in runs]
        assert min(ran) - 0.001 <= shares[component] <= max(ran) + 0.001
    assert sum(proposal.epochs[one.name] * one.bytes for one in FOUND) == pytest.approx(10e6, rel=1e-4)
    rank = float(proposal.notes[0].partition("folds): ")[2].split()[0])
    assert 0.97 < rank <= 1.0
    said = float(proposal.notes[1].partition("mean loss ")[2].split()[0])
    assert said == pytest.approx(sum(losses_of(shares)) / 2, abs=0.01)


def test_noise_that_no_law_explains_is_shown_by_a_low_rank(tmp_path: Path) -> None:
    proposal, _ = law(write(tmp_path / "runs.csv", mixtures(30), noise=5e-1))
    assert float(proposal.notes[0].partition("folds): ")[2].split()[0]) < 0.7


@pytest.mark.slow
def test_equal_runs_give_equal_epochs(tmp_path: Path) -> None:
    path = write(tmp_path / "runs.csv", mixtures(20))
    assert law(path)[0] == law(path)[0]


@pytest.mark.slow
def test_no_share_leaves_what_was_run_unless_that_is_asked_for_and_said(tmp_path: Path) -> None:
    runs = mixtures(24, spread=0.002)  # all near a quarter
    path = write(tmp_path / "runs.csv", runs)
    proposal, shares = law(path)
    for component in range(4):
        ran = [row[component] for row in runs]
        assert min(ran) - 0.001 <= shares[component] <= max(ran) + 0.001
    assert not any("EXTRAPOLATED" in note for note in proposal.notes)
    assert any("no mixture of the runs is this one" in note for note in proposal.notes)
    beyond, far = law(path, extrapolate=True)
    assert max(far) > 0.4
    assert any("EXTRAPOLATED" in note and "code" in note for note in beyond.notes)


def test_caps_hold_four_epochs_where_nobody_says_otherwise(tmp_path: Path) -> None:
    path = write(tmp_path / "runs.csv", mixtures(30))
    free, _ = law(path, budget="30MB")
    assert max(free.epochs.values()) == pytest.approx(4.0)
    capped, _ = law(path, budget="15MB", max_epochs=1.7)
    assert max(capped.epochs.values()) <= 1.7
    with pytest.raises(RequestError, match="cannot be reached"):
        law(path, budget="41MB")


@pytest.mark.slow
def test_caps_that_only_mixtures_beyond_the_runs_can_keep_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "runs.csv", mixtures(24, spread=0.002))
    with pytest.raises(RequestError, match="--extrapolate"):
        law(path, budget="39MB")
    assert law(path, budget="39MB", extrapolate=True)[1][0] == pytest.approx(0.4, abs=0.02)


GOOD = "run,web,books,loss\n1,0.5,0.5,3.1\n2,0.25,0.75,3.4\n"

BAD_FILES = [
    (GOOD.replace("3.4", "nan"), DataError, ["line 3", "loss", "'nan'"]),
    (GOOD.replace("3.4", "low"), DataError, ["line 3", "'low'"]),
    (GOOD.replace(",3.4", ""), DataError, ["line 3", "loss", "None"]),
    (GOOD.replace("0.75", "0.85"), DataError, ["line 3", "sum to 1.1"]),
    (GOOD.replace("0.25,0.75", "-0.25,1.25"), DataError, ["line 3", "-0.25"]),
    (GOOD.replace("books", "boks"), RequestError, ["no column for books"]),
    (GOOD.replace("run", "date"), RequestError, ["'date'", "'run'"]),
    (GOOD.replace("loss", "index"), RequestError, ["no losses"]),
    ("run,web,books,loss,loss\n1,0.5,0.5,3.1,3\n", RequestError, ["'loss' twice"]),
    ("", RequestError, ["no column for web, books"]),
    (GOOD, DataError, ["2 runs", "2 components", "bring 4"]),
    (GOOD + "3,0.3,0.7,0\n4,0.4,0.6,1\n", DataError, ["loss", "above 0"]),
    (GOOD.replace("3.4", "3.1") + "3,0.3,0.7,3.1\n4,0.4,0.6,3.1\n", DataError, ["loss", "not all the same"]),
]


@pytest.mark.parametrize(("content", "error", "says"), BAD_FILES, ids=[" ".join(says) for _, _, says in BAD_FILES])
def test_a_bad_runs_file_is_refused_with_the_place(
    tmp_path: Path, content: str, error: type[PileError], says: list[str]
) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(content)
    with pytest.raises(error) as caught:
        propose(FOUND[:2], Wish("law", "2MB", runs=path))
    message = str(caught.value)
    assert "\n" not in message
    for word in says:
        assert word in message


def test_shares_that_publishers_rounded_are_made_to_sum_to_one(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("index,web,books,loss\n0,0.333,0.660,3.1\n")
    assert sum(read_runs(path, ["web", "books"]).shares[0]) == pytest.approx(1.0)
