"""New epochs in a person's own recipe: every other character of it, comments and order among them, stays.

What is written is read back first: a recipe that says anything else than the same with the new epochs is never written.
"""

from __future__ import annotations

import difflib
import stat
import tomllib
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import AoT, Comment, Table, Whitespace

from pile.errors import RecipeError
from pile.storage import Storage


def rewritten(path: Path, epochs: dict[tuple[str, int | None], float]) -> tuple[str, str]:
    """Return a recipe's text as it is and with new epochs; equal epochs are left as they are written.

    Epochs are by source and by number of its bucket, None for the source itself.
    Raises ``RecipeError`` where the file is written in a way that this cannot change.
    """
    text = path.read_bytes().decode()  # not read_text: line ends stay as they are
    newline = "\r\n" if "\r\n" in text else "\n"
    document, raw = tomlkit.parse(text if text.endswith("\n") else text + newline), tomllib.loads(text)
    # All tables are looked up before any is changed, since a new line in one moves what tomlkit finds by number.
    found = []
    for (name, bucket), value in epochs.items():
        tables = [recipe["sources"][name] for recipe in (raw, document)]
        found.append((*(tables if bucket is None else [one["buckets"][bucket] for one in tables]), value))
    for plain, table, value in found:
        if plain.get("epochs", 1.0) != value:
            plain["epochs"] = value
            _put(table, value, newline)
    changed = tomlkit.dumps(document)
    if _parsed(changed) != raw:
        listed = ", ".join(
            f"{name}{'' if bucket is None else f' bucket {bucket + 1}'} {value:g}"
            for (name, bucket), value in epochs.items()
        )
        raise RecipeError(f"{path} is written in a way that cannot be changed here: set its epochs by hand: {listed}")
    return text, changed


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _put(table: Any, value: float, newline: str) -> None:
    """Set the epochs of a table; where it has none they come after its last key, before what follows it."""
    if "epochs" in table or not isinstance(table, Table):
        table["epochs"] = value
        return
    # Blank lines and comments after the last key are about what comes next: they come off with it, and on again.
    body, after = table.value.body, []
    while body and isinstance(body[-1][1], Whitespace | Comment | Table | AoT):
        after.append(body.pop())
    item = tomlkit.item(value)
    item.trivia.trail = newline
    table["epochs"] = item
    body.extend(reversed(after))


def difference(path: Path, before: str, after: str) -> str:
    """Return the unified difference of two texts of a recipe, without a newline at its end; empty where there is none."""
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), str(path), f"{path} with new epochs", lineterm=""
    )
    return "\n".join(lines)


def write(path: Path, text: str) -> None:
    """Write a recipe whole or not at all; a link stays a link, and who may read it stays so."""
    target = path.resolve()
    mode = target.stat().st_mode
    Storage(str(target.parent)).write(target.name, text.encode())
    target.chmod(stat.S_IMODE(mode))
