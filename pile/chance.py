"""Chance without state: every random choice of a build is a hash of the seed, the purpose and what is chosen on."""

from __future__ import annotations

import xxhash

#: Hashes are 64 bits: a draw is one of this many equal steps from 0 to 1.
STEPS = 1 << 64


class Draws:
    """The draws for one purpose."""

    def __init__(self, seed: int, purpose: str) -> None:
        self._begin = f"{seed}\0{purpose}\0"

    def of(self, what: str) -> int:
        """Return a number below 2^64, evenly spread over ``what``; equal for equal arguments, on every machine."""
        return xxhash.xxh3_64_intdigest((self._begin + what).encode())


def draw(seed: int, purpose: str, what: str | int) -> int:
    """Return one draw; of many, ``Draws`` takes half the time."""
    return Draws(seed, purpose).of(str(what))


def chance(seed: int, purpose: str, what: str | int) -> float:
    """Return ``draw`` as a fraction from 0 to 1."""
    return draw(seed, purpose, what) / STEPS
