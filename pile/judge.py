"""The judge stage: stored scores to verdicts. A changed threshold runs this again, and neither measuring nor extraction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from pile.document import Verdict
from pile.parts import VERDICTS, Judged, Part, documents_as
from pile.plugins import Scorer, Surveyor
from pile.recipe import FilterTable
from pile.score import Measured, Scored, failure, scored_of
from pile.shards import STORED_LEVEL, FrameWriter
from pile.stage import Task, Watch, Work, make_key

STAGE = "judge"
VERSION = 2


class Judgement(msgspec.Struct, frozen=True):
    """What one task of the stage works on."""

    part: Part
    filters: list[FilterTable]
    scores: str  #: key of the ``score`` stage; "" where there are no filters
    surveys: dict[int, dict[str, Any]]  #: what the filters at these places found in the scores of their whole source


class _Named(msgspec.Struct, frozen=True):
    """What is read of a document that no filter looks at."""

    id: str


def task(part: Part, filters: list[FilterTable], scores: str, surveys: dict[int, dict[str, Any]]) -> Task:
    """Return the stage's task for one part."""
    made = [table.make() for table in filters]
    facts = {
        "extract": part.extract,
        "scores": scores,
        "filters": [[t.use, f.version, msgspec.to_builtins(f)] for t, f in zip(filters, made, strict=True)],
        "surveys": sorted(surveys.items()),
    }
    base = make_key(STAGE, VERSION, facts)
    return Task(STAGE, base, judge, Judgement(part, filters, scores, surveys), part.label, size=part.bytes)


def judge(call: Judgement, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Do one task: write a verdict on every document, in order; return the counts."""
    filters = [(table.use, table.make()) for table in call.filters]
    for place, found in call.surveys.items():
        name, filter = filters[place]
        if isinstance(filter, Surveyor):
            filters[place] = name, filter.surveyed(found)
    deciders = [(name, filter if isinstance(filter, Scorer) else None) for name, filter in filters]
    counts: Counter[str] = Counter()
    kept = 0
    with FrameWriter(folder / VERDICTS, STORED_LEVEL) as writer:
        for scored in _scored(call, work):
            verdict = _verdict(scored, deciders)
            kept += verdict.keep
            if not verdict.keep:
                counts[verdict.reason] += 1
            writer.write(msgspec.json.encode(verdict))
        writer.close()
    return {"in": kept + counts.total(), "out": kept, "drops": dict(sorted(counts.items()))}


def _scored(call: Judgement, work: Work) -> Iterator[Scored]:
    if call.scores:
        return scored_of(work, call.scores)
    return (Scored(document.id) for document in documents_as(_Named, work, call.part))


def _verdict(scored: Scored, filters: list[tuple[str, Scorer | None]]) -> Judged:
    """Ask the filters in turn; the first that says no gives the reason. Scores are stored under the filter's name."""
    if scored.quarantined:
        return Judged(scored.id, keep=False, reason="quarantined")
    scores: dict[str, Any] = {}
    for measured, (name, filter) in zip(scored.measured, filters, strict=True):
        verdict, error = _decided(measured, filter)
        if verdict is None:
            scores[name] = {"error": error}
            return Judged(scored.id, keep=False, reason="filter_failed", scores=scores)
        if verdict.scores:
            scores[name] = verdict.scores
        if not verdict.keep:
            return Judged(scored.id, keep=False, reason=verdict.reason, scores=scores)
    return Judged(scored.id, keep=True, scores=scores)


def _decided(measured: Measured, filter: Scorer | None) -> tuple[Verdict | None, str]:
    """Return what a filter says of a document, or why it failed to say anything."""
    if measured.error or filter is None:
        return measured.verdict, measured.error
    try:
        return filter.decide(measured.scores), ""
    except Exception as error:  # noqa: BLE001 - a filter may be anyone's, and sees plain numbers here
        return None, failure(error)
