"""Shards of equal size by documents or by bytes; what memory, workers and threads there are decides no byte of them."""

from __future__ import annotations

import gc
import json
import random
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pile.build import Built
from pile.errors import CorpusError, WorkError
from pile.executor import LocalExecutor
from pile.gather import runs
from pile.shards import FrameWriter, write_lines

RECIPE = """
name = "toy"
[output]
shards = {shards}
equal = "{equal}"
memory = {memory}
splits = {{ validation = 0.05 }}
[sources.mine]
use = "local"
epochs = {epochs}
options = {{ paths = ["a-*.jsonl"] }}
"""


def recipe(shards: int = 7, equal: str = "documents", memory: int = 128, epochs: float = 1.5) -> str:
    return RECIPE.format(shards=shards, equal=equal, memory=memory, epochs=epochs)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """2,000 documents, most of them short and a few a hundred times as long."""
    chance = random.Random(3)
    for part in range(4):
        sizes = [int(20 * chance.paretovariate(0.9)) for _ in range(500)]
        lines = [
            json.dumps({"id": f"{part}-{n}", "text": f"{n} " + "abc " * min(s, 2000)}) for n, s in enumerate(sizes)
        ]
        (tmp_path / f"a-{part}.jsonl").write_text("\n".join(lines))
    return tmp_path


def train(built: Built, unit: str) -> list[int]:
    return [getattr(shard, unit) for shard in built.manifest.shards if shard.split == "train"]


def test_shards_have_equal_documents_or_equal_bytes_within_one_in_a_hundred(files: Path, build) -> None:  # type: ignore[no-untyped-def]
    by_documents, _ = build(recipe())
    by_bytes, _ = build(recipe(equal="bytes"))
    documents, sizes = train(by_documents, "documents"), train(by_bytes, "content_bytes")
    assert max(documents) - min(documents) <= 1
    mean = sum(sizes) / len(sizes)
    assert all(abs(size - mean) < 0.01 * mean + 8_100 for size in sizes)  # the longest line has 8,100 bytes
    assert sum(train(by_bytes, "documents")) == sum(documents)
    assert max(train(by_documents, "content_bytes")) - min(train(by_documents, "content_bytes")) > 0.01 * mean


def test_the_order_is_the_same_by_documents_and_by_bytes(files: Path, build) -> None:  # type: ignore[no-untyped-def]
    from pile.corpus import Corpus

    build(recipe())
    by_documents = list(Corpus(str(files / "out")))
    build(recipe(equal="bytes"))
    assert list(Corpus(str(files / "out"))) == by_documents


@pytest.mark.parametrize("equal", ["documents", "bytes"])
@pytest.mark.parametrize("shards", [1, 3, 40])
def test_memory_and_workers_decide_no_byte(files: Path, build, equal: str, shards: int) -> None:  # type: ignore[no-untyped-def]
    plenty, progress = build(recipe(shards, equal))
    tasks = progress.stages["gather"].done
    with LocalExecutor(1) as executor:
        little, progress = build(recipe(shards, equal, memory=1), executor=executor)
    assert little.manifest.fingerprint == plenty.manifest.fingerprint
    assert little.fresh
    assert (progress.stages["gather"].done > tasks) == (shards > 1)  # there were more buckets


def test_a_document_longer_than_a_shard_cannot_be_shared_out_by_bytes(files: Path, build) -> None:  # type: ignore[no-untyped-def]
    (files / "a-4.jsonl").write_text(json.dumps({"id": "huge", "text": "x " * 2_000_000}))
    with pytest.raises(CorpusError, match=r"train/\d\d\.jsonl\.zst is empty beside a document longer than a shard"):
        build(recipe(equal="bytes"))
    assert not list(files.glob("out/**/*.zst"))


def test_more_shards_than_documents_are_refused(files: Path, build) -> None:  # type: ignore[no-untyped-def]
    for equal in ("documents", "bytes"):
        with pytest.raises(CorpusError, match="cannot fill 9999 shards: lower"):
            build(recipe(9999, equal, epochs=1.0))


def test_splits_that_take_every_document_leave_no_corpus(tmp_path: Path, build) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "a-0.jsonl").write_text(json.dumps({"id": "1", "text": "one alone"}))
    with pytest.raises(CorpusError, match="no document is left for train"):
        build(recipe(1).replace("validation = 0.05", "validation = 0.999999"))
    assert not list(tmp_path.glob("out/**/*.zst"))


class Here:
    """An executor that does every call in this process, and knows the most memory that a call of each stage took, in bytes."""

    workers = 1

    def __init__(self) -> None:
        self.peaks: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def map(self, function: Any, tasks: Any) -> Iterator[tuple[Any, Any]]:
        for task in tasks:
            stage = task.task.stage if hasattr(task, "task") else "seal"
            gc.collect()
            tracemalloc.start()
            outcome = function(task)
            self.peaks[stage] = max(self.peaks.get(stage, 0), tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
            yield task, outcome


@pytest.mark.parametrize("memory", [1, 128])
def test_documents_of_one_place_come_by_their_ids(files: Path, build, monkeypatch, memory: int) -> None:  # type: ignore[no-untyped-def]
    from pile.corpus import Corpus
    from pile.mix import Mixer
    from pile.recipe import Splits

    place = Mixer.place
    monkeypatch.setattr(Mixer, "place", lambda mixer, id, copy: place(mixer, id, copy) >> 61 << 61)
    build(recipe(5, memory=memory), executor=Here())
    ids = [line["meta"]["id"] for line in Corpus(str(files / "out"))]
    placed = [(Mixer(0, Splits()).place(id, n), id) for id, count in Counter(ids).items() for n in range(count)]
    assert len({place for place, _ in placed}) == 8
    assert ids == [id for _, id in sorted(placed)]


@pytest.mark.slow
def test_mixing_stays_within_its_memory_whatever_the_epochs(tmp_path: Path, build) -> None:  # type: ignore[no-untyped-def]
    """18 MB of copies of a few short texts beside long ones, of which there are half: both passes take less than 8 MiB."""
    sizes = {"a-short": (1200, 200), "b-long": (300, 20_000)}
    for name, (count, size) in sizes.items():
        chance = random.Random(name)
        lines = [json.dumps({"id": str(n), "text": chance.randbytes(size // 2).hex()}) for n in range(count)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))
    other = '[sources.other]\nuse = "local"\nepochs = 0.5\noptions = { paths = ["b-long.jsonl"] }\n'
    executor = Here()
    built, _ = build(recipe(3, memory=8, epochs=30.0) + other, executor=executor)
    assert sum(train(built, "content_bytes")) > 12_000_000
    assert 1 << 20 < executor.peaks["spread"] < 8 << 20
    assert 1 << 20 < executor.peaks["gather"] < 8 << 20
    assert executor.peaks["seal"] < 4 << 20


def test_a_damaged_spool_is_named(files: Path, build) -> None:  # type: ignore[no-untyped-def]
    build(recipe())
    for spool in files.glob("work/spread/*/spool"):
        content = bytearray(spool.read_bytes())
        content[len(content) // 2] ^= 1
        spool.write_bytes(content)
    with pytest.raises(WorkError, match=r"spread/\w+/spool is damaged at \d+: delete"):
        build(recipe(shards=5))


@settings(deadline=None)
@given(
    lengths=st.lists(st.integers(1, 50), min_size=1, max_size=300),
    shards=st.integers(1, 60),
    buckets=st.integers(1, 40),
)
def test_runs_of_shards_share_out_every_line_and_begin_at_the_bucket_of_their_first(
    lengths: list[int], shards: int, buckets: int
) -> None:
    bucket_of = np.sort(np.random.default_rng(len(lengths)).integers(0, buckets, len(lengths)))
    counts = np.bincount(bucket_of, weights=lengths, minlength=buckets).astype(np.int64)
    total, ends = sum(lengths), np.cumsum(lengths)
    found = [(int(end) * shards - 1) // total for end in ends]  # the shard that holds a line's last unit
    assert found == sorted(found)
    assert found[-1] == shards - 1
    planned = runs(counts, shards)
    assert [run[0] for run in planned] == [0, *(run[1] for run in planned[:-1])]
    assert planned[-1][1] == shards
    for first, end, bucket in planned:
        mine = [bucket_of[place] for place, shard in enumerate(found) if first <= shard < end]
        assert not mine or bucket <= min(mine)
    for (_, _, one), (_, _, other) in pairwise(planned):
        assert one <= other


@pytest.mark.parametrize("threads", [2, 5])
def test_threads_decide_no_byte(tmp_path: Path, threads: int) -> None:
    lines = [random.Random(n).randbytes(400).hex().encode() for n in range(9000)]
    one = write_lines(tmp_path / "one", lines)
    with FrameWriter(tmp_path / "many", threads=threads) as writer:
        for line in lines:
            writer.write(line)
        assert writer.close() == one
    assert len(writer.table()) > 5
    assert (tmp_path / "many").read_bytes() == (tmp_path / "one").read_bytes()
