"""Where sentences end in a text that has been cut into words, and how many there are in each line.

A sentence ends with a word that is one of ``filters.terminals`` alone, and takes the punctuation that follows with it; the next
begins with the next word that is no punctuation. So does spaCy's sentencizer, which datatrove uses; "Mr. Smith" is two.
"""

from __future__ import annotations

import numpy as np

from filters.words import PUNCTUATION, TERMINAL, Words
from pile.text import Positions


def sentence_starts(cut: Words) -> tuple[Positions, Positions]:
    """Return the characters at which sentences end that are followed by another, and those at which the next ones begin."""
    ends = ((cut.firsts >= np.uint8(TERMINAL)) & cut.symbol).nonzero()[0]
    ends = ends[cut.ends.take(ends) - cut.starts.take(ends) == 1]
    if not len(ends):
        return ends, ends
    others = (~cut.symbol | (cut.firsts < np.uint8(PUNCTUATION))).nonzero()[0]
    place = others.searchsorted(ends)
    # Of several marks before the same word the last one counts; behind the last word nothing begins.
    counts = place < len(others)
    counts[:-1] &= place[1:] != place[:-1]
    return cut.starts.take(ends[counts]), cut.starts.take(others.take(place[counts]))
