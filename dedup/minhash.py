"""Deduplication by exact text, then by MinHash bands with verification: the recipe's ``[dedup]`` table, and its one data flow.

Reading ``Minhash.run`` top to bottom is reading how documents are compared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec

from dedup import decide, exact, match, pair, resolve, sign, verify
from dedup.signed import Signed
from pile.decisions import STAGE as DEDUP
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
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "rensa", "scipy", "xxhash")

    threshold: float = 0.8  #: Jaccard coefficient of the word 5-grams from which on two documents are duplicates
    bands: int = 14
    rows: int = 8  #: permutations in a band
    verify: bool = True  #: False: every proposed pair counts as at the threshold, unseen
    partitions: int = 16  #: of the hashes, at most; decides memory and tasks, never the result

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise ValueError(f"threshold must be above 0 and at most 1, not {self.threshold}")
        for name in ("bands", "rows", "partitions"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.bands * self.rows > MOST_PERMUTATIONS:
            raise ValueError(f"bands x rows must be at most {MOST_PERMUTATIONS}, not {self.bands} x {self.rows}")

    def run(
        self, parts: list[Part], seed: int, work: Work, run: Callable[[str, list[Task]], list[Result]]
    ) -> list[tuple[str, dict[str, Any]]]:
        """Return for each part the key of its ``dedup`` result and its facts (see ``pile.decisions``).

        ``run(stage, tasks)`` does the tasks and returns their results in the same order. ``seed`` is not used: nothing
        here is left to chance, and signatures outlive recipes.
        """
        if not parts:
            return []
        signs = run(sign.STAGE, [sign.task(part, self.bands, self.rows) for part in parts])
        signed = Signed.of(parts, [(result.key, result.facts) for result in signs])
        ranges = range(partitions := max(1, min(self.partitions, -(-signed.total // PARTITION_DOCUMENTS))))
        exacts = run(exact.STAGE, [exact.task(signed, partition, partitions) for partition in ranges])
        copies = [result.key for result in exacts]
        matches = run(match.STAGE, [match.task(signed, copies, partition, partitions) for partition in ranges])
        [pairs] = run(pair.STAGE, [pair.task(signed, [(result.key, result.facts) for result in matches])])
        resolution = resolve.Resolution(
            signed, copies, pairs.key, pairs.facts["pairs"], self._verified(parts, signed, pairs, run), self.threshold
        )
        [resolved] = run(resolve.STAGE, [resolve.task(resolution, self.version)])
        tasks = []
        for index, part in enumerate(parts):
            start, end, digest = resolved.facts["affected"].get(str(index), (0, 0, ""))
            facts = signs[index].facts
            call = decide.Decision(
                signed.keys[index], signed.counts[index], facts["ids"], resolved.key, start, end, self.verify
            )
            tasks.append(decide.task(call, digest, part.label))
        return [(result.key, result.facts) for result in run(DEDUP, tasks)]

    def _verified(
        self, parts: list[Part], signed: Signed, pairs: Result, run: Callable[[str, list[Task]], list[Result]]
    ) -> list[tuple[str, int, int]] | None:
        """Return the ``verify`` stage's keys with the pairs of each, None when pairs are not verified."""
        if not self.verify:
            return None
        wanted = {int(index): place for index, place in sorted(pairs.facts["wanted"].items())}
        shingles = run(
            verify.SHINGLE,
            [verify.shingle_task(parts[index], index, signed, pairs.key, place) for index, place in wanted.items()],
        )
        keys = {index: result.key for index, result in zip(wanted, shingles, strict=True)}
        verified = run(verify.VERIFY, verify.verify_tasks(signed, pairs.key, pairs.facts["pairs"], keys))
        return [(result.key, result.task.arguments.start, result.task.arguments.end) for result in verified]
