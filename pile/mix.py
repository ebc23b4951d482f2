"""The mixture: how often a document is in the corpus, in which split, and what its line is; each a stateless decision."""

from __future__ import annotations

from typing import Any

import msgspec

from pile.chance import chance
from pile.document import Document
from pile.recipe import Splits

SPLITS = ("train", "validation", "test")


def copies(epochs: float, seed: int, id: str) -> int:
    """Return how often a document is in the corpus: the whole epochs, and one more with the chance of the fraction.

    Exact in expectation, and nested: more epochs never take a copy away.
    """
    whole = int(epochs)
    return whole + (chance(seed, "copy", id) < epochs - whole)


def split_of(splits: Splits, seed: int, cluster: int) -> str:
    """Return the split of a cluster of duplicates: all its documents go the same way."""
    place = chance(seed, "split", cluster)
    if place < splits.validation:
        return "validation"
    return "test" if place < splits.validation + splits.test else "train"


def shard_line(document: Document) -> bytes:
    """Return a document as The Pile's readers expect it: text, then meta with ``pile_set_name`` first."""
    meta: dict[str, Any] = {"pile_set_name": document.source, "id": document.id, "url": document.url}
    meta["license"] = document.license
    if document.created:
        meta["created"] = document.created
    extra = {key: value for key, value in document.meta.items() if key not in meta}
    return msgspec.json.encode({"text": document.text, "meta": {**meta, **extra}})
