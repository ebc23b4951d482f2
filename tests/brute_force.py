"""Near-duplicates among the documents of a finished corpus by comparing all with all: what no index of bands can have missed."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from pile.shards import read_lines
from pile.text import normalise

#: Words of a shingle, as `[dedup]` compares them.
SHINGLE = 5


class Pair(NamedTuple):
    """Two documents, the splits that they are in, and their Jaccard coefficient."""

    jaccard: float
    first: str
    first_split: str
    second: str
    second_split: str


def split_of(out: Path) -> dict[str, str]:
    """Return the split of each document by its id; fails where one is in two."""
    return {id: split for id, (split, _) in _documents(out).items()}


def near_pairs(out: Path, threshold: float) -> list[Pair]:
    """Return all pairs of distinct documents of a corpus from a Jaccard coefficient on, the nearest first."""
    documents = _documents(out)
    shingles = {id: _shingles(text) for id, (_, text) in documents.items()}
    holders: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for id, found in shingles.items():
        for shingle in found:
            holders[shingle].append(id)
    shared = Counter(pair for ids in holders.values() for pair in combinations(sorted(ids), 2))
    pairs = []
    for (one, other), both in shared.items():
        jaccard = both / (len(shingles[one]) + len(shingles[other]) - both)
        if jaccard >= threshold:
            pairs.append(Pair(jaccard, one, documents[one][0], other, documents[other][0]))
    return sorted(pairs, reverse=True)


def _documents(out: Path) -> dict[str, tuple[str, str]]:
    """Return split and text of each document."""
    found: dict[str, tuple[str, str]] = {}
    for path in sorted([*out.glob("train/*.zst"), out / "validation.jsonl.zst", out / "test.jsonl.zst"]):
        split = path.parent.name if path.parent != out else path.name.partition(".")[0]
        for line in map(json.loads, read_lines(path)):
            document = (split, line["text"])
            assert found.setdefault(line["meta"]["id"], document) == document
    return found


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = normalise(text).split()
    return {tuple(words[start : start + SHINGLE]) for start in range(len(words) - SHINGLE + 1)}
