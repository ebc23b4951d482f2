"""Benchmark files are pinned in the lock: a build stops with the difference when one is not what it was."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from pile import lock as locking
from pile.errors import LockError, RecipeError
from pile.fetch import Upstream
from pile.recipe import load

PAGES = 'name = "t"\n[sources.s]\nuse = "local"\noptions = { paths = ["pages.jsonl"] }\n'
RECIPE = PAGES + '[decontamination]\nbenchmarks = ["exams/*.txt"]\n'
QUESTION = "how many words of a question must stand in a row before it is known again by them"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = [json.dumps({"id": str(n), "text": f"page {n} of a book. " * 9}) for n in range(3)]
    lines.append(json.dumps({"id": "3", "text": QUESTION}))
    (tmp_path / "pages.jsonl").write_text("\n".join(lines))
    (tmp_path / "exams").mkdir()
    (tmp_path / "exams/first.txt").write_text(QUESTION)
    return tmp_path


def relock(folder: Path) -> None:
    loaded = load(folder / "recipe.toml")
    with Upstream(base=loaded.folder) as upstream:
        locking.write(loaded, locking.make(loaded, upstream, locking.read(loaded)))


def pinned(folder: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads((folder / "recipe.lock.json").read_text())["benchmarks"]
    return found


def test_a_lock_has_size_and_sha256_of_every_benchmark(folder: Path, build) -> None:  # type: ignore[no-untyped-def]
    (folder / "exams/second.txt").write_text("another question, of which nothing will be found in any page")
    built, _ = build(RECIPE)
    assert [one["url"] for one in pinned(folder)] == ["exams/first.txt", "exams/second.txt"]
    content = (folder / "exams/first.txt").read_bytes()
    assert pinned(folder)[0]["size"] == len(content)
    assert pinned(folder)[0]["checksum"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert [one.checksum for one in built.manifest.benchmarks] == [one["checksum"] for one in pinned(folder)]
    assert not build(RECIPE)[0].fresh


def test_a_changed_benchmark_stops_the_build_until_it_is_locked_again(folder: Path, build) -> None:  # type: ignore[no-untyped-def]
    before, _ = build(RECIPE)
    was = pinned(folder)[0]["checksum"]
    (folder / "exams/first.txt").write_text("quite another question, which stands in none of all these pages here")
    for _ in range(2):
        with pytest.raises(LockError) as caught:
            build(RECIPE)
        said = str(caught.value)
        assert f"exams/first.txt: {len(QUESTION)} bytes, {was} -> 68 bytes, sha256:" in said
        assert "pile lock" in said and "\n" not in said
    relock(folder)
    after, progress = build(RECIPE)
    assert after.manifest.sources["s"].documents == before.manifest.sources["s"].documents + 1
    assert after.manifest.lock != before.manifest.lock
    assert not progress.stages["extract"].done  # only what looks for benchmarks is done again


def test_benchmarks_that_come_and_go_are_named(folder: Path, build) -> None:  # type: ignore[no-untyped-def]
    build(RECIPE)
    (folder / "exams/first.txt").rename(folder / "exams/renamed.txt")
    with pytest.raises(
        LockError, match=r"first\.txt is not there any more; exams/renamed\.txt is not in it; run `pile lock"
    ):
        build(RECIPE)
    (folder / "exams/renamed.txt").unlink()
    with pytest.raises(RecipeError, match="matches no file"):
        build(RECIPE)


def test_a_recipe_that_begins_to_look_for_benchmarks_is_ahead_of_its_lock(folder: Path, build) -> None:  # type: ignore[no-untyped-def]
    build(PAGES)
    assert "benchmarks" not in json.loads((folder / "recipe.lock.json").read_text())
    with pytest.raises(LockError, match=r"exams/first\.txt is not in it"):
        build(RECIPE)
    relock(folder)
    build(RECIPE)
    build(PAGES)  # what the lock says of benchmarks is nothing to a recipe without


def test_two_benchmarks_of_one_name_are_refused(folder: Path, build) -> None:  # type: ignore[no-untyped-def]
    (folder / "first.txt").write_text(QUESTION)
    with pytest.raises(RecipeError, match=r"two files are called first\.txt"):
        build(RECIPE.replace('"exams/*.txt"', '"exams/*.txt", "*.txt"'))
