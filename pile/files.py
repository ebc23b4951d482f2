"""What `pile dedup` builds: a recipe made from a person's own files instead of written by hand.

Each file named is a source, in their order; a quoted pattern is one source of many files.
"""

from __future__ import annotations

import glob
import re
from pathlib import Path
from typing import Any

from pile.errors import RecipeError
from pile.making import make_dedup, make_source
from pile.recipe import Output, Recipe, SourceTable
from pile.stage import digest
from pile.storage import Storage

NAME = "dedup"
#: Endings of names that say what form a file has, and nothing of what is in it.
FORM = re.compile(r"(\.(jsonl?|ndjson|gz|bz2|xz|zst|zstd))+$", re.IGNORECASE)
NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


def recipe_of(files: list[str], text_field: str, dedup: dict[str, Any], output: Output, work: Storage) -> Recipe:
    """Return the recipe; raises ``RecipeError`` for files that are not there and options that cannot be.

    A document's id is its file and line: a person's own ids may repeat, and are kept in ``meta`` as ``original_id``.
    """
    make_dedup(dedup, "pile dedup")
    sources: dict[str, SourceTable] = {}
    for file in dict.fromkeys(files):
        pattern = glob.escape(file) if Path(file).exists() else file
        if Path(file).is_dir():
            raise RecipeError(f"{file} is a folder: name its files, as in '{file.rstrip('/')}/*.jsonl'")
        options = {"paths": [pattern], "text_field": text_field, "id_field": "", "strict": True}
        name = _name(file, sources)
        make_source(name, "local", options, "pile dedup")
        sources[name] = SourceTable("local", options=options)
    folder = work.path if work.is_local else Path(".pile")
    lock = folder / f"{NAME}-{digest([list(sources), text_field, str(Path.cwd())])[:16]}.lock.json"
    return Recipe(NAME, sources, output=output, dedup=dedup, path=f"{NAME}.toml", lock=str(lock))


def _name(file: str, taken: dict[str, Any]) -> str:
    """Return a source's name for a file: the file's own, as far as it can be a name, with a number where it is taken."""
    name = NOT_IN_NAMES.sub("-", FORM.sub("", Path(file).name)).strip("-._") or "file"
    number = 1
    while (found := name if number == 1 else f"{name}-{number}") in taken:
        number += 1
    return found
