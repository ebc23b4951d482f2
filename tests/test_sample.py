"""The sample corpus: the same bytes for any workers and executor, every document accounted for, after any crash."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import zstandard

from pile.executor import Executor, LocalExecutor
from pile.manifest import Manifest

#: The command as a user calls it.
PILE = [sys.executable, "-c", "from pile.cli import main; main()"]


@pytest.fixture
def recipe(root: Path, tmp_path: Path) -> Path:
    """A copy of the sample recipe without its lock, so that a test writes nothing into the checkout."""
    return Path(shutil.copy(root / "manifests" / "sample.toml", tmp_path / "sample.toml"))


@pytest.fixture(scope="module")
def sample(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample corpus, built once by the command that the README gives."""
    folder = tmp_path_factory.mktemp("sample")
    shutil.copy(root / "manifests" / "sample.toml", folder)
    done = run(folder, root, "--workers", "2")
    assert done.returncode == 0, done.stderr
    (folder / "printed").write_text(done.stdout)
    return folder


def run(folder: Path, root: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [*PILE, "build", "sample.toml", "--mirror", str(root / "tests/data/mirror"), *more]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def manifest_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "build/sample/manifest.json").read_bytes())
    return found


def sums(out: Path) -> str:
    return (out / "SHA256SUMS").read_text()


@pytest.mark.parametrize("workers", [1, 3])
def test_any_number_of_workers_gives_the_same_bytes(
    sample: Path, root: Path, recipe: Path, build, tmp_path: Path, workers: int
) -> None:  # type: ignore[no-untyped-def]
    with LocalExecutor(workers) as executor:
        build(recipe, executor=executor, mirror=root / "tests/data/mirror")
    assert sums(tmp_path / "out") == sums(sample / "build/sample")


def test_ray_gives_the_same_bytes(
    sample: Path, root: Path, recipe: Path, build, tmp_path: Path, ray_executor: Executor
) -> None:  # type: ignore[no-untyped-def]
    build(recipe, executor=ray_executor, mirror=root / "tests/data/mirror")
    assert sums(tmp_path / "out") == sums(sample / "build/sample")


def test_the_lock_of_the_checkout_is_the_one_that_a_build_makes(sample: Path, root: Path) -> None:
    assert (sample / "sample.lock.json").read_bytes() == (root / "manifests/sample.lock.json").read_bytes()


def test_a_build_ends_with_its_funnels_its_path_and_its_fingerprint(sample: Path) -> None:
    printed = (sample / "printed").read_text().splitlines()
    manifest = manifest_of(sample)
    assert printed[-1] == manifest["fingerprint"]
    assert printed[-2].endswith("build/sample")
    for source in manifest["sources"]:
        assert any(line.startswith(f"{source} (") for line in printed)


def test_every_document_is_accounted_for_at_every_stage(sample: Path) -> None:
    manifest = manifest_of(sample)
    for record in manifest["sources"].values():
        before = None
        for facts in record["funnel"].values():
            assert facts["in"] == facts["out"] + sum(facts["drops"].values())
            assert before in (None, facts["in"])
            before = facts["out"]
    lines = sum(count for record in manifest["sources"].values() for count in record["lines"].values())
    assert lines == sum(shard["documents"] for shard in manifest["shards"])


def test_every_record_meets_the_fate_that_was_written_for_it(sample: Path, root: Path) -> None:
    expected = tomllib.loads((root / "tests/data/expected.toml").read_text())
    done = subprocess.run(
        [*PILE, "inspect", str(sample / "build/sample"), "--count", "100000", "--json"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    fates = {}
    for line in done.stdout.splitlines():
        example = json.loads(line)
        fates.setdefault(example["id"], set()).add(example["reason"])
    for source, records in expected.items():
        for native, fate in records.items():
            assert fate in fates.get(f"{source}:{native}", set()), (
                f"{source}:{native}: {fates.get(f'{source}:{native}')}"
            )
    assert set(fates) == {f"{source}:{native}" for source, records in expected.items() for native in records}


def test_the_datasets_library_and_plain_zstandard_read_the_shards(sample: Path, tmp_path: Path) -> None:
    import datasets

    shards = sorted((sample / "build/sample/train").glob("*.jsonl.zst"))
    loaded = datasets.load_dataset(
        "json", data_files=[str(path) for path in shards], split="train", cache_dir=str(tmp_path / "cache")
    )
    plain = []
    for path in shards:
        with open(path, "rb") as file:
            content = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True).read()
        plain += [json.loads(line) for line in content.splitlines()]
    assert len(plain) == sum(s["documents"] for s in manifest_of(sample)["shards"] if s["split"] == "train")
    assert list(loaded["text"]) == [line["text"] for line in plain]
    assert all(line["meta"]["pile_set_name"] in manifest_of(sample)["sources"] for line in plain)


def test_validation_and_test_share_no_cluster_with_train(sample: Path) -> None:
    seen: dict[str, set[str]] = {}
    for path in (sample / "build/sample").rglob("*.jsonl.zst"):
        if path.name.startswith("examples"):
            continue
        with open(path, "rb") as file:
            content = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True).read()
        split = path.name.split(".")[0] if path.parent.name != "train" else "train"
        seen.setdefault(split, set()).update(json.loads(line)["meta"]["id"] for line in content.splitlines())
    assert len(seen) == 3
    assert not seen["train"] & seen["validation"] | seen["train"] & seen["test"] | seen["validation"] & seen["test"]


def finished_results(folder: Path) -> dict[str, int]:
    """Return every finished result of a work folder with the time it was written, while a build writes there."""
    stages = [entry for entry in os.scandir(folder / ".pile") if entry.is_dir()] if (folder / ".pile").exists() else []
    found = {}
    for stage in stages:
        with suppress(FileNotFoundError):  # what the build takes away between two looks is no result
            for key in os.scandir(stage) if stage.name not in ("tmp", "downloads") else []:
                facts = Path(key.path) / "facts.json"
                if facts.exists():
                    found[str(facts)] = facts.stat().st_mtime_ns
    return found


@pytest.mark.slow
def test_a_build_killed_at_20_moments_resumes_to_the_same_fingerprint(
    sample: Path, root: Path, recipe: Path, tmp_path: Path
) -> None:
    """The moments are spread evenly over the results of a whole build, the sealing among them."""
    whole = len(finished_results(sample)) + len(list((sample / "build/sample").rglob("*.zst")))
    moments = [max(1, whole * step // 21) for step in range(1, 21)]
    command = [*PILE, "build", "sample.toml", "--mirror", str(root / "tests/data/mirror"), "--workers", "2"]
    killed = 0
    done_before: dict[str, int] = {}
    for moment in moments:
        process = subprocess.Popen(
            command,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(root)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while process.poll() is None:
            shards = len(list((tmp_path / "build").rglob("*.zst"))) if (tmp_path / "build").exists() else 0
            if len(finished_results(tmp_path)) + shards >= moment:
                process.send_signal(signal.SIGKILL)
                killed += 1
            time.sleep(0.002)
        process.wait()
        now = finished_results(tmp_path)
        assert {path: now.get(path) for path in done_before} == done_before, "a finished result was done again"
        done_before = now
    assert killed >= 19  # the last moment may fall after the end
    done = run(tmp_path, root, "--workers", "2")
    assert done.returncode == 0, done.stderr
    assert sums(tmp_path / "build/sample") == sums(sample / "build/sample")
    assert finished_results(tmp_path).keys() >= done_before.keys()


def test_manifest_types_match_what_is_written(sample: Path) -> None:
    import msgspec

    manifest = msgspec.json.decode((sample / "build/sample/manifest.json").read_bytes(), type=Manifest)
    assert manifest.name == "sample"
    assert {shard.split for shard in manifest.shards} == {"train", "validation", "test"}
