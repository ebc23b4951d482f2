"""The mixing law: losses of proxy runs as a function of their mixtures, and the mixture that it says is best.

``L_j(p) = c_j + exp(k_j + t_j . p)`` (Ye et al. 2024; field notes, section 6, scheme 4). Shares sum to 1, so that ``k_j``
is part of every ``t_j`` and is not fitted apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog, minimize
from scipy.stats import spearmanr

from pile.errors import DataError, RequestError
from pile.runs import Runs

Array = npt.NDArray[np.float64]

#: Where the Huber loss turns from squares to lines, in units of the loss (field notes, section 6).
HUBER = 0.01
#: Of the pull towards the natural mixture (field notes, section 6).
PULL = 0.1
#: Starts of the fit: the floor ``c_j`` as a fraction of the least loss seen. The least of all fits is taken.
FLOORS = (0.0, 0.5, 0.9)
#: A direction in which mixtures vary by less than this fraction of the largest is rounding: the law is flat along it.
NO_VARIATION = 1e-9
#: A logarithm of a loss that no run has, but a step of the solver may try.
HIGHEST_LOG = 50.0
#: Parts that cross-validation leaves out in turn; run number n is in part n modulo this.
FOLDS = 5
#: A share this far outside of what was run is rounding.
ROUNDING = 1e-6
#: The logarithm in the pull needs shares above zero.
LEAST_SHARE = 1e-9


class Law(msgspec.Struct, frozen=True):
    """A fitted law: ``floors[loss]`` and ``slopes[loss][component]``."""

    floors: Array
    slopes: Array

    def __call__(self, shares: Array) -> Array:
        """Return the losses of mixtures: ``[run][loss]``."""
        values: Array = self.floors + np.exp(shares @ self.slopes.T)
        return values


class Best(msgspec.Struct, frozen=True):
    """The best mixture, and how far it can be believed.

    ``ranks`` is Spearman's rank correlation of every loss in cross-validation; ``outside`` are the components whose share no
    run had; ``mixed`` says whether the mixture is a mixture of those that were run.
    """

    shares: list[float]
    loss: float
    ranks: dict[str, float]
    outside: list[str]
    mixed: bool


def fit(shares: Array, losses: Array) -> Law:
    """Return the law that fits the runs best: least Huber loss, by L-BFGS from fixed starts."""
    # In the directions in which the mixtures vary, each scaled to vary by one, L-BFGS needs a tenth of the steps.
    left, scale, right = np.linalg.svd(shares, full_matrices=False)
    varied = scale > NO_VARIATION * scale[0]
    size = np.sqrt(len(shares))
    directions, back = left[:, varied] * size, (right[varied].T / scale[varied]) * size
    fitted = [_fit_one(directions, column) for column in losses.T]
    return Law(np.array([floor for floor, _ in fitted]), np.array([back @ slopes for _, slopes in fitted]))


def _fit_one(directions: Array, losses: Array) -> tuple[float, Array]:
    def objective(parameters: Array) -> tuple[float, Array]:
        # einsum, not @: the threads of BLAS only wait for each other over so small a table.
        growth = np.exp(np.minimum(np.einsum("ij,j->i", directions, parameters[1:]), HIGHEST_LOG))
        # In units of HUBER, since L-BFGS stops at steps that are small beside 1.
        gap = (parameters[0] + growth - losses) / HUBER
        value = np.where(np.abs(gap) <= 1, gap**2 / 2, np.abs(gap) - 0.5).mean()
        pull = np.clip(gap, -1, 1) / (HUBER * len(losses))
        return float(value), np.concatenate([[pull.sum()], np.einsum("ij,i->j", directions, pull * growth)])

    least, results = float(losses.min()), []
    bounds = [(0.0, least), *[(None, None)] * directions.shape[1]]
    for fraction in FLOORS:
        slopes = directions.T @ np.log(losses - fraction * least) / len(losses)
        start = np.concatenate([[fraction * least], slopes])
        options = {"maxiter": 2000, "maxfun": 20000}
        results.append(minimize(objective, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options))
    best = min(results, key=lambda result: float(result.fun))
    return float(best.x[0]), best.x[1:]


def check(runs: Runs) -> None:
    """Raise ``DataError`` where the runs cannot decide a law: too few, a loss that is not above 0 or never changes."""
    components = len(runs.components)
    needed = components + 1
    while needed - -(-needed // FOLDS) < components + 1:
        needed += 1
    if len(runs.shares) < needed:
        raise DataError(
            f"{len(runs.shares)} runs cannot decide a law over {components} components: bring {needed} or more"
        )
    for name, column in zip(runs.names, zip(*runs.losses, strict=True), strict=True):
        if min(column) <= 0 or min(column) == max(column):
            raise DataError(f"{name}: losses are above 0 and not all the same: look at that column of the runs")


def cross_validated(shares: Array, losses: Array) -> list[float]:
    """Return Spearman's rank correlation, per loss, of each run's losses with what the law of the other folds says."""
    said, fold = np.zeros_like(losses), np.arange(len(shares)) % FOLDS
    for held in range(FOLDS):
        said[fold == held] = fit(shares[fold != held], losses[fold != held])(shares[fold == held])
    return [float(spearmanr(one, other).statistic) for one, other in zip(said.T, losses.T, strict=True)]


def best(runs: Runs, prior: Sequence[float], most: Sequence[float], extrapolate: bool) -> Best:
    """Return the mixture of least mean loss, near the prior, with no share above ``most``.

    Without ``extrapolate`` every share stays within what was run. Raises ``RequestError`` where no mixture can.
    """
    check(runs)
    shares, losses = np.array(runs.shares), np.array(runs.losses)
    law = fit(shares, losses)
    low = np.full(shares.shape[1], LEAST_SHARE) if extrapolate else np.maximum(shares.min(axis=0), LEAST_SHARE)
    high = np.minimum(np.array(most), 1.0 if extrapolate else np.maximum(shares.max(axis=0), LEAST_SHARE))
    if (low > high).any() or low.sum() > 1 or high.sum() < 1:
        raise RequestError(
            "no mixture within the shares of the runs fits this budget under its caps: lower --budget, raise --max-epochs, "
            "or take --extrapolate and doubt the result"
        )
    found = _least(law, np.array(prior), low, high)
    outside = (found < shares.min(axis=0) - ROUNDING) | (found > shares.max(axis=0) + ROUNDING)
    return Best(
        found.tolist(),
        float(law(found).mean()),
        dict(zip(runs.names, cross_validated(shares, losses), strict=True)),
        [name for name, out in zip(runs.components, outside, strict=True) if out],
        _is_mixed(found, shares),
    )


def _least(law: Law, prior: Array, low: Array, high: Array) -> Array:
    """Solve for the mixture: a convex problem, with one answer."""

    def objective(mixture: Array) -> tuple[float, Array]:
        growth = np.exp(np.einsum("jk,k->j", law.slopes, mixture))
        ratio = np.log(np.maximum(mixture, LEAST_SHARE) / prior)
        value = float((law.floors + growth).mean() + PULL * (mixture * ratio).sum())
        return value, np.einsum("j,jk->k", growth, law.slopes) / len(growth) + PULL * (ratio + 1)

    room = high - low
    start = low + room * (1 - low.sum()) / room.sum()
    sum_is_one: Any = {"type": "eq", "fun": lambda m: m.sum() - 1, "jac": np.ones_like}
    result = minimize(
        objective,
        start,
        jac=True,
        method="SLSQP",
        bounds=list(zip(low, high, strict=True)),
        constraints=[sum_is_one],
        options={"maxiter": 1000, "ftol": 1e-12},
    )
    if not result.success:
        raise DataError(f"the law of these runs has no best mixture that could be found ({result.message}): add runs")
    mixture: Array = np.clip(result.x, low, high)
    return mixture


def _is_mixed(mixture: Array, shares: Array) -> bool:
    """Return whether a mixture lies in the convex hull of the runs', to within ``ROUNDING`` of each share."""
    runs, components = shares.shape
    # Weights of the runs, then what each share is off by, above and below: is there an answer without?
    equations = np.block(
        [[shares.T, np.eye(components), -np.eye(components)], [np.ones(runs), np.zeros(2 * components)]]
    )
    cost = np.concatenate([np.zeros(runs), np.ones(2 * components)])
    answer = linprog(cost, A_eq=equations, b_eq=np.append(mixture, 1.0), method="highs")
    return bool(answer.success and answer.fun <= ROUNDING * components)
