"""Quarantine: which records a task passes over since they killed or hung its worker, and which it had to add."""

from __future__ import annotations

import msgspec

from pile.extract import Extraction
from pile.lock import Lock, Quarantined
from pile.parts import Part
from pile.runner import Result
from pile.stage import Task


def with_quarantine(lock: Lock, task: Task) -> Task:
    """Return a task that passes over what the lock has in quarantine for its stage and the part it works on."""
    part = getattr(task.arguments, "part", None)
    if not isinstance(part, Part):
        return task
    return msgspec.structs.replace(task, quarantined=lock.quarantined(part.source, part.url, task.stage))


def input_of(task: Task) -> tuple[str, str]:
    """Return source and address of what an extraction, or a task on a part, works on; empty for others."""
    call = task.arguments
    if isinstance(call, Extraction):
        return call.source, call.input.url
    part = getattr(call, "part", None)
    return (part.source, part.url) if isinstance(part, Part) else ("", "")


def quarantined(result: Result) -> list[Quarantined]:
    """Return the records that one task had to pass over."""
    source, url = input_of(result.task)
    stage = result.task.stage
    return [Quarantined(source, url, stage, id, cause) for id, cause in result.facts.get("quarantined", {}).items()]
