"""Numbers with their units, as people read and write them."""

from __future__ import annotations

import math
import re
from typing import Literal

from pile.errors import RequestError

Unit = Literal["bytes", "documents", "tokens"]

#: What an amount may end in: what it counts, and how many of that one is. Powers of 1000 and of 1024, as IEC 80000-13 has them.
UNITS: dict[str, tuple[Unit, int]] = {
    "": ("bytes", 1),
    "b": ("bytes", 1),
    **{f"{prefix}b": ("bytes", 1000 ** (power + 1)) for power, prefix in enumerate("kmgt")},
    **{f"{prefix}ib": ("bytes", 1024 ** (power + 1)) for power, prefix in enumerate("kmgt")},
    "docs": ("documents", 1),
    "documents": ("documents", 1),
    "tokens": ("tokens", 1),
    # As people say it of tokens: 300B are 300 billion.
    **{f"{prefix}tokens": ("tokens", 1000 ** (power + 1)) for power, prefix in enumerate("kmbt")},
    "gtokens": ("tokens", 1000**3),
}
AMOUNT = re.compile(r"\s*([0-9.]+(?:e[+-]?[0-9]+)?)\s*([a-z]*\s*[a-z]*)\s*", re.IGNORECASE)


def size(count: float) -> str:
    """Return a number of bytes in powers of 1024: ``1.50 MiB``."""
    units = ["B", "KiB", "MiB", "GiB", "TiB"]
    while count >= 1024 and len(units) > 1:
        count /= 1024
        units.pop(0)
    return f"{count:.0f} {units[0]}" if units[0] == "B" else f"{count:.2f} {units[0]}"


def quantity(count: float, unit: Unit) -> str:
    """Return an amount with its unit: ``1.50 MiB``, ``2,000 documents``."""
    return size(count) if unit == "bytes" else f"{count:,.0f} {unit}"


def exact(count: float, unit: Unit) -> str:
    """Return an amount as ``amount`` reads it, rounded down: ``1572864B``, ``2000documents``."""
    return f"{math.floor(count)}{'B' if unit == 'bytes' else unit}"


def amount(text: str) -> tuple[float, Unit]:
    """Return what a person wrote, such as ``300GB``, ``1e6docs`` or ``300B tokens``, as a number above 0 and what it counts.

    Raises ``RequestError`` naming the forms.
    """
    match = AMOUNT.fullmatch(text)
    try:
        number = float(match[1]) if match else math.nan
    except ValueError:  # two points
        number = math.nan
    found = UNITS.get("".join(match[2].lower().split())) if match else None
    if found is None or not 0 < number < math.inf:
        raise RequestError(
            f"{text!r} is no amount: write bytes as 300GB or 1.2TiB, documents as 1e6docs, tokens as 300B tokens"
        )
    return number * found[1], found[0]
