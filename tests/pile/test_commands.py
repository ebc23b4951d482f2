"""What the command line imports, which is what a person waits for before anything begins."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from pile.recipe import modules, read

RECIPE = """
name = "web"
[sources.web]
use = "common_crawl"
filters = [{ use = "language", keep = ["en"] }, { use = "own:Filter" }]
[dedup]
"""


@pytest.mark.parametrize(
    ("imported", "late"),
    [
        ("pile.cli", ("typer", "msgspec")),
        ("pile.commands", ("numpy", "httpx", "fsspec", "botocore", "ray")),
        ("pile.weights_command", ("pile.executor", "numpy", "scipy", "tomlkit", "httpx", "ray")),
        ("pile.build", ("httpx", "fsspec", "botocore", "ray")),
        ("sources.common_crawl, dedup.minhash", ("trafilatura", "warcio")),
    ],
)
def test_what_most_runs_do_not_need_is_imported_late(imported: str, late: tuple[str, ...]) -> None:
    code = f"import sys, {imported}; print(*(set({late!r}) & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_workers_import_beforehand_what_ships_with_pile_and_nothing_of_a_persons_own(tmp_path: Path) -> None:
    (tmp_path / "web.toml").write_text(RECIPE)
    found = modules(read(tmp_path / "web.toml"))
    assert {"sources.common_crawl", "sources.page_document", "filters.language", "dedup.minhash"} <= set(found)
    assert not any(name.startswith("own") for name in found)
    for name in found:
        import_module(name)
