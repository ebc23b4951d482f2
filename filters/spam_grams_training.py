"""Learns the tables of ``spam_grams``: logistic regression on the places that tell most, rounded to whole numbers.

What occurs in few groups is not learnt, so that no sender, host or thread is known by its spelling.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from filters.logistic import logistic
from filters.spam_grams import BITS, Profile, Table

#: Places that have a weight, those with the largest share of what tells the labels apart: 150,000 and all are no better.
KEPT = 60_000
#: Strength of the pull to zero.
PENALTY = 0.003
#: Steps of the search: what it gains later is of single texts.
STEPS = 60
#: The largest whole number of a weight, and the digits of what one is worth: beyond them machines differ.
_MOST, _SCALE_DIGITS = 127, 5

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Rows = Any  #: scipy's sparse matrices, which have no types


def matrix(profiles: Sequence[Profile]) -> Rows:
    """Return profiles as the rows of a sparse matrix."""
    ends = np.cumsum([0, *(len(found.places) for found in profiles)])
    places = np.concatenate([np.zeros(0, np.uint32), *(found.places for found in profiles)])
    values = np.concatenate([np.zeros(0), *(found.values for found in profiles)])
    rows = csr_matrix((values, places.astype(np.int32), ends), shape=(len(profiles), 1 << BITS))
    rows.sum_duplicates()  # a word and a group of characters may share a place
    return rows


def table(rows: Rows, positive: Flags, groups: npt.NDArray[np.intp], counts: Floats, least: int) -> Table:
    """Return the table that rows teach, each as often as ``counts`` says; places of fewer than ``least`` groups are left out."""
    chosen = _chosen(rows, positive, np.flatnonzero(_groups_of(rows, groups) >= least))
    weights, bias = logistic(rows[:, chosen], positive, PENALTY, [(None, None)] * len(chosen), counts, STEPS)
    scale = float(f"{np.abs(weights).max(initial=0.0) / _MOST:.{_SCALE_DIGITS}g}") or 1.0
    whole = np.zeros(1 << BITS, np.int8)
    whole[chosen] = np.clip(np.rint(weights / scale), -_MOST, _MOST).astype(np.int8)
    return Table(whole.tobytes(), scale, bias)


def _groups_of(rows: Rows, groups: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Return in how many groups each place occurs."""
    held = csr_matrix((np.ones(len(groups)), (groups, np.arange(len(groups)))), shape=(groups.max() + 1, len(groups)))
    return np.bincount((held @ rows).indices, minlength=1 << BITS)


def _chosen(rows: Rows, positive: Flags, known: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Return the ``KEPT`` of the known places that tell most: by the logarithm of how much oftener one label has it."""
    spam, clean = (np.asarray(rows[label].sum(0)).ravel()[known] for label in (positive, ~positive))
    ratio = np.log((spam + 1) / (spam + 1).sum() / ((clean + 1) / (clean + 1).sum()))
    told = np.abs(ratio) * np.sqrt(spam + clean)
    return np.sort(known[np.argsort(-told, kind="stable")[:KEPT]])
