"""The benchmark files that a recipe names: pinned in its lock by size and sha256, since what is in them decides documents.

They are a person's own files, found beside the recipe; a build stops with the difference where they are not the ones pinned.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from pile.document import Input
from pile.errors import RecipeError
from pile.plugins import Reader
from pile.recipe import Recipe


def pinned(recipe: Recipe, upstream: Reader) -> list[Input]:
    """Return the files as they are now, by name; none where the recipe looks for no benchmarks.

    Raises ``RecipeError`` where its patterns find no file, or two of one name.
    """
    if recipe.decontamination is None:
        return []
    found: dict[str, str] = {}
    for url in upstream.find(recipe.decontamination.benchmarks):
        name = Path(url).name
        if found.setdefault(name, url) != url:
            raise RecipeError(f"[decontamination] benchmarks: two files are called {name}: rename one")
    if not found:
        raise RecipeError("[decontamination] benchmarks: no file is named; name some, or take the table out")
    return [_pin(recipe.folder, url) for _, url in sorted(found.items())]


def _pin(folder: Path, url: str) -> Input:
    with open(folder / url, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Input(url, file.tell(), f"sha256:{digest}")


def difference(locked: list[Input], found: list[Input]) -> str:
    """Return how files differ from those that are pinned, "" where in nothing."""
    before, now = ({one.url: one for one in files} for files in (locked, found))
    said = []
    for url in sorted({*before, *now}):
        if url not in before:
            said.append(f"{url} is not in it")
        elif url not in now:
            said.append(f"{url} is not there any more")
        elif before[url] != now[url]:
            was, is_now = before[url], now[url]
            said.append(f"{url}: {was.size} bytes, {was.checksum} -> {is_now.size} bytes, {is_now.checksum}")
    return "; ".join(said)
