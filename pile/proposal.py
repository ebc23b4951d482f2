"""The proposal: what a scheme makes of a recipe's components under a budget, and what a person should know of it."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from pile.errors import RequestError
from pile.runs import read_runs
from pile.schemes import caps, ceilings, epochs_of, fill, known, targets
from pile.units import Unit, amount
from pile.weights import Component

#: A share below this is none: the solver of the mixing law keeps all of them just above zero.
NO_SHARE = 1e-8


class Wish(msgspec.Struct, frozen=True):
    """What a person asks of ``pile weights``."""

    scheme: str
    budget: str | None = None
    tau: float | None = None
    max_epochs: float | None = None
    runs: Path | None = None
    extrapolate: bool = False


class Proposal(msgspec.Struct, frozen=True):
    """New epochs by component, and lines that say how far they can be believed."""

    epochs: dict[str, float]
    notes: list[str] = []


def propose(found: list[Component], wish: Wish) -> Proposal:
    """Return the epochs of a scheme; raises ``RequestError`` for options that do not go together or cannot be met."""
    scheme = known(wish.scheme)
    _check_options(wish)
    found, empty = _with_documents(found)
    most = caps(scheme, found, wish.max_epochs)
    budget, unit = _budget(found, wish)
    ceiling = ceilings(found, most, unit)
    if scheme == "law":
        amounts, notes = _by_law(found, wish, ceiling, budget, unit)
    else:
        amounts, notes = fill(targets(scheme, found, unit, wish.tau), ceiling, budget, unit), []
    return Proposal(epochs_of(found, amounts, most, unit) | {one.name: one.epochs for one in empty}, notes)


def _with_documents(found: list[Component]) -> tuple[list[Component], list[Component]]:
    """Return what is weighed, and the buckets that nothing fell into: as long as others of their source have documents."""
    filled = {one.source for one in found if one.documents and one.source}
    empty = [one for one in found if not one.documents and one.source in filled]
    return [one for one in found if one not in empty], empty


def _check_options(wish: Wish) -> None:
    needs = {"tau": "temperature", "runs": "law", "extrapolate": "law"}
    for option, scheme in needs.items():
        if getattr(wish, option) not in (None, False) and wish.scheme != scheme:
            raise RequestError(
                f"--{option} says something to --scheme {scheme} only, not to {wish.scheme}: take it out"
            )


def _budget(found: list[Component], wish: Wish) -> tuple[float, Unit]:
    """Return the budget that is asked for, or the effective size that the recipe has now."""
    if wish.budget is not None:
        return amount(wish.budget)
    present = sum(one.epochs * one.bytes for one in found)
    if not present:
        raise RequestError("the weights sum to zero, so that there is no size to keep: give a --budget, such as 300GB")
    return present, "bytes"


def _by_law(
    found: list[Component], wish: Wish, ceiling: list[float], budget: float, unit: Unit
) -> tuple[list[float], list[str]]:
    # As NumPy loads: the tables are small, and threads would only wait for each other. One also adds up in one order.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from pile.law import FOLDS, best  # late: scipy takes longer to import than all else here

    if wish.runs is None:
        raise RequestError("--scheme law needs --runs FILE.csv: the mixtures and losses of proxy runs")
    runs = read_runs(wish.runs, [one.name for one in found])
    natural = sum(one.amount(unit) for one in found)
    prior = [one.amount(unit) / natural for one in found]
    fill(prior, ceiling, budget, unit)  # refuses what the caps cannot reach
    law = best(runs, prior, [top / budget for top in ceiling], wish.extrapolate)
    ranks = ", ".join(f"{name} {rank:.3f}" for name, rank in law.ranks.items())
    mean = sum(law.ranks.values()) / len(law.ranks)
    notes = [
        f"law: {len(runs.shares)} runs; rank correlation with what was held out ({FOLDS} folds): {mean:.3f} ({ranks})",
        f"law: mean loss {law.loss:.4f} is predicted for this mixture; the best run had {min(map(_mean, runs.losses)):.4f}",
    ]
    if law.outside:
        notes.append(f"law: EXTRAPOLATED: no run had such a share of {', '.join(law.outside)}")
    elif not law.mixed:
        notes.append(
            "law: each share is within what was run, but no mixture of the runs is this one: train a proxy run on it"
        )
    return [budget * share if share > NO_SHARE else 0.0 for share in law.shares], notes


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
