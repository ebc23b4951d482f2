"""Validation and test share no near-duplicate with train or each other: by brute force, on families of variants."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from pile.build import Built
from tests.brute_force import near_pairs, split_of

#: Three parts in ten go to each of validation and test: two that belong together and are drawn apart are apart half of the time.
RECIPE = """
name = "families"
[output]
splits = {{ validation = 0.3, test = 0.3 }}
[sources.mine]
use = "local"
epochs = 2.5
options = {{ paths = ["a.jsonl"] }}
[dedup]
threshold = {threshold}
"""
FAMILIES, WORDS = 60, 120


@pytest.fixture
def families(tmp_path: Path) -> Path:
    """Families of eight: the words of the n-th are the first's but for n in a hundred, each at a place of its own."""
    chance = random.Random(5)
    vocabulary = ["".join(chance.choices("etaoinshrdlu", k=chance.randint(2, 9))) for _ in range(5000)]
    lines = []
    for family in range(FAMILIES):
        base = chance.choices(vocabulary, k=WORDS)
        for member in range(8):
            words = list(base)
            for place in chance.sample(range(0, WORDS, 6), member):
                words[place] = chance.choice(vocabulary)
            lines.append(json.dumps({"id": f"{family}-{member}", "text": " ".join(words)}))
    chance.shuffle(lines)
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    return tmp_path


@pytest.mark.parametrize("threshold", [0.8, 0.9])
def test_no_near_duplicate_of_a_document_is_in_another_split(families: Path, build: Any, threshold: float) -> None:
    build(RECIPE.format(threshold=threshold))
    splits = split_of(families / "out")
    assert min(list(splits.values()).count(name) for name in ("train", "validation", "test")) > 10
    apart = [pair for pair in near_pairs(families / "out", threshold) if pair.first_split != pair.second_split]
    assert apart == []
    # There are such as would count at a lower threshold, and some of them are apart: the test could see them.
    lower = near_pairs(families / "out", threshold - 0.25)
    assert len(lower) > 20


def test_the_ends_of_a_chain_stay_on_one_side_though_only_its_middle_is_near_both(tmp_path: Path, build: Any) -> None:
    chance = random.Random(6)
    lines = []
    for chain in range(40):
        words = ["".join(chance.choices("etaoinshrdlu", k=6)) for _ in range(200)]
        for link in range(3):
            text = " ".join(words[: len(words) - (link == 1)])  # of two documents the longer one is preferred
            lines.append(json.dumps({"id": f"{chain}-{link}", "text": text}))
            for place in range(20 + 25 * link, 170, 60):
                words[place] = "".join(chance.choices("etaoinshrdlu", k=6))
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    build(RECIPE.format(threshold=0.8))
    splits = split_of(tmp_path / "out")
    assert set(splits) == {f"mine:{chain}-{link}" for chain in range(40) for link in (0, 2)}
    assert near_pairs(tmp_path / "out", 0.8) == []
    assert all(splits[f"mine:{chain}-0"] == splits[f"mine:{chain}-2"] for chain in range(40))


def test_what_is_held_out_is_there_once_whatever_the_epochs(families: Path, build: Any) -> None:
    built: Built = build(RECIPE.format(threshold=0.8))[0]
    record = built.manifest.sources["mine"]
    splits = split_of(families / "out")
    held_out = [split for split in splits.values() if split != "train"]
    assert record.lines["validation"] + record.lines["test"] == len(held_out)
    assert 2 * list(splits.values()).count("train") < record.lines["train"]
