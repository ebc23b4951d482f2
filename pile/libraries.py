"""The libraries whose versions are part of what a corpus promises: the kernel's, and those of all that a recipe names."""

from __future__ import annotations

from pile.making import make_dedup, make_source
from pile.recipe import Recipe

#: What the kernel itself writes bytes with.
KERNEL_LIBRARIES = ("msgspec", "numpy", "xxhash", "zstandard")


def libraries_of(recipe: Recipe) -> list[str]:
    """Return the distributions whose versions the bytes of a recipe's corpus are promised for."""
    found = set(KERNEL_LIBRARIES)
    for name, table in recipe.sources.items():
        found.update(make_source(name, table.use, table.options).libraries)
        for filter_table in table.filter_tables():
            found.update(filter_table.make().libraries)
    if recipe.dedup is not None:
        found.update(make_dedup(recipe.dedup).libraries)
    return sorted(found)
