"""The lock: every upstream input of a recipe pinned, written by machine, and meant to be committed."""

from __future__ import annotations

from typing import Any

import msgspec

from pile import benchmark_files
from pile.document import Input, Pin
from pile.errors import DataError, LockError, PileError, PluginError
from pile.making import make_source
from pile.plugins import Reader, Source
from pile.recipe import Recipe
from pile.stage import digest
from pile.storage import Storage

#: What the checksum of a side input begins with: what is in it decides documents, as options do.
SHA256 = "sha256:"
#: Of the file's form; a lock of another version is made again.
LOCK_VERSION = 1


class LockedSource(msgspec.Struct, frozen=True, omit_defaults=True):
    """One source as pinned: ``options`` as the recipe has them, ``pinned`` with every "latest" resolved."""

    use: str
    options: dict[str, Any]
    pinned: dict[str, Any]
    inputs: list[Input]
    side_inputs: list[Input] = []


class Quarantined(msgspec.Struct, frozen=True, order=True):
    """A record that killed or hung its worker: every build passes it over, and counts it."""

    source: str
    url: str  #: of its input
    stage: str
    id: str
    cause: str


class Lock(msgspec.Struct, frozen=True):
    """Every input of every source, the records in quarantine, and the benchmarks of a recipe that looks for any."""

    sources: dict[str, LockedSource]
    quarantine: list[Quarantined] = []
    version: int = LOCK_VERSION
    benchmarks: list[Input] | msgspec.UnsetType = msgspec.UNSET

    def digest_of(self, recipe: Recipe) -> str:
        """Return the sha256 (hex) of what the lock says of a recipe's sources and benchmarks; of others it may say anything."""
        sources = {name: self.sources[name] for name in recipe.sources}
        said = [sources, [q for q in self.quarantine if q.source in sources]]
        return digest([*said, self.benchmarks] if recipe.decontamination else said)

    def quarantined(self, source: str, url: str, stage: str) -> dict[str, str]:
        """Return the records of one input that a stage passes over: id to cause."""
        return {q.id: q.cause for q in self.quarantine if (q.source, q.url, q.stage) == (source, url, stage)}

    def with_quarantined(self, found: list[Quarantined]) -> Lock:
        """Return a lock that also passes over these records."""
        known = {(q.source, q.url, q.stage, q.id): q for q in [*found, *self.quarantine]}
        return msgspec.structs.replace(self, quarantine=sorted(known.values()))

    def with_inputs(self, source: str, inputs: list[Input]) -> Lock:
        """Return a lock in which one source has these inputs."""
        changed = msgspec.structs.replace(self.sources[source], inputs=inputs)
        return msgspec.structs.replace(self, sources={**self.sources, source: changed})


def make(recipe: Recipe, upstream: Reader, previous: Lock | None = None) -> Lock:
    """Pin every input of a recipe; raises ``FetchError`` where an upstream does not answer.

    From a previous lock it keeps the quarantine, and the checksums that were seen where upstream publishes none.
    """
    sources: dict[str, LockedSource] = {}
    for name, table in recipe.sources.items():
        pin = _pin(name, make_source(name, table.use, table.options), upstream)
        for input in pin.side_inputs:
            if not input.checksum.startswith(SHA256):
                raise PluginError(
                    f"source {name!r}: its pin() gives the side input {input.url} no sha256; mend the source"
                )
        if not pin.inputs:
            raise DataError(f"source {name!r}: upstream has no inputs for {table.options}; check its options")
        known = {i.url: i for i in previous.sources[name].inputs} if previous and name in previous.sources else {}
        # Upstream lists may repeat a file.
        inputs = [_seen(i, known.get(i.url)) for i in {i.url: i for i in pin.inputs}.values()]
        # In the order of the lock's file, so that the build that makes a lock writes the manifest of those that read it.
        pinned = dict(sorted(pin.options.items()))
        sources[name] = LockedSource(table.use, table.options, pinned, inputs, pin.side_inputs)
    benchmarks = benchmark_files.pinned(recipe, upstream) or msgspec.UNSET
    return Lock(sources, previous.quarantine if previous else [], benchmarks=benchmarks)


def _pin(name: str, source: Source, upstream: Reader) -> Pin:
    try:
        return source.pin(upstream)
    except (PileError, OSError):
        raise
    except Exception as error:
        raise PluginError(
            f"source {name!r}: its pin() failed: {type(error).__name__}: {error}; mend the source"
        ) from error


def _seen(new: Input, old: Input | None) -> Input:
    """Keep the checksum of an earlier download of an upstream file whose publisher gives none.

    A person's own file (a path, not a URL) is pinned as it is now.
    """
    same = old is not None and new.size in (None, old.size) and new.ranges == old.ranges
    if old is None or not same or new.checksum or "://" not in new.url:
        return new
    return msgspec.structs.replace(new, checksum=old.checksum, size=old.size)


def read(recipe: Recipe) -> Lock | None:
    """Return the recipe's lock, None where there is none; raises ``LockError`` when it cannot be read."""
    try:
        lock = msgspec.json.decode(recipe.lock_path.read_bytes(), type=Lock)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise LockError(
            f"{recipe.lock_path} is damaged ({error}): delete it and run `pile lock {recipe.path}`"
        ) from error
    if lock.version != LOCK_VERSION:
        raise LockError(f"{recipe.lock_path} is of version {lock.version}: run `pile lock {recipe.path}`")
    return lock


def write(recipe: Recipe, lock: Lock) -> None:
    """Write the lock beside the recipe, whole or not at all."""
    content = msgspec.json.format(msgspec.json.encode(lock, order="deterministic"), indent=1) + b"\n"
    try:
        if not recipe.lock_path.exists() or recipe.lock_path.read_bytes() != content:
            Storage(str(recipe.lock_path.parent)).write(recipe.lock_path.name, content)
    except OSError as error:
        raise DataError(
            f"cannot write the lock {recipe.lock_path}: {error.strerror}; copy the recipe elsewhere"
        ) from error


def check(recipe: Recipe, lock: Lock) -> None:
    """Raise ``LockError`` with the difference when the recipe has outgrown its lock."""
    for name, table in recipe.sources.items():
        locked = lock.sources.get(name)
        if locked is None:
            difference = f"source {name!r} is not in it"
        elif (locked.use, locked.options) != (table.use, table.options):
            was, now = {"use": locked.use, **locked.options}, {"use": table.use, **table.options}
            changed = sorted(key for key in {*was, *now} if was.get(key) != now.get(key))
            difference = ", ".join(f"{name}.{key}: {was.get(key)!r} -> {now.get(key)!r}" for key in changed)
        else:
            continue
        raise LockError(f"{recipe.lock_path} is behind the recipe: {difference}; run `pile lock {recipe.path}`")


def check_benchmarks(recipe: Recipe, lock: Lock, upstream: Reader) -> list[Input]:
    """Return the benchmark files of a recipe; raises ``LockError`` with the difference when they are not the ones pinned."""
    found = benchmark_files.pinned(recipe, upstream)
    if changed := benchmark_files.difference(lock.benchmarks or [], found) if found else "":
        raise LockError(
            f"{recipe.lock_path} is behind the benchmarks: {changed}; run `pile lock {recipe.path}`, or bring back the files"
        )
    return found
