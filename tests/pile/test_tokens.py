"""Budgets in tokens: counted by a named tokenizer in the first documents of a finished corpus, and in nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import tokenizers

from pile import tokens
from pile.cli import main

RECIPE = """
name = "built"
[sources.short]
use = "local"
options = { paths = ["short.jsonl"] }
[sources.long]
use = "local"
epochs = EPOCHS
options = { paths = ["long.jsonl"] }
"""

Weights = Callable[..., tuple[int, str, str]]


@pytest.fixture
def weights(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Weights:
    def run(*arguments: object) -> tuple[int, str, str]:
        command = ["pile", "weights", "recipe.toml", "--out", "out", *map(str, arguments)]
        monkeypatch.setattr("sys.argv", command)
        with pytest.raises(SystemExit) as caught:
            main()
        captured = capsys.readouterr()
        return int(caught.value.code or 0), captured.out, captured.err

    return run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Texts of 50 bytes: 30 of 25 words of one letter, 20 of two words; and a tokenizer to which a word is a token."""
    monkeypatch.chdir(tmp_path)
    texts = {
        "short": ["a b " * 12 + "c\u00fc" for _ in range(30)],
        "long": ["a" * 24 + " " + "b" * 25 for _ in range(20)],
    }
    for name, found in texts.items():
        lines = [json.dumps({"id": str(n), "text": text}) for n, text in enumerate(found)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel({"a": 0, "?": 1}, unk_token="?"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    made.enable_truncation(5)
    made.save(str(tmp_path / "words.json"))
    return tmp_path


BUDGET = ("--scheme", "proportional", "--budget", "1.58K tokens")


def build_recipe(build, epochs: float = 2.0) -> None:  # type: ignore[no-untyped-def]
    build(RECIPE.replace("EPOCHS", str(epochs)))


def test_a_budget_in_tokens_is_reached_by_what_each_source_has_of_them(folder: Path, weights: Weights, build) -> None:  # type: ignore[no-untyped-def]
    build_recipe(build)
    status, out, said = weights(*BUDGET, "--tokenizer", "words.json", "--json")
    assert status == 0
    rows = {row["component"]: row for row in json.loads(out)}
    assert (rows["short"]["tokens"], rows["long"]["tokens"]) == (750, 40)
    assert rows["short"]["epochs"] == rows["long"]["epochs"] == 2.0
    assert sum(row["effective_tokens"] for row in rows.values()) == 1580
    digest = hashlib.sha256((folder / "words.json").read_bytes()).hexdigest()
    assert f"words.json (sha256:{digest})" in said
    assert "short: 0.4902 a byte, by 30 documents of 1,530 bytes" in said


def test_equal_tokens_are_not_equal_bytes(folder: Path, weights: Weights, build) -> None:  # type: ignore[no-untyped-def]
    build_recipe(build)
    _, out, _ = weights(
        "--scheme", "unimax", "--max-epochs", 9, "--budget", "300tokens", "--tokenizer", "words.json", "--json"
    )
    assert {row["component"]: row["epochs"] for row in json.loads(out)} == {"short": 0.2, "long": 3.75}


def test_a_name_is_fetched_from_its_hub_through_the_mirror(folder: Path, weights: Weights, build) -> None:  # type: ignore[no-untyped-def]
    build_recipe(build)
    for revision in ("main", "v2"):
        place = folder / "mirror/huggingface.co/me/tiny/resolve" / revision
        place.mkdir(parents=True)
        (place / "tokenizer.json").write_bytes((folder / "words.json").read_bytes())
    for name, revision in (("me/tiny", "main"), ("me/tiny@v2", "v2")):
        status, out, _ = weights(*BUDGET, "--tokenizer", name, "--mirror", folder / "mirror")
        assert status == 0
        assert f"https://huggingface.co/me/tiny/resolve/{revision}/tokenizer.json (sha256:" in out
    status, _, error = weights(*BUDGET, "--tokenizer", "me/other", "--mirror", folder / "mirror")
    assert status != 0
    assert "me/other" in error and error.count("\n") == 1


def test_only_as_many_documents_are_read_as_are_needed(folder: Path, weights: Weights, build, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    build_recipe(build)
    monkeypatch.setattr(tokens, "ENOUGH_DOCUMENTS", 7)
    _, out, _ = weights(*BUDGET, "--tokenizer", "words.json")
    assert "short: 0.4902 a byte, by 7 documents of 357 bytes" in out
    assert "long: 0.0400 a byte, by 7 documents of 350 bytes" in out


def test_a_source_that_no_document_is_of_is_named(folder: Path, weights: Weights, build) -> None:  # type: ignore[no-untyped-def]
    build_recipe(build, epochs=0.0)
    status, _, error = weights(*BUDGET, "--tokenizer", "words.json")
    assert status == 1
    assert "no document of long is among the first" in error


REFUSED = [
    (BUDGET, ["--tokenizer"]),
    ((*BUDGET, "--tokenizer", "none.json"), ["none.json: no such file"]),
    ((*BUDGET, "--tokenizer", "short.jsonl"), ["short.jsonl is no tokenizer"]),
    (("--scheme", "proportional", "--budget", "3MB", "--tokenizer", "words.json"), ["--tokenizer", "take it out"]),
    (("--tokenizer", "words.json"), ["--scheme"]),
]


@pytest.mark.parametrize(("arguments", "says"), REFUSED, ids=[" ".join(arguments) for arguments, _ in REFUSED])
def test_what_cannot_be_counted_is_refused_in_one_line(
    folder: Path, weights: Weights, build, arguments: tuple[str, ...], says: list[str]
) -> None:  # type: ignore[no-untyped-def]
    build_recipe(build)
    status, out, error = weights(*arguments)
    assert (status, out) == (2, "")
    assert error.count("\n") == 1
    for words in says:
        assert words in error


def test_tokens_need_a_finished_build(folder: Path, weights: Weights) -> None:
    recipe = "name = 'given'\n[sources.one]\nbytes = 3\ndocuments = 1\n"
    (folder / "recipe.toml").write_text(recipe)
    status, _, error = weights(*BUDGET, "--tokenizer", "words.json")
    assert status == 2
    assert "finished corpus" in error and "pile build" in error
