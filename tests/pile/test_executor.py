"""Both executors: every task is answered once, errors come through, and a dead worker is an outcome."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest

from pile.errors import DataError, WorkerDiedError
from pile.executor import Executor


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
