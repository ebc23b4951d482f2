"""Running a stage: reuse what is done, do the rest on an executor, find the record that kills its worker.

A task whose worker died is done again in a child process that keeps a journal; when the child dies too, the journal
names the record at fault, and the task is done again without it. The same way serves a pool, Ray, a segfault, the OOM
killer and a hang in a C library.
"""

from __future__ import annotations

import faulthandler
import os
import pickle
import platform
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from pile.errors import PileError, QuarantineError, WorkerDiedError, WorkError
from pile.executor import Executor, leave_with_parent
from pile.stage import Task, Work, library_versions

#: More records than this of one input that kill their worker: the input or the machine is at fault, not the records.
MOST_QUARANTINED = 20


class Result(msgspec.Struct, frozen=True):
    """A finished task: where its files are and what it says of them."""

    task: Task
    key: str
    facts: dict[str, Any]
    reused: bool


#: What every worker must have in the version of the build's own process, since results are stored under its versions.
SAME = ("msgspec", "numpy", "xxhash", "zstandard")


class _Call(msgspec.Struct, frozen=True):
    task: Task
    work: Work
    versions: dict[str, str]


@cache
def versions() -> dict[str, str]:
    """Return the versions of Python and of the kernel's libraries in this process."""
    return {"python": platform.python_version(), **library_versions(SAME)}


def _perform(call: _Call) -> tuple[str, dict[str, Any]]:
    if call.versions != versions():
        raise WorkError(
            f"a worker on {platform.node()} has {versions()}, the build {call.versions}: make them the same"
        )
    return call.work.perform(call.task)


def _perform_supervised(call: _Call) -> tuple[str, dict[str, Any]]:
    """Do a task in a child process, again without each record that kills it."""
    quarantined = dict(call.task.quarantined)
    while True:
        task = msgspec.structs.replace(call.task, quarantined=quarantined)
        name, outcome = _child(task, call.work)
        if not isinstance(outcome, str):
            return outcome
        if not name or name in quarantined:
            raise WorkerDiedError(
                f"{task.stage} of {task.label} {outcome} twice, outside any record; give it more memory or fewer --workers"
            )
        quarantined[name] = f"{task.stage}: {outcome}"
        if len(quarantined) > MOST_QUARANTINED:
            raise QuarantineError(
                f"{task.stage} of {task.label}: {len(quarantined)} records killed their worker, the last {name}: {outcome}; "
                "the input or this machine (memory?) is at fault"
            )


def _child(task: Task, work: Work) -> tuple[str, tuple[str, dict[str, Any]] | str]:
    """Run one child; return the last record's name, and its result or, when it died, how."""
    with tempfile.TemporaryDirectory(prefix="pile-child-") as folder:
        call, answer, journal = Path(folder, "call"), Path(folder, "answer"), Path(folder, "journal")
        call.write_bytes(pickle.dumps((task, work, str(answer), str(journal))))
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        done = subprocess.run([sys.executable, "-m", "pile.runner", str(call)], env=environment, check=False)
        name = journal.read_bytes().decode("utf-8", "surrogatepass") if journal.exists() else ""
        if done.returncode == 0:
            result = pickle.loads(answer.read_bytes())
            if isinstance(result, BaseException):
                raise result
            return name, result
        if done.returncode < 0:
            return name, f"killed by signal {-done.returncode} ({signal.Signals(-done.returncode).name})"
        return name, f"ended with status {done.returncode}"


def _main(call: str) -> None:
    """The child: do one task with a journal, and write down what came of it."""
    leave_with_parent(os.getppid())
    task, work, answer, journal = pickle.loads(Path(call).read_bytes())
    faulthandler.enable()
    outcome: Any
    try:
        outcome = work.perform(task, Path(journal))
    except (PileError, OSError) as error:
        outcome = error
    Path(answer).write_bytes(pickle.dumps(outcome))


def run(
    tasks: Iterable[Task], work: Work, executor: Executor, finished: Callable[[Result], None] = lambda result: None
) -> Iterator[Result]:
    """Do every task that is not done yet; yield each ``Result`` as it comes, in no particular order.

    ``tasks`` may be a slow generator (downloads): it is drawn from as workers free up. Raises what a task's function raises,
    ``QuarantineError`` and ``WorkerDiedError``.
    """
    reused: list[Result] = []

    def undone() -> Iterator[_Call]:
        for task in tasks:
            facts = work.facts(task.stage, task.key)
            if facts is None:
                yield _Call(task, work, versions())
            else:
                reused.append(Result(task, task.key, facts, reused=True))

    def results() -> Iterator[Result]:
        deaths: list[_Call] = []
        for call, outcome in executor.map(_perform, undone()):
            yield from _take(reused)
            if isinstance(outcome, WorkerDiedError):
                deaths.append(call)
            else:
                yield Result(call.task, *outcome, reused=False)
        yield from _take(reused)
        for call, outcome in executor.map(_perform_supervised, deaths):
            if isinstance(outcome, WorkerDiedError):
                raise WorkerDiedError(
                    f"{call.task.stage} of {call.task.label}: {outcome}, twice; is there enough memory?"
                )
            yield Result(call.task, *outcome, reused=False)

    for result in results():
        finished(result)
        yield result


def _take(items: list[Result]) -> Iterator[Result]:
    while items:
        yield items.pop(0)


if __name__ == "__main__":
    _main(sys.argv[1])
