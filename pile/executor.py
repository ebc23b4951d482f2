"""Executors: one method, ``map``. They schedule calls on processes; they do not know what a build is.

A call that raises ends the map with its exception; a worker that dies is an outcome (``WorkerDiedError``) like any other, so
that the caller can look for the record at fault.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import forkserver, resource_tracker
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from pile.errors import DataError, WorkerDiedError

T = TypeVar("T")
R = TypeVar("R")

#: Calls in flight per worker: one that runs and one that waits, so that no worker idles between two.
IN_FLIGHT_PER_WORKER = 2
#: Seconds within which a cluster must answer.
CONNECT_SECONDS = 10.0
#: Seconds between two looks of a worker at whether its parent still lives.
ORPHAN_CHECK_SECONDS = 1.0


class Executor(Protocol):
    """Calls a function on many tasks, on other processes."""

    workers: int

    def map(self, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[tuple[T, R | WorkerDiedError]]:
        """Yield ``(task, result)`` as results come, in no order; ``tasks`` is drawn from as workers free up."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def leave_with_parent(parent: int) -> None:
    """In a child process: end when its parent is gone (a SIGKILL tells nobody), and leave Ctrl-C to it."""

    def wait_for_end() -> None:
        while os.getppid() == parent:  # another one also where the parent is dead and nobody has reaped it
            time.sleep(ORPHAN_CHECK_SECONDS)

    _leave_after(wait_for_end)


def _begin_worker(environment: dict[str, str]) -> None:
    """In a worker: take the build's environment, which the fork server has as it was, and end when the build is gone."""
    os.environ.clear()
    os.environ.update(environment)
    gc.freeze()  # what was imported stays: the collector need not walk through it again and again
    build = multiprocessing.parent_process()  # not the parent that the system knows: that is the fork server
    if build is not None:
        _leave_after(build.join)


def _leave_after(wait_for_end: Callable[[], None]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        wait_for_end()
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="orphan-check").start()


class LocalExecutor:
    """A pool of processes on this machine; a pool that loses a worker is replaced by a new one.

    Workers are forked from a server process of one thread, which begins at once to import ``preload`` (names of modules):
    while the build pins and fetches, and once for all workers. What it cannot import is left to them.
    """

    def __init__(self, workers: int | None = None, preload: Iterable[str] = ()) -> None:
        self.workers = workers or os.cpu_count() or 1
        self._pool: ProcessPoolExecutor | None = None
        forkserver.set_forkserver_preload(list(preload))
        resource_tracker.ensure_running()  # else the server's start begins it, which lets Ctrl-C through again
        # The server inherits this. By itself it ignores Ctrl-C only once it has imported all.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            forkserver.ensure_running()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            if kind is not None:  # do not wait for calls whose results nobody will read
                for process in list((self._pool._processes or {}).values()):
                    process.kill()
            self._pool.shutdown(wait=kind is None, cancel_futures=True)
            self._pool = None

    def _submit(self, function: Callable[[T], R], task: T) -> Future[R]:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self.workers,
                mp_context=multiprocessing.get_context("forkserver"),
                initializer=_begin_worker,
                initargs=(dict(os.environ),),
            )
        try:
            return self._pool.submit(function, task)
        except BrokenProcessPool as error:  # it broke since the last look: a future that says so
            broken: Future[R] = Future()
            broken.set_exception(error)
            return broken

    def map(self, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[tuple[T, R | WorkerDiedError]]:
        """See ``Executor.map``. When a worker dies, every call then in flight is answered with ``WorkerDiedError``."""
        waiting = iter(tasks)
        in_flight: dict[Future[R], T] = {}
        while True:
            for task in islice(waiting, max(0, self.workers * IN_FLIGHT_PER_WORKER - len(in_flight))):
                in_flight[self._submit(function, task)] = task
            if not in_flight:
                return
            done, _ = wait(in_flight, return_when=FIRST_COMPLETED)
            for future in done:
                task = in_flight.pop(future)
                try:
                    outcome: R | WorkerDiedError = future.result()
                except BrokenProcessPool:
                    outcome = WorkerDiedError("a worker process died")
                    self._pool = None
                yield task, outcome


def _must_answer(address: str) -> None:
    """Raise ``DataError`` where nothing listens at HOST:PORT: Ray itself waits for minutes."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not host or not port.isdigit():
        return  # "auto", or a form of Ray's own
    try:
        socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
    except OSError as error:
        raise DataError(f"no Ray cluster at {address!r}: {error}; check --ray ADDRESS") from error


class RayExecutor:
    """Plain Ray tasks: Ray's scheduling and node handling; ``address`` None starts Ray on this machine.

    Retries are the caller's: it must know of every death to find the record at fault.
    """

    def __init__(self, workers: int | None = None, address: str | None = None) -> None:
        try:
            import ray
        except ImportError as error:
            raise DataError("ray is not installed: pip install ray, or build without --ray") from error
        self._ray: Any = ray
        options: dict[str, Any] = {"log_to_driver": False, "include_dashboard": False, "logging_level": "ERROR"}
        root = str(Path(__file__).resolve().parents[1])
        if address is None:
            options["num_cpus"] = workers or os.cpu_count()
            options["runtime_env"] = {"env_vars": {"PYTHONPATH": os.pathsep.join([root, *filter(None, sys.path)])}}
        else:
            _must_answer(address)
            options = {"address": address, "log_to_driver": False, "logging_level": "ERROR"}
            options["runtime_env"] = {
                "py_modules": [f"{root}/{name}" for name in ("pile", "sources", "filters", "dedup")]
            }
        try:
            ray.init(**options)
        except (ConnectionError, RuntimeError, ValueError) as error:
            cause = str(error).splitlines()[0]
            raise DataError(
                f"no Ray cluster at {address!r}: {cause}; check --ray ADDRESS and the cluster's token (RAY_AUTH_MODE)"
            ) from error
        self.workers = workers or int(ray.cluster_resources().get("CPU", 1))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ray.shutdown()

    def map(self, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[tuple[T, R | WorkerDiedError]]:
        """See ``Executor.map``."""
        ray = self._ray
        deaths = (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError, ray.exceptions.NodeDiedError)
        remote = ray.remote(max_retries=0)(function)
        waiting = iter(tasks)
        in_flight: dict[Any, T] = {}
        while True:
            for task in islice(waiting, max(0, self.workers * IN_FLIGHT_PER_WORKER - len(in_flight))):
                in_flight[remote.remote(task)] = task
            if not in_flight:
                return
            done, _ = ray.wait(list(in_flight), num_returns=1)
            for reference in done:
                task = in_flight.pop(reference)
                try:
                    outcome: R | WorkerDiedError = ray.get(reference)
                except deaths as error:
                    outcome = WorkerDiedError(str(error).splitlines()[0])
                except ray.exceptions.RayTaskError as error:
                    raise (error.cause if isinstance(error.cause, Exception) else error) from error
                yield task, outcome
