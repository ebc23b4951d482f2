"""The difference between two texts, word by word, as a person reads it: ``[-only in the first-] {+only in the second+}``."""

from __future__ import annotations

from difflib import SequenceMatcher
from itertools import takewhile

#: Words of each text that are matched with one another, from their first difference on: matching may take quadratic time.
MOST_WORDS = 400
#: Words that are shown on each side of a difference.
CONTEXT = 6
#: Characters of a difference that are shown.
MOST_CHARACTERS = 1_500


def difference(first: str, second: str) -> str:
    """Return where two texts differ, "" where their words are the same."""
    one, other = first.split(), second.split()
    if one == other:
        return ""
    head = _shared(one, other)
    one, other = one[head:], other[head:]
    tail = _shared(one[::-1], other[::-1])
    before, after = first.split()[max(0, head - CONTEXT) : head], one[len(one) - tail :][:CONTEXT]
    one, other = one[: len(one) - tail], other[: len(other) - tail]
    pieces = ["…"] * (head > CONTEXT) + before
    cut = len(one) > MOST_WORDS or len(other) > MOST_WORDS
    one, other = one[:MOST_WORDS], other[:MOST_WORDS]
    for kind, a, b, c, d in SequenceMatcher(None, one, other).get_opcodes():
        if kind == "equal":
            words = one[a:b]
            pieces += words if b - a <= 2 * CONTEXT else [*words[:CONTEXT], "…", *words[-CONTEXT:]]
            continue
        pieces += [f"[-{' '.join(one[a:b])}-]"] * (b > a) + [f"{{+{' '.join(other[c:d])}+}}"] * (d > c)
    pieces += ["…"] if cut else [*after, *["…"] * (tail > CONTEXT)]
    shown = " ".join(pieces)
    return shown if len(shown) <= MOST_CHARACTERS else f"{shown[:MOST_CHARACTERS]} …"


def _shared(one: list[str], other: list[str]) -> int:
    """Return how many words two lists begin with alike."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
