"""The judge stage: stored documents to verdicts. A changed threshold runs this again, and extraction not."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

from pile.document import Document
from pile.parts import VERDICTS, Judged, Part, documents
from pile.plugins import Filter
from pile.recipe import FilterTable
from pile.shards import STORED_LEVEL, FrameWriter
from pile.stage import MACHINE, Task, Watch, Work, make_key

STAGE = "judge"
VERSION = 1


class Judgement(msgspec.Struct, frozen=True):
    """What one task of the stage works on."""

    part: Part
    filters: list[FilterTable]


def task(part: Part, filters: list[FilterTable]) -> Task:
    """Return the stage's task for one part."""
    made = [table.make() for table in filters]
    facts = {
        "extract": part.extract,
        "filters": [[t.use, f.version, msgspec.to_builtins(f)] for t, f in zip(filters, made, strict=True)],
    }
    libraries = sorted({library for filter in made for library in filter.libraries})
    base = make_key(STAGE, VERSION, facts, libraries)
    return Task(STAGE, base, judge, Judgement(part, filters), part.label, size=part.bytes)


def judge(call: Judgement, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Do one task: write a verdict on every document, in order; return the counts."""
    filters = [(table.use, table.make()) for table in call.filters]
    counts: Counter[str] = Counter()
    kept = 0
    with FrameWriter(folder / VERDICTS, STORED_LEVEL) as writer:
        for document in documents(work, call.part):
            verdict = _verdict(document, filters, watch)
            kept += verdict.keep
            if not verdict.keep:
                counts[verdict.reason] += 1
            writer.write(msgspec.json.encode(verdict))
        writer.close()
    return {"in": kept + counts.total(), "out": kept, "drops": dict(sorted(counts.items()))}


def _verdict(document: Document, filters: list[tuple[str, Filter]], watch: Watch) -> Judged:
    """Ask the filters in turn; the first that says no gives the reason. Scores are stored under the filter's name."""
    if document.id in watch.quarantined:
        return Judged(document.id, keep=False, reason="quarantined")
    watch.begin(document.id)
    scores: dict[str, Any] = {}
    for name, filter in filters:
        try:
            verdict = filter.judge(document)
        except MemoryError:
            raise  # says something about the machine, not about what is in hand
        except Exception as error:
            if isinstance(error, OSError) and error.errno in MACHINE:
                raise
            scores[name] = {"error": f"{type(error).__name__}: {error}"[:500]}
            return Judged(document.id, keep=False, reason="filter_failed", scores=scores)
        if verdict.scores:
            scores[name] = verdict.scores
        if not verdict.keep:
            return Judged(document.id, keep=False, reason=verdict.reason, scores=scores)
    return Judged(document.id, keep=True, scores=scores)
