"""Examples: documents of every source and reason, drawn by chance and kept with the corpus for ``pile inspect``.

The draw is by the hash of the id, so that equal corpora have equal examples.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from pile.chance import draw
from pile.cut_examples import CutExamples
from pile.cuts import Cut
from pile.decisions import DEDUP_REASONS, NEAR_DUPLICATE, decisions
from pile.decisions import KEPT as DECIDED_KEPT
from pile.difference import difference
from pile.document import Document, Drop
from pile.example import EXCERPT, Example
from pile.parts import DOCUMENTS, DROPS, Part, documents, lost_rows, verdicts
from pile.recipe import FilterTable
from pile.rewriting import Rewriting, facts_of
from pile.shards import read_lines, read_structs, write_lines
from pile.stage import Task, Watch, Work, make_key

STAGE, MERGE = "sample", "examples"
VERSION = 3
FILE = "examples.jsonl.zst"
KEPT = "kept"
NEAR = DEDUP_REASONS[NEAR_DUPLICATE]
#: Examples of each reason and source: enough to look at by the hundred.
EACH = 100
#: Characters of a near-duplicate, and of what was kept instead, that are searched for their difference.
COMPARED = 50_000


class Sampling(msgspec.Struct, frozen=True):
    """What one task works on: a part, the keys of its decisions and its cuts, and the recipe's seed."""

    part: Part
    dedup: str
    cuts: list[Cut]
    rewriters: list[FilterTable]
    seed: int


class Merging(msgspec.Struct, frozen=True):
    """What the merging task works on: all samples, and all parts, by whose place the samples name what was kept."""

    samples: list[str]
    parts: list[Part]
    rewriters: list[list[FilterTable]]  #: of each part
    seed: int


def sample_task(part: Part, dedup: str, cuts: list[Cut], rewriters: list[FilterTable], seed: int) -> Task:
    """Return the task that draws one part's examples."""
    facts = [part.extract, part.judge, part.lost, dedup, msgspec.to_builtins(cuts), facts_of(rewriters), seed]
    call = Sampling(part, dedup, cuts, rewriters, seed)
    return Task(STAGE, make_key(STAGE, VERSION, facts), sample, call, part.label, size=part.bytes)


def merge_task(samples: list[str], parts: list[Part], rewriters: list[list[FilterTable]], seed: int) -> Task:
    """Return the task that draws the corpus's examples from those of its parts."""
    base = make_key(MERGE, VERSION, [samples, [facts_of(mine) for mine in rewriters], seed], ("zstandard",))
    return Task(MERGE, base, merge, Merging(samples, parts, rewriters, seed), "examples")


def sample(call: Sampling, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Draw one part's examples."""
    drawn = draw_examples(_examples(call, work), call.seed)
    rewriting = Rewriting(call.rewriters)
    shown = (msgspec.structs.replace(example, text=rewriting.text(example.id, example.text)) for example in drawn)
    write_lines(folder / FILE, map(msgspec.json.encode, shown))
    return {}


def draw_examples(found: Iterator[Example], seed: int) -> list[Example]:
    """Return up to ``EACH`` examples of every source and reason, those with the smallest draws."""
    heaps: dict[tuple[str, str, str], list[tuple[int, str, Example]]] = {}
    for example in found:
        heap = heaps.setdefault((example.source, example.stage, example.reason), [])
        item = (-draw(seed, "example", example.id), example.id, example)
        if len(heap) < EACH:
            heapq.heappush(heap, item)
        elif item[:2] > heap[0][:2]:
            heapq.heapreplace(heap, item)
    drawn = [(key, -number, id, example) for key, heap in heaps.items() for number, id, example in heap]
    return [example for *_, example in sorted(drawn, key=lambda item: item[:3])]


def _examples(call: Sampling, work: Work) -> Iterator[Example]:
    part = call.part
    for drop in read_structs(Drop, work.file("extract", part.extract, DROPS)):
        yield Example(part.source, "extract", drop.reason, drop.id, drop.url, drop.detail, facts=drop.facts)
    lost = dict(zip(*(list(column) for column in lost_rows(work, part)), strict=True))
    decided: dict[int, Any] = {}
    if call.dedup:
        gone = decisions(work, call.dedup)
        gone = gone[gone["reason"] != DECIDED_KEPT]
        decided = dict(zip(gone["row"].tolist(), gone, strict=True))
    rows = zip(documents(work, part), verdicts(work, part), strict=True)
    cutting = CutExamples(work, call.cuts)
    for row, (document, verdict) in enumerate(rows):
        yield from cutting.of(row, document)
        document = cutting.rest(row, document)
        if not document.text:
            continue
        stage, reason, jaccard, instead = "mix", KEPT, 0.0, None
        if not verdict.keep:
            stage, reason = "judge", verdict.reason
        elif row in lost:
            stage, reason = "settle", str(lost[row])
        elif row in decided:
            decision = decided[row]
            stage, reason = "dedup", DEDUP_REASONS[int(decision["reason"])]
            jaccard = round(float(decision["jaccard"]), 4)
            instead = (int(decision["winner_part"]), int(decision["winner_row"]))
        yield Example(
            part.source,
            stage,
            reason,
            document.id,
            document.url,
            scores=verdict.scores,
            characters=len(document.text),
            text=document.text[: COMPARED if reason == NEAR else EXCERPT],
            facts=document.facts,
            jaccard=jaccard,
            instead=instead,
        )


def merge(call: Merging, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Draw the corpus's examples, and look up what was kept instead of the duplicates among them."""
    found = (one for key in call.samples for one in read_structs(Example, work.file(STAGE, key, FILE)))
    drawn = draw_examples(found, call.seed)
    wanted: dict[int, set[int]] = {}
    for example in drawn:
        if example.instead:
            wanted.setdefault(example.instead[0], set()).add(example.instead[1])
    decode_document = msgspec.json.Decoder(Document).decode
    kept: dict[tuple[int, int], tuple[str, str]] = {}
    for place, rows in sorted(wanted.items()):
        rewriting = Rewriting(call.rewriters[place])
        lines = read_lines(work.file("extract", call.parts[place].extract, DOCUMENTS))
        for row, line in enumerate(islice(lines, max(rows) + 1)):
            if row in rows:
                document = decode_document(line)
                kept[place, row] = (document.id, rewriting.text(document.id, document.text[:COMPARED]))
    whole = []
    for example in drawn:
        if example.instead:
            id, text = kept[example.instead]
            changed = difference(text, example.text) if example.reason == NEAR else ""
            example = msgspec.structs.replace(
                example,
                instead=None,
                instead_id=id,
                instead_text=text[:EXCERPT],
                difference=changed,
                text=example.text[:EXCERPT],
            )
        whole.append(msgspec.json.encode(example))
    write_lines(folder / FILE, whole)
    return {}
