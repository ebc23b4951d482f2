"""Quality buckets: a source divided by what is stored of its documents, each bucket with epochs of its own.

A bucket looks at a score that one of the source's filters stored, or at the size of a document's cluster of duplicates.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import msgspec

from pile.errors import RecipeError

#: In place of a score: how many documents the cluster has, kept and removed.
CLUSTER_SIZE = "cluster_size"


class Bucket(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The documents whose ``score`` (FILTER.SCORE, or ``CLUSTER_SIZE``) is ``at_least`` so much and that no earlier one took."""

    score: str
    at_least: float
    epochs: float

    @property
    def name(self) -> str:
        """What a person reads of it."""
        return f"{self.score} >= {self.at_least:g}"


class BucketRecord(msgspec.Struct, frozen=True):
    """What a build found in a bucket, before copies were made; ``name`` is "" for what no bucket took."""

    name: str
    documents: int
    text_bytes: int


def check(buckets: Iterable[Bucket], filters: list[str], deduplicated: bool, where: str) -> None:
    """Raise ``RecipeError`` for a bucket that looks at what no stage of this recipe stores."""
    for number, bucket in enumerate(buckets, 1):
        filter, _, score = bucket.score.rpartition(".")
        place = f"{where} bucket {number}: score = {bucket.score!r}"
        if bucket.score == CLUSTER_SIZE:
            if not deduplicated:
                raise RecipeError(f"{place}: clusters are of deduplication: add [dedup] to the recipe")
        elif filter not in filters or not score:
            known = ", ".join(f"{name}.SCORE" for name in dict.fromkeys(filters))
            raise RecipeError(
                f"{place}: the choices are {CLUSTER_SIZE}{', ' if known else ''}{known} with a score of that filter "
                "(`pile inspect` shows them)"
            )
        if not math.isfinite(bucket.at_least):
            raise RecipeError(f"{where} bucket {number}: at_least = {bucket.at_least}: a number")


class Sorter:
    """Sorts the documents of one source into its buckets, and counts what each takes."""

    def __init__(self, buckets: list[Bucket], rest: float) -> None:
        self._buckets = buckets
        self._epochs = [*(bucket.epochs for bucket in buckets), rest]
        self._found = [[0, 0] for _ in self._epochs]

    def epochs(self, id: str, size: int, scores: dict[str, Any], cluster_size: int) -> float:
        """Return the epochs of a document of ``size`` bytes; raises what ``place_of`` raises."""
        if not self._buckets:
            return self._epochs[0]
        place = place_of(self._buckets, scores, cluster_size, id)
        self._found[place][0] += 1
        self._found[place][1] += size
        return self._epochs[place]

    def facts(self) -> dict[str, Any]:
        """Return documents and bytes by bucket, then of what none took; nothing where there are no buckets."""
        return {"quality": self._found} if self._buckets else {}


def place_of(buckets: list[Bucket], scores: dict[str, Any], cluster_size: int, id: str) -> int:
    """Return the number of the first bucket that a document fits into, the number of buckets where it fits none.

    Raises ``RecipeError`` naming the choices where the document has no such score.
    """
    for place, bucket in enumerate(buckets):
        if _value(bucket, scores, cluster_size, id) >= bucket.at_least:
            return place
    return len(buckets)


def _value(bucket: Bucket, scores: dict[str, Any], cluster_size: int, id: str) -> float:
    if bucket.score == CLUSTER_SIZE:
        return cluster_size
    filter, _, score = bucket.score.rpartition(".")
    value = scores.get(filter, {}).get(score)
    if not isinstance(value, int | float):
        known = [
            f"{name}.{key}" for name, found in scores.items() for key, v in found.items() if not isinstance(v, str)
        ]
        raise RecipeError(
            f"{id} has no number under the bucket's score {bucket.score!r}: mend the bucket; "
            f"this document's scores are {', '.join(known) or 'none'}"
        )
    return value
