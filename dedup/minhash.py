"""Deduplication by exact text, then by MinHash bands with verification: the recipe's ``[dedup]`` table, and its one data flow.

Reading ``Minhash.run`` top to bottom is reading how documents are compared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal

import msgspec

from dedup import cut, decide, exact, match, pair, rematch, repeated, resolve, sign, spare, units, verify
from dedup.repeats import Repeats
from dedup.runs import ENTRY_BYTES, Run, Share
from dedup.signed import Signed
from pile.cuts import STAGE as CUT
from pile.decisions import STAGE as DEDUP
from pile.errors import RequestError
from pile.parts import Part
from pile.runner import Result
from pile.stage import Task, Work

#: A partition for fewer documents than this is not worth a task of its own.
PARTITION_DOCUMENTS = 20_000
#: More permutations than this cost more than they can tell apart.
MOST_PERMUTATIONS = 4_096


class Minhash(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Near-duplicate removal; a pair of Jaccard coefficient J is proposed with probability 1 - (1 - J^rows)^bands.

    The defaults are datatrove's and FineWeb's: of pairs at .8 they propose 92 %, at .9 all (field notes, section 5).
    """

    version: ClassVar[int] = 2  #: raise it when the same documents would be decided on otherwise
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "rensa", "xxhash")

    url: bool = False  #: True: of documents of one address only the preferred one is looked at further
    near: bool = True  #: False: exact copies only
    threshold: float = 0.8  #: Jaccard coefficient of the word 5-grams from which on two documents are duplicates
    bands: int = 14
    rows: int = 8  #: permutations in a band
    verify: bool = True  #: False: every proposed pair counts as at the threshold, and only a sample is looked at
    repeats: list[Repeats] = []  #: what is cut from texts that stay, when others that stay say it, too
    partitions: int = 16  #: of the hashes, at most: tasks that can run at the same time; never decides the result
    memory: int = 256  #: MiB that such a task takes for what it sorts at a time; never decides the result

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise ValueError(f"threshold must be above 0 and at most 1, not {self.threshold}")
        for name in ("bands", "rows", "partitions", "memory"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.bands * self.rows > MOST_PERMUTATIONS:
            raise ValueError(f"bands x rows must be at most {MOST_PERMUTATIONS}, not {self.bands} x {self.rows}")

    def run(
        self, parts: list[Part], seed: int, work: Work, run: Callable[[str, list[Task]], list[Result]]
    ) -> list[tuple[str, dict[str, Any]]]:
        """Return for each part the key of its ``dedup`` result and its facts (see ``pile.decisions``).

        Where the recipe names ``repeats``, the facts hold in ``cuts`` the key of the part's ``cut`` result (see
        ``pile.cuts``), and in ``cut`` its facts.

        ``run(stage, tasks)`` does the tasks and returns their results in the same order. ``seed`` is not used: nothing
        here is left to chance, and signatures outlive recipes.
        """
        if not parts:
            return []
        flow = _Flow(self, parts, run)
        flow.sign()
        if self.near:
            flow.match()
        resolved = flow.resolve()
        for _ in range(rematch.ROUNDS if self.near and self.verify else 0):
            if not flow.rematch(resolved):
                break
            resolved = flow.resolve()
        return flow.cut(flow.decide(resolved)) if self.repeats else flow.decide(resolved)


class _Flow:
    """One run: what its steps share."""

    def __init__(self, options: Minhash, parts: list[Part], run: Callable[[str, list[Task]], list[Result]]) -> None:
        self._options, self._parts, self._run = options, parts, run
        self._shingles: dict[int, str] = {}  # keys of the sets of shingles, by part
        self._proposed: list[resolve.Proposed] = []
        self._likely = match.Likely.at(options.threshold, options.bands * options.rows)

    def sign(self) -> None:
        """Make signatures, each part's from its text alone, and find exact copies."""
        bands, rows = (self._options.bands, self._options.rows) if self._options.near else (0, 0)
        tasks = [sign.task(part, bands, rows, self._options.url) for part in self._parts]
        self._signs = self._run(sign.STAGE, tasks)
        self._signed = Signed.of(self._parts, [(result.key, result.facts) for result in self._signs])
        count = max(1, min(self._options.partitions, -(-self._signed.total // PARTITION_DOCUMENTS)))
        self._entries = self._options.memory * 2**20 // ENTRY_BYTES
        self._shares = [Share(partition, count, self._entries) for partition in range(count)]
        self._same_urls = self._exact("urls", []) if self._options.url else []
        self._copies = self._exact("texts", self._same_urls)

    def _exact(self, by: Literal["texts", "urls"], gone: list[str]) -> list[str]:
        tasks = [exact.task(exact.Exact(self._signed, share, by, gone)) for share in self._shares]
        return [result.key for result in self._run(exact.STAGE, tasks)]

    def match(self) -> None:
        """Propose pairs, and verify them."""
        copies = self._same_urls + self._copies
        tasks = [match.task(match.Match(self._signed, copies, self._likely, share)) for share in self._shares]
        self._matches = [(result.key, result.facts) for result in self._run(match.STAGE, tasks)]
        self._propose(match.runs_of(self._matches), match.runs_of(self._matches, name=match.LARGE))

    def rematch(self, resolved: Result) -> bool:
        """Propose more pairs among what is left of large buckets; return whether there are any."""
        if not any(facts["in_large_buckets"] for _, facts in self._matches):
            return False
        calls = [
            rematch.Rematch(self._signed, self._matches, resolved.key, self._likely, share) for share in self._shares
        ]
        results = self._run(rematch.STAGE, [rematch.task(call) for call in calls])
        return self._propose(match.runs_of([(r.key, r.facts) for r in results], rematch.STAGE), [])

    def _propose(self, runs: list[Run], large: list[Run]) -> bool:
        earlier = [proposed.pair for proposed in self._proposed]
        [pairs] = self._run(pair.STAGE, [pair.task(pair.Pairing(self._signed, runs, earlier, large, self._entries))])
        found: int = pairs.facts["pairs"]
        if found or not earlier:
            verified = self._verified(pairs) if self._options.verify else None
            self._proposed.append(resolve.Proposed(pairs.key, found, verified))
        return found > 0

    def _verified(self, pairs: Result) -> list[tuple[str, int, int]]:
        """Return the ``verify`` stage's keys with the pairs of each."""
        if not self._shingles:  # whatever is proposed later was in a pair or a large bucket before
            wanted = {int(index): place for index, place in sorted(pairs.facts["wanted"].items())}
            tasks = [
                verify.shingle_task(self._parts[index], index, self._signed, pairs.key, place)
                for index, place in wanted.items()
            ]
            results = self._run(verify.SHINGLE, tasks)
            self._shingles = {index: result.key for index, result in zip(wanted, results, strict=True)}
        tasks = verify.verify_tasks(self._signed, pairs.key, pairs.facts["pairs"], self._shingles)
        verified = self._run(verify.VERIFY, tasks)
        return [(result.key, result.task.arguments.start, result.task.arguments.end) for result in verified]

    def resolve(self) -> Result:
        """Say who stays, by all pairs that were proposed so far."""
        call = resolve.Resolution(self._signed, self._same_urls, self._copies, self._proposed, self._options.threshold)
        return self._run(resolve.STAGE, [resolve.task(call, self._options.version)])[0]

    def decide(self, resolved: Result) -> list[tuple[str, dict[str, Any]]]:
        """Write each part's decisions; return their keys and facts."""
        verified = self._options.verify or not self._options.near
        spared = {} if verified else self._spared(resolved)
        tasks = []
        for index, part in enumerate(self._parts):
            start, end, digest = resolved.facts["affected"].get(str(index), (0, 0, ""))
            checked = None if verified else spared.get(str(index), [0, 0])
            key, count, ids = self._signed.keys[index], self._signed.counts[index], self._signs[index].facts["ids"]
            tasks.append(
                decide.task(decide.Decision(key, count, ids, resolved.key, start, end, checked), digest, part.label)
            )
        return [(result.key, result.facts) for result in self._run(DEDUP, tasks)]

    def _spared(self, resolved: Result) -> dict[str, list[int]]:
        """Return for each part how many of its removals were looked at, and how many of these verification would spare."""
        [pairs] = self._run(pair.STAGE, [spare.sample_task(self._signed, resolved.key)])
        verified = self._verified(pairs)
        call = spare.Sparing(self._signed, pairs.key, resolved.key, verified, self._options.threshold)
        [counted] = self._run(spare.STAGE, [spare.task(call)])
        found: dict[str, list[int]] = counted.facts["checked"]
        return found

    def cut(self, decided: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
        """Find what is repeated among what stays, and cut it from all texts but one; return the decisions with the cuts."""
        keys = [key for key, _ in decided]
        found = [(repeats, self._repeated(repeats, keys)) for repeats in self._options.repeats]
        tasks = []
        for part, key, start, count in zip(
            self._parts, keys, self._signed.starts().tolist(), self._signed.counts, strict=False
        ):
            mine = [(repeats, cuts) for repeats, cuts in found if part.source in (repeats.sources or [part.source])]
            tasks.append(cut.task(cut.Cutting(part, key, start, count, mine)))
        results = self._run(CUT, tasks)
        return [
            (key, {**facts, "cuts": result.key, "cut": result.facts})
            for (key, facts), result in zip(decided, results, strict=True)
        ]

    def _repeated(self, repeats: Repeats, decided: list[str]) -> list[str]:
        """Return the ``repeated`` stage's keys for one kind of repeat."""
        names = {part.source for part in self._parts}
        unknown = sorted(set(repeats.sources) - names)
        if unknown:
            raise RequestError(
                f"[dedup] repeats of {repeats.of}: no source {unknown[0]!r} in the recipe: it has {', '.join(sorted(names))}"
            )
        wanted = [part.source in (repeats.sources or names) for part in self._parts]
        tasks = [units.task(part, repeats) for part, yes in zip(self._parts, wanted, strict=True) if yes]
        results = iter(self._run(units.STAGE, tasks))
        runs: list[tuple[str, list[int]]] = []
        for yes in wanted:
            found = next(results) if yes else None
            runs.append((found.key, found.facts["runs"]) if found else ("", []))
        calls = [repeated.Repetition(self._signed, runs, decided, repeats.least, share) for share in self._shares]
        return [result.key for result in self._run(repeated.STAGE, [repeated.task(call) for call in calls])]
