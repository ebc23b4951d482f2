"""The mixture: how often a document is in the corpus, in which split, and what its line is; each a stateless decision."""

from __future__ import annotations

from typing import Any

import msgspec

from pile.chance import STEPS, Draws
from pile.document import Document
from pile.recipe import Splits

SPLITS = ("train", "validation", "test")
_encode = msgspec.json.Encoder().encode


class Line(msgspec.Struct, frozen=True):
    """A stored document on its way into a shard: a ``Document`` whose text stays as it is in JSON."""

    id: str
    text: msgspec.Raw
    source: str = ""
    url: str = ""
    license: str = ""
    created: str = ""
    meta: dict[str, Any] = {}

    def plain_text(self) -> str:
        """Return the text."""
        return msgspec.json.decode(self.text, type=str)


class _Meta(msgspec.Struct, omit_defaults=True):
    """What every line of a shard says of its text, in this order."""

    pile_set_name: str
    id: str
    url: str
    license: str
    created: str = ""


class _ShardLine(msgspec.Struct):
    text: msgspec.Raw | str
    meta: _Meta | dict[str, Any]


class Mixer:
    """What chance decides of documents, with one seed."""

    def __init__(self, seed: int, splits: Splits) -> None:
        self._copies, self._splits, self._order = (Draws(seed, purpose) for purpose in ("copy", "split", "order"))
        #: Of 2^64 draws, those below which clusters go to validation, and to either of the two.
        self._validation = round(splits.validation * STEPS)
        self._held_out = round((splits.validation + splits.test) * STEPS)

    def copies(self, epochs: float, id: str) -> int:
        """Return how often a document is in the corpus: the whole epochs, and one more with the chance of the fraction.

        Exact in expectation, and nested: more epochs never take a copy away.
        """
        whole = int(epochs)
        if whole == epochs:
            return whole
        return whole + (self._copies.of(id) < (epochs - whole) * STEPS)

    def split(self, cluster: int) -> str:
        """Return the split of a cluster of duplicates: all its documents go the same way."""
        if not self._held_out or (place := self._splits.of(str(cluster))) >= self._held_out:
            return "train"
        return "validation" if place < self._validation else "test"

    def place(self, id: str, copy: int) -> int:
        """Return where in the global order a copy of a document is, below 2^64."""
        return self._order.of(f"{id}\0{copy}")


def shard_line(line: Line | Document) -> bytes:
    """Return a document as The Pile's readers expect it: text, then meta with ``pile_set_name`` first."""
    meta = _Meta(line.source, line.id, line.url, line.license, line.created)
    if not line.meta:
        return _encode(_ShardLine(line.text, meta))
    first = msgspec.to_builtins(meta)
    return _encode(_ShardLine(line.text, first | {key: value for key, value in line.meta.items() if key not in first}))
