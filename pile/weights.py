"""The mixture as a table, in the form of Table 1 of The Pile's paper: sizes, epochs and shares.

Sizes are those that the last build measured, or those that the recipe gives for what has not been built.
"""

from __future__ import annotations

from typing import Any

import msgspec

from pile.errors import DataError, RequestError
from pile.manifest import Manifest, SourceRecord
from pile.recipe import Recipe
from pile.units import Unit, size


class Component(msgspec.Struct, frozen=True):
    """What has epochs of its own: a source of a recipe, or a bucket of one; what one epoch holds, and how many it has."""

    name: str
    bytes: int  #: of text, in UTF-8
    documents: int
    epochs: float
    max_epochs: float | None
    measured: bool  #: by the last build; else the recipe says so
    source: str = ""  #: where it is in the recipe; ``name`` where this is ""
    bucket: int | None = None  #: and which of that source's buckets, None for the source, or what no bucket took
    tokens: int = 0  #: 0 where nobody counted them

    @property
    def place(self) -> tuple[str, int | None]:
        """Where the recipe has its epochs."""
        return self.source or self.name, self.bucket

    def amount(self, unit: Unit) -> int:
        """Return what one epoch holds."""
        return {"bytes": self.bytes, "documents": self.documents, "tokens": self.tokens}[unit]


def components(recipe: Recipe, manifest: Manifest | None) -> list[Component]:
    """Return the sources of a recipe with their sizes; a measured size wins over a given one.

    Raises ``RequestError`` naming the sources of which neither is known.
    """
    found, unknown = [], []
    for name, table in recipe.sources.items():
        record = manifest.sources.get(name) if manifest else None
        if table.buckets:
            found += _buckets(recipe, name, record)
            continue
        if record is not None:
            sizes = record.text_bytes, record.documents
        elif table.bytes is not None and table.documents is not None:
            sizes = table.bytes, table.documents
        else:
            unknown.append(name)
            continue
        found.append(Component(name, *sizes, table.epochs, table.max_epochs, record is not None))
    if unknown:
        raise RequestError(
            f"{recipe.path}: the size of {', '.join(unknown)} is not known: run `pile build {recipe.path}` to measure it "
            "(--out says where it went), or give 'bytes' and 'documents' in the [sources] table"
        )
    return found


def outdated(recipe: Recipe, manifest: Manifest | None) -> list[str]:
    """Return the sources whose measured size is of a recipe that made other documents of them."""
    if manifest is None:
        return []
    before, now = manifest.recipe, msgspec.to_builtins(recipe)
    decide = ("use", "options", "filters")
    if any(before.get(key) != now[key] for key in ("dedup", "decontamination")):
        return [name for name in now["sources"] if name in manifest.sources]
    return [
        name
        for name, table in now["sources"].items()
        if name in manifest.sources and any(before["sources"][name].get(k) != table[k] for k in decide)
    ]


def _buckets(recipe: Recipe, name: str, record: SourceRecord | None) -> list[Component]:
    """Return a component for every bucket, then one for what none of them took."""
    table = recipe.sources[name]
    names = [*(bucket.name for bucket in table.buckets), ""]
    if record is None or [one.name for one in record.buckets] != names:
        raise RequestError(
            f"{recipe.path}: what the buckets of {name} hold is not known: run `pile build {recipe.path}` to measure it "
            "(--out says where it went)"
        )
    epochs = [*(bucket.epochs for bucket in table.buckets), table.epochs]
    found = []
    for place, (one, count) in enumerate(zip(record.buckets, epochs, strict=True)):
        bucket = place if one.name else None
        title = f"{name}: {one.name or 'rest'}"
        found.append(Component(title, one.text_bytes, one.documents, count, table.max_epochs, True, name, bucket))
    return found


def mixture(found: list[Component], epochs: dict[str, float] | None = None) -> list[dict[str, Any]]:
    """Return a row per component, with the recipe's epochs or with other ones.

    ``effective_bytes`` is ``epochs * bytes``; ``weight`` is its share of the sum (field notes, section 6, scheme 1). With
    other epochs, ``former_epochs`` are the recipe's; tokens are there where they were counted. Raises for a mixture without a
    byte in it.
    """
    rows = []
    for one in found:
        count = one.epochs if epochs is None else epochs[one.name]
        row: dict[str, Any] = {
            "component": one.name,
            "bytes": one.bytes,
            "documents": one.documents,
            "epochs": count,
            "mean_bytes": one.bytes / one.documents if one.documents else 0.0,
            "effective_bytes": count * one.bytes,
            "measured": one.measured,
        }
        if one.tokens:
            row |= {"tokens": one.tokens, "effective_tokens": count * one.tokens}
        if epochs is not None:
            row["former_epochs"] = one.epochs
        rows.append(row)
    total = sum(row["effective_bytes"] for row in rows)
    if not any(row["bytes"] for row in rows):
        raise DataError("no component has any text: `pile inspect DIR` shows what the last build dropped, and why")
    if not total:
        raise RequestError("the weights sum to zero: give at least one component that has text more than 0 epochs")
    for row in rows:
        row["weight"] = row["effective_bytes"] / total
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """Return the mixture for a terminal; a star marks sizes that no build has measured."""
    width = max(20, *(len(row["component"]) + 2 for row in rows))
    was = "former_epochs" in rows[0]
    title = f"{'was':>11}" if was else ""
    lines = [
        f"{'component':<{width}}{'raw size':>12}{'weight':>9}{title}{'epochs':>11}{'effective':>12}"
        f"{'documents':>13}{'mean':>12}"
    ]
    for r in rows:
        former = f"{r['former_epochs']:>11g}" if was else ""
        name = r["component"] if r["measured"] else f"{r['component']} *"
        lines.append(
            f"{name:<{width}}{size(r['bytes']):>12}{r['weight']:>9.2%}{former}{r['epochs']:>11g}"
            f"{size(r['effective_bytes']):>12}{r['documents']:>13,}{size(r['mean_bytes']):>12}"
        )
    raw, effective, documents = (sum(r[key] for r in rows) for key in ("bytes", "effective_bytes", "documents"))
    blank = 20 + (11 if was else 0)
    lines.append(
        f"{'all':<{width}}{size(raw):>12}{'':>{blank}}{size(effective):>12}{documents:>13,}{size(raw / documents):>12}"
    )
    if not all(row["measured"] for row in rows):
        lines.append("* as the recipe gives it: no build has measured it")
    return "\n".join(lines)
