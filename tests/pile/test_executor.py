"""Both executors: every task is answered once, errors come through, and a dead worker is an outcome."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from pile.errors import DataError, WorkerDiedError
from pile.executor import Executor, LocalExecutor


def _square(number: int) -> int:
    return number * number


def _fail_on_three(number: int) -> int:
    if number == 3:
        raise DataError("three is damaged")
    return number


def _die_on_three(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.01)
    return number


def test_every_task_is_answered_once(executor: Executor) -> None:
    assert sorted(executor.map(_square, range(50))) == [(n, n * n) for n in range(50)]


def test_no_tasks_give_no_results(executor: Executor) -> None:
    assert list(executor.map(_square, [])) == []


def test_tasks_are_drawn_only_as_workers_free_up(executor: Executor) -> None:
    drawn = 0

    def tasks() -> Iterator[int]:
        nonlocal drawn
        for number in range(1000):
            drawn += 1
            yield number

    results = executor.map(_square, tasks())
    next(results)
    assert drawn < 50
    results.close()  # type: ignore[attr-defined]


def test_an_error_in_a_task_comes_through_as_itself(executor: Executor) -> None:
    with pytest.raises(DataError, match="three is damaged"):
        list(executor.map(_fail_on_three, range(5)))


def test_a_dead_worker_is_an_outcome_and_the_others_go_on(executor: Executor) -> None:
    outcomes = dict(executor.map(_die_on_three, range(30)))
    assert sorted(outcomes) == list(range(30))
    assert isinstance(outcomes[3], WorkerDiedError)
    survivors = [n for n, outcome in outcomes.items() if not isinstance(outcome, WorkerDiedError)]
    assert len(survivors) >= 20
    assert all(outcomes[n] == n for n in survivors)


def test_an_executor_works_on_after_a_death(executor: Executor) -> None:
    dict(executor.map(_die_on_three, range(5)))
    assert sorted(executor.map(_square, range(5))) == [(n, n * n) for n in range(5)]


def test_a_worker_has_the_environment_of_the_moment_and_not_of_the_first_executor(
    executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(executor.map(_square, [1]))
    monkeypatch.setenv("PILE_TEST_LATE", "set")
    with LocalExecutor(1) as later:
        assert dict(later.map(os.getenv, ["PILE_TEST_LATE"])) == {"PILE_TEST_LATE": "set"}


def test_no_process_is_left_of_a_build_that_is_killed() -> None:
    # A worker that lived on would hold the pipe open, and the call would time out.
    code = """
import os, signal, time
from pile.executor import LocalExecutor
with LocalExecutor(2, ["json"]) as executor:
    results = executor.map(time.sleep, [0, 600, 600])
    next(results)
    print("working", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "working\n")
