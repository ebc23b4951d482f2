"""The one data flow: recipe and lock to inputs, documents, verdicts, survivors, shards and their seal.

Reading ``build`` from top to bottom is reading the architecture; every step is a stage of pure tasks
(``pile.stage``).
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from pile import decontamination, examples, gather, mix, score_tables, settle, spread
from pile.cuts import STAGE as CUT
from pile.cuts import Cut
from pile.decontamination import Decontaminated
from pile.downloads import Downloads, observed
from pile.errors import DataError, RequestError
from pile.executor import Executor
from pile.fetch import Upstream
from pile.frames import FRAMES, index_of
from pile.funnel import Columns, records
from pile.judging import Files, Judging, fetched, judged, tables_of
from pile.libraries import libraries_of
from pile.lock import SHA256, Lock, check, check_benchmarks, make, read, write
from pile.making import make_dedup
from pile.manifest import EXAMPLES, REPORT, Benchmark, Manifest, environment, fingerprint, system
from pile.parts import Part
from pile.progress import Progress, StageCount
from pile.quarantine import input_of, quarantined, with_quarantine
from pile.recipe import WEIGHED_BY, FilterTable, Recipe
from pile.report import report
from pile.rewriting import rewriters_of
from pile.runner import Result, run
from pile.seal import assemble_all, assemblies, finished, former_shards, seal, unseal
from pile.stage import Task, Work, digest, make_key
from pile.storage import Storage


class Built(msgspec.Struct, frozen=True):
    """A finished build: its manifest, and whether this run wrote it."""

    manifest: Manifest
    fresh: bool


class Build:
    """One run of ``pile build``: what all its steps share."""

    def __init__(
        self, recipe: Recipe, out: Storage, work: Work, upstream: Upstream, executor: Executor, progress: Progress
    ) -> None:
        self.recipe, self.out, self.work = recipe, out, work
        self.upstream, self.executor, self.progress = upstream, executor, progress

    def build(self) -> Built:
        """Build the corpus, doing only what is not done yet; raises what ``pile.errors`` lists."""
        self._check_folders()
        with self.work.storage.claimed():
            return self._build()

    def _check_folders(self) -> None:
        """Refuse folders that are each other's or something else's, before any work is done."""
        out, work = self.out.url, self.work.storage.url
        if work == out or work.startswith(f"{out}/"):
            raise RequestError(f"--work {work} lies in --out {out}: a corpus holds nothing but itself; choose another")
        former_shards(self.out)

    def _build(self) -> Built:
        self.lock = self.locked()
        downloads = Downloads(self.recipe, self.lock, self.work, self.upstream, self.progress)
        files = fetched(self.recipe, downloads, self.work)
        parts, extracted = self.extract(downloads)
        parts, judging = self.judge(parts, files)
        parts = self.settle(parts)
        decided = self.deduplicate(parts)
        cleared = self.decontaminate(parts, decided)
        spreads = self.spread(parts, decided, cleared)
        gathers = self.gather(spreads)
        shown = self.examples(parts, decided, cleared)
        facts = [
            [g.key for g in gathers],
            shown.key,
            judging.scores,
            self.lock.digest_of(self.recipe),
            facts_of(self.recipe),
        ]
        key = make_key("corpus", 1, facts, libraries_of(self.recipe))
        already = finished(self.out, key)
        if already is not None:
            return Built(already, fresh=False)
        columns = Columns(
            parts,
            [r.facts for r in extracted],
            [r.facts for r in judging.results],
            [f for _, f in decided],
            cleared.facts,
        )
        sources = records(self.recipe, self.lock, columns, [r.facts for r in spreads])
        return Built(self.seal(key, gathers, shown, sources, cleared.benchmarks, judging), fresh=True)

    def locked(self) -> Lock:
        """Return the recipe's lock, made now where there is none."""
        lock = read(self.recipe)
        if lock is None:
            lock = make(self.recipe, self.upstream)
            write(self.recipe, lock)
        check(self.recipe, lock)
        self.benchmarks = check_benchmarks(self.recipe, lock, self.upstream)
        return lock

    def run(self, stage: str, tasks: Iterable[Task], total: int | None = None) -> list[Result]:
        """Do a stage's tasks; return their results in the order of a list of tasks, else as they came.

        Tasks on a part pass over what the lock has in quarantine there; what they had to add goes into the lock.
        """
        if isinstance(tasks, list):
            tasks = [with_quarantine(self.lock, task) for task in tasks]
        order = {task.key: place for place, task in enumerate(tasks)} if isinstance(tasks, list) else {}
        with self.progress.stage(stage, len(order) or total) as finished:
            results = list(run(tasks, self.work, self.executor, finished))
        found = [q for result in results for q in quarantined(result)]
        if found:
            self.lock = self.lock.with_quarantined(found)
            write(self.recipe, self.lock)
        return sorted(results, key=lambda result: order.get(result.task.key, 0))

    def extract(self, downloads: Downloads) -> tuple[list[Part], list[Result]]:
        """Fetch and extract every input; a damaged one stops the build after all others are done."""
        total = sum(len(self.lock.sources[name].inputs) for name in self.recipe.sources)
        found = {input_of(result.task): result for result in self.run("extract", downloads.tasks(), total)}
        self.lock = observed(self.lock, downloads.got)
        write(self.recipe, self.lock)
        damaged = False
        parts, results, faults = [], [], sorted(f"{name}: {error}" for name, _, error in downloads.failures)
        for rank, (name, table) in enumerate(self.recipe.sources.items()):
            for place, input in enumerate(self.lock.sources[name].inputs):
                result = found.get((name, input.url))
                if result is None:
                    continue  # one of the failures
                damage = downloads.got[name, input.url].damage or result.facts.get("damage")
                if damage and table.on_damage == "stop":
                    faults.append(f"{name}: {input.url} {damage}")
                    damaged = True
                facts = result.facts
                parts.append(
                    Part(name, rank, place, result.task.label, input.url, result.key, facts["out"], facts["line_bytes"])
                )
                results.append(msgspec.structs.replace(result, facts={**facts, "damage": damage} if damage else facts))
        if faults:
            step = (
                f". Restore the file (to fetch one again, delete its files in {self.work.storage.url}/fetch), or set "
                'on_damage = "keep" in its [sources] table of a recipe'
            )
            raise DataError(
                f"{len(faults)} of {total} inputs cannot be used, all others are done: {'; '.join(faults)}"
                f"{step if damaged else ''}"
            )
        return parts, results

    def judge(self, parts: list[Part], files: Files) -> tuple[list[Part], Judging]:
        """Ask each source's filters about its documents."""
        judging = judged(self.recipe, parts, files, self.run)
        return [msgspec.structs.replace(p, judge=r.key) for p, r in zip(parts, judging.results, strict=True)], judging

    def settle(self, parts: list[Part]) -> list[Part]:
        """Let the last version of every id win, source by source."""
        names = list(dict.fromkeys(part.source for part in parts))
        tasks = [settle.task([part for part in parts if part.source == name]) for name in names]
        results = dict(zip(names, self.run("settle", tasks), strict=True))
        settled = []
        for part in parts:
            result = results[part.source]
            lost = result.facts["lost"].get(str(part.place), "")
            settled.append(msgspec.structs.replace(part, settle=result.key, lost=lost))
        return settled

    def deduplicate(self, parts: list[Part]) -> list[tuple[str, dict[str, Any]]]:
        """Return the key and facts of the decisions on each part; no key where the recipe has no [dedup]."""
        if self.recipe.dedup is None:
            return [("", {}) for _ in parts]
        decided: list[tuple[str, dict[str, Any]]] = make_dedup(self.recipe.dedup).run(
            parts, self.recipe.seed, self.work, self.run
        )
        return decided

    def decontaminate(self, parts: list[Part], decided: list[tuple[str, dict[str, Any]]]) -> Decontaminated:
        """Look for benchmarks in what stays; where the recipe names none, only what deduplication cut is cut."""
        cuts = [[Cut(CUT, facts["cuts"])] if "cuts" in facts else [] for _, facts in decided]
        table = self.recipe.decontamination
        if table is None:
            return Decontaminated(cuts)
        given = [(part, key, cut) for part, (key, _), cut in zip(parts, decided, cuts, strict=True)]
        files = [(str(self.recipe.folder / one.url), one.checksum.removeprefix(SHA256)) for one in self.benchmarks]
        return decontamination.search(table, files, given, self.work, self.run)

    def spread(
        self, parts: list[Part], decided: list[tuple[str, dict[str, Any]]], cleared: Decontaminated
    ) -> list[Result]:
        """Deal every survivor's copies out into buckets of the global order."""
        output, sources, tasks = self.recipe.output, self.recipe.sources, []
        buckets = spread.buckets_for([(part, sources[part.source].most_epochs) for part in parts], output.memory)
        for place, (part, (dedup, _)) in enumerate(zip(parts, decided, strict=True)):
            table = sources[part.source]
            mixture = spread.Mixture(self.recipe.seed, table.epochs, output.splits, buckets, quality=table.buckets)
            call = spread.Spread(
                part, dedup, cleared.cuts[place], cleared.mark(place), mixture, self.rewriters(part), output.memory
            )
            tasks.append(spread.task(call))
        return self.run("spread", tasks)

    def gather(self, spreads: list[Result]) -> list[Result]:
        """Put every bucket in order and write the shards, run by run."""
        spools = [result.key for result in spreads]
        calls = gather.planned(self.recipe.output, spools, self._bucket_counts(spreads), self.executor.workers)
        return self.run("gather", [gather.task(call, digest(spools)) for call in calls])

    def _bucket_counts(self, spreads: list[Result]) -> npt.NDArray[np.int64]:
        """Return the documents and bytes of all parts by split and bucket."""
        buckets = spreads[0].task.arguments.mixture.buckets
        total = np.zeros((len(spread.UNITS), len(mix.SPLITS), buckets), dtype=np.int64)
        for result in spreads:
            with tempfile.TemporaryDirectory(prefix="pile-") as folder, self.work.reading(Path(folder)):
                total += np.load(self.work.file(spread.STAGE, result.key, spread.COUNTS))
        return total

    def examples(self, parts: list[Part], decided: list[tuple[str, dict[str, Any]]], cleared: Decontaminated) -> Result:
        """Draw what ``pile inspect`` shows."""
        seed = self.recipe.seed
        tasks = [
            examples.sample_task(part, dedup, cuts, self.rewriters(part), seed)
            for part, (dedup, _), cuts in zip(parts, decided, cleared.cuts, strict=True)
        ]
        samples = self.run("sample", tasks)
        rewriters = [self.rewriters(part) for part in parts]
        merging = examples.merge_task([result.key for result in samples], parts, rewriters, seed)
        return self.run("examples", [merging])[0]

    def rewriters(self, part: Part) -> list[FilterTable]:
        """Return the filters that rewrite a part's texts."""
        return rewriters_of(self.recipe.sources[part.source].filter_tables())

    def seal(
        self,
        key: str,
        gathers: list[Result],
        shown: Result,
        sources: dict[str, Any],
        benchmarks: list[Benchmark],
        judging: Judging,
    ) -> Manifest:
        """Write shards, report and manifest to the output folder, and SHA256SUMS last."""
        calls = assemblies(self.recipe.output, gathers, self.work, self.out)
        unseal(self.out, [call.name for call in calls])
        began = time.perf_counter()
        with self.progress.bar("seal", len(calls), "shard") as bar:
            shards = assemble_all(calls, self.executor, lambda shard: bar.update())
        self.progress.stages["seal"] = StageCount(done=len(calls), seconds=time.perf_counter() - began)
        manifest = Manifest(
            self.recipe.name,
            fingerprint(shards),
            key,
            facts_of(self.recipe),
            f"sha256:{self.lock.digest_of(self.recipe)}",
            shards,
            sources,
            environment(libraries_of(self.recipe)),
            system(),
            benchmarks=benchmarks,
            models=judging.models,
        )
        with tempfile.TemporaryDirectory(prefix="pile-") as folder, self.work.reading(Path(folder)):
            content = self.work.file(examples.MERGE, shown.key, examples.FILE).read_bytes()
            frames = index_of([call.frames() for call in calls])
            scores = score_tables.encode(tables_of(self.recipe, judging, self.work))
        extra = {EXAMPLES: content, REPORT: report(manifest).encode(), FRAMES: frames, score_tables.FILE: scores}
        seal(self.out, manifest, extra)
        self.out.clear_scratch()
        return manifest


def facts_of(recipe: Recipe) -> dict[str, Any]:
    """Return the recipe as the manifest has it: all but where it lay, and what only weighing reads."""
    facts = {key: value for key, value in msgspec.to_builtins(recipe).items() if key not in ("path", "lock")}
    tables = facts["sources"].items()
    return facts | {"sources": {n: {k: v for k, v in t.items() if k not in WEIGHED_BY} for n, t in tables}}
