"""Making what a recipe names: sources, filters and deduplications, each with the options of its table.

Whatever is wrong with a name or its options is an error that says where in the recipe it stands.
"""

from __future__ import annotations

from typing import Any

import msgspec

from pile.errors import PluginError
from pile.plugins import Kind, Source, resolve
from pile.tables import convert, fields, known

#: What an object of each kind must be able to do.
METHODS: dict[Kind, tuple[str, ...]] = {
    "source": ("pin", "records", "parse"),
    "filter": ("judge",),
    "dedup": ("run",),
}
#: What [dedup] means without ``use``.
DEFAULT_DEDUP = "minhash"


def make_plugin(kind: Kind, use: str, options: dict[str, Any], place: str) -> Any:
    """Return the object that ``use`` and its options describe; raises ``RecipeError`` and ``PluginError`` with the place."""
    try:
        target = resolve(kind, use)
    except PluginError as error:
        raise PluginError(f"{place}: {error}") from error
    if not (isinstance(target, type) and issubclass(target, msgspec.Struct)):
        raise PluginError(f"{place}: {use!r} is not a msgspec.Struct class whose fields are its options")
    missing = [method for method in METHODS[kind] if not callable(getattr(target, method, None))]
    if missing:
        raise PluginError(f"{place}: {use!r} has no {', '.join(missing)}(): pile/plugins.py says what a {kind} is")
    known(options, fields(target), f"{place} options" if kind == "source" else place)
    return convert(options, target, place)


def make_source(name: str, use: str, options: dict[str, Any], place: str = "") -> Source:
    """Return the source that a table of the recipe, or of the lock, describes."""
    made: Source = make_plugin("source", use, options, place or f"source {name!r}")
    return made


def make_dedup(table: dict[str, Any], place: str = "[dedup]") -> Any:
    """Return the deduplication that the recipe asks for; ``use`` is ``DEFAULT_DEDUP`` unless it says otherwise."""
    options = {key: value for key, value in table.items() if key != "use"}
    return make_plugin("dedup", table.get("use", DEFAULT_DEDUP), options, place)
