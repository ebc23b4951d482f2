"""Logistic regression within bounds, for few inputs and for many sparse ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

#: Digits after the point of a bias: beyond them machines differ.
DIGITS = 4

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def logistic(
    rows: Any, positive: Flags, penalty: float, bounds: list[Any], counts: Floats | None = None, steps: int = 300
) -> tuple[Floats, float]:
    """Return the weights and the bias; ``rows`` dense or sparse, ``penalty`` on squared weights, ``counts`` for each row."""
    signs = np.where(positive, -1.0, 1.0)
    times = np.ones(len(signs)) if counts is None else counts
    columns = rows.T.tocsr() if hasattr(rows, "tocsr") else rows.T

    def loss(point: Floats) -> tuple[float, Floats]:
        weights, bias = point[:-1], point[-1]
        odds = rows @ weights + bias
        slope = times * signs / (1 + np.exp(-np.clip(odds * signs, -500, 500)))
        value = float((times * np.logaddexp(0, odds * signs)).sum() + penalty / 2 * (weights @ weights))
        return value, np.append(columns @ slope + penalty * weights, slope.sum())

    start = np.zeros(rows.shape[1] + 1)
    free = [(None, None)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[*bounds, *free], options={"maxiter": steps})
    return found.x[:-1], round(float(found.x[-1]), DIGITS)
