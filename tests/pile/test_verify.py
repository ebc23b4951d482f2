"""Verifying finds every kind of damage and names it; sha256sum agrees."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pile.frames import FRAMES
from pile.storage import Storage
from pile.verify import verify

RECIPE = """
name = "toy"
[output]
shards = 3
splits = { validation = 0.1, test = 0.1 }
[sources.mine]
use = "local"
options = { paths = ["a.jsonl"] }
"""


@pytest.fixture
def corpus(tmp_path: Path, build) -> Path:  # type: ignore[no-untyped-def]
    lines = [json.dumps({"id": str(n), "text": f"document {n} " * 30}) for n in range(200)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    build(RECIPE)
    return tmp_path / "out"


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)


def swap(one: Path, two: Path) -> None:
    content = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(content)


DAMAGE: list[tuple[str, Callable[[Path], object], set[tuple[str, str]]]] = [
    ("a flipped bit", lambda c: flip(c / "train/01.jsonl.zst"), {("train/01.jsonl.zst", "changed")}),
    (
        "a truncated shard",
        lambda c: (c / "test.jsonl.zst").write_bytes((c / "test.jsonl.zst").read_bytes()[:-1]),
        {("test.jsonl.zst", "changed")},
    ),
    ("an emptied shard", lambda c: (c / "train/00.jsonl.zst").write_bytes(b""), {("train/00.jsonl.zst", "changed")}),
    ("a missing shard", lambda c: (c / "train/02.jsonl.zst").unlink(), {("train/02.jsonl.zst", "missing")}),
    (
        "an extra shard",
        lambda c: shutil.copy(c / "train/02.jsonl.zst", c / "train/03.jsonl.zst"),
        {("train/03.jsonl.zst", "extra")},
    ),
    (
        "two swapped shards",
        lambda c: swap(c / "train/00.jsonl.zst", c / "train/01.jsonl.zst"),
        {("train/00.jsonl.zst", "swapped"), ("train/01.jsonl.zst", "swapped")},
    ),
    (
        "a renamed shard",
        lambda c: (c / "validation.jsonl.zst").rename(c / "valid.jsonl.zst"),
        {("validation.jsonl.zst", "missing"), ("valid.jsonl.zst", "extra")},
    ),
    ("a changed manifest", lambda c: flip(c / "manifest.json"), {("manifest.json", "*")}),
    ("no frame index", lambda c: (c / FRAMES).unlink(), {(FRAMES, "missing"), (FRAMES, "unreadable")}),
    ("a changed report", lambda c: flip(c / "report.md"), {("report.md", "changed")}),
    ("changed sums", lambda c: flip(c / "SHA256SUMS"), {("*", "*")}),
    ("no sums", lambda c: (c / "SHA256SUMS").unlink(), {("SHA256SUMS", "unreadable")}),
    ("no manifest", lambda c: (c / "manifest.json").unlink(), {("manifest.json", "unreadable")}),
]


@pytest.mark.parametrize(("damage", "expected"), [d[1:] for d in DAMAGE], ids=[d[0] for d in DAMAGE])
def test_every_damage_is_found_and_named(
    corpus: Path, damage: Callable[[Path], object], expected: set[tuple[str, str]]
) -> None:
    damage(corpus)
    faults = {(fault.file, fault.fault) for fault in verify(Storage(str(corpus))).faults}
    assert faults
    for file, kind in expected:
        assert any(file in ("*", found[0]) and kind in ("*", found[1]) for found in faults), faults
    if not any("*" in pair for pair in expected):
        assert faults == expected


def resealed(corpus: Path, name: str, content: bytes) -> None:
    """Write a file and its sum, as somebody would who is sure of himself."""
    former = hashlib.sha256((corpus / name).read_bytes()).hexdigest()
    (corpus / name).write_bytes(content)
    sums = (corpus / "SHA256SUMS").read_text().replace(former, hashlib.sha256(content).hexdigest())
    (corpus / "SHA256SUMS").write_text(sums)


def indexed(corpus: Path, column: str, row: int, change: int) -> None:
    """Change a number of the frame index, which has a row for each shard of train."""
    index = np.load(corpus / FRAMES)
    index[column][row] += change
    np.save(corpus / "changed.npy", index)
    content = (corpus / "changed.npy").read_bytes()
    (corpus / "changed.npy").unlink()
    resealed(corpus, FRAMES, content)


@pytest.mark.parametrize(
    ("column", "row", "change"),
    [("shard", 1, 1), ("document", 0, 1), ("offset", 2, 1), ("size", 2, 1), ("content", 1, 1), ("shard", 2, 9)],
)
def test_an_index_that_is_wrong_is_found_whatever_its_sum_says(
    corpus: Path, column: str, row: int, change: int
) -> None:
    indexed(corpus, column, row, change)
    faults = verify(Storage(str(corpus))).faults
    assert {(fault.file, fault.fault) for fault in faults} == {(FRAMES, "index")}


def test_what_the_manifest_says_of_documents_must_be_what_the_index_says(corpus: Path) -> None:
    manifest = json.loads((corpus / "manifest.json").read_bytes())
    for documents in (0, -10_000):
        manifest["shards"][0]["documents"] = documents
        resealed(corpus, "manifest.json", json.dumps(manifest).encode())
        assert {(fault.file, fault.fault) for fault in verify(Storage(str(corpus))).faults} == {(FRAMES, "index")}


def test_content_is_compared_where_it_is_asked_for(corpus: Path) -> None:
    assert verify(Storage(str(corpus)), content=True).intact
    manifest = json.loads((corpus / "manifest.json").read_bytes())
    manifest["shards"][1]["content_sha256"] = "0" * 64
    manifest["shards"][2]["documents"] += 1
    resealed(corpus, "manifest.json", json.dumps(manifest).encode())
    assert verify(Storage(str(corpus))).intact
    faults = verify(Storage(str(corpus)), content=True).faults
    assert [(fault.file, fault.fault) for fault in faults] == [
        ("train/01.jsonl.zst", "content"),
        (FRAMES, "index"),
        ("train/02.jsonl.zst", "content"),
    ]


def test_an_intact_corpus_verifies_and_sha256sum_agrees(corpus: Path) -> None:
    finding = verify(Storage(str(corpus)))
    assert finding.intact
    assert finding.documents == 200
    checked = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=corpus, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    assert len(checked.stdout.splitlines()) == finding.files


def test_the_fingerprint_can_be_had_without_this_software(corpus: Path) -> None:
    command = "grep jsonl.zst SHA256SUMS | grep -v examples | sha256sum"
    done = subprocess.run(command, shell=True, cwd=corpus, capture_output=True, text=True, check=True)
    assert f"sha256:{done.stdout.split()[0]}" == verify(Storage(str(corpus))).fingerprint


@pytest.mark.parametrize("damaged", [False, True])
def test_the_command_says_it_to_machines_and_by_its_status(corpus: Path, damaged: bool) -> None:
    if damaged:
        flip(corpus / "train/00.jsonl.zst")
    command = [sys.executable, "-c", "from pile.cli import main; main()", "verify", str(corpus), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == (1 if damaged else 0)
    answer = json.loads(done.stdout)
    assert answer["intact"] is not damaged
    assert [fault["file"] for fault in answer["faults"]] == (["train/00.jsonl.zst"] if damaged else [])


def test_files_of_its_owner_do_not_trouble_a_corpus(corpus: Path) -> None:
    (corpus / "NOTES.txt").write_text("mine")
    assert verify(Storage(str(corpus))).intact
