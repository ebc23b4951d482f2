"""Tables of TOML as structs: a key that nothing reads is an error that names the choices, a wrong value one with its key."""

from __future__ import annotations

import difflib
from typing import Any, TypeVar

import msgspec

from pile.errors import RecipeError

S = TypeVar("S")


def fields(struct: type[msgspec.Struct]) -> set[str]:
    """Return the keys that a table may have."""
    return {field.encode_name for field in msgspec.structs.fields(struct)}


def known(table: dict[str, Any], choices: set[str], place: str) -> None:
    """Raise ``RecipeError`` for a key that is no choice, naming the nearest."""
    for key in table:
        if key not in choices:
            close = difflib.get_close_matches(key, choices, n=1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            raise RecipeError(
                f"{place}: unknown key {key!r}: {hint}the choices are {', '.join(sorted(choices)) or 'none'}"
            )


def convert(value: Any, kind: type[S], place: str) -> S:
    """Return a value as the struct that it describes; raises ``RecipeError`` that names the key."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        what, _, at = str(error).partition(" - at `$")
        key = at.strip("`").lstrip(".")
        raise RecipeError(f"{place}: {f'{key}: ' if key else ''}{what[0].lower()}{what[1:]}") from error
