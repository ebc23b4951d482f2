"""The mixture as a table, in the form of Table 1 of The Pile's paper: sizes, epochs and shares."""

from __future__ import annotations

from typing import Any

from pile.errors import RequestError
from pile.manifest import Manifest
from pile.recipe import Recipe
from pile.units import size


def mixture(recipe: Recipe, manifest: Manifest) -> list[dict[str, Any]]:
    """Return a row per component, from the sizes that the last build measured and the recipe's epochs.

    ``effective_bytes`` is ``epochs * bytes``; ``weight`` is its share of the sum (field notes, section 6, scheme 1).
    """
    missing = [name for name in recipe.sources if name not in manifest.sources]
    if missing:
        raise RequestError(
            f"the last build has no {', '.join(missing)}: run `pile build {recipe.path}` to measure its size"
        )
    rows = []
    for name, table in recipe.sources.items():
        record = manifest.sources[name]
        row: dict[str, Any] = {
            "component": name,
            "bytes": record.text_bytes,
            "documents": record.documents,
            "epochs": table.epochs,
        }
        row["mean_bytes"] = record.text_bytes / record.documents if record.documents else 0.0
        row["effective_bytes"] = table.epochs * record.text_bytes
        rows.append(row)
    total = sum(row["effective_bytes"] for row in rows)
    for row in rows:
        row["weight"] = row["effective_bytes"] / total if total else 0.0
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """Return the mixture for a terminal."""
    header = (
        f"{'component':<20}{'raw size':>12}{'weight':>9}{'epochs':>8}{'effective':>12}{'documents':>12}{'mean':>11}"
    )
    lines = [header]
    for r in rows:
        lines.append(
            f"{r['component']:<20}{size(r['bytes']):>12}{r['weight']:>9.2%}{r['epochs']:>8g}"
            f"{size(r['effective_bytes']):>12}{r['documents']:>12,}{size(r['mean_bytes']):>11}"
        )
    effective = size(sum(r["effective_bytes"] for r in rows))
    lines.append(
        f"{'all':<20}{size(sum(r['bytes'] for r in rows)):>12}{'':>17}{effective:>12}{sum(r['documents'] for r in rows):>12,}"
    )
    return "\n".join(lines)
