"""Bad recipes exit 2 and name the key and the choices."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pile.errors import PileError, RequestError
from pile.recipe import load

GOOD = """
name = "toy"
seed = 1
[output]
shards = 2
[sources.mine]
use = "local"
epochs = 1.0
options = { paths = ["a.jsonl"] }
filters = [{ use = "length" }]
[dedup]
threshold = 0.8
"""

BAD = [
    ("seed = 1", "sead = 1", ["'sead'", "'seed'", "dedup, name, output, seed, sources"]),
    ("seed = 1", 'seed = "x"', ["seed", "int"]),
    ("shards = 2", "shard = 2", ["[output]", "'shard'", "'shards'"]),
    ("shards = 2", "shards = 0", ["shards = 0", "at least 1"]),
    ("shards = 2", "splits = { train = 0.1 }", ["splits", "'train'", "test, validation"]),
    ("shards = 2", "splits = { test = 1.5 }", ["splits.test = 1.5", "share"]),
    ("shards = 2", "level = 99", ["level = 99", "1 to 22"]),
    ("epochs = 1.0", "epoch = 1.0", ["[sources.mine]", "'epoch'", "'epochs'"]),
    ("epochs = 1.0", "epochs = -1.0", ["[sources.mine]", "epochs = -1", "from 0"]),
    ("epochs = 1.0", "epochs = nan", ["[sources.mine]", "epochs = nan"]),
    ("epochs = 1.0", 'epochs = "two"', ["[sources.mine]", "epochs", "float"]),
    ("epochs = 1.0", 'on_damage = "ignore"', ["[sources.mine]", "on_damage"]),
    ('use = "local"', 'use = "locl"', ["'locl'", "did you mean 'local'", "common_crawl", "wikipedia"]),
    ('use = "local"', 'use = "nothing.here:Source"', ["nothing.here", "cannot be loaded"]),
    ('use = "local"', "", ["[sources.mine]", "'use' is missing"]),
    ("paths =", "path =", ["[sources.mine]", "'path'", "'paths'", "id_field"]),
    ('["a.jsonl"]', '"a.jsonl"', ["[sources.mine]", "paths", "array"]),
    ('use = "length"', 'use = "lenght"', ["'lenght'", "'length'", "language"]),
    ('use = "length"', 'use = "length", longest = 1', ["filter 'length'", "'longest'"]),
    ("threshold = 0.8", "treshold = 0.8", ["[dedup]", "'treshold'", "'threshold'"]),
    ("threshold = 0.8", "threshold = 1.8", ["[dedup]", "threshold"]),
    ('name = "toy"', 'name = "to/y"', ["name 'to/y'", "letters"]),
    ("[sources.mine]", "[source.mine]", ["'source'", "'sources'"]),
    ("[dedup]", "[dedup", ["is not TOML"]),
]


@pytest.mark.parametrize(("good", "bad", "says"), BAD, ids=[bad or "no use" for _, bad, _ in BAD])
def test_a_bad_recipe_is_refused_with_the_key_and_the_choices(
    tmp_path: Path, good: str, bad: str, says: list[str]
) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(GOOD.replace(good, bad))
    with pytest.raises(RequestError) as caught:
        load(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    for word in says:
        assert word in message


def test_a_good_recipe_keeps_the_order_of_its_sources(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(GOOD + '[sources.another]\nuse = "local"\noptions = { paths = ["b.jsonl"] }\n')
    recipe = load(path)
    assert list(recipe.sources) == ["mine", "another"]
    assert recipe.lock_path == tmp_path / "recipe.lock.json"


@pytest.mark.parametrize("arguments", [["build", "missing.toml"], ["build"], ["bild", "x"], ["plan", "missing.toml"]])
def test_a_wrong_request_exits_2_without_a_traceback(tmp_path: Path, arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from pile.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr


def test_a_local_path_that_matches_nothing_is_a_wrong_request(tmp_path: Path, build) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(PileError) as caught:
        build(GOOD.replace("filters", "#filters"))
    assert caught.value.exit_status == 2
    assert "a.jsonl" in str(caught.value)
