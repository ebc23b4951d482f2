"""`pile dedup` on a person's own files, as they run it: what stays, what is said, and what is refused."""

from __future__ import annotations

import gzip
import json
import os
import random
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from pile.shards import read_lines

Run = Callable[..., "subprocess.CompletedProcess[str]"]
WORDS = [
    f"{a}{b}"
    for a in ("mill", "stone", "gate", "rain", "lock", "barn")
    for b in ("er", "s", "ing", "yard", "ed", "man")
]


def text(number: int, words: int = 60) -> str:
    return " ".join(random.Random(number).choices(WORDS, k=words))


def line(content: str, **more: Any) -> str:
    return json.dumps({"text": content, **more}) + "\n"


@pytest.fixture
def pile(tmp_path: Path, root: Path) -> Run:
    """Run the command line in this test's folder."""

    def run(*arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(root)}
        command = [sys.executable, "-c", "from pile.cli import main; main()", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, text=True, capture_output=True, **more)

    return run


def kept(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(found) for shard in sorted(folder.glob("train/*")) for found in read_lines(shard)]


def test_loose_files_of_any_compression_become_a_corpus_that_verifies(tmp_path: Path, pile: Run) -> None:
    (tmp_path / "a.jsonl").write_text("".join(line(text(n), id="same") for n in range(6)))
    (tmp_path / "b.jsonl.gz").write_bytes(
        gzip.compress("".join(line(text(n) + " more", id=n) for n in range(4)).encode())
    )
    lines = line(text(4)).encode() + line(text(9)).encode() + line("").encode()
    (tmp_path / "c c.jsonl.zst").write_bytes(zstandard.compress(lines))
    done = pile("dedup", "a.jsonl", "b.jsonl.gz", "c c.jsonl.zst", "--out", "out", "--workers", "1")
    assert done.returncode == 0, done.stderr
    assert sorted(found["text"] for found in kept(tmp_path / "out")) == sorted([*(text(n) for n in range(6)), text(9)])
    assert {found["meta"]["original_id"] for found in kept(tmp_path / "out") if "original_id" in found["meta"]} == {
        "same"
    }
    assert pile("verify", "out").returncode == 0
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert [s["funnel"]["dedup"]["drops"] for s in manifest["sources"].values()] == [
        {},
        {"near_duplicate": 4},
        {"exact_duplicate": 1},
    ]
    shown = pile("inspect", "out", "--reason", "near_duplicate", "--count", "1").stdout
    assert "kept instead: a:a.jsonl:" in shown
    assert "(Jaccard 0.98" in shown
    assert "{+more+}" in shown


def test_more_files_later_read_only_their_own_texts(tmp_path: Path, pile: Run) -> None:
    (tmp_path / "a.jsonl").write_text("".join(line(text(n)) for n in range(5)))
    (tmp_path / "b.jsonl").write_text("".join(line(text(n)) for n in range(9, 2, -1)))
    first = pile("dedup", "a.jsonl", "--out", "one", "--workers", "1").stdout
    assert "sign 1 done;" in first
    assert "extract 1 done, 1 reused" in pile("dedup", "a.jsonl", "b.jsonl", "--out", "both", "--workers", "1").stdout
    again = pile("dedup", "a.jsonl", "--out", "again", "--workers", "1").stdout
    assert "sign 0 done, 1 reused" in again
    assert again.splitlines()[-1] == first.splitlines()[-1]
    assert len(kept(tmp_path / "both")) == 10


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b'{"text": "fine"}\n{"text": "\xff\xfe"}\n', "bad.jsonl line 2: line is not valid utf-8"),
        (b'{"text": "fine"}\n\n{"text": "cut\n', "bad.jsonl line 3: line contains invalid json"),
        (b"[1]\n", "bad.jsonl line 1: not an object"),
        (b'{"body": "x"}\n', "bad.jsonl line 1: no field 'text'"),
        (b'{"text": 7}\n', "bad.jsonl line 1: 'text' is not text"),
        (gzip.compress(b'{"text": "' + b"x" * 9_000 + b'"}\n')[:-9], "bad.jsonl at byte"),
    ],
)
def test_bad_data_ends_with_one_and_the_file_and_line(tmp_path: Path, pile: Run, content: bytes, place: str) -> None:
    (tmp_path / "bad.jsonl").write_bytes(content)
    done = pile("dedup", "bad.jsonl", "--out", "out", "--workers", "1")
    assert done.returncode == 1
    assert place in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out/SHA256SUMS").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("none.jsonl", "--out", "out"),
        ("a.jsonl",),
        ("--out", "out"),
        (".", "--out", "out"),
        ("a.jsonl", "--out", "out", "--threshold", "0"),
        ("a.jsonl", "--out", "out", "--threshold", "high"),
        ("a.jsonl", "--out", "a.jsonl"),
    ],
)
def test_a_bad_request_ends_with_two(tmp_path: Path, pile: Run, arguments: tuple[str, ...]) -> None:
    (tmp_path / "a.jsonl").write_text(line(text(1)))
    assert pile("dedup", *arguments).returncode == 2


def test_without_verification_the_report_says_what_it_would_have_spared(tmp_path: Path, pile: Run) -> None:
    base = text(1, 200).split()
    changed = [" ".join([*base[:k], "other", *base[k + 1 :]]) for k in range(20, 180, 20)]
    (tmp_path / "a.jsonl").write_text("".join(line(found) for found in changed))
    done = pile("dedup", "a.jsonl", "--out", "out", "--threshold", "0.99", "--no-verify", "--workers", "1")
    assert done.returncode == 0, done.stderr
    removed = 8 - len(kept(tmp_path / "out"))
    assert removed > 0
    assert f"(not verified: of {removed} looked at, verification would spare {removed})" in done.stdout
    assert f"would spare {removed}" in (tmp_path / "out/report.md").read_text()


def test_a_disk_that_fills_up_stops_in_one_line_and_goes_on_when_there_is_room(tmp_path: Path, pile: Run) -> None:
    (tmp_path / "a.jsonl").write_text("".join(line(text(n, 30)) for n in range(4_000)))

    def little() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))

    full = pile("dedup", "a.jsonl", "--out", "out", "--workers", "1", preexec_fn=little)
    assert full.returncode == 1
    assert len(full.stderr.splitlines()) == 1
    assert "make room, then run the same command again" in full.stderr
    after = pile("dedup", "a.jsonl", "--out", "out", "--workers", "1")
    assert after.returncode == 0
    assert "extract 0 done, 1 reused" in after.stdout
    assert len(kept(tmp_path / "out")) == 4_000


def test_repeats_are_cut_from_all_texts_but_one_and_can_be_looked_at(tmp_path: Path, pile: Run) -> None:
    notice = "This notice stands at the end of every page of this old mill and says nothing new."
    (tmp_path / "a.jsonl").write_text("".join(line(f"{text(n)}\n\n{notice}") for n in range(5)))
    done = pile("dedup", "a.jsonl", "--repeats", "paragraphs", "--out", "out", "--workers", "1")
    assert done.returncode == 0, done.stderr
    assert sum(notice in row["text"] for row in kept(tmp_path / "out")) == 1
    assert {row["text"].removesuffix(f"\n\n{notice}") for row in kept(tmp_path / "out")} == {text(n) for n in range(5)}
    shown = pile("inspect", "out", "--reason", "repeated_text")
    assert shown.stdout.count(notice) == 4
    wrong = pile("dedup", "a.jsonl", "--repeats", "sentences", "--out", "out2", "--workers", "1")
    assert (wrong.returncode, "sentences" in wrong.stderr, wrong.stderr.count("\n")) == (2, True, 1)


@pytest.mark.slow
def test_on_ray_the_same_stages_give_the_same_bytes(tmp_path: Path, pile: Run) -> None:
    notice = "This notice stands at the end of every page of this old mill and says nothing new."
    for name, numbers in (("a", range(40)), ("b", range(20, 70))):
        (tmp_path / f"{name}.jsonl").write_text(
            "".join(line(f"{text(n)} {name}\n\n{notice if n % 3 else ''}") for n in numbers)
        )
    last_lines = []
    for out, more in (("local", ("--workers", "2")), ("cluster", ("--ray", "", "--workers", "2"))):
        done = pile(
            "dedup", "a.jsonl", "b.jsonl", "--repeats", "paragraphs", "--out", out, "--work", f"work-{out}", *more
        )
        assert done.returncode == 0, done.stderr
        last_lines.append(done.stdout.splitlines()[-1])
    assert last_lines[0] == last_lines[1]
    assert 50 <= len(kept(tmp_path / "local")) < 90
