"""A learnt model of which blocks are a page's main text: symmetric trees over ``block_features``, read from one file.

All nodes of a tree's level ask one question, so that a page takes a few numpy operations; scores are sums of integers, the
same on every machine. ``benchmarks/train_blocks.py`` makes the file and names what it was trained on.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sources.extract.block_counts import Ints
from sources.extract.block_features import Floats
from sources.extract.block_names import Meanings

MODEL = Path(__file__).with_name("blocks.model")
#: What results that the model decided are stored under.
MODEL_SHA256 = hashlib.sha256(MODEL.read_bytes()).hexdigest()
#: Questions that a tree asks. Its leaves are numbered by the answers, the first in the lowest bit.
DEPTH = 6
#: Leaves are integers: this many make a score (log odds) of 1.
SCALE = 1024
#: Probabilities are integers too: this many make certainty.
CERTAIN = 1 << 15
#: Scores beyond +-8 (a probability of .9997) are as sure as 8.
SCORE_BOUND = 8
#: Blocks that are scored at once, which bounds memory on pages with very many.
BATCH = 256


class Model(NamedTuple):
    """What ``blocks.model`` holds, and the probability of each score."""

    meanings: Meanings  # of the names of elements; their worth is in 1/100 of log odds
    columns: NDArray[np.int64]  # which of the features each question looks at, tree by tree
    thresholds: Floats  # above what its answer is yes
    leaves: NDArray[np.int32]  # of all trees
    bias: int
    odds: Ints  # of each score from -SCORE_BOUND to SCORE_BOUND, in 1/CERTAIN

    def probabilities(self, rows: Floats) -> Ints:
        """Return the probability of each row of features to be main text, in 1/CERTAIN."""
        table = rows.T
        trees = len(self.columns) // DEPTH
        first = (np.arange(trees, dtype=np.int32) << DEPTH)[:, None]
        reach = SCORE_BOUND * SCALE
        found = np.empty(len(rows), dtype=np.int64)
        for start in range(0, len(rows), BATCH):
            part = table[:, start : start + BATCH].take(self.columns, axis=0, mode="clip")
            answers = (part > self.thresholds[:, None]).view(np.uint8).reshape(trees, DEPTH, -1)
            leaf = answers[:, 0].copy()
            for question in range(1, DEPTH):
                leaf |= answers[:, question] << question
            scores = self.leaves.take(leaf + first, mode="clip").sum(axis=0, dtype=np.int32) + self.bias
            found[start : start + BATCH] = self.odds[np.clip(scores, -reach, reach) + reach]
        return found


@functools.cache
def load(path: Path = MODEL) -> Model:
    """Return the model in a file, read once."""
    stored = json.loads(path.read_bytes())
    reach = SCORE_BOUND * SCALE
    odds = [round(CERTAIN / (1 + math.exp(-score / SCALE))) for score in range(-reach, reach + 1)]
    return Model(
        meanings=Meanings(stored["names"]),
        columns=np.array(stored["columns"], dtype=np.int64),
        thresholds=np.array(stored["thresholds"], dtype=np.float32),
        leaves=np.array(stored["leaves"], dtype=np.int32),
        bias=stored["bias"],
        odds=np.array(odds, dtype=np.int64),
    )
