"""The fetch stage: pinned inputs to verified files, several at a time, each handed on as soon as it is there.

Downloads run as threads of the build's own process, so that the politeness of all of them is one account.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec

from pile.document import Input
from pile.errors import FetchError
from pile.extract import Extraction, Side
from pile.extract import task as extract_task
from pile.fetch import OnDamage, Upstream
from pile.lock import SHA256
from pile.lock import Lock as RecipeLock
from pile.progress import Progress, StageCount
from pile.recipe import Recipe
from pile.stage import FACTS, Task, Work, digest, write_facts

STAGE = "fetch"
VERSION = 1
#: Downloads at a time, over all hosts; each host has its own, lower, limit.
DOWNLOADS = 8


class Got(msgspec.Struct, frozen=True):
    """The facts of a fetched input.

    ``path`` is where it was found on this machine when it is used in place, else "" and it is ``name`` in the stage's
    folder. ``stamp`` (size, time of change in ns) tells whether a file used in place is still the one that was read.
    """

    url: str
    name: str
    path: str
    stamp: list[int]
    size: int
    sha256: str
    checksum: str  #: of the lock, as verified
    damage: str = ""


class Downloads:
    """Fetches the inputs of a build; ``failures`` collects those that could not be, while the others go on."""

    def __init__(self, recipe: Recipe, lock: RecipeLock, work: Work, upstream: Upstream, progress: Progress) -> None:
        self._recipe, self._lock, self._work = recipe, lock, work
        self._upstream = upstream
        self._count = progress.stages.setdefault(STAGE, StageCount())
        self._locks: defaultdict[str, Lock] = defaultdict(Lock)
        self.failures: list[tuple[str, Input, FetchError]] = []
        self.got: dict[tuple[str, str], Got] = {}
        self._side: dict[str, list[Side]] = {}

    def tasks(self) -> Iterator[Task]:
        """Yield an extraction for every input, as its file comes.

        Raises ``FetchError`` at once for a side input that cannot be had, since every input of its source needs it.
        """
        self._side = {
            name: [self.side_input(i) for i in self._lock.sources[name].side_inputs] for name in self._recipe.sources
        }
        inputs = ((name, i) for name in self._recipe.sources for i in self._lock.sources[name].inputs)
        with ThreadPoolExecutor(DOWNLOADS, thread_name_prefix="download") as pool:
            waiting: dict[Future[Task], tuple[str, Input]] = {}
            try:
                while True:
                    for source, input in islice(inputs, DOWNLOADS * 2 - len(waiting)):
                        waiting[pool.submit(self._ready, source, input)] = (source, input)
                    if not waiting:
                        return
                    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                    for future in done:
                        source, input = waiting.pop(future)
                        try:
                            task = future.result()
                        except FetchError as error:
                            self.failures.append((source, input, error))
                            continue
                        yield task
            except BaseException:
                self._upstream.close()  # ends every wait and transfer; what they have is kept
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def side_input(self, input: Input) -> Side:
        """Return a file that many tasks read where it lies, the one that is pinned; raises ``FetchError``."""
        key = fetch_key(self._recipe, input)
        got = known(self._recipe, self._work, input, "stop")
        if got is None or not present(self._recipe, self._work, input, got):
            got = self._download(key, input, "stop")
        return Side(input.url, got.sha256, got.path, ("", "") if got.path else (key, got.name))

    def _ready(self, source: str, input: Input) -> Task:
        """Return the extraction of an input, downloading only where its result needs the file.

        Two sources may share an input: the second waits for the first, and finds its result.
        """
        with self._locks[fetch_key(self._recipe, input)]:
            return self._ready_alone(source, input)

    def _ready_alone(self, source: str, input: Input) -> Task:
        got = known(self._recipe, self._work, input, self._recipe.sources[source].on_damage)
        if got is not None:
            task = extraction(self._lock, source, input, fetch_key(self._recipe, input), got, self._side[source])
            if self._work.facts(task.stage, task.key) is not None or present(self._recipe, self._work, input, got):
                self._count.reused += 1
                self.got[source, input.url] = got
                return task
        key = fetch_key(self._recipe, input)
        got = self._download(key, input, self._recipe.sources[source].on_damage)
        self._count.done += 1
        self.got[source, input.url] = got
        return extraction(self._lock, source, input, key, got, self._side[source])

    def _download(self, key: str, input: Input, on_damage: OnDamage) -> Got:
        """Fetch an input into the work folder; what stays of an interrupted download is taken up again."""
        storage = self._work.storage
        with storage.scratch() as scratch:
            folder = storage.path / "downloads" / key if storage.is_local else scratch / "downloads"
            folder.mkdir(parents=True, exist_ok=True)
            fetched = self._upstream.download(input, folder, on_damage)
            path = Path(fetched.path)
            in_place = path.parent != folder
            got = Got(
                input.url,
                path.name,
                str(path.absolute()) if in_place else "",
                stamp(path),
                fetched.size,
                fetched.sha256,
                input.checksum,
                fetched.damage,
            )
            output = scratch / "output"
            output.mkdir()
            if not in_place:
                path.rename(output / path.name)
            write_facts(output, msgspec.to_builtins(got))
            storage.put_folder(output, f"{STAGE}/{key}", FACTS)
            shutil.rmtree(folder, ignore_errors=True)
        return got


def fetch_key(recipe: Recipe, input: Input) -> str:
    """Return the key of a fetched input: what is asked for alone, since neither options nor versions change what comes."""
    address = input.url if "://" in input.url else str((recipe.folder / input.url).absolute())
    asked = [address, input.ranges] if input.ranges else [address]
    return digest([STAGE, VERSION, *asked])[:40]


def known(recipe: Recipe, work: Work, input: Input, on_damage: str) -> Got | None:
    """Return what an earlier run fetched, when it is what the lock pins, or is damaged in a way that the recipe bears."""
    facts = work.facts(STAGE, fetch_key(recipe, input))
    if facts is None:
        return None
    got = msgspec.convert(facts, Got)
    pinned = f"sha256:{got.sha256}" if input.checksum.startswith("sha256:") else got.checksum
    changed = bool(got.path) and Path(got.path).exists() and stamp(Path(got.path)) != got.stamp
    if got.damage and not changed:
        return got if on_damage == "keep" and got.checksum == input.checksum else None
    if (input.checksum and pinned != input.checksum) or input.size not in (None, got.size) or changed:
        return None
    return got


def present(recipe: Recipe, work: Work, input: Input, got: Got) -> bool:
    """Return whether the file itself is still there: it may be deleted once it is extracted."""
    if got.path:
        return Path(got.path).exists()
    folder = f"{STAGE}/{fetch_key(recipe, input)}"
    return f"{folder}/{got.name}" in work.storage.names(folder)


def extraction(lock: RecipeLock, source: str, input: Input, key: str, got: Got, side: list[Side]) -> Task:
    """Return the extraction of a fetched input; of the side inputs, only what is in them is in its key."""
    locked = lock.sources[source]
    fetched = ("", "") if got.path else (key, got.name)
    call = Extraction(source, locked.use, locked.pinned, input, got.sha256, got.path, fetched, side)
    return extract_task(call, lock.quarantined(source, input.url, "extract"), got.size)


def known_input(recipe: Recipe, lock: RecipeLock, work: Work, source: str, input: Input) -> str:
    """Return how far an input is: ``extracted``, ``fetched`` or ``missing``."""
    got = known(recipe, work, input, recipe.sources[source].on_damage)
    if got is None:
        return "missing"
    side = [Side(i.url, i.checksum.removeprefix(SHA256)) for i in lock.sources[source].side_inputs]
    task = extraction(lock, source, input, fetch_key(recipe, input), got, side)
    if work.facts(task.stage, task.key) is not None:
        return "extracted"
    return "fetched" if present(recipe, work, input, got) else "missing"


def stamp(path: Path) -> list[int]:
    """Return size and time of change (ns) of a file."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def observed(lock: RecipeLock, got: dict[tuple[str, str], Got]) -> RecipeLock:
    """Return the lock with size and sha256 of every file whose publisher gives no checksum."""
    for name, locked in lock.sources.items():
        inputs: list[Any] = []
        for input in locked.inputs:
            found = got.get((name, input.url))
            if found is not None and not found.damage and not input.checksum:
                input = msgspec.structs.replace(input, checksum=f"sha256:{found.sha256}", size=found.size)
            inputs.append(input)
        lock = lock.with_inputs(name, inputs)
    return lock
