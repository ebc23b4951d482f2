"""Training inside a build: the lesson stage draws texts of a part, the train stage makes a model of those of many parts.

What a filter is trained on is drawn by the hash of ids, so that a model does not depend on workers or on the order of arrival.
"""

from __future__ import annotations

import hashlib
import heapq
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from pile.chance import draw
from pile.errors import RecipeError
from pile.parts import Part, documents
from pile.plugins import Trained
from pile.recipe import FilterTable
from pile.shards import STORED_LEVEL, read_structs, write_lines
from pile.stage import Task, Watch, Work, make_key

LESSON, STAGE = "lesson", "train"
VERSION = 1
TEXTS = "texts.jsonl.zst"  #: of lesson: one Text a line, by draw
MODEL = "model.bin"  #: of train
#: Documents of either kind that a model is trained on, at most.
MOST = 50_000


class Text(msgspec.Struct, frozen=True):
    """A text that was drawn, as the filter looks at it."""

    draw: int
    id: str
    text: str


class Lesson(msgspec.Struct, frozen=True):
    """What one task of the lesson stage works on: a part, and the filter that says what it looks at of a text."""

    part: Part
    filter: FilterTable
    seed: int


class Training(msgspec.Struct, frozen=True):
    """What one task of the train stage works on: keys of lessons."""

    filter: FilterTable
    positives: list[str]
    negatives: list[str]


def lesson_task(part: Part, filter: FilterTable, seed: int) -> Task:
    """Return the task that draws texts of one part."""
    made = filter.make()
    facts = [part.extract, filter.use, made.version, _feature(filter), seed, MOST]
    return Task(
        LESSON, make_key(LESSON, VERSION, facts), lesson, Lesson(part, filter, seed), part.label, size=part.bytes
    )


def _feature(filter: FilterTable) -> Any:
    made = filter.make()
    assert isinstance(made, Trained)
    return made.training_facts()


def train_task(filter: FilterTable, positives: list[str], negatives: list[str], label: str) -> Task:
    """Return the task that trains one filter's model on what lessons hold."""
    made = filter.make()
    facts = [filter.use, made.version, _feature(filter), positives, negatives, MOST]
    base = make_key(STAGE, VERSION, facts, made.libraries)
    return Task(STAGE, base, train, Training(filter, positives, negatives), label)


def lesson(call: Lesson, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Draw up to ``MOST`` texts of a part; return how many."""
    filter = call.filter.make()
    assert isinstance(filter, Trained)
    held: list[tuple[int, str, str]] = []
    for document in documents(work, call.part):
        number = draw(call.seed, "train", document.id)
        if len(held) < MOST:
            heapq.heappush(held, (-number, document.id, filter.feature(document.text)))
        elif -number > held[0][0]:
            heapq.heapreplace(held, (-number, document.id, filter.feature(document.text)))
    texts = sorted((-number, id, text) for number, id, text in held)
    write_lines(folder / TEXTS, (msgspec.json.encode(Text(*one)) for one in texts), STORED_LEVEL)
    return {"documents": len(texts)}


def train(call: Training, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Train the model; return its sha256, the numbers of documents, and what the filter reports of it."""
    filter = call.filter.make()
    assert isinstance(filter, Trained)
    positives, negatives = _texts(work, call.positives), _texts(work, call.negatives)
    for kind, found in (("positive", positives), ("negative", negatives)):
        if not found:
            raise RecipeError(
                f"filter {call.filter.use!r} has no {kind} documents to be trained on: name sources that have some"
            )
    report = filter.train(positives, negatives, folder / MODEL)
    digest = hashlib.sha256((folder / MODEL).read_bytes()).hexdigest()
    return {"sha256": digest, "positives": len(positives), "negatives": len(negatives), "report": report}


def _texts(work: Work, keys: list[str]) -> list[str]:
    """Return the texts of some lessons with the least draws, in that order."""
    every = chain.from_iterable(read_structs(Text, work.file(LESSON, key, TEXTS)) for key in keys)
    return [one.text for one in heapq.nsmallest(MOST, every, key=lambda one: (one.draw, one.id))]


def model_of(work: Work, key: str) -> Path:
    """Return where a trained model is on this machine."""
    return work.file(STAGE, key, MODEL)
