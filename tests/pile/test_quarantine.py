"""A record that kills or hangs its worker is found, named in the lock and counted; the build goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

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
