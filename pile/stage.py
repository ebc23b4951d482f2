"""Stages: content-addressed results, so that a build resumes where it was and repeats nothing.

A stage is a pure function from one task to a folder of files, stored as ``<stage>/<key>/`` with its facts written
last. The key is the hash of all that decides its bytes: the stage's name and version, its arguments, the keys of what
it reads, library versions.
"""

from __future__ import annotations

import errno
import faulthandler
import hashlib
import os
import platform
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec
import xxhash

from pile.errors import PileError, WorkError
from pile.storage import Storage

#: The sidecar: its existence means that the result is whole.
FACTS = "facts.json"
#: Errors of a disk that takes no more.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)
#: Errors that say something about the machine and nothing about the record in hand: they stop a build, and drop nothing.
MACHINE = (*NO_ROOM, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.EIO, errno.EACCES, errno.EPERM)
#: Bytes of stack for the thread that does a task: deep trees are walked by recursion, in Python and in C.
STACK_BYTES = 64 << 20
#: Seconds on one record before its worker is taken to hang and ends itself. The clock decides no content: the record
#: is then quarantined by name in the lock, so that every later build repeats the decision.
HANG_SECONDS = float(os.environ.get("PILE_HANG_SECONDS", "900"))
#: The watchdog is wound up at most this often, since winding costs more than a small record.
WIND_SECONDS = min(1.0, HANG_SECONDS / 10)


def digest(value: Any) -> str:
    """Return the sha256 (hex) of a value's canonical JSON."""
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()


def library_versions(libraries: tuple[str, ...] | list[str]) -> dict[str, str]:
    """Return the installed version of each distribution, "absent" where there is none."""
    found: dict[str, str] = {}
    for name in sorted(libraries):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


def checksum(path: Path) -> str:
    """Return size and 64-bit hash of a stored file: enough to notice what a disk did to it."""
    state, size = xxhash.xxh3_64(), 0
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            state.update(chunk)
            size += len(chunk)
    return f"{size}:{state.hexdigest()}"


def write_facts(folder: Path, facts: dict[str, Any]) -> None:
    """Write the sidecar of a result, with a digest over itself."""
    content = msgspec.json.decode(msgspec.json.encode(facts))
    sealed = {**content, "digest": digest(content)}
    (folder / FACTS).write_bytes(msgspec.json.encode(sealed, order="deterministic"))


class Watch:
    """What a stage's function tells of the record it is at, and which records it must pass over.

    ``journal`` (a file, or None) holds the name of the record in hand, so that a death can be laid at its door.
    ``quarantined`` maps names to causes; the function adds to it a record that went over its time bound.
    """

    def __init__(self, quarantined: dict[str, str], journal: Path | None = None) -> None:
        self.quarantined = dict(quarantined)
        self._journal = open(journal, "wb", buffering=0) if journal else None  # noqa: SIM115 - closed by close()
        self._silent = open(os.devnull, "wb")  # noqa: SIM115 - closed by close()
        self._wound = 0.0

    @property
    def alone(self) -> bool:
        """Whether records are to be worked on one by one, since one of them killed its worker before."""
        return self._journal is not None

    def begin(self, name: str) -> None:
        """Say that work on this record begins; call it before anything that may crash."""
        if self._journal is not None:
            self._journal.seek(0)
            self._journal.truncate()
            self._journal.write(name.encode("utf-8", "surrogatepass"))
        now = time.monotonic()
        if now - self._wound > WIND_SECONDS:
            # A thread of the interpreter's own, which ends the process even where a C library holds the interpreter's
            # lock.
            faulthandler.dump_traceback_later(HANG_SECONDS, exit=True, file=self._silent)
            self._wound = now

    def close(self) -> None:
        """Stop the watchdog and close the journal; a second time does nothing."""
        if self._wound:
            faulthandler.cancel_dump_traceback_later()
            self._wound = 0.0
        self._silent.close()
        if self._journal is not None:
            self._journal.close()


class Task(msgspec.Struct, frozen=True):
    """One unit of a stage: what to call, on what, and the name of its result.

    ``function(arguments, folder, watch, work)`` writes its files into ``folder`` and returns its facts (plain JSON).
    ``base`` is the key without quarantined records; ``label`` names the task to a person.
    """

    stage: str
    base: str
    function: Callable[[Any, Path, Watch, Work], dict[str, Any]]
    arguments: Any
    label: str = ""
    quarantined: dict[str, str] = {}
    size: int = 0  #: bytes of input, for the progress bar
    checked: tuple[str, ...] = ()  #: large files that whoever reads them checks by other digests than ``checksum``

    def key_with(self, quarantined: dict[str, str]) -> str:
        """Return the result's key when these records are passed over."""
        return digest([self.base, sorted(quarantined)])[:40] if quarantined else self.base

    @property
    def key(self) -> str:
        """The result's key."""
        return self.key_with(self.quarantined)


def make_key(stage: str, version: int, facts: Any, libraries: tuple[str, ...] | list[str] = ()) -> str:
    """Return the key of a stage's result: 40 hex digits over everything that decides its bytes."""
    return digest([stage, version, facts, platform.python_version(), library_versions(libraries)])[:40]


def _call(task: Task, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Call a task's function on a thread of its own, so that its stack is as deep as on any executor.

    Where recursion ends decides what a few deep documents become; it must not depend on who called.
    """
    before = threading.stack_size(STACK_BYTES)
    try:
        with ThreadPoolExecutor(1, thread_name_prefix=task.stage) as thread:
            future = thread.submit(task.function, task.arguments, folder, watch, work)
    finally:
        threading.stack_size(before)
    try:
        return future.result()
    except (PileError, OSError, MemoryError):
        raise
    except Exception as error:
        # A fault of ours or of a source's, which must reach the person from any process, whatever its class.
        raise WorkError(
            f"{task.stage} of {task.label} failed: {type(error).__name__}: {error}; please report it"
        ) from error


class Work:
    """The store of all stages' results; it may be shared storage. Travels to workers by its URL."""

    def __init__(self, url: str) -> None:
        self.storage = Storage(url)
        self._inputs: Path | None = None
        self._checked: set[tuple[str, str, str]] = set()  # files of results whose checksums this process has seen

    def __reduce__(self) -> tuple[type[Work], tuple[str]]:
        return (Work, (self.storage.url,))

    def facts(self, stage: str, key: str) -> dict[str, Any] | None:
        """Return the facts of a finished result, None where it is not finished; raises ``WorkError`` for damaged ones."""
        sidecar = self._sidecar(stage, key)
        if sidecar is not None:
            sidecar.pop("files", None)
        return sidecar

    def _sidecar(self, stage: str, key: str) -> dict[str, Any] | None:
        content = self.storage.read(f"{stage}/{key}/{FACTS}")
        if content is None:
            return None
        try:
            facts = msgspec.json.decode(content, type=dict[str, Any])
            if facts.pop("digest", None) != digest(facts):
                raise WorkError(f"{self.storage.url}/{stage}/{key} is damaged: delete that folder and build again")
            return facts
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise WorkError(
                f"{self.storage.url}/{stage}/{key}/{FACTS} is damaged: {error}; delete that folder"
            ) from error

    def file(self, stage: str, key: str, name: str) -> Path:
        """Return a local path to one file of a finished result; remote files last until the task ends."""
        if self._inputs is None and not self.storage.is_local:
            raise WorkError("files of shared storage can only be read inside a task or within `reading()`")
        path = self.storage.local(f"{stage}/{key}/{name}", self._inputs or Path())
        if (stage, key, name) not in self._checked:
            expected = (self._sidecar(stage, key) or {}).get("files", {}).get(name)
            if expected is not None and (not path.exists() or checksum(path) != expected):
                folder = f"{self.storage.url}/{stage}/{key}"
                raise WorkError(f"{folder}/{name} is damaged or missing: delete {folder} and build again")
            self._checked.add((stage, key, name))
        return path

    @contextmanager
    def reading(self, folder: Path) -> Iterator[None]:
        """Let ``file`` bring files of shared storage into this folder while the context lasts."""
        before, self._inputs = self._inputs, folder
        try:
            yield
        finally:
            self._inputs = before

    def perform(self, task: Task, journal: Path | None = None) -> tuple[str, dict[str, Any]]:
        """Do a task, unless its result is there, and return its key and facts."""
        found = self.facts(task.stage, task.key)
        if found is not None:
            return task.key, found
        watch = Watch(task.quarantined, journal)
        with self.storage.scratch() as scratch:
            output = scratch / "output"
            output.mkdir()
            try:
                with self.reading(scratch / "inputs"):
                    facts = _call(task, output, watch, self)
                watch.close()  # storing the result may take longer than any record
                if watch.quarantined:
                    facts["quarantined"] = watch.quarantined
                key = task.key_with(watch.quarantined)
                files = {
                    path.name: checksum(path) for path in sorted(output.iterdir()) if path.name not in task.checked
                }
                write_facts(output, {**facts, "files": files})
                self.storage.put_folder(output, f"{task.stage}/{key}", FACTS)
            except OSError as error:
                if error.errno in NO_ROOM:
                    raise WorkError(
                        f"{task.stage} of {task.label} cannot write below {self.storage.url}: {error.strerror}; make room, "
                        "then run the same command again: what is done stays done"
                    ) from error
                raise WorkError(
                    f"{task.stage} of {task.label}: {error}; run the same command again once it is mended"
                ) from error
            except MemoryError as error:
                raise WorkError(
                    f"{task.stage} of {task.label} has not enough memory: give it more, or take fewer --workers"
                ) from error
            finally:
                watch.close()
        return key, facts
