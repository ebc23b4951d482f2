"""A record that kills or hangs its worker is found, named in the lock and counted; the build goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pile.errors import WorkError
from pile.executor import Executor

PLUGIN = '''
import ctypes, os, signal, time
from collections.abc import Iterator
from typing import ClassVar
import msgspec
from pile.document import Document, Drop, Input, Pin, Record, Verdict
from pile.errors import RecordHungError

class Dangerous(msgspec.Struct, frozen=True):
    """A source some of whose records kill whoever parses them."""
    files: int = 2
    version: ClassVar[int] = 1
    libraries: ClassVar[tuple[str, ...]] = ()
    choosing: ClassVar[frozenset[str]] = frozenset()
    def pin(self, upstream):
        return Pin({"files": self.files}, [Input(url) for url in upstream.find(["*.txt"])])
    def records(self, input, path) -> Iterator[Record]:
        for line in open(path):
            yield Record(line.strip(), line.strip())
    def parse(self, record):
        if "segfault" in record.name:
            ctypes.string_at(0)
        if "killed" in record.name:
            os.kill(os.getpid(), signal.SIGKILL)
        if "raises" in record.name:
            raise ValueError("cannot parse this")
        if "hung" in record.name:
            raise RecordHungError("over 60 s in pandoc")
        return Document(record.name, f"the text of {record.name} and some more words")

class Deadly(msgspec.Struct, frozen=True):
    """A filter that some documents kill."""
    version: ClassVar[int] = 1
    libraries: ClassVar[tuple[str, ...]] = ()
    def expect(self, documents):
        if any("poison" in document.id for document in documents):
            os.kill(os.getpid(), signal.SIGSEGV)
    def judge(self, document):
        if "poison" in document.id:
            os.kill(os.getpid(), signal.SIGSEGV)
        return Verdict(keep=True)
'''

RECIPE = """
name = "toy"
[sources.d]
use = "dangerous:Dangerous"
filters = [{ use = "dangerous:Deadly" }]
"""


@pytest.fixture
def dangerous(tmp_path: Path, test_plugins: Path) -> Path:
    (test_plugins / "dangerous.py").write_text(PLUGIN)
    names = [f"good{n}" for n in range(20)]
    (tmp_path / "a.txt").write_text("\n".join([*names[:9], "segfault1", *names[9:], "killed1", "raises1", "hung1"]))
    (tmp_path / "b.txt").write_text("\n".join([f"fine{n}" for n in range(10)] + ["poison1"]))
    return tmp_path


def test_records_at_fault_are_quarantined_by_name_and_the_build_goes_on(
    dangerous: Path, build, executor: Executor
) -> None:  # type: ignore[no-untyped-def]
    built, _ = build(RECIPE, executor=executor)
    record = built.manifest.sources["d"]
    assert record.funnel["extract"]["drops"] == {"parser_failed": 1, "quarantined": 3}
    assert record.funnel["judge"]["drops"] == {"quarantined": 1}
    assert record.documents == 30
    assert set(record.quarantined) == {"d:segfault1", "d:killed1", "d:hung1", "d:poison1"}
    assert "SIGSEGV" in record.quarantined["d:segfault1"]
    assert "SIGKILL" in record.quarantined["d:killed1"]
    assert "pandoc" in record.quarantined["d:hung1"]
    lock = json.loads((dangerous / "recipe.lock.json").read_bytes())
    assert {q["id"] for q in lock["quarantine"]} == set(record.quarantined)


def test_the_next_build_repeats_the_decision_without_another_death(dangerous: Path, build, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    first, _ = build(RECIPE)
    second, progress = build(RECIPE)
    assert second.manifest == first.manifest
    assert progress.done == 0
    # Without the stored results, the lock alone is enough.
    third, _ = build(RECIPE, work=tmp_path / "work2", out=tmp_path / "out2")
    assert third.manifest == first.manifest


DEEP = '''
from collections.abc import Iterator
from typing import ClassVar
import errno, msgspec
from pile.document import Document, Drop, Pin, Input, Record

class Deep(msgspec.Struct, frozen=True):
    """A source that finds out how deep it may recurse, or that meets a full disk."""
    full: bool = False
    version: ClassVar[int] = 1
    libraries: ClassVar[tuple[str, ...]] = ()
    choosing: ClassVar[frozenset[str]] = frozenset()
    def pin(self, upstream):
        return Pin({"full": self.full}, [Input(url) for url in upstream.find(["a.txt"])])
    def records(self, input, path) -> Iterator[Record]:
        yield Record("one", 0)
    def parse(self, record):
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        def down(depth):
            try:
                return down(depth + 1)
            except RecursionError:
                return depth
        return Document("one", f"recursion ends at {down(0)}")
'''


def test_recursion_ends_at_the_same_depth_on_every_executor(tmp_path: Path, test_plugins: Path, build, request) -> None:  # type: ignore[no-untyped-def]
    (test_plugins / "deep.py").write_text(DEEP)
    (tmp_path / "a.txt").write_text("x")
    recipe = 'name = "toy"\n[sources.d]\nuse = "deep:Deep"\n'
    fingerprints = set()
    for name in ("local_executor", "ray_executor"):
        executor = request.getfixturevalue(name)
        built, _ = build(recipe, executor=executor, work=tmp_path / name, out=tmp_path / f"{name}-out")
        fingerprints.add(built.manifest.fingerprint)
    assert len(fingerprints) == 1


def test_a_full_disk_under_a_parser_stops_the_build_and_drops_nothing(
    tmp_path: Path, test_plugins: Path, build
) -> None:  # type: ignore[no-untyped-def]
    (test_plugins / "deep.py").write_text(DEEP)
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(WorkError, match="make room"):
        build('name = "toy"\n[sources.d]\nuse = "deep:Deep"\noptions = { full = true }\n')
