"""Quality buckets: a stored score or the size of a cluster decides how often a document is in the corpus."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from pile.buckets import Bucket, place_of
from pile.cli import main
from pile.errors import PileError, RecipeError
from pile.executor import Executor
from pile.recipe import load
from pile.shards import read_lines

RECIPE = """
name = "bucketed"
seed = 9
[sources.web]
use = "local"
epochs = 1.0
options = { paths = ["web.jsonl"] }
filters = [{ use = "length", min_words = 1, min_characters = 1 }]
buckets = [
  { score = "length.words", at_least = 30, epochs = 3.0 },  # the long ones
  { score = "cluster_size", at_least = 2, epochs = 2.0 },
  { score = "length.words", at_least = 20, epochs = 0.5 },
]

# Nothing is done to these.
[sources.books]
use = "local"
epochs = 2.0
options = { paths = ["books.jsonl"] }
[dedup]
threshold = 0.8
"""


def text(name: str, number: int, words: int) -> str:
    """Return words that no other text has; in letters, since deduplication takes all digits for one."""
    return " ".join(
        name + "".join(chr(97 + int(digit)) for digit in f"{number:03}{place:03}") for place in range(words)
    )


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Forty documents of 35 words, of 25 and of 10, twenty of 12 that are there twice; and ten books."""
    monkeypatch.chdir(tmp_path)
    texts = [text("long", n, 35) for n in range(40)] + [text("middle", n, 25) for n in range(40)]
    texts += [text("short", n, 10) for n in range(40)] + [text("twice", n // 2, 12) for n in range(40)]
    for name, lines in (("web", texts), ("books", [text("book", n, 50) for n in range(10)])):
        content = "\n".join(json.dumps({"id": str(n), "text": line}) for n, line in enumerate(lines))
        (tmp_path / f"{name}.jsonl").write_text(content + "\n")
    return tmp_path


def copies(out: Path) -> dict[str, Counter[str]]:
    """Return, by kind of document, how often each text is in train."""
    found: dict[str, Counter[str]] = {}
    for line in read_lines(out / "train" / "00.jsonl.zst"):
        words = json.loads(line)["text"]
        found.setdefault(words.split()[0][:-6], Counter())[words] += 1
    return found


def test_the_first_bucket_that_fits_decides_the_epochs(files: Path, build) -> None:  # type: ignore[no-untyped-def]
    built, _ = build(RECIPE)
    found = copies(files / "out")
    assert len(found["long"]) == 40 and set(found["long"].values()) == {3}
    assert len(found["twice"]) == 20 and set(found["twice"].values()) == {2}
    assert len(found["short"]) == 40 and set(found["short"].values()) == {1}
    assert 10 < len(found["middle"]) < 30 and set(found["middle"].values()) == {1}
    assert len(found["book"]) == 10 and set(found["book"].values()) == {2}
    record = built.manifest.sources["web"]
    assert [(one.name, one.documents) for one in record.buckets] == [
        ("length.words >= 30", 40),
        ("cluster_size >= 2", 20),
        ("length.words >= 20", 40),
        ("", 40),
    ]
    assert sum(one.text_bytes for one in record.buckets) == record.text_bytes
    assert built.manifest.sources["books"].buckets == []


def test_more_epochs_of_a_bucket_take_no_copy_away_and_repeat_only_the_mixture(files: Path, build) -> None:  # type: ignore[no-untyped-def]
    build(RECIPE)
    fewer = copies(files / "out")
    _, progress = build(RECIPE.replace("at_least = 20, epochs = 0.5", "at_least = 20, epochs = 1.25"))
    assert {name: count.done for name, count in progress.stages.items() if count.done} == {
        "spread": 1,
        "gather": 1,
        "seal": 1,
    }
    more = copies(files / "out")
    assert all(more["middle"][line] >= count for line, count in fewer["middle"].items())
    assert set(more["middle"].values()) == {1, 2}
    assert {kind: more[kind] for kind in ("long", "short", "twice", "book")} == {
        kind: fewer[kind] for kind in ("long", "short", "twice", "book")
    }


def test_buckets_give_the_same_bytes_on_every_executor(
    files: Path, tmp_path: Path, build, local_executor: Executor, ray_executor: Executor
) -> None:  # type: ignore[no-untyped-def]
    first, _ = build(RECIPE, executor=local_executor)
    second, _ = build(RECIPE, executor=ray_executor, out=tmp_path / "ray", work=tmp_path / "raywork")
    assert first.manifest == second.manifest


def test_buckets_that_all_have_the_sources_epochs_change_no_byte(files: Path, build) -> None:  # type: ignore[no-untyped-def]
    with_buckets = RECIPE.replace("epochs = 3.0 }", "epochs = 1.0 }").replace("epochs = 2.0 }", "epochs = 1.0 }")
    with_buckets = with_buckets.replace("epochs = 0.5", "epochs = 1.0")
    without = RECIPE[: RECIPE.index("buckets")] + RECIPE[RECIPE.index("# Nothing") :]
    first, _ = build(with_buckets)
    second, _ = build(without, out=files / "out2", work=files / "work2")
    assert first.manifest.fingerprint == second.manifest.fingerprint


def pile(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["pile", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


def test_buckets_are_weighed_and_written_like_sources(files: Path, build, monkeypatch, capsys) -> None:  # type: ignore[no-untyped-def]
    build(RECIPE)
    recipe = str(files / "recipe.toml")
    assert pile(monkeypatch, "weights", recipe, "--out", "out", "--json") == 0
    rows = {row["component"]: row for row in json.loads(capsys.readouterr().out)}
    assert [row["epochs"] for row in rows.values()] == [3.0, 2.0, 0.5, 1.0, 2.0]
    assert rows["web: length.words >= 30"]["documents"] == 40
    assert "web: rest" in rows and "books" in rows
    scheme = ("--scheme", "proportional", "--budget", "225docs", "--write")
    assert pile(monkeypatch, "weights", recipe, "--out", "out", *scheme) == 0
    assert "the long ones" in capsys.readouterr().out
    table = load(files / "recipe.toml").sources["web"]
    assert [bucket.epochs for bucket in table.buckets] == [1.5, 1.5, 1.5]
    assert table.epochs == 1.5
    again, progress = build(files / "recipe.toml")
    assert {name for name, count in progress.stages.items() if count.done} == {"spread", "gather", "seal"}
    assert sum(again.manifest.sources["web"].lines.values()) == pytest.approx(1.5 * 140, abs=20)


def test_a_bucket_that_nothing_fell_into_keeps_its_epochs(files: Path, build, monkeypatch, capsys) -> None:  # type: ignore[no-untyped-def]
    build(RECIPE.replace("at_least = 30", "at_least = 99"))
    scheme = ("--scheme", "unimax", "--max-epochs", "4", "--budget", "100docs", "--json")
    assert pile(monkeypatch, "weights", str(files / "recipe.toml"), "--out", "out", *scheme) == 0
    rows = {row["component"]: row["epochs"] for row in json.loads(capsys.readouterr().out)}
    assert rows["web: length.words >= 99"] == 3.0
    assert rows["web: length.words >= 20"] == 25 / 80


def test_buckets_that_no_build_has_measured_cannot_be_weighed(files: Path, build, monkeypatch, capsys) -> None:  # type: ignore[no-untyped-def]
    build(RECIPE)
    recipe = files / "recipe.toml"
    recipe.write_text(RECIPE.replace("at_least = 30", "at_least = 31"))
    assert pile(monkeypatch, "weights", str(recipe), "--out", "out") == 2
    assert "the buckets of web hold is not known: run `pile build" in capsys.readouterr().err


BAD = [
    ("length.words", "lenght.words", ["bucket 1", "'lenght.words'", "cluster_size, length.SCORE"]),
    ("length.words", "length", ["bucket 1", "'length'"]),
    ("at_least = 30", "at_least = nan", ["bucket 1", "at_least"]),
    ("at_least = 30, ", "", ["at_least"]),
    ("at_least = 30", "above = 30", ["above"]),
    ("epochs = 3.0", "epochs = -1.0", ["[sources.web]", "epochs = -1"]),
    ("epochs = 1.0", "epochs = 1.0\nmax_epochs = 2.5", ["epochs = 3", "max_epochs = 2.5"]),
    ("[dedup]\nthreshold = 0.8", "", ["bucket 2", "cluster_size", "[dedup]"]),
]


@pytest.mark.parametrize(("good", "bad", "says"), BAD, ids=[bad or good for good, bad, _ in BAD])
def test_a_bad_bucket_is_refused_with_its_place(files: Path, good: str, bad: str, says: list[str]) -> None:
    path = files / "recipe.toml"
    path.write_text(RECIPE.replace(good, bad, 1))
    with pytest.raises(RecipeError) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    for word in says:
        assert word in str(caught.value)


def test_a_score_that_the_filter_does_not_store_stops_the_build_with_those_it_does(files: Path, build) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(PileError) as caught:
        build(RECIPE.replace("length.words", "length.word"))
    assert caught.value.exit_status == 2
    assert "'length.word'" in str(caught.value) and "length.words, length.characters" in str(caught.value)
    assert not (files / "out" / "SHA256SUMS").exists()


def test_a_bucket_takes_what_is_equal_to_its_bound() -> None:
    buckets = [Bucket("own.mod:F.score", 0.5, 2.0)]
    assert place_of(buckets, {"own.mod:F": {"score": 0.5}}, 1, "s:1") == 0
    assert place_of(buckets, {"own.mod:F": {"score": 0.49}}, 1, "s:1") == 1
