"""Decontamination as a recipe asks for it: which benchmarks, and in which steps they are looked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from pile import benchmark_hits, decontaminate
from pile.cuts import Cut
from pile.manifest import Benchmark
from pile.parts import Part
from pile.recipe import Decontamination
from pile.runner import Result
from pile.stage import Task, Work


class Decontaminated(msgspec.Struct, frozen=True):
    """What is cut from each part, and, where benchmarks were looked for, what was found: all by part, in their order."""

    cuts: list[list[Cut]]
    keys: list[str] = []  #: of decontaminate
    facts: list[dict[str, Any]] = []
    benchmarks: list[Benchmark] = []
    marks: bool = False

    def mark(self, place: int) -> str:
        """Return the key of what marks one part's documents, "" where they are not marked."""
        return self.keys[place] if self.marks else ""


def search(
    table: Decontamination,
    files: list[tuple[str, str]],
    parts: list[tuple[Part, str, list[Cut]]],
    work: Work,
    run: Callable[[str, list[Task]], list[Result]],
) -> Decontaminated:
    """Look for the benchmarks, files with their sha256, in all parts, given with the key of their decisions and their cuts."""
    # In the build's own process: the files are on this machine, which on a cluster a worker's is not.
    key, facts = work.perform(benchmark_hits.features_task(files, table.fields))
    hunts = [benchmark_hits.Hunt(part, dedup, cuts, key) for part, dedup, cuts in parts]
    hits = run(benchmark_hits.HITS, [benchmark_hits.hits_task(hunt) for hunt in hunts])
    total = sum(result.facts["in"] for result in hits)
    [common] = run(benchmark_hits.COMMON, [benchmark_hits.common_task([result.key for result in hits], key, total)])
    calls = [
        decontaminate.Decision(hunt, result.key, common.key, table.action)
        for hunt, result in zip(hunts, hits, strict=True)
    ]
    results = run(decontaminate.STAGE, [decontaminate.task(call) for call in calls])
    return Decontaminated(
        [[*cuts, Cut(decontaminate.STAGE, result.key)] for (_, _, cuts), result in zip(parts, results, strict=True)],
        [result.key for result in results],
        [result.facts for result in results],
        _benchmarks(files, facts, results),
        table.action == "mark",
    )


def _benchmarks(files: list[tuple[str, str]], facts: dict[str, Any], results: list[Result]) -> list[Benchmark]:
    made = []
    for (path, sha256), items, short in zip(files, facts["items"], facts["too_short"], strict=True):
        name = Path(path).name
        found = {item for result in results for item in result.facts["items"].get(name, ())}
        documents = sum(result.facts["found"].get(name, 0) for result in results)
        made.append(Benchmark(name, f"sha256:{sha256}", items, short, len(found), documents))
    return made
