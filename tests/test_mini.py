"""The mini corpus, of real material: the same bytes for any workers and executor, and every record accounted for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pile.build import Built
from pile.executor import Executor, LocalExecutor
from pile.progress import Progress
from pile.storage import Storage
from pile.verify import verify
from tests.brute_force import near_pairs, split_of

pytestmark = pytest.mark.slow


def recipe_in(folder: Path, root: Path) -> Path:
    """Copy the recipe with its lock, so that what the checkout pins is what is built, and nothing is written there."""
    shutil.copy(root / "manifests/mini.lock.json", folder / "mini.lock.json")
    return Path(shutil.copy(root / "manifests/mini.toml", folder / "mini.toml"))


@pytest.fixture(scope="module")
def mini(shared: Path, root: Path, tmp_path_factory: pytest.TempPathFactory, build_into) -> tuple[Path, Built]:  # type: ignore[no-untyped-def]
    folder = tmp_path_factory.mktemp("mini")
    with LocalExecutor(2) as executor:
        built, _ = build_into(folder, recipe_in(folder, root), executor, mirror=shared / "mirror")
    return folder, built


@pytest.mark.parametrize("workers", [1, 3])
def test_any_number_of_workers_gives_the_same_bytes(mini, shared, root, tmp_path, build_into, workers: int) -> None:  # type: ignore[no-untyped-def]
    with LocalExecutor(workers) as executor:
        build_into(tmp_path, recipe_in(tmp_path, root), executor, mirror=shared / "mirror")
    assert (tmp_path / "out/SHA256SUMS").read_bytes() == (mini[0] / "out/SHA256SUMS").read_bytes()


def test_ray_gives_the_same_bytes(mini, shared, root, tmp_path, build_into, ray_executor: Executor) -> None:  # type: ignore[no-untyped-def]
    build_into(tmp_path, recipe_in(tmp_path, root), ray_executor, mirror=shared / "mirror")
    assert (tmp_path / "out/SHA256SUMS").read_bytes() == (mini[0] / "out/SHA256SUMS").read_bytes()


def test_every_record_is_accounted_for(mini: tuple[Path, Built]) -> None:
    records = {"wikipedia": 206, "arxiv": 14, "pubmed": 132, "pile-cc": 1475}
    for name, record in mini[1].manifest.sources.items():
        before = None
        for facts in record.funnel.values():
            assert facts["in"] == facts["out"] + sum(facts["drops"].values())
            assert before in (None, facts["in"])
            before = facts["out"]
        if name in records:
            assert record.funnel["extract"]["in"] == records[name]
        assert record.documents > 0


def test_it_verifies_and_a_second_run_does_nothing(mini, shared: Path, local_executor: Executor, build_into) -> None:  # type: ignore[no-untyped-def]
    folder, built = mini
    assert verify(Storage(str(folder / "out"))).intact
    again, progress = build_into(folder, folder / "mini.toml", local_executor, mirror=shared / "mirror")
    assert isinstance(progress, Progress)
    assert (again.fresh, progress.done) == (False, 0)
    assert again.manifest == built.manifest


def test_by_brute_force_no_two_documents_are_near_duplicates_and_none_of_them_apart(mini: tuple[Path, Built]) -> None:
    out, threshold = mini[0] / "out", mini[1].manifest.recipe["dedup"]["threshold"]
    splits = split_of(out)
    assert {split: list(splits.values()).count(split) > 10 for split in splits.values()} == dict.fromkeys(
        ("train", "validation", "test"), True
    )
    assert near_pairs(out, threshold) == []
    assert near_pairs(out, 0.5)  # it does find what is there
