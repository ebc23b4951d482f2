"""`pile train`: files in every form to a model with its report, and one line for what is wrong."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from pile.cli import _with_each_file
from pile.training import average_precision, calibration, recall_at

ROOT = Path(__file__).resolve().parents[2]
NAMES = [chr(97 + n % 26) * 3 + chr(97 + n // 26) for n in range(80)]
GOOD = [f"{name} wrote that the committee met to consider the report on the harbour." for name in NAMES]
RAW = [f"{name} click buy cheap login cart home share tweet menu cookie" for name in NAMES]


def train(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    code = "from pile.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, "train", *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )


def lines(texts: list[str], field: str = "text") -> bytes:
    return "".join(json.dumps({field: text}) + "\n" for text in texts).encode()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "good.jsonl").write_bytes(lines(GOOD[:40]))
    (tmp_path / "more.jsonl.gz").write_bytes(gzip.compress(lines(GOOD[40:])))
    (tmp_path / "raw.jsonl.zst").write_bytes(zstandard.compress(lines(RAW)))
    return tmp_path


def test_a_model_and_its_report_are_written(files: Path) -> None:
    done = train(
        "quality",
        "--positive",
        "good.jsonl",
        "more.jsonl.gz",
        "--negative",
        "raw.jsonl.zst",
        "--out",
        "q.bin",
        folder=files,
    )
    assert done.returncode == 0, done.stderr
    assert "PR-AUC" in done.stdout
    report = json.loads((files / "q.bin.json").read_text())
    assert {row["source"] for row in report["sources"]} == {"good.jsonl", "more.jsonl.gz", "raw.jsonl.zst"}
    from filters.quality import Quality

    assert Quality(model=str(files / "q.bin"), sha256=report["sha256"])


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("poetry", "--positive", "good.jsonl", "--negative", "raw.jsonl.zst"), 2, "unknown training 'poetry'"),
        (("quality", "--positive", "absent*.jsonl", "--negative", "raw.jsonl.zst"), 2, "absent*.jsonl: no such file"),
        (("quality", "--positive", ".", "--negative", "raw.jsonl.zst"), 2, "is a folder"),
        (("quality", "--positive", "good.jsonl", "--negative", "good.jsonl"), 2, "as --positive and as --negative"),
        (("quality", "--positive", "bad.jsonl", "--negative", "raw.jsonl.zst"), 1, "bad.jsonl, line 2 is no JSON"),
        (("quality", "--positive", "field.jsonl", "--negative", "raw.jsonl.zst"), 1, "field.jsonl, line 1 has no text"),
        (("quality", "--positive", "cut.jsonl.gz", "--negative", "raw.jsonl.zst"), 1, "cut.jsonl.gz cannot be read"),
        (("quality", "--positive", "few.txt", "--negative", "raw.jsonl.zst"), 1, "positive texts teach nothing"),
    ],
)
def test_what_is_wrong_is_one_line(files: Path, arguments: tuple[str, ...], status: int, message: str) -> None:
    (files / "bad.jsonl").write_bytes(lines(GOOD[:1]) + b"{not json\n")
    (files / "field.jsonl").write_bytes(lines(GOOD, "body"))
    (files / "cut.jsonl.gz").write_bytes((files / "more.jsonl.gz").read_bytes()[:-20])
    (files / "few.txt").write_text(GOOD[0])
    done = train(*arguments, "--out", "q.bin", folder=files)
    assert done.returncode == status, done.stderr
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (files / "q.bin").exists()


def test_several_files_may_follow_one_option() -> None:
    given = ["train", "spam", "--positive", "a", "b", "--negative", "c", "--out", "m", "--positive", "d"]
    expected = [
        "train",
        "spam",
        "--positive",
        "a",
        "--positive",
        "b",
        "--negative",
        "c",
        "--out",
        "m",
        "--positive",
        "d",
    ]
    assert _with_each_file(given) == expected
    assert _with_each_file(["build", "--positive", "a", "b"]) == ["build", "--positive", "a", "b"]


def test_figures_of_a_known_ranking() -> None:
    scores, positive = np.array([0.9, 0.8, 0.7, 0.1]), np.array([True, False, True, False])
    assert average_precision(scores, positive) == pytest.approx((1 + 2 / 3) / 2)
    assert recall_at(scores, positive, 0.5) == 1
    assert recall_at(scores, positive, 0.0) == 0.5
    assert [(row.texts, row.positive) for row in calibration(scores, positive)] == [(1, 0), (1, 1), (1, 0), (1, 1)]


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.5, 0.9]), st.booleans()), min_size=1), st.randoms())
def test_equal_scores_have_one_precision_whatever_their_order(rows: list[tuple[float, bool]], random) -> None:  # type: ignore[no-untyped-def]
    mixed = rows.copy()
    random.shuffle(mixed)
    one, other = (
        average_precision(np.array([score for score, _ in table]), np.array([label for _, label in table]))
        for table in (rows, mixed)
    )
    assert one == pytest.approx(other)
    assert 0 <= one <= 1
