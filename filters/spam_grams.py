"""Weights of the groups of 3 to 5 characters, the words and the pairs of words of a line, found by hash in one table.

Short texts have a table of their own: what tells a message of two lines is not what tells a page. What is known of unseen senders
is mostly here, since parts of words, and how they are spelled, are shared where words are not.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

#: Characters of a group, in UTF-8's bytes: beyond five they are words, which count by themselves.
SIZES = (3, 4, 5)
#: A table has two to this power of places.
BITS = 20
#: Words up to which a text is short: SMS have 45 at most but for a few, and held out they and mail rank worse at 30 and 70.
SHORT = 45
#: Bytes of a line that are hashed: more than English of the bounds of ``spam_text`` has.
_BYTES = 20_000

#: Odd numbers that spread bits, after Knuth's and MurmurHash3's constants; the base of a polynomial of a line's bytes.
_SPREAD, _SPREAD_AGAIN, _BASE = np.uint32(0x9E3779B1), np.uint32(0x85EBCA6B), 0x2F0B4C47
#: What keeps words and pairs of words apart from groups of characters, which have their size.
_WORD, _PAIR = 0x55555555, 0x33333333

Places = npt.NDArray[np.uint32]
Floats = npt.NDArray[np.float64]
_Bytes = npt.NDArray[np.uint8]


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Weights as whole numbers from -127 to 127, one byte for each place, what one of them is worth, and the bias."""

    weights: bytes
    scale: float
    bias: float

    def check(self) -> None:
        """Raise ``ValueError`` unless the table has as many places as hashes point at."""
        if len(self.weights) != 1 << BITS:
            raise ValueError(f"a table has {len(self.weights):,} places, not {1 << BITS:,}")


class Profile(NamedTuple):
    """The different places of a line and how much each counts; a line's groups of characters, and its words, weigh one each."""

    places: Places
    values: Floats


def is_short(line: str) -> bool:
    """Return whether a line is judged as a short one."""
    return line.count(" ") < SHORT


def profile(line: str) -> Profile:
    """Return the places of a line of plain words."""
    parts = [_counted(found) for found in _hashed(line)]
    return Profile(np.concatenate([places for places, _ in parts]), np.concatenate([values for _, values in parts]))


def log_odds(line: str, table: Table) -> float:
    """Return the log-odds of a line by a table."""
    weights = np.frombuffer(table.weights, np.int8)
    # No dot products: BLAS adds long ones up in as many parts as the machine has cores.
    parts = [float((weights[places] * values).sum()) for places, values in map(_counted, _hashed(line))]
    return table.bias + table.scale * sum(parts)


def _counted(hashed: Places) -> tuple[Places, Floats]:
    """Return the different places and the logarithms of how often each occurs, scaled to length one."""
    if not len(hashed):
        return hashed, np.zeros(0)
    ordered = np.sort(hashed)
    changes = np.flatnonzero(ordered[1:] != ordered[:-1])
    edges = np.empty(len(changes) + 2, np.intp)
    edges[0], edges[-1] = 0, len(ordered)
    np.add(changes, 1, out=edges[1:-1])
    values = _LOGARITHMS[edges[1:] - edges[:-1]]
    return ordered[edges[:-1]], values / math.sqrt(float((values * values).sum()))


def _powers(base: int) -> Places:
    found = np.ones(_BYTES + 1, np.uint32)
    np.multiply.accumulate(np.full(_BYTES, base, np.uint32), dtype=np.uint32, out=found[1:])
    return found


#: How much a place counts by how often it occurs.
_LOGARITHMS = np.log2(1.0 + np.arange(len(SIZES) * _BYTES + 1))
_POWERS, _INVERSE = _powers(_BASE), _powers(pow(_BASE, -1, 1 << 32))


def _hashed(line: str) -> tuple[Places, Places]:
    """Return the places of a line's groups of characters, and those of its words and pairs of words, with repetitions.

    The sums of a polynomial up to each byte give the hash of every stretch by one subtraction.
    """
    held = np.frombuffer(f" {line}".encode()[: _BYTES - 1] + b" ", np.uint8)
    sums = np.zeros(len(held) + 1, np.uint32)
    np.cumsum(held * _POWERS[: len(held)], dtype=np.uint32, out=sums[1:])
    groups = [
        _place((sums[size:] - sums[:-size]) * _INVERSE[: len(sums) - size], size) for size in SIZES if size < len(sums)
    ]
    spaces = np.flatnonzero(held == ord(" "))
    begins, ends = spaces[:-1] + 1, spaces[1:]
    words = _stretches(sums, begins, ends, _WORD)
    pairs = _stretches(sums, begins[:-1], ends[1:], _PAIR)
    return np.concatenate([*groups, words[:0]]), np.concatenate([words, pairs])


def _stretches(sums: Places, begins: Any, ends: Any, kind: int) -> Places:
    return _place((sums[ends] - sums[begins]) * _INVERSE[begins], kind)


def _place(hashes: Places, kind: int) -> Places:
    mixed = (hashes ^ np.uint32(kind * 0x1234567 & 0xFFFFFFFF)) * _SPREAD
    mixed ^= mixed >> np.uint32(15)
    return (mixed * _SPREAD_AGAIN) >> np.uint32(32 - BITS)
