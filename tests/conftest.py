"""Fixtures of the whole suite: where the shared material is, both executors, and builds of small recipes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from pile.build import Build, Built
from pile.executor import Executor, LocalExecutor, RayExecutor
from pile.fetch import Upstream
from pile.progress import Progress
from pile.recipe import load
from pile.stage import Work
from pile.storage import Storage

ROOT = Path(__file__).resolve().parents[1]

# How long an example takes says something of the machine, which others may be using, and nothing of what is tested.
settings.register_profile("pile", deadline=None)
settings.load_profile("pile")


GZIP = b"\x1f\x8b"


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name gzip by its length: its bytes have the time in them, and processes that share out tests must name them alike."""
    return f"{len(val)} bytes with gzip" if isinstance(val, bytes) and GZIP in val else None


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real material; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("PILE_SHARED", ROOT.parent / "shared"))
    if not (folder / "mirror").is_dir():
        pytest.skip(f"no real material at {folder}")
    return folder


@pytest.fixture(scope="session")
def test_plugins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder on every process's path, for sources and filters that tests write."""
    folder = tmp_path_factory.mktemp("plugins")
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(folder), str(ROOT), *([before] if before else [])])
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


@pytest.fixture(scope="session")
def local_executor(test_plugins: Path) -> Iterator[Executor]:
    with LocalExecutor(2) as executor:
        yield executor


@pytest.fixture(scope="session")
def ray_executor(test_plugins: Path) -> Iterator[Executor]:
    with RayExecutor(2) as executor:
        yield executor


@pytest.fixture(params=["local", "ray"])
def executor(request: pytest.FixtureRequest) -> Executor:
    """Every test that asks for it runs on both."""
    found: Executor = request.getfixturevalue(f"{request.param}_executor")
    return found


#: Builds a recipe, and gives the build's result and its progress.
Builder = Callable[..., tuple[Built, Progress]]


@pytest.fixture(scope="session")
def build_into() -> Builder:
    """``build_into(folder, recipe, executor, out=..., work=..., mirror=...)`` builds into a folder of the caller's."""

    def run(
        folder: Path,
        recipe: Path,
        executor: Executor,
        out: str | Path | None = None,
        work: str | Path | None = None,
        mirror: str | Path | None = None,
    ) -> tuple[Built, Progress]:
        loaded = load(recipe)
        progress = Progress(quiet=True)
        store, results = Storage(str(out or folder / "out")), Work(str(work or folder / "work"))
        with Upstream(mirror=str(mirror) if mirror else None, base=loaded.folder) as upstream:
            return Build(loaded, store, results, upstream, executor, progress).build(), progress

    return run


@pytest.fixture
def build(tmp_path: Path, local_executor: Executor, build_into: Builder) -> Builder:
    """``build(recipe, executor=..., ...)`` builds a recipe given as text or as a path, in this test's own folder."""

    def run(recipe: str | Path, executor: Executor | None = None, **more: str | Path) -> tuple[Built, Progress]:
        path = recipe if isinstance(recipe, Path) else tmp_path / "recipe.toml"
        if isinstance(recipe, str):
            path.write_text(recipe)
        return build_into(tmp_path, path, executor or local_executor, **more)

    return run
