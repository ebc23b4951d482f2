"""The schemes of mixing: sizes and caps to the amount that a budget gives each component, and from that to epochs.

Every formula is of section 6 of the field notes; the mixing law, which needs runs and a solver, is in ``pile.law``.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from itertools import accumulate

from pile.errors import DataError, RequestError
from pile.recipe import MOST_EPOCHS
from pile.units import Unit, exact, quantity
from pile.weights import Component

SCHEMES = ("epochs", "proportional", "temperature", "unimax", "law")
#: Of a budget that caps only just allow: rounding is no reason to refuse it.
SLACK = 1e-9
#: Digits of an epoch in a recipe: a corpus of a terabyte is within a megabyte of its budget.
DIGITS = 6
#: The caps of the mixing law where nobody sets any: up to four epochs repeated text is worth nearly as much as new text
#: (Muennighoff et al. 2023; field notes, section 6, scheme 4).
LAW_MAX_EPOCHS = 4.0


def known(scheme: str) -> str:
    """Return a scheme's name; raises ``RequestError`` naming the choices."""
    if scheme not in SCHEMES:
        close = difflib.get_close_matches(scheme, SCHEMES, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise RequestError(f"unknown scheme {scheme!r}: {hint}choose one of {', '.join(SCHEMES)}")
    return scheme


def caps(scheme: str, found: list[Component], max_epochs: float | None) -> list[float]:
    """Return the most epochs of each component: its own ``max_epochs`` and the common one, whichever is less."""
    if max_epochs is not None and not 0 < max_epochs <= MOST_EPOCHS:
        raise RequestError(f"--max-epochs {max_epochs:g}: a number above 0, up to {MOST_EPOCHS:g}")
    if max_epochs is None and scheme == "unimax" and any(one.max_epochs is None for one in found):
        raise RequestError("--scheme unimax needs --max-epochs N, or a max_epochs in every [sources] table")
    common = max_epochs or (LAW_MAX_EPOCHS if scheme == "law" else MOST_EPOCHS)
    if scheme == "law" and max_epochs is None:  # here a table's own word goes before the default
        return [one.max_epochs or common for one in found]
    return [min(common, one.max_epochs or common) for one in found]


def ceilings(found: list[Component], most: list[float], unit: Unit) -> list[float]:
    """Return the largest amount of each component; raises ``DataError`` for a source without documents."""
    empty = [one for one in found if not one.documents or not one.bytes]
    if empty:
        raise DataError(
            f"no documents in {', '.join(one.name for one in empty)}: `pile inspect DIR --source {empty[0].place[0]}` shows what "
            "the last build dropped, and why; mend the source, its filters or its buckets, or take it out of the recipe"
        )
    return [cap * one.amount(unit) for cap, one in zip(most, found, strict=True)]


def targets(scheme: str, found: list[Component], unit: Unit, tau: float | None) -> list[float]:
    """Return what the components' amounts should be proportional to."""
    if scheme == "temperature":
        if tau is None or not 0 < tau < float("inf"):
            raise RequestError("--scheme temperature needs --tau T, above 0: 1 is proportional, more is flatter")
        largest = max(one.amount(unit) for one in found)
        return [(one.amount(unit) / largest) ** (1 / tau) for one in found]
    if scheme == "proportional":
        return [float(one.amount(unit)) for one in found]
    if scheme == "unimax":
        return [1.0 for _ in found]
    wanted = [one.epochs * one.amount(unit) for one in found]
    if not any(wanted):
        raise RequestError("--scheme epochs: the weights sum to zero: give at least one component more than 0 epochs")
    return wanted


def fill(wanted: Sequence[float], most: Sequence[float], budget: float, unit: Unit = "bytes") -> list[float]:
    """Return amounts that sum to the budget and are proportional to what is wanted, but for those held by their ceiling.

    What a ceiling holds back goes to the others in proportion. With equal wants this is UniMax (Chung et al. 2023,
    algorithm 1). Raises ``RequestError`` where the ceilings of what is wanted do not reach the budget.
    """
    reach = sum(ceiling for want, ceiling in zip(wanted, most, strict=True) if want > 0)
    if reach < budget * (1 - SLACK):
        raise RequestError(
            f"a budget of {quantity(budget, unit)} cannot be reached: under their caps the components give "
            f"{quantity(reach, unit)}; lower --budget to {exact(reach, unit)}, or raise --max-epochs and max_epochs"
        )
    amounts, left = [0.0] * len(wanted), budget
    order = sorted((n for n, want in enumerate(wanted) if want > 0), key=lambda n: most[n] / wanted[n])
    # Wants from each place on, added up from the end: taking them off a sum would leave rounding where little is left.
    weights = list(accumulate(wanted[n] for n in reversed(order)))[::-1]
    for place, weight in zip(order, weights, strict=True):
        amounts[place] = min(left * wanted[place] / weight, most[place])
        left -= amounts[place]
    return amounts


def epochs_of(found: list[Component], amounts: Sequence[float], most: Sequence[float], unit: Unit) -> dict[str, float]:
    """Return the epochs that give these amounts, as a recipe has them: ``DIGITS`` digits, and never above the cap."""
    return {
        one.name: min(float(f"{amount / one.amount(unit):.{DIGITS}g}"), cap)
        for one, amount, cap in zip(found, amounts, most, strict=True)
    }
