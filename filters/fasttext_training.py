"""Training fastText so that the same examples give the same bytes: one thread, a fixed seed, the order of the examples.

Words of few groups are hidden from it, so that it learns no names of people, hosts, lists and days.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import fasttext
import xxhash

from filters.fasttext_model import LABEL

#: Marks a hidden word: it occurs once, and what occurs once is no word of the model, as an unknown word of a text is none.
HIDDEN = "~"


def train(lines: Iterable[tuple[str, str]], out: Path, cutoff: int = 0, **settings: Any) -> None:
    """Train on (label, feature) in the order given and write the model, quantised to ``cutoff`` features when that is set."""
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        text, model_file = Path(folder) / "examples.txt", Path(folder) / "model"
        with open(text, "w", encoding="utf-8") as file:
            for label, feature in lines:
                file.write(f"{LABEL}{label} {feature}\n")
        model = fasttext.train_supervised(str(text), thread=1, verbose=0, **settings)
        if cutoff:
            # Retraining after the cut mends what it breaks; norms apart keep short and long vectors equally exact.
            model.quantize(str(text), retrain=True, cutoff=cutoff, qnorm=True, thread=1, verbose=0)
        model.save_model(str(model_file))
        model_file.replace(out)


def vocabulary(features: Sequence[str], groups: Sequence[str], least: int) -> frozenset[str]:
    """Return the words that occur in at least ``least`` groups; what has a point in it may be a host, and is left out."""
    seen: dict[str, set[str]] = {}
    for feature, group in zip(features, groups, strict=True):
        for word in set(feature.split()):
            held = seen.setdefault(word, set())
            if len(held) < least:
                held.add(group)
    return frozenset(word for word, held in seen.items() if len(held) >= least and "." not in word)


def hidden(feature: str, words: frozenset[str], number: int) -> str:
    """Return a feature in which the words that are not among ``words`` occur nowhere else."""
    return " ".join(
        word if word in words else f"{word}{HIDDEN}{number}.{place}" for place, word in enumerate(feature.split())
    )


def shuffled(count: int, seed: int) -> list[int]:
    """Return the numbers below ``count`` in an order that ``seed`` decides: fastText learns most from what comes last."""
    return sorted(range(count), key=lambda number: xxhash.xxh3_64_intdigest(str(number).encode(), seed))
