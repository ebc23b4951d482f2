"""The decontaminate stage: documents that hold questions of a benchmark are dropped, cut or marked.

It decides by the hits that ``pile.benchmark_hits`` found, without those that are common, and reads texts only to cut them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from pile.benchmark_hits import COMMON, FEATURES, FLAGS, FOUND_HITS, HITS, PASSAGES, Hunt, load_features
from pile.benchmarks import BLANK_LINES, GRAM_WORDS, Features, words_of
from pile.cuts import CUT_ROW, CUTS, Span
from pile.recipe import Action
from pile.shards import STORED_LEVEL, read_lines, read_structs, write_lines
from pile.stage import Task, Watch, Work, make_key
from pile.survivors import Survivors

STAGE = "decontaminate"
VERSION = 1
CONTAMINATED = "contaminated"  #: the reason of a drop, and the key in ``meta`` of a marked document
FOUND = "found.jsonl.zst"  #: of decontaminate: one Found a line, by row

#: Characters of a passage that an example shows.
PASSAGE_EXCERPT = 200

#: Different rare grams of a passage that must be in a document: of two, both are hardly there by chance (marin #7051, in the
#: field notes), of a longer passage half, and of any so many are enough: 27 words in a row.
LEAST, SHARE, ENOUGH = 2, 0.5, 20
#: Characters of the shortest piece that stays where paragraphs are cut out, and the most pieces of a document, as GPT-3 and The
#: Pile had it (Brown et al. 2020, appendix C). They cut 200 characters on either side; here it is the paragraph.
SHORTEST_PIECE, MOST_PIECES = 200, 10
#: The cut that leaves nothing, however long the text.
WHOLE: list[Span] = [(0, 1 << 62)]


class Decision(msgspec.Struct, frozen=True):
    """What a task of ``decontaminate`` works on."""

    hunt: Hunt
    hits: str
    common: str
    action: Action


class Found(msgspec.Struct, frozen=True):
    """A passage that a document holds: how many of its rare grams, and of how many."""

    row: int
    passage: int
    benchmark: str
    item: int
    grams: int
    of: int
    text: str  #: of the passage, its beginning


def task(call: Decision) -> Task:
    """Return the task that decides on one part."""
    base = make_key(STAGE, VERSION, [call.hits, call.common, call.action])
    return Task(STAGE, base, decontaminate, call, call.hunt.part.label, size=call.hunt.part.bytes)


def decontaminate(call: Decision, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Write what is cut and what was found; return the counts, in documents, and the items found by benchmark."""
    features = load_features(work, call.hunt.features)
    hits = np.load(work.file(HITS, call.hits, FOUND_HITS))
    hits = hits[~np.load(work.file(COMMON, call.common, FLAGS))[hits["gram"]]]
    found: list[Found] = []
    where: dict[int, list[int]] = {}  # the first words of the grams, by row
    bounds = np.append(np.flatnonzero(np.diff(hits["row"], prepend=-1)), len(hits))
    for start, end in pairwise(bounds.tolist()):
        mine = held(hits[start:end], features)
        found += mine
        if mine:
            where[mine[0].row] = _places(hits[start:end], features, {one.passage for one in mine})
    found = _with_texts(found, work, call.hunt.features)
    cuts = _cuts(call, where, work)
    np.save(folder / CUTS, np.array([(row, *span) for row, spans in cuts for span in spans], CUT_ROW))
    write_lines(folder / FOUND, (msgspec.json.encode(one) for one in found), STORED_LEVEL)
    documents = (work.facts(HITS, call.hits) or {})["in"]
    dropped = sum(spans == WHOLE for _, spans in cuts)
    items: dict[str, set[int]] = defaultdict(set)
    for one in found:
        items[one.benchmark].add(one.item)
    return {
        "in": documents,
        "out": documents - dropped,
        "drops": {CONTAMINATED: dropped} if dropped else {},
        "found": dict(Counter(name for name, _ in sorted({(one.benchmark, one.row) for one in found}))),
        "items": {name: sorted(numbers) for name, numbers in items.items()},
    }


def held(hits: npt.NDArray[Any], features: Features) -> list[Found]:
    """Return the passages that one document holds, by its hits."""
    grams = np.unique(hits["gram"])
    holders = [features.passages[features.bounds[gram] : features.bounds[gram + 1]] for gram in grams.tolist()]
    passages, counts = np.unique(np.concatenate(holders), return_counts=True)
    sizes = features.size[passages]
    needed = np.clip(np.ceil(SHARE * sizes), np.minimum(LEAST, sizes), ENOUGH)
    row = int(hits["row"][0])
    return [
        Found(
            row, passage, features.names[features.benchmark[passage]], int(features.item[passage]), count, int(size), ""
        )
        for passage, count, size, enough in zip(
            passages.tolist(), counts.tolist(), sizes.tolist(), (counts >= needed).tolist(), strict=True
        )
        if enough
    ]


def _with_texts(found: list[Found], work: Work, features: str) -> list[Found]:
    """Return what was found with the beginnings of the passages."""
    wanted = {one.passage for one in found}
    if not wanted:
        return found
    texts = {
        place: msgspec.json.decode(line, type=str)[:PASSAGE_EXCERPT]
        for place, line in enumerate(read_lines(work.file(FEATURES, features, PASSAGES)))
        if place in wanted
    }
    return [msgspec.structs.replace(one, text=texts[one.passage]) for one in found]


def _places(hits: npt.NDArray[Any], features: Features, passages: set[int]) -> list[int]:
    """Return the first words of the grams of some passages in a document."""
    places = []
    for gram, place in zip(hits["gram"].tolist(), hits["place"].tolist(), strict=True):
        if passages & set(features.passages[features.bounds[gram] : features.bounds[gram + 1]].tolist()):
            places.append(place)
    return places


def _cuts(call: Decision, where: dict[int, list[int]], work: Work) -> list[tuple[int, list[Span]]]:
    """Return what is cut of each row, by row."""
    if call.action == "mark" or not where:
        return []
    if call.action == "drop":
        return [(row, WHOLE) for row in sorted(where)]
    hunt = call.hunt
    return [
        (survivor.row, cut_around(survivor.document.plain_text(), where[survivor.row]))
        for survivor in Survivors(work, hunt.part, hunt.dedup, hunt.cuts)
        if survivor.row in where
    ]


def cut_around(text: str, places: list[int]) -> list[Span]:
    """Return what is cut from a text: the paragraphs that hold the grams beginning with these words, and pieces left too short.

    ``WHOLE`` where more than ``MOST_PIECES`` pieces, or none, would stay.
    """
    ends = [0, *(found.end() for found in BLANK_LINES.finditer(text)), len(text)]
    words = np.cumsum([0, *(len(words_of(text[start:end]).split()) for start, end in pairwise(ends))])
    first = np.searchsorted(words, places, side="right") - 1
    last = np.searchsorted(words, np.array(places) + GRAM_WORDS - 1, side="right") - 1
    hit = {paragraph for a, b in zip(first.tolist(), last.tolist(), strict=True) for paragraph in range(a, b + 1)}
    kept: list[Span] = []
    for paragraph, (start, end) in enumerate(pairwise(ends)):
        if paragraph in hit:
            continue
        if kept and kept[-1][1] == start:
            kept[-1] = (kept[-1][0], end)
        else:
            kept.append((start, end))
    kept = [(start, end) for start, end in kept if len(text[start:end].strip()) > SHORTEST_PIECE]
    if not kept or len(kept) > MOST_PIECES:
        return WHOLE
    bounds = [0, *(place for span in kept for place in span), len(text)]
    return [(start, end) for start, end in zip(bounds[::2], bounds[1::2], strict=True) if start < end]


def found_in(work: Work, key: str) -> Iterator[Found]:
    """Return what was found in a part, by row."""
    return read_structs(Found, work.file(STAGE, key, FOUND))


def contaminants(work: Work, key: str) -> dict[int, list[str]]:
    """Return the names of the benchmarks that were found in each row of a part; nothing for the key ""."""
    names: dict[int, dict[str, None]] = defaultdict(dict)
    for found in found_in(work, key) if key else ():
        names[found.row][found.benchmark] = None
    return {row: list(found) for row, found in names.items()}
