"""Within one source the last input wins: revisions replace, tombstones remove, each a counted drop."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pile.document import Document, Drop, Tombstone
from pile.extract import _Writer
from pile.parts import Part, lost_rows
from pile.settle import task
from pile.stage import Work, write_facts

EVENT = st.tuples(st.sampled_from(["put", "delete"]), st.sampled_from("abcdef"))


def store(work: Work, files: list[list[tuple[str, str]]]) -> list[Part]:
    """Store inputs given as lists of ("put" | "delete", id) as the extract stage does."""
    parts = []
    for place, events in enumerate(files):
        folder = work.storage.path / "new"
        folder.mkdir(parents=True)
        with _Writer("s", folder) as writer:
            for kind, id in events:
                item = {"put": Document(id, f"text of {id}"), "delete": Tombstone(id)}
                writer.take(item.get(kind, Drop(id, "no_abstract", withdraws=True)))
            facts = writer.facts()
        key = f"part{place}"
        write_facts(folder, facts)
        work.storage.put_folder(folder, f"extract/{key}", "facts.json")
        parts.append(Part("s", 0, place, key, key, key, facts["out"], facts["line_bytes"]))
    return parts


def survivors(files: list[list[tuple[str, str]]]) -> set[tuple[int, int]]:
    """Return (place, row) of what should be left, by doing it one event at a time."""
    latest: dict[str, tuple[int, int] | None] = {}
    for place, events in enumerate(files):
        row = 0
        for kind, id in events:
            latest[id] = (place, row) if kind == "put" else None
            row += kind == "put"
    return {where for where in latest.values() if where is not None}


@settings(max_examples=50)
@given(files=st.lists(st.lists(EVENT, max_size=12), min_size=1, max_size=4))
def test_what_is_left_is_the_last_version_of_every_id(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[tuple[str, str]]]
) -> None:
    work = Work(str(tmp_path_factory.mktemp("work")))
    parts = store(work, files)
    key, facts = work.perform(task(parts))
    left = set()
    for part in parts:
        lost = lost_rows(work, Part(part.source, 0, part.place, "", "", part.extract, 0, 0, settle=key))[0].tolist()
        assert lost == sorted(lost)
        left |= {(part.place, row) for row in range(part.documents) if row not in lost}
    assert left == survivors(files)
    assert sum(facts["drops"].values()) == sum(part.documents for part in parts) - len(left)


def test_the_reason_says_what_displaced_a_document(tmp_path: Path) -> None:
    work = Work(str(tmp_path))
    parts = store(work, [[("put", "a"), ("put", "b"), ("put", "c")], [("put", "a"), ("delete", "b")]])
    _, facts = work.perform(task(parts))
    assert facts["drops"] == {"deleted": 1, "superseded": 1}
    assert list(facts["lost"]) == ["0"]


def test_a_later_state_without_text_takes_the_earlier_text_away(tmp_path: Path) -> None:
    work = Work(str(tmp_path))
    parts = store(work, [[("put", "a"), ("put", "b")], [("empty", "a")]])
    _, facts = work.perform(task(parts))
    assert facts["drops"] == {"superseded": 1}


def test_a_drop_says_nothing_about_versions(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    with _Writer("s", folder) as writer:
        writer.take(Document("a", "text"))
        writer.take(Drop("a", "malformed_record"))
        facts = writer.facts()
    assert (facts["in"], facts["out"], facts["drops"]) == (2, 1, {"malformed_record": 1})
