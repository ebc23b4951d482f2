"""Which documents hang together: the connected components of pairs.

scipy has this too; importing it takes longer than all else that deduplication does on a small corpus.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def components(count: int, first: Ints, second: Ints) -> Ints:
    """Return the component of each of ``count`` nodes, numbered from 0 by their least node; pairs are edges.

    Every node takes the least label along its edges, and labels take each other's, until none changes (Shiloach and Vishkin
    1982): a few rounds even for long chains.
    """
    label = np.arange(count, dtype=np.int64)
    while True:
        before = label.copy()
        least = np.minimum(before[first], before[second])
        for end in (first, second):
            np.minimum.at(label, before[end], least)
        while (jumped := label[label]).tobytes() != label.tobytes():
            label = jumped
        if np.array_equal(label, before):
            return np.unique(label, return_inverse=True)[1].astype(np.int64)
