"""The mixture: how often a document is in the corpus, in which split, and what its line is; each a stateless decision."""

from __future__ import annotations

from typing import Any

import msgspec

from pile.chance import chance
from pile.document import Document
from pile.recipe import Splits

SPLITS = ("train", "validation", "test")
#: Stands for one byte in UTF-8, but six in JSON, where the others of msgspec's escapes are two bytes for one.
_LONG_ESCAPE = b"\\u"


class Line(msgspec.Struct, frozen=True):
    """A stored document on its way into a shard: a ``Document`` whose text stays as it is in JSON."""

    id: str
    text: msgspec.Raw
    source: str = ""
    url: str = ""
    license: str = ""
    created: str = ""
    meta: dict[str, Any] = {}

    def text_bytes(self) -> int:
        """Return how long the text is in UTF-8."""
        json = bytes(self.text)
        length = len(json) - len(b'""')
        backslashes = json.count(b"\\")
        if not backslashes:
            return length
        if _LONG_ESCAPE in json:
            return len(self.plain_text().encode())
        # Backslashes are counted in pairs from the first of a run on, as JSON reads them.
        return length - (backslashes - json.count(b"\\\\"))

    def plain_text(self) -> str:
        """Return the text."""
        return msgspec.json.decode(self.text, type=str)


def copies(epochs: float, seed: int, id: str) -> int:
    """Return how often a document is in the corpus: the whole epochs, and one more with the chance of the fraction.

    Exact in expectation, and nested: more epochs never take a copy away.
    """
    whole = int(epochs)
    if whole == epochs:
        return whole
    return whole + (chance(seed, "copy", id) < epochs - whole)


def split_of(splits: Splits, seed: int, cluster: int) -> str:
    """Return the split of a cluster of duplicates: all its documents go the same way."""
    place = chance(seed, "split", cluster)
    if place < splits.validation:
        return "validation"
    return "test" if place < splits.validation + splits.test else "train"


def shard_line(line: Line | Document) -> bytes:
    """Return a document as The Pile's readers expect it: text, then meta with ``pile_set_name`` first."""
    meta: dict[str, Any] = {"pile_set_name": line.source, "id": line.id, "url": line.url, "license": line.license}
    if line.created:
        meta["created"] = line.created
    extra = {key: value for key, value in line.meta.items() if key not in meta}
    return msgspec.json.encode({"text": line.text, "meta": {**meta, **extra}})
