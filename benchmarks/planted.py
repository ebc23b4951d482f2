"""Generate documents with planted near-duplicates: JSON Lines of made-up words, the same for the same seed on any machine.

    python benchmarks/planted.py DOCUMENTS OUT [--files N] [--words N] [--seed N]

Cluster sizes follow Zipf's law, and one cluster has a twentieth of all documents. A cluster's first document is its base; each
other is the base with k words replaced, each at least a shingle away from the next, so that its Jaccard coefficient with the
base is (S - 5k) / (S + 5k) of S shingles: known, and spread evenly from .5 to 1. Of all documents half are in no cluster.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

SHINGLE = 5
#: Words that documents are made of, drawn as words of a language are: the n-th with a weight of 1 / (n + 3).
VOCABULARY = 50_000
#: Share of the documents in the one huge cluster, and in all others.
HUGE, CLUSTERED = 1 / 20, 0.45
#: Of Zipf's law for the sizes of the other clusters.
EXPONENT, LARGEST = 1.6, 1_000
LOWEST = 0.5


class Planted:
    """``count`` documents; ``document(i)`` is the same whichever were asked for before."""

    def __init__(self, count: int, words: int = 650, seed: int = 1) -> None:
        self.count, self.words, self._seed = count, words, seed
        chance = np.random.default_rng([seed, 0])
        letters = np.array(list("etaoinshrdlucmfw"))
        self._vocabulary = np.array(
            ["".join(chance.choice(letters, size)) for size in chance.integers(2, 10, VOCABULARY)], dtype=object
        )
        weights = 1 / (np.arange(VOCABULARY) + 3)
        self._heap = np.cumsum(weights / weights.sum())
        sizes = [max(1, round(count * HUGE))]
        left = round(count * CLUSTERED)
        while left > 0:
            sizes.append(int(min(chance.zipf(EXPONENT) + 1, LARGEST, left)))
            left -= sizes[-1]
        sizes += [1] * (count - sum(sizes))
        cluster = np.repeat(np.arange(len(sizes)), sizes)
        first = np.zeros(len(cluster), bool)
        first[np.cumsum([0, *sizes[:-1]])] = True
        order = chance.permutation(count)
        self.cluster, self._base = cluster[order], first[order]

    def document(self, index: int) -> dict[str, Any]:
        """Return one document: id, text, cluster, and its Jaccard coefficient with the cluster's base."""
        cluster = int(self.cluster[index])
        words = self._draw(np.random.default_rng([self._seed, 1, cluster]), self.words)
        edits = 0
        if not self._base[index]:
            chance = np.random.default_rng([self._seed, 2, index])
            total = self.words - SHINGLE + 1
            wanted = chance.uniform(LOWEST, 1)
            edits = round(total * (1 - wanted) / (SHINGLE * (1 + wanted)))
            places = np.arange(
                SHINGLE - 1, total, SHINGLE
            )  # no two within a shingle, none in one of fewer than five shingles
            words[chance.choice(places, edits, replace=False)] = self._draw(chance, edits)
        shared, total = SHINGLE * edits, self.words - SHINGLE + 1
        jaccard = (total - shared) / (total + shared)
        text = " ".join(words)
        return {"id": f"d{index}", "text": text, "cluster": cluster, "jaccard": round(jaccard, 4)}

    def _draw(self, chance: np.random.Generator, count: int) -> Any:
        return self._vocabulary[np.searchsorted(self._heap, chance.random(count)).clip(0, VOCABULARY - 1)]

    def lines(self, start: int, end: int) -> Iterator[bytes]:
        """Yield the documents from ``start`` to ``end`` (exclusive) as lines."""
        for index in range(start, end):
            yield json.dumps(self.document(index)).encode() + b"\n"


def write(folder: Path, planted: Planted, files: int) -> list[Path]:
    """Write the documents to so many files, equal stretches of them; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"planted-{number:02}.jsonl" for number in range(files)]
    for number, path in enumerate(paths):
        with open(path, "wb") as file:
            file.writelines(planted.lines(number * planted.count // files, (number + 1) * planted.count // files))
    return paths


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents", type=int)
    parser.add_argument("out", type=Path)
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument("--words", type=int, default=650)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    write(arguments.out, Planted(arguments.documents, arguments.words, arguments.seed), arguments.files)
