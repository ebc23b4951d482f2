"""The hits and common stages: where a corpus has words in a row of a benchmark, and which of them it is full of.

Each part is read once; whatever is decided by what was found (``pile.decontaminate``) reads texts only to cut them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from pile import benchmarks
from pile.benchmarks import GRAM_WORDS, Features, Lookup, Passage, gram_hashes
from pile.cuts import Cut
from pile.parts import Part
from pile.shards import STORED_LEVEL, write_lines
from pile.stage import Task, Watch, Work, make_key
from pile.survivors import Survivors
from pile.text import NORMALISATION
from pile.words import PIECE_BYTES

FEATURES, HITS, COMMON = "benchmarks", "hits", "common"
VERSION = 1
GRAMS = "features.npz"  #: of benchmarks: the arrays of ``Features``
PASSAGES = "passages.jsonl.zst"  #: of benchmarks: the text of each passage, a line each
FOUND_HITS = "hits.npy"  #: of hits: HIT array by row
FLAGS = "common.npy"  #: of common: for each gram, whether it is
HIT = np.dtype([("row", "<i8"), ("gram", "<i4"), ("place", "<i4")])  # place: the gram's first word in the document

#: A gram in more documents than this share of the corpus, and than this number, says nothing of a benchmark.
COMMON_SHARE, COMMON_DOCUMENTS = 1e-3, 10


class Compilation(msgspec.Struct, frozen=True):
    """What the task that reads benchmarks works on: files with their sha256."""

    files: list[tuple[str, str]]
    fields: list[str]


class Hunt(msgspec.Struct, frozen=True):
    """What a task of ``hits`` works on: a part without what earlier stages removed, and the key of the benchmarks."""

    part: Part
    dedup: str
    cuts: list[Cut]
    features: str


def features_task(files: list[tuple[str, str]], fields: list[str]) -> Task:
    """Return the task that reads the benchmarks."""
    facts = [[(Path(path).name, sha256) for path, sha256 in files], fields, GRAM_WORDS, NORMALISATION]
    base = make_key(FEATURES, VERSION, facts, ("numpy", "xxhash"))
    return Task(FEATURES, base, compile_features, Compilation(files, fields), "benchmarks")


def compile_features(call: Compilation, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Write what is looked for; return of each benchmark its items, and how many are too short to be found."""
    read: list[tuple[str, list[Passage]]] = [
        (Path(path).name, list(benchmarks.read(Path(path), call.fields))) for path, _ in call.files
    ]
    found = benchmarks.compiled(read)
    arrays = {name: getattr(found, name) for name in ("grams", "bounds", "passages", "benchmark", "item", "size")}
    np.savez(folder / GRAMS, **arrays)
    lines = (msgspec.json.encode(passage.text) for _, passages in read for passage in passages)
    write_lines(folder / PASSAGES, lines, STORED_LEVEL)
    return {"names": found.names, "items": found.items, "too_short": found.too_short}


def load_features(work: Work, key: str) -> Features:
    """Return what is looked for."""
    facts = work.facts(FEATURES, key) or {}
    with np.load(work.file(FEATURES, key, GRAMS)) as stored:
        return Features(**stored, names=facts["names"], items=facts["items"], too_short=facts["too_short"])


def hits_task(call: Hunt) -> Task:
    """Return the task that looks through one part."""
    part = call.part
    base = make_key(
        HITS, VERSION, [part.extract, part.judge, part.lost, call.dedup, msgspec.to_builtins(call.cuts), call.features]
    )
    return Task(HITS, base, find_hits, call, part.label, size=part.bytes)


def find_hits(call: Hunt, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Write every gram of a benchmark that is in a part's documents, by row; return the counts."""
    features = load_features(work, call.features)
    lookup, found = Lookup(features.grams), [np.empty(0, HIT)]
    documents = 0
    for batch in _batches(Survivors(work, call.part, call.dedup, call.cuts)):
        documents += len(batch)
        found.append(hits_in(batch, lookup))
    hits = np.concatenate(found)
    np.save(folder / FOUND_HITS, hits)
    return {"in": documents, "hits": len(hits)}


def _batches(survivors: Survivors) -> Iterator[list[tuple[int, str]]]:
    batch: list[tuple[int, str]] = []
    size = 0
    for survivor in survivors:
        batch.append((survivor.row, survivor.document.plain_text()))
        size += survivor.size
        if size > PIECE_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def hits_in(batch: list[tuple[int, str]], lookup: Lookup) -> npt.NDArray[Any]:
    """Return the HIT array of some documents, given with their rows."""
    hashes, starts = gram_hashes([text for _, text in batch])
    places, grams = lookup(hashes)
    document = np.searchsorted(starts, places, side="right") - 1
    hits = np.empty(len(places), HIT)
    hits["row"] = np.array([row for row, _ in batch], np.int64)[document]
    hits["gram"], hits["place"] = grams, places - starts[document]
    return hits


def common_task(hits: list[str], grams: str, documents: int) -> Task:
    """Return the task that counts in how many documents of the corpus each gram is."""
    base = make_key(COMMON, VERSION, [hits, grams, documents, COMMON_SHARE, COMMON_DOCUMENTS])
    return Task(COMMON, base, find_common, (hits, grams, documents), "all parts")


def find_common(call: tuple[list[str], str, int], folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Write which grams are in too many documents to say anything."""
    hits, features, documents = call
    count = np.zeros(len(load_features(work, features).grams), np.int64)
    for key in hits:
        found = np.load(work.file(HITS, key, FOUND_HITS), mmap_mode="r")
        pairs = np.unique(np.stack([found["row"], found["gram"].astype(np.int64)], axis=1), axis=0)
        count += np.bincount(pairs[:, 1], minlength=len(count))
    common = count > max(COMMON_DOCUMENTS, COMMON_SHARE * documents)
    np.save(folder / FLAGS, common)
    return {"common": int(common.sum())}
