"""Proxy runs: a CSV file in which every row is one small training run, with the mixture it had and the losses it reached.

A column named as a component of the recipe is its share; columns whose name begins with "loss" are losses; ``run`` and
``index`` may name the row. Nothing else may be in it.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path

import msgspec

from pile.errors import DataError, RequestError

#: Columns that only name a row.
NAMES = ("run", "index")
#: What the name of a loss begins with.
LOSS = "loss"
#: How far the shares of a row may sum from 1: published runs round each to three digits. They are divided by their sum.
ROUNDING = 0.02


class Runs(msgspec.Struct, frozen=True):
    """What was trained: ``shares[run][component]``, each row summing to 1, and ``losses[run][loss]``."""

    components: list[str]
    names: list[str]  #: of the losses
    shares: list[list[float]]
    losses: list[list[float]]


def read_runs(path: Path, components: list[str]) -> Runs:
    """Return the runs of a file; raises ``RequestError`` for another recipe's file, ``DataError`` for bad numbers."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            lines = csv.DictReader(file)
            header = lines.fieldnames or []
            rows = [(lines.line_num, row) for row in lines]
    except FileNotFoundError:
        raise RequestError(f"no runs at {path}: name a CSV file of mixtures and losses") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is not CSV in UTF-8: {error}; export it again") from error
    losses = _columns(path, list(header), components)
    numbers = [
        ([_number(path, line, row, name) for name in components], [_number(path, line, row, name) for name in losses])
        for line, row in rows
    ]
    shares = [_normalised(path, line, mixture) for (line, _), (mixture, _) in zip(rows, numbers, strict=True)]
    return Runs(components, losses, shares, [loss for _, loss in numbers])


def _columns(path: Path, header: list[str], components: list[str]) -> list[str]:
    """Return the columns of losses; raises ``RequestError`` where columns are missing, strange or there twice."""
    losses = [name for name in header if name.startswith(LOSS) and name not in components]
    missing = [name for name in components if name not in header]
    if missing:
        raise RequestError(
            f"{path} has no column for {', '.join(missing)}: each component of the recipe needs one, named as in [sources]"
        )
    strange = [name for name in header if name not in {*components, *losses, *NAMES}]
    if strange:
        raise RequestError(
            f"{path}: column {strange[0]!r} is no component of the recipe, no loss (a name that begins with {LOSS!r}) and "
            "no 'run': name it after one of them, or take it out"
        )
    if not losses:
        raise RequestError(f"{path} has no losses: a column of losses has a name that begins with {LOSS!r}")
    twice = [name for name in header if header.count(name) > 1]
    if twice:
        raise RequestError(f"{path} has the column {twice[0]!r} twice: take one out")
    return losses


def _number(path: Path, line: int, row: dict[str, str | None], name: str) -> float:
    text = row[name]
    try:
        value = float(text) if text is not None else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{path} line {line}: {name} is {text!r}, not a number: mend that run, or take its line out")
    return value


def _normalised(path: Path, line: int, mixture: list[float]) -> list[float]:
    total = sum(mixture)
    if min(mixture) < 0 or abs(total - 1) > ROUNDING:
        raise DataError(
            f"{path} line {line}: the shares sum to {total:g}, the least is {min(mixture):g}: shares are fractions of 1, "
            "none below 0; mend that run, or take its line out"
        )
    return [share / total for share in mixture]
