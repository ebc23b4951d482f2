"""A finished corpus as a sequence: any document by number, from any on, by many readers; damage is named."""

from __future__ import annotations

import json
import pickle
import random
import re
import shutil
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pile.corpus import Corpus
from pile.errors import CorpusError, RequestError
from pile.frames import FRAMES
from pile.shards import read_lines
from pile.storage import Storage

#: Some documents of 3 kB, so that a shard has several frames of a MiB, and one longer than a frame.
RECIPE = """
name = "toy"
[output]
shards = 3
splits = { validation = 0.02 }
[sources.mine]
use = "local"
options = { paths = ["a.jsonl"] }
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, local_executor: Any, build_into: Any) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    chance = random.Random(1)
    sizes = [2_000_000 if n == 700 else 3_000 for n in range(1500)]
    lines = [
        json.dumps({"id": str(n), "text": f"{n}: " + chance.randbytes(size // 2).hex()}) for n, size in enumerate(sizes)
    ]
    (folder / "a.jsonl").write_text("\n".join(lines))
    (folder / "toy.toml").write_text(RECIPE)
    build_into(folder, folder / "toy.toml", local_executor)
    return folder / "out"


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy to do damage to."""
    return Path(shutil.copytree(made, tmp_path / "copy"))


@pytest.fixture(scope="module")
def lines(made: Path) -> list[dict[str, Any]]:
    """The documents of train, as any reader of JSON Lines gets them."""
    return [json.loads(line) for path in sorted(made.glob("train/*")) for line in read_lines(path)]


class Counting(Storage):
    """A folder that knows which parts of its files were asked for."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.parts: list[tuple[str, int, int]] = []

    def read_range(self, name: str, offset: int, size: int) -> bytes:
        self.parts.append((name, offset, size))
        return super().read_range(name, offset, size)


def test_every_document_is_found_by_its_number_from_either_end(made: Path, lines: list[dict[str, Any]]) -> None:
    corpus = Corpus(str(made))
    assert len(corpus) == len(lines) > 1000
    numbers = list(range(len(lines)))
    random.Random(2).shuffle(numbers)
    for number in [*numbers[:200], 0, len(lines) - 1]:
        assert corpus[number] == lines[number]
        assert corpus[number - len(lines)] == lines[number]
    assert list(corpus) == lines


def test_numbers_outside_are_an_index_error(made: Path) -> None:
    corpus = Corpus(str(made))
    for number in (len(corpus), -len(corpus) - 1):
        with pytest.raises(IndexError, match=str(number)):
            corpus[number]
    with pytest.raises(TypeError):
        corpus["0"]  # type: ignore[index]


def test_iteration_begins_at_any_document(made: Path, lines: list[dict[str, Any]]) -> None:
    corpus = Corpus(str(made))
    for start in (0, 1, 499, 500, len(lines) - 1, len(lines), len(lines) + 5):
        assert list(corpus.iterate(start)) == lines[start:]
    assert list(corpus.iterate(3, 7)) == lines[3::7]


def test_only_the_frames_that_are_needed_are_read_and_each_once_in_order(
    made: Path, lines: list[dict[str, Any]]
) -> None:
    storage = Counting(str(made))
    corpus = Corpus(storage)
    corpus[700]
    assert len(storage.parts) == 1
    assert storage.parts[0][2] < 2_000_000 < sum(path.stat().st_size for path in made.glob("train/*"))
    storage.parts.clear()
    list(corpus.iterate(0))
    assert len(storage.parts) == len(set(storage.parts)) >= 5
    assert sum(size for _, _, size in storage.parts) == sum(path.stat().st_size for path in made.glob("train/*"))
    far = len(storage.parts)
    storage.parts.clear()
    list(corpus.iterate(0, 1200))
    assert len(storage.parts) == 2 < far


def test_splits_are_opened_by_name(made: Path) -> None:
    validation = [json.loads(line) for line in read_lines(made / "validation.jsonl.zst")]
    assert list(Corpus(str(made), "validation")) == validation != []
    with pytest.raises(RequestError, match="train, validation"):
        Corpus(str(made), "dev")


@settings(deadline=None, max_examples=30)
@given(readers=st.integers(1, 9), start=st.integers(0, 20), stop=st.integers(0, 20))
def test_readers_share_out_the_documents_and_go_on_where_their_state_says(
    made: Path, readers: int, start: int, stop: int
) -> None:
    corpus = Corpus(str(made), "validation")
    whole = [document["meta"]["id"] for document in corpus]
    for rank in range(readers):
        reader = corpus.reader(rank, readers, start)
        before = [document["meta"]["id"] for document in islice(reader, stop)]
        later = corpus.reader(rank, readers)
        later.load_state_dict(json.loads(json.dumps(reader.state_dict())))
        assert before + [document["meta"]["id"] for document in later] == whole[start + rank :: readers]


def test_a_state_that_is_not_of_this_reader_is_refused(made: Path) -> None:
    corpus = Corpus(str(made))
    state = corpus.reader(1, 2).state_dict()
    for reader in (corpus.reader(0, 2), corpus.reader(1, 3), Corpus(str(made), "validation").reader(1, 2)):
        with pytest.raises(RequestError, match="state has"):
            reader.load_state_dict(state)
    with pytest.raises(RequestError, match="fingerprint"):
        corpus.reader(1, 2).load_state_dict({**state, "fingerprint": "sha256:other"})
    with pytest.raises(RequestError, match="ranks are 0 to 1"):
        corpus.reader(2, 2)


def test_a_finished_reader_stays_finished(made: Path) -> None:
    corpus = Corpus(str(made), "validation")
    reader = corpus.reader()
    assert len(list(reader)) == len(corpus)
    assert list(reader) == []
    again = corpus.reader()
    again.load_state_dict(reader.state_dict())
    assert list(again) == []


def test_it_travels_to_other_processes(made: Path) -> None:
    corpus = Corpus(str(made))
    assert pickle.loads(pickle.dumps(corpus))[5] == corpus[5]
    assert len(pickle.dumps(corpus)) < 1000


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 8
    path.write_bytes(content)


def test_a_damaged_frame_is_named_and_the_others_still_read(folder: Path, lines: list[dict[str, Any]]) -> None:
    flip(folder / "train/01.jsonl.zst", 500_000)
    corpus = Corpus(str(folder))
    read, failed = 0, 0
    for number, line in enumerate(lines):
        try:
            assert corpus[number] == line
            read += 1
        except CorpusError as error:
            assert re.search(r"train/01\.jsonl\.zst is damaged in the \d+ bytes from \d+ on", str(error))
            failed += 1
    assert 0 < failed < len(lines) / 3 < read


def reindexed(folder: Path, change: Callable[[Any], object]) -> None:
    index = np.load(folder / FRAMES)
    changed = change(index)
    np.save(folder / FRAMES, index if changed is None else changed)


DAMAGE: list[tuple[str, Callable[[Path], object], str]] = [
    ("no index", lambda c: (c / FRAMES).unlink(), f"no {FRAMES} in .*pile build"),
    ("an index cut short", lambda c: (c / FRAMES).write_bytes((c / FRAMES).read_bytes()[:200]), "is damaged"),
    ("something else", lambda c: np.save(c / FRAMES, np.zeros(4)), "no index of frames"),
    ("an index of another corpus", lambda c: reindexed(c, lambda i: i[:-1]), "of another corpus"),
    ("no corpus", lambda c: (c / "manifest.json").unlink(), "not a corpus"),
]


@pytest.mark.parametrize(("damage", "message"), [d[1:] for d in DAMAGE], ids=[d[0] for d in DAMAGE])
def test_what_cannot_be_opened_says_why(folder: Path, damage: Callable[[Path], object], message: str) -> None:
    damage(folder)
    with pytest.raises(CorpusError, match=message):
        Corpus(str(folder), "validation")


def test_a_shard_that_is_gone_is_named(folder: Path) -> None:
    (folder / "train/00.jsonl.zst").unlink()
    with pytest.raises(CorpusError, match=r"train/00\.jsonl\.zst is missing"):
        Corpus(str(folder))[0]


def test_a_wrong_count_in_the_index_is_noticed_when_its_frame_is_read(folder: Path) -> None:
    def shift(index: Any) -> None:
        index["document"][1] += 1

    reindexed(folder, shift)
    with pytest.raises(CorpusError, match="documents, should be"):
        Corpus(str(folder))[0]
