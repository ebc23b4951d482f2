"""The score stage: what the filters of a source measure of each of its documents, in one pass over the stored text.

Every filter measures every document, whatever another will decide: a changed threshold then runs the judge stage alone, and
``pile.score_tables`` can tell what share of the documents any threshold would keep.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from pile.chance import draw
from pile.document import Document, Verdict
from pile.extract import Side
from pile.lessons import model_of
from pile.parts import Part, documents
from pile.plugins import Downloading, Expecting, Filter, Scorer, Trained
from pile.recipe import FilterTable
from pile.shards import STORED_LEVEL, FrameWriter, read_structs
from pile.stage import MACHINE, Task, Watch, Work, make_key

STAGE = "score"
VERSION = 1
SCORED = "scored.jsonl.zst"  #: one Scored a line, in the order of the documents
DRAWN = "drawn.jsonl.zst"  #: one Drawn a line: the documents with the least draws
#: Documents of a part, and of a source, by whose scores its quantiles are told: each is then known to within three in a hundred.
SAMPLE = 1_000
#: Characters of documents that filters are told of at a time.
EXPECTED = 50_000


class Measured(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one filter found of one document: scores, or its verdict where it does not part the two, or why it failed."""

    scores: dict[str, Any] = {}
    verdict: Verdict | None = None
    error: str = ""


#: What one filter does with one document.
Measure = Callable[[Document], Measured]


class Scored(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the scores: a document's id, and what each filter found, in their order."""

    id: str
    measured: list[Measured] = []
    quarantined: bool = False


class Drawn(msgspec.Struct, frozen=True):
    """A document in the sample of its part: its draw, and what each filter measured."""

    draw: int
    scores: list[dict[str, Any]]


class Scoring(msgspec.Struct, frozen=True):
    """What one task of the stage works on."""

    part: Part
    filters: list[FilterTable]
    models: dict[int, str]  #: keys of the ``train`` stage, by the place of the filter that judges with the model
    files: dict[int, Side]  #: what was fetched for filters, by their places


def task(part: Part, filters: list[FilterTable], models: dict[int, str], files: dict[int, Side]) -> Task:
    """Return the stage's task for one part."""
    made = [table.make() for table in filters]
    facts = {
        "extract": part.extract,
        "filters": [[table.use, one.version, _measuring(one)] for table, one in zip(filters, made, strict=True)],
        "models": sorted(models.items()),
    }
    libraries = sorted({library for one in made for library in one.libraries})
    base = make_key(STAGE, VERSION, facts, libraries)
    return Task(STAGE, base, score, Scoring(part, filters, models, files), part.label, size=part.bytes)


def _measuring(filter: Filter) -> dict[str, Any]:
    """Return the options of a filter that what it measures depends on."""
    options: dict[str, Any] = msgspec.to_builtins(filter)
    deciding = filter.decided_by if isinstance(filter, Scorer) else ()
    return {name: value for name, value in options.items() if name not in deciding}


def score(call: Scoring, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Do one task: write what each filter found of every document, in order; return how many there are."""
    filters = [ready(call, place, work) for place in range(len(call.filters))]
    measures = [_measure_of(filter) for filter in filters]
    drawn: list[tuple[int, str, Drawn]] = []
    count = 0
    with FrameWriter(folder / SCORED, STORED_LEVEL) as writer:
        for document in _expected(documents(work, call.part), filters, watch):
            scored = _scored(document, measures, watch)
            writer.write(msgspec.json.encode(scored))
            count += 1
            number = draw(0, "scores", document.id)
            if len(drawn) < SAMPLE or -number > drawn[0][0]:
                entry = (-number, document.id, Drawn(number, [one.scores for one in scored.measured]))
                (heapq.heappush if len(drawn) < SAMPLE else heapq.heappushpop)(drawn, entry)
        writer.close()
    with FrameWriter(folder / DRAWN, STORED_LEVEL) as writer:
        for _, _, one in sorted(drawn, key=lambda entry: (-entry[0], entry[1])):
            writer.write(msgspec.json.encode(one))
        writer.close()
    return {"documents": count}


def ready(call: Scoring, place: int, work: Work) -> Filter:
    """Return a filter with the model that was trained or fetched for it, where there is one."""
    filter = call.filters[place].make()
    if place in call.models and isinstance(filter, Trained):
        return filter.with_model(model_of(work, call.models[place]))
    if place in call.files and isinstance(filter, Downloading):
        return filter.with_file(call.files[place].file(work).path)
    return filter


def _expected(found: Iterator[Document], filters: list[Filter], watch: Watch) -> Iterator[Document]:
    """Yield the documents, and tell filters that want to know some of them before; those of different kinds need it once each.

    After a death they are told nothing, so that it is laid at the door of the right document.
    """
    expecting = list({type(filter).expect: filter for filter in filters if isinstance(filter, Expecting)}.values())
    while batch := _batch(found):
        asked = [document for document in batch if document.id not in watch.quarantined]
        if asked and expecting and not watch.alone:
            watch.begin(asked[0].id)  # winds the watchdog up
            for filter in expecting:
                _tell(filter, asked)
        yield from batch


def _tell(filter: Expecting, asked: list[Document]) -> None:
    try:
        filter.expect(asked)
    except MemoryError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in MACHINE:
            raise
        # The document at fault fails by itself when it is asked about.


def _batch(found: Iterator[Document]) -> list[Document]:
    batch: list[Document] = []
    room = EXPECTED
    for document in found:
        batch.append(document)
        room -= len(document.text)
        if room <= 0:
            break
    return batch


def _scored(document: Document, measures: list[Measure], watch: Watch) -> Scored:
    if document.id in watch.quarantined:
        return Scored(document.id, quarantined=True)
    watch.begin(document.id)
    return Scored(document.id, [_measured(document, measure) for measure in measures])


def _measure_of(filter: Filter) -> Measure:
    if isinstance(filter, Scorer):
        measure = filter.measure
        return lambda document: Measured(measure(document))

    def judged(document: Document) -> Measured:
        verdict = filter.judge(document)
        return Measured(verdict.scores, verdict)

    return judged


def _measured(document: Document, measure: Measure) -> Measured:
    try:
        return measure(document)
    except MemoryError:
        raise  # says something about the machine, not about what is in hand
    except Exception as error:
        if isinstance(error, OSError) and error.errno in MACHINE:
            raise
        return Measured(error=failure(error))


def failure(error: Exception) -> str:
    """Return what a verdict says of a filter that raised."""
    return f"{type(error).__name__}: {error}"[:500]


def scored_of(work: Work, key: str) -> Iterator[Scored]:
    """Return what was found of every document of a part, in order of its row."""
    return read_structs(Scored, work.file(STAGE, key, SCORED))


def sample_of(work: Work, keys: list[str]) -> list[list[dict[str, Any]]]:
    """Return the scores of up to ``SAMPLE`` documents of some parts, drawn by the hash of their ids."""
    found = [one for key in keys for one in read_structs(Drawn, work.file(STAGE, key, DRAWN))]
    return [one.scores for one in sorted(found, key=lambda one: one.draw)[:SAMPLE]]
