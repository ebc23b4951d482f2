"""Parts in a work folder as extraction, judging and settling leave them, and deduplication of them without a build."""

from __future__ import annotations

import hashlib
import pickle
import random
import shutil
from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import fsspec
import msgspec
import numpy as np
import pytest

from dedup.minhash import Minhash
from pile.decisions import DEDUP_REASONS, decisions
from pile.document import Document
from pile.parts import DOCUMENTS, LOST, VERDICTS, Judged, Part, documents
from pile.runner import Result
from pile.shards import write_lines
from pile.stage import Task, Work, make_key


def store(work: Work, stage: str, write: Any, facts: Any) -> str:
    """Put a finished result of an earlier stage into the work folder."""

    def function(arguments: Any, folder: Path, watch: Any, work: Work) -> dict[str, Any]:
        write(folder)
        return {}

    return work.perform(Task(stage, make_key(stage, 1, facts), function, None))[0]


class Corpus:
    """Builds parts and deduplicates them.

    ``stages`` counts the tasks of the last run that were done, not reused; ``facts`` are what all its tasks said.
    """

    def __init__(self, url: str) -> None:
        self.work = Work(url)
        self.stages: dict[str, int] = {}
        self.facts: dict[str, list[Any]] = {}

    def copy_to(self, folder: Path) -> None:
        """Go on in another work folder, which holds the parts but nothing of deduplication."""
        for stage in ("extract", "judge", "settle"):
            shutil.copytree(self.work.storage.path / stage, folder / stage)
        self.work = Work(str(folder))

    def part(
        self,
        source: str,
        texts: Iterable[tuple[str, str]],
        *,
        rank: int = 0,
        dropped: Iterable[int] = (),
        lost: Iterable[int] = (),
        urls: Iterable[str] = (),
    ) -> Part:
        """Store documents ``(native id, text)``; ``dropped`` rows were judged away, ``lost`` rows were settled away."""
        pairs = zip_longest(texts, urls, fillvalue="")
        given = [Document(f"{source}:{id}", text, source, url) for (id, text), url in pairs]
        lines = [msgspec.json.encode(document) for document in given]
        name = hashlib.sha256(b"\n".join(lines)).hexdigest()
        judged = [Judged(d.id, row not in set(dropped)) for row, d in enumerate(given)]
        rows = np.array(sorted(lost), dtype=np.int64)
        arrays = {"rows0": rows, "reasons0": np.array(["superseded"] * len(rows), dtype="<U10")}
        return Part(
            source,
            rank,
            0,
            f"{source} {len(given)}",
            f"https://{source}.example/1",
            extract=store(self.work, "extract", lambda f: write_lines(f / DOCUMENTS, lines), name),
            judge=store(
                self.work,
                "judge",
                lambda f: write_lines(f / VERDICTS, map(msgspec.json.encode, judged)),
                [name, list(dropped)],
            ),
            settle=store(self.work, "settle", lambda f: np.savez(f / LOST, **arrays), [name, rows.tolist()]),
            lost=str(rows.tolist()),
            documents=len(given),
            bytes=sum(len(line) + 1 for line in lines),
        )

    def run(self, stage: str, tasks: list[Task]) -> list[Result]:
        """Do tasks one after the other in this process, the last one first."""
        results: dict[int, Result] = {}
        for place in reversed(range(len(tasks))):
            task = tasks[place]
            assert task.stage == stage
            pickle.loads(pickle.dumps(task))  # it can go to another process
            reused = self.work.facts(stage, task.key) is not None
            self.stages[stage] = self.stages.get(stage, 0) + (not reused)
            key, facts = self.work.perform(task)
            facts = msgspec.json.decode(msgspec.json.encode(facts))  # as it comes back from another process
            results[place] = Result(task, key, facts, reused=reused)
            self.facts.setdefault(stage, []).append(facts)
        return [results[place] for place in range(len(tasks))]

    def dedup(self, parts: list[Part], run: Any = None, **options: Any) -> list[tuple[str, dict[str, Any]]]:
        self.stages, self.facts = {}, {}
        return Minhash(**options).run(parts, 1, self.work, run or self.run)

    def decided(self, parts: list[Part], **options: Any) -> dict[str, dict[str, Any]]:
        """Deduplicate; return what was decided on each candidate, by id, with the winner's id."""
        found = self.dedup(parts, **options)
        ids = [[document.id for document in self.documents(part)] for part in parts]
        by_id: dict[str, dict[str, Any]] = {}
        for index, (key, _) in enumerate(found):
            array = decisions(self.work, key)
            for entry in array:
                fields = {name: entry[name].item() for name in array.dtype.names or ()}
                fields["reason"] = DEDUP_REASONS[fields["reason"]]
                part, row = fields.pop("winner_part"), fields.pop("winner_row")
                fields["winner"] = ids[part][row] if part >= 0 else ""
                by_id[ids[index][fields["row"]]] = fields
        return by_id

    def kept(self, parts: list[Part], **options: Any) -> set[str]:
        return {id for id, decision in self.decided(parts, **options).items() if not decision["reason"]}

    def documents(self, part: Part) -> list[Document]:
        return list(documents(self.work, part))


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return Corpus(str(tmp_path / "work"))


@pytest.fixture
def shared_corpus() -> Iterator[Corpus]:
    """A corpus in storage that is no folder of this machine."""
    yield Corpus("memory://dedup-work")
    fsspec.filesystem("memory").rm("/dedup-work", recursive=True)


class Prose:
    """Texts of made-up words, and near copies of them, all from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        letters = "abcdefghijklmnopqrstuvwxyz"
        self.words = ["".join(self.random.choices(letters, k=self.random.randint(2, 9))) for _ in range(5_000)]

    def text(self, words: int = 100) -> str:
        return " ".join(self.random.choices(self.words, k=words))

    def edited(self, text: str, edits: int) -> str:
        """Replace so many words, each at another place."""
        words = text.split()
        for place in self.random.sample(range(len(words)), edits):
            words[place] = self.random.choice(self.words)
        return " ".join(words)


@pytest.fixture
def prose() -> Prose:
    return Prose(20261101)


def parts_of(corpus: Any, prose: Any) -> list[Any]:
    """Three parts of two sources: originals, near and exact copies at many distances, short texts, rows that are out."""
    pages = [prose.text(60) for _ in range(60)]
    near = [prose.edited(pages[i % 60], i % 5) for i in range(150)]
    more = [prose.edited(near[i], i % 3) for i in range(100)]
    short = ["", "!?", "?!", "Thank you.", "thank you", "one two three four", "One, two; three: four"]
    texts = [*near, *short, *more[:20]]
    return [
        corpus.part("books", [(f"p{i}", text) for i, text in enumerate(pages)], dropped=[3], lost=[5]),
        corpus.part("web", [(f"n{i:03}", text) for i, text in enumerate(texts)], rank=1),
        corpus.part("web", [(f"m{i:03}", text) for i, text in enumerate(more[20:] + short)], rank=1, dropped=[0, 1]),
    ]


@pytest.fixture
def sample(corpus: Any, prose: Any) -> list[Any]:
    return parts_of(corpus, prose)


@pytest.fixture
def three_parts() -> Callable[[Corpus, Prose], list[Part]]:
    """Return what makes the sample of another corpus."""
    return parts_of
