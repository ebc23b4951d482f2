"""The recipe: the TOML a person writes, typed. Every key that nothing reads is an error that names the choices."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Literal

import msgspec

from pile.buckets import Bucket
from pile.buckets import check as check_buckets
from pile.errors import RecipeError
from pile.making import DEFAULT_DEDUP, make_dedup, make_plugin, make_source
from pile.plugins import Filter, Kind, Trained, shipped_modules
from pile.tables import convert, fields, known

#: Names become folders and the first half of document ids.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
#: zstd's own range of levels.
LEVELS = range(1, 23)
#: A copy of a document is one line of a shard; more epochs than this is a slip of the pen.
MOST_EPOCHS = 1000.0
#: Keys of a source's table that only ``pile weights`` reads: they decide no byte of a corpus.
WEIGHED_BY = ("bytes", "documents", "max_epochs")


class FilterTable(msgspec.Struct, frozen=True):
    """One filter of a source: its name and its options as written."""

    use: str
    options: dict[str, Any]

    def make(self) -> Filter:
        """Return the filter itself."""
        made: Filter = make_plugin("filter", self.use, self.options, f"filter {self.use!r}")
        return made


class Splits(msgspec.Struct, frozen=True):
    """Shares of the documents, by duplicate cluster, that do not go to train."""

    validation: float = 0.0
    test: float = 0.0


class Output(msgspec.Struct, frozen=True):
    """How the corpus is written."""

    shards: int = 1  #: of train
    equal: Literal["documents", "bytes"] = "documents"  #: what shards have the same number of; bytes are uncompressed
    level: int = 3  #: of zstd
    memory: int = 128  #: MiB that a task of mixing takes for the lines in hand; decides no shard's bytes
    splits: Splits = Splits()


class SourceTable(msgspec.Struct, frozen=True):
    """One component of the corpus; ``use`` is "" for one that is only weighed, and cannot be built."""

    use: str = ""
    epochs: float = 1.0
    options: dict[str, Any] = {}
    filters: list[dict[str, Any]] = []
    on_damage: Literal["stop", "keep"] = "stop"
    bytes: int | None = None  #: of its text in UTF-8, where no build has measured it
    documents: int | None = None  #: where no build has counted them
    max_epochs: float | None = None  #: the most that ``pile weights`` may give it
    buckets: list[Bucket] = []  #: of documents that have other epochs than these

    @property
    def most_epochs(self) -> float:
        """The epochs of those of its documents that have most."""
        return max([self.epochs, *(bucket.epochs for bucket in self.buckets)])

    def filter_tables(self) -> list[FilterTable]:
        """Return the filters in the order in which they judge."""
        return [FilterTable(f["use"], {k: v for k, v in f.items() if k != "use"}) for f in self.filters]


#: What becomes of a document that holds questions of a benchmark.
Action = Literal["drop", "cut", "mark"]


class Decontamination(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The recipe's ``[decontamination]`` table."""

    benchmarks: list[str]  #: files or patterns, relative to the recipe
    fields: list[str] = []  #: of a JSON line that are looked for; all of its strings when left out
    action: Action = "drop"  #: or "cut" what surrounds a passage, or "mark" the document in its ``meta``


class Recipe(msgspec.Struct, frozen=True):
    """A corpus as a person describes it; the order of ``sources`` is the order of preference among duplicates."""

    name: str
    sources: dict[str, SourceTable]
    seed: int = 0
    output: Output = Output()
    dedup: dict[str, Any] | None = None
    decontamination: Decontamination | None = None
    path: str = ""
    lock: str = ""  #: where the lock is, when it is not beside the recipe

    @property
    def folder(self) -> Path:
        """The folder that relative paths of the recipe start from."""
        return Path(self.path).parent

    @property
    def lock_path(self) -> Path:
        """Where the lock is."""
        return Path(self.lock) if self.lock else Path(self.path).with_suffix(".lock.json")


def load(path: Path) -> Recipe:
    """Read and check a recipe; raises ``RecipeError`` or ``PluginError`` that name the key and the choices."""
    recipe = read(path)
    check_plugins(recipe)
    return recipe


def read(path: Path) -> Recipe:
    """Read a recipe without loading what it names; raises ``RecipeError`` that names the key and the choices."""
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise RecipeError(f"no recipe at {path}: name a .toml file, such as one in manifests/") from None
    except OSError as error:
        raise RecipeError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RecipeError(f"{path} is not UTF-8: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{path} is not TOML: {error}") from error
    return parse(raw, path)


def check_plugins(recipe: Recipe) -> None:
    """Load what a recipe names, with its options; raises ``RecipeError`` or ``PluginError``."""
    path = recipe.path
    bare = [name for name, source in recipe.sources.items() if not source.use]
    if bare:
        raise RecipeError(
            f"{path}: no 'use' names a source for {', '.join(bare)}: this recipe can be weighed but not built; "
            "name their sources (`pile sources`), or take them out"
        )
    for name, source in recipe.sources.items():
        make_source(name, source.use, source.options, f"{path}: [sources.{name}]")
        for table in source.filter_tables():
            where = f"{path}: [sources.{name}] filter {table.use!r}"
            made = make_plugin("filter", table.use, table.options, where)
            if isinstance(made, Trained):
                _check_positives(made.positives, name, recipe, where)
    if recipe.dedup is not None:
        make_dedup(recipe.dedup, f"{path}: [dedup]")


def _check_positives(positives: list[str], source: str, recipe: Recipe, where: str) -> None:
    """Refuse to train a filter on sources that are not there, or on the source that it judges."""
    for positive in positives:
        if positive not in recipe.sources:
            raise RecipeError(f"{where}: positives names no source {positive!r}: there are {', '.join(recipe.sources)}")
        if positive == source:
            raise RecipeError(f"{where}: positives names its own source, which it is to be told from: name others")


def modules(recipe: Recipe) -> list[str]:
    """Return the modules that workers need of what ships with pile, so that they can be imported beforehand."""
    named: list[tuple[Kind, Any]] = [("source", table.use) for table in recipe.sources.values()]
    named += [("filter", table["use"]) for source in recipe.sources.values() for table in source.filters]
    if recipe.dedup is not None:
        named.append(("dedup", recipe.dedup.get("use", DEFAULT_DEDUP)))
    found = [module for kind, name in named if isinstance(name, str) for module in shipped_modules(kind, name)]
    return list(dict.fromkeys(found))


def parse(raw: dict[str, Any], path: Path) -> Recipe:
    """Turn decoded TOML into a ``Recipe``, without loading what it names."""
    place = f"{path}"
    known(raw, fields(Recipe) - {"path", "lock"}, place)
    if not isinstance(raw.get("sources"), dict) or not raw["sources"]:
        raise RecipeError(f"{place}: no [sources.NAME] table: a corpus needs at least one source")
    output = raw.get("output", {})
    if isinstance(output, dict):
        known(output, fields(Output), f"{place}: [output]")
        if isinstance(output.get("splits"), dict):
            known(output["splits"], fields(Splits), f"{place}: [output] splits")
    sources = {}
    for name, table in raw["sources"].items():
        where = f"{place}: [sources.{name}]"
        if not isinstance(table, dict):
            raise RecipeError(f"{where}: expected a table, got {type(table).__name__}")
        known(table, fields(SourceTable), where)
        if "use" not in table and not {"bytes", "documents"} <= set(table):
            raise RecipeError(
                f"{where}: the key 'use' is missing: it names the source, such as 'wikipedia' or 'local' "
                "(only a table with 'bytes' and 'documents' can be weighed without it)"
            )
        sources[name] = convert(table, SourceTable, where)
        for number, filter_table in enumerate(sources[name].filters, 1):
            if not isinstance(filter_table.get("use"), str):
                raise RecipeError(f"{where}: filter {number} has no 'use': write {{ use = \"language\", ... }}")
    top = {key: value for key, value in raw.items() if key != "sources"}
    recipe = convert({**top, "sources": {}, "path": str(path)}, Recipe, place)
    recipe = msgspec.structs.replace(recipe, sources=sources)
    _check_values(recipe, place)
    return recipe


def _check_values(recipe: Recipe, place: str) -> None:
    for kind, name in [("name", recipe.name), *(("source name", source) for source in recipe.sources)]:
        if not NAME.fullmatch(name):
            raise RecipeError(f"{place}: {kind} {name!r}: use letters, digits, '.', '_' and '-' only")
    if recipe.output.shards < 1:
        raise RecipeError(f"{place}: [output] shards = {recipe.output.shards}: at least 1")
    if recipe.output.memory < 1:
        raise RecipeError(f"{place}: [output] memory = {recipe.output.memory}: MiB, at least 1")
    if recipe.output.level not in LEVELS:
        raise RecipeError(f"{place}: [output] level = {recipe.output.level}: zstd has {LEVELS[0]} to {LEVELS[-1]}")
    splits = recipe.output.splits
    for split, share in (("validation", splits.validation), ("test", splits.test)):
        if not 0 <= share < 1:
            raise RecipeError(f"{place}: [output] splits.{split} = {share}: a share from 0 to below 1")
    if splits.validation + splits.test >= 1:
        raise RecipeError(f"{place}: [output] splits: validation and test leave nothing for train")
    for name, source in recipe.sources.items():
        where = f"{place}: [sources.{name}]"
        _check_weight(source, where)
        check_buckets(source.buckets, [f["use"] for f in source.filters], recipe.dedup is not None, where)


def _check_weight(source: SourceTable, where: str) -> None:
    most = MOST_EPOCHS if source.max_epochs is None else source.max_epochs
    if not 0 < most <= MOST_EPOCHS:  # also false for NaN
        raise RecipeError(f"{where} max_epochs = {most}: a number above 0, up to {MOST_EPOCHS:g}")
    for epochs in (source.epochs, *(bucket.epochs for bucket in source.buckets)):
        if not 0 <= epochs <= MOST_EPOCHS:
            raise RecipeError(f"{where} epochs = {epochs}: a number from 0 to {MOST_EPOCHS:g}")
        if epochs > most:
            raise RecipeError(f"{where} epochs = {epochs:g} is above its max_epochs = {most:g}: change one of them")
    for key, value in (("bytes", source.bytes), ("documents", source.documents)):
        if value is not None and value < 1:
            raise RecipeError(f"{where} {key} = {value}: at least 1")
