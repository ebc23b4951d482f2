"""The survey stage: what a filter finds in the scores of all documents of its source, such as thresholds for each language."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from pile.plugins import Surveyor
from pile.recipe import FilterTable
from pile.score import scored_of
from pile.stage import Task, Watch, Work, make_key

STAGE = "survey"
VERSION = 1


class Survey(msgspec.Struct, frozen=True):
    """What one task of the stage works on: keys of the ``score`` stage of all parts of a source, and the filter's place there."""

    filter: FilterTable
    place: int
    scores: list[str]


def task(filter: FilterTable, place: int, scores: list[str], label: str) -> Task:
    """Return the task of one filter of one source."""
    made = filter.make()
    facts = [filter.use, made.version, msgspec.to_builtins(made), place, scores]
    return Task(STAGE, make_key(STAGE, VERSION, facts), survey, Survey(filter, place, scores), label)


def survey(call: Survey, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Do one task; return what the filter found."""
    filter = call.filter.make()
    return {"found": filter.survey(_scores(call, work)) if isinstance(filter, Surveyor) else {}}


def _scores(call: Survey, work: Work) -> Iterator[dict[str, Any]]:
    for key in call.scores:
        for scored in scored_of(work, key):
            if not scored.quarantined and not scored.measured[call.place].error:
                yield scored.measured[call.place].scores
