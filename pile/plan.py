"""The plan: what a build would do with what is pinned and what is already done, without doing it."""

from __future__ import annotations

from pile.downloads import known_input
from pile.lock import Lock
from pile.recipe import Recipe
from pile.stage import Work
from pile.units import size


def plan(recipe: Recipe, lock: Lock, work: Work) -> str:
    """Return a table of sources: inputs, how many are fetched and extracted, and bytes still to download."""
    rows = [("source", "use", "inputs", "extracted", "fetched", "to download", "epochs")]
    total, unknown = 0, 0
    for name, table in recipe.sources.items():
        inputs = lock.sources[name].inputs
        states = [known_input(recipe, lock, work, name, input) for input in inputs]
        missing = [input for input, state in zip(inputs, states, strict=True) if state == "missing"]
        sizes = [input.size for input in missing if input.size is not None]
        total, unknown = total + sum(sizes), unknown + len(missing) - len(sizes)
        amount = (
            size(sum(sizes))
            if len(sizes) == len(missing)
            else f"{size(sum(sizes))} + {len(missing) - len(sizes)} of unknown size"
        )
        extracted = states.count("extracted")
        rows.append(
            (
                name,
                table.use,
                str(len(inputs)),
                str(extracted),
                str(len(inputs) - len(missing)),
                amount,
                f"{table.epochs:g}",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    also = f" and {unknown} files whose size upstream does not publish" if unknown else ""
    lines.append(f"to download: {size(total)}{also}; then judge, settle, dedup, mix and seal what is not done")
    return "\n".join(lines)
