"""Real texts with known pairs (../shared/data/dedup-gold): versions of manuals, several extractions of one page."""

from __future__ import annotations

import csv
import gzip
import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dedup.signature import band_hashes, digests, jaccard, sets_of, shingle_batch
from pile.text import code_points, spaced, unspaced
from pile.words import word_hashes

SHARED = Path(os.environ.get("PILE_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))
GOLD = SHARED / "data" / "dedup-gold"

pytestmark = pytest.mark.skipif(not GOLD.is_dir(), reason=f"no {GOLD}")

SETS = ("extractions", "manual-versions")


def gold(name: str) -> tuple[dict[str, str], list[tuple[str, str, float]]]:
    """Return the texts by id, and the pairs with their coefficients."""
    with gzip.open(GOLD / f"{name}.jsonl.gz", "rt") as lines:
        texts = {line["id"]: line["text"] for line in map(json.loads, lines)}
    with gzip.open(GOLD / f"{name}-pairs.tsv.gz", "rt") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    return texts, [(row["id_a"], row["id_b"], float(row["jaccard_word5"])) for row in rows]


@pytest.mark.parametrize("name", SETS)
def test_jaccard_is_the_gold_one_for_the_gold_words(name: str) -> None:
    texts, pairs = gold(name)
    words = [" ".join(re.findall(r"\w+", text.lower())).encode() for text in texts.values()]
    sets = dict(zip(texts, sets_of(words), strict=True))
    wrong = [(a, b) for a, b, true in pairs if abs(jaccard(sets[a], sets[b]) - true) > 0.5001e-4]
    # In a script without spaces each character is a word of ours, a run of them is one of gold's.
    spaced = {id for id, text in texts.items() if unspaced(code_points(text)) is None}
    assert not [pair for pair in wrong if spaced.issuperset(pair)]
    assert len(spaced) > 0.95 * len(texts)


@pytest.mark.parametrize("name", SETS)
def test_of_gold_pairs_from_85_hundredths_at_least_95_in_100_are_proposed_and_verified(name: str) -> None:
    texts, pairs = gold(name)
    normal = [spaced(text) for text in texts.values()]
    sets = dict(zip(texts, sets_of(normal), strict=True))
    bands = {}
    for id, text in zip(texts, normal, strict=True):
        grams, starts = shingle_batch(*word_hashes([text]))
        bands[id] = set(band_hashes(digests(grams, starts, 112), 14, 8)[0].tolist()) if len(grams) else set()
    near = [(a, b) for a, b, true in pairs if true >= 0.85]
    found = [bool(bands[a] & bands[b]) and jaccard(sets[a], sets[b]) >= 0.8 for a, b in near]
    assert len(near) > 300
    assert np.mean(found) >= 0.95


def test_every_removed_text_is_near_the_one_that_stays(corpus: Any) -> None:
    texts, pairs = gold("extractions")
    decided = corpus.decided([corpus.part("gold", texts.items())])
    true = {frozenset((f"gold:{a}", f"gold:{b}")): value for a, b, value in pairs}
    removed = [(id, d["winner"]) for id, d in decided.items() if d["reason"] == "near_duplicate"]
    assert len(removed) > 200
    assert all(id.split("/")[0] == winner.split("/")[0] for id, winner in removed)
    # Normalisation forgives digits and accents, so that a few are further apart in gold's words.
    assert np.mean([true[frozenset(pair)] >= 0.8 for pair in removed]) > 0.95
