"""Side inputs: files that every input of a source is read with. What is in them decides documents, as options do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import zstandard

from pile import lock as locking
from pile.errors import DataError, FetchError, LockError, PluginError
from pile.executor import Executor
from pile.fetch import Upstream
from pile.inspect import examples, show
from pile.plan import plan
from pile.recipe import load
from pile.stage import Work
from pile.storage import Storage

PLUGIN = '''
import hashlib
from typing import ClassVar
import msgspec
from pile.document import Document, Drop, Input, Pin, Record

class Picky(msgspec.Struct, frozen=True):
    """A source that drops the words that its lists name."""
    lists: list[str] = []
    pinned: bool = True
    version: ClassVar[int] = 1
    libraries: ClassVar[tuple[str, ...]] = ()
    choosing: ClassVar[frozenset[str]] = frozenset({"lists"})
    def pin(self, upstream):
        side = []
        for name in self.lists:
            content = upstream.read(name)
            side.append(Input(name, len(content), "sha256:" + hashlib.sha256(content).hexdigest() if self.pinned else ""))
        return Pin(msgspec.structs.asdict(self), [Input(url) for url in upstream.find(["*.words"])], side)
    def records(self, input, path, *side):
        unwanted = {word for one in side for word in one.path.read_text().split()}
        for word in path.read_text().split():
            drop = Drop(word, "unwanted", url="x:" + word, facts={"letters": len(word)})
            yield drop if word in unwanted else Record(word, word)
    def parse(self, record):
        return Document(record.name, f"the text of {record.name}", meta={"a": 1}, facts={"word": {"letters": 3}})
'''

RECIPE = """
name = "toy"
[sources.p]
use = "picky:Picky"
options = {{ lists = {lists} }}
[sources.q]
use = "picky:Picky"
"""


@pytest.fixture
def folder(tmp_path: Path, test_plugins: Path) -> Path:
    (test_plugins / "picky.py").write_text(PLUGIN)
    (tmp_path / "a.words").write_text("one two three")
    (tmp_path / "b.words").write_text("four five six")
    (tmp_path / "first.list").write_text("two")
    (tmp_path / "second.list").write_text("six four")
    return tmp_path


def recipe(*lists: str) -> str:
    return RECIPE.format(lists=json.dumps(lists))


def relock(folder: Path, mirror: str | None = None) -> None:
    loaded = load(folder / "recipe.toml")
    with Upstream(mirror=mirror, base=loaded.folder) as upstream:
        locking.write(loaded, locking.make(loaded, upstream, locking.read(loaded)))


def kept(built) -> list[int]:  # type: ignore[no-untyped-def]
    return [record.documents for record in built.manifest.sources.values()]


def test_every_input_is_read_with_them_on_any_executor(folder: Path, build, executor: Executor) -> None:  # type: ignore[no-untyped-def]
    built, _ = build(recipe("first.list", "second.list"), executor=executor)
    assert kept(built) == [3, 6]
    assert built.manifest.sources["p"].funnel["extract"]["drops"] == {"unwanted": 3}


def test_they_are_pinned_in_the_lock_of_their_source_alone(folder: Path, build) -> None:  # type: ignore[no-untyped-def]
    build(recipe("first.list"))
    lock = json.loads((folder / "recipe.lock.json").read_bytes())["sources"]
    (side,) = lock["p"]["side_inputs"]
    assert (side["url"], side["size"]) == ("first.list", 3)
    assert side["checksum"].startswith("sha256:")
    assert "side_inputs" not in lock["q"]


def test_a_changed_one_stops_the_build_until_it_is_locked_again_and_then_its_source_is_extracted_again(
    folder: Path, build
) -> None:  # type: ignore[no-untyped-def]
    build(recipe("first.list"))
    (folder / "first.list").write_text("one three")
    with pytest.raises(DataError, match=r"first\.list.*lock again if the change is meant"):
        build(recipe("first.list"))
    relock(folder)
    built, progress = build(recipe("first.list"))
    assert kept(built) == [4, 6]
    assert (progress.stages["extract"].done, progress.stages["extract"].reused) == (2, 2)


def test_one_of_the_same_content_under_another_name_extracts_nothing_again(folder: Path, build) -> None:  # type: ignore[no-untyped-def]
    build(recipe("first.list"))
    (folder / "renamed.list").write_bytes((folder / "first.list").read_bytes())
    (folder / "recipe.toml").write_text(recipe("renamed.list"))
    relock(folder)
    built, progress = build(recipe("renamed.list"))
    assert kept(built) == [5, 6]
    assert (progress.stages["extract"].done, progress.stages["extract"].reused) == (0, 4)


def test_a_missing_one_is_named(folder: Path, build) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(FetchError, match=r"third\.list: no such file"):
        build(recipe("third.list"))
    build(recipe("first.list"))
    (folder / "first.list").unlink()
    with pytest.raises(FetchError, match=r"first\.list: no such file"):
        build(recipe("first.list"))


def test_one_of_the_web_comes_through_the_mirror(folder: Path, build) -> None:  # type: ignore[no-untyped-def]
    mirrored = folder / "mirror/lists.example/words"
    mirrored.parent.mkdir(parents=True)
    mirrored.write_text("five six")
    address = "https://lists.example/words"
    built, _ = build(recipe(address), mirror=folder / "mirror")
    assert kept(built) == [4, 6]
    mirrored.write_text("one")
    relock(folder, str(folder / "mirror"))
    built, _ = build(recipe(address), mirror=folder / "mirror")
    assert kept(built) == [5, 6]


def test_one_that_is_downloaded_is_kept_with_the_work(folder: Path, build, server) -> None:  # type: ignore[no-untyped-def]
    server.files["/lists.example/words"] = b"five six"
    address = recipe("https://lists.example/words")
    built, _ = build(address, mirror=server.url)
    assert kept(built) == [4, 6]
    server.files.clear()
    shutil.rmtree(folder / "work/extract")
    again, progress = build(address, mirror=server.url)
    assert again.manifest == built.manifest
    assert progress.stages["extract"].done == 4


def test_the_plan_knows_what_is_extracted_with_them(folder: Path, build) -> None:  # type: ignore[no-untyped-def]
    build(recipe("first.list"))
    loaded = load(folder / "recipe.toml")
    lock = locking.read(loaded)
    assert lock is not None
    rows = plan(loaded, lock, Work(str(folder / "work"))).splitlines()
    assert rows[1].split()[:5] == ["p", "picky:Picky", "2", "2", "2"]


def test_a_source_that_pins_one_without_its_sha256_is_at_fault(folder: Path, build) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(PluginError, match=r"side input first\.list no sha256"):
        build(recipe("first.list").replace("] }", "], pinned = false }", 1))


def test_another_list_in_the_recipe_is_a_difference_to_the_lock(folder: Path, build) -> None:  # type: ignore[no-untyped-def]
    build(recipe("first.list"))
    with pytest.raises(LockError, match=r"p\.lists: \['first.list'\] -> \['second.list'\]"):
        build(recipe("second.list"))


def test_what_a_source_saw_is_shown_by_inspect_and_is_in_no_shard(folder: Path, build) -> None:  # type: ignore[no-untyped-def]
    build(recipe("first.list"))
    corpus = Storage(str(folder / "out"))
    (dropped,) = examples(corpus, "p", "unwanted")
    assert show(dropped, 100).splitlines() == ["── p:two  [extract: unwanted]", "   url: x:two", "   letters: 3"]
    shown = show(examples(corpus, "p", "kept")[0], 100).splitlines()
    assert shown[1] == "   word: 3 letters"
    with open(folder / "out/train/00.jsonl.zst", "rb") as file:
        lines = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True).read().splitlines()
    assert {tuple(json.loads(line)["meta"]) for line in lines} == {("pile_set_name", "id", "url", "license", "a")}
