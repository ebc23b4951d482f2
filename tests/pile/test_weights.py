"""The mixture as a table: measured sizes before given ones, The Pile's own figures, and what is refused."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from pile.cli import main

GIB = 1 << 30

#: Table 1 of The Pile's paper (Gao et al. 2020, arXiv:2101.00027): raw size in GiB, weight in per cent, epochs, effective size
#: in GiB, mean document size in KiB.
TABLE_1 = {
    "pile-cc": (227.12, 18.11, 1.0, 227.12, 4.33),
    "pubmed-central": (90.27, 14.40, 2.0, 180.55, 30.55),
    "books3": (100.96, 12.07, 1.5, 151.44, 538.36),
    "openwebtext2": (62.77, 10.01, 2.0, 125.54, 3.85),
    "arxiv": (56.21, 8.96, 2.0, 112.42, 46.61),
    "github": (95.16, 7.59, 1.0, 95.16, 5.25),
    "freelaw": (51.15, 6.12, 1.5, 76.73, 15.06),
    "stackexchange": (32.20, 5.13, 2.0, 64.39, 2.16),
    "uspto-backgrounds": (22.90, 3.65, 2.0, 45.81, 4.08),
    "pubmed-abstracts": (19.26, 3.07, 2.0, 38.53, 1.30),
    "gutenberg-pg-19": (10.88, 2.17, 2.5, 27.19, 398.73),
    "opensubtitles": (12.98, 1.55, 1.5, 19.47, 30.48),
    "wikipedia-en": (6.38, 1.53, 3.0, 19.13, 1.11),
    "dm-mathematics": (7.75, 1.24, 2.0, 15.49, 8.00),
    "ubuntu-irc": (5.52, 0.88, 2.0, 11.03, 545.48),
    "bookcorpus2": (6.30, 0.75, 1.5, 9.45, 369.87),
    "europarl": (4.59, 0.73, 2.0, 9.17, 68.87),
    "hackernews": (3.90, 0.62, 2.0, 7.80, 4.92),
    "youtubesubtitles": (3.73, 0.60, 2.0, 7.47, 22.55),
    "philpapers": (2.38, 0.38, 2.0, 4.76, 73.37),
    "nih-exporter": (1.89, 0.30, 2.0, 3.79, 2.11),
    "enron-emails": (0.88, 0.14, 2.0, 1.76, 1.78),
}

GIVEN = """
name = "given"
[sources.large]
bytes = 3_000_000        # a guess
documents = 3_000

# Books, which few have.
[sources.small]
bytes = 1_000_000
documents = 50
epochs = 2.0             # twice
max_epochs = 3.0
"""

BUILT = """
name = "built"
seed = 5
[sources.one]
use = "local"
options = { paths = ["one.jsonl"] }

# The second.
[sources.two]
use = "local"
epochs = 2.0   # more of it
options = { paths = ["two.jsonl"] }
bytes = 77
documents = 7
"""

#: ``pile(...)`` gives exit status, standard output and standard error of the command line.
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def pile(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["pile", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            main()
        captured = capsys.readouterr()
        return int(caught.value.code or 0), captured.out, captured.err

    return run


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "given.toml"
    path.write_text(GIVEN)
    return path


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, build) -> Path:  # type: ignore[no-untyped-def]
    """A recipe that was built into ``out``: 40 and 20 documents."""
    monkeypatch.chdir(tmp_path)
    for name, count in (("one", 40), ("two", 20)):
        lines = [json.dumps({"id": str(n), "text": f"{name} {n} " * 9}) for n in range(count)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    build(BUILT)
    return tmp_path / "recipe.toml"


def test_the_piles_own_table_comes_out_to_two_decimals(root: Path, pile: Command) -> None:
    status, out, _ = pile("weights", root / "manifests" / "pile-v1.toml", "--json")
    rows = json.loads(out)
    assert status == 0
    assert [row["component"] for row in rows] == list(TABLE_1)
    for row in rows:
        found = (
            f"{row['bytes'] / GIB:.2f}",
            f"{row['weight']:.2%}",
            row["epochs"],
            f"{row['effective_bytes'] / GIB:.2f}",
            f"{row['mean_bytes'] / 1024:.2f}",
        )
        raw, weight, epochs, effective, mean = TABLE_1[row["component"]]
        assert found == (f"{raw:.2f}", f"{weight:.2f}%", epochs, f"{effective:.2f}", f"{mean:.2f}")
    assert f"{sum(row['bytes'] for row in rows) / GIB:.2f}" == "825.18"
    assert f"{sum(row['effective_bytes'] for row in rows) / GIB:.2f}" == "1254.20"


def test_what_has_no_source_is_weighed_but_not_built(given: Path, pile: Command) -> None:
    assert pile("weights", given)[0] == 0
    for command in ("build", "lock", "plan"):
        status, _, error = pile(command, given)
        assert status == 2
        assert error.count("\n") == 1
        assert "large, small" in error and "cannot" not in error.split("large")[0] and "take them out" in error


def test_a_measured_size_wins_over_a_given_one(built: Path, pile: Command) -> None:
    _, out, _ = pile("weights", built, "--out", "out", "--json")
    one, two = json.loads(out)
    assert (one["documents"], two["documents"]) == (40, 20)
    assert one["measured"] and two["measured"]
    assert two["bytes"] == sum(len((f"two {n} " * 9).strip()) for n in range(20))
    assert two["weight"] == 2 * two["bytes"] / (2 * two["bytes"] + one["bytes"])


def test_a_source_that_was_added_since_is_weighed_as_the_recipe_gives_it(built: Path, pile: Command) -> None:
    built.write_text(BUILT + "[sources.three]\nbytes = 1000\ndocuments = 10\n")
    status, out, _ = pile("weights", built, "--out", "out")
    assert status == 0
    assert "three *" in out and "one *" not in out and "no build has measured it" in out


def test_a_size_that_other_filters_left_is_said_to_be_out_of_date(built: Path, pile: Command) -> None:
    assert "other options" not in pile("weights", built, "--out", "out")[1]
    built.write_text(BUILT.replace('["one.jsonl"] }', '["one.jsonl"] }\nfilters = [{ use = "length" }]'))
    status, out, _ = pile("weights", built, "--out", "out")
    assert status == 0
    assert "the size of one is of a build with other options" in out and "size of two is" not in out


def test_an_unknown_size_is_refused_by_name(built: Path, pile: Command) -> None:
    status, _, error = pile("weights", built, "--out", "elsewhere")
    assert status == 2
    assert "the size of one is not known" in error and "pile build" in error and "'bytes'" in error


def test_writing_shows_the_difference_and_keeps_comments_and_order(given: Path, pile: Command) -> None:
    given.chmod(0o640)
    status, out, _ = pile("weights", given, "--scheme", "unimax", "--max-epochs", "4", "--budget", "5MB", "--write")
    assert status == 0
    assert "-epochs = 2.0             # twice\n+epochs = 2.5             # twice" in out
    assert given.read_text() == GIVEN.replace("epochs = 2.0 ", "epochs = 2.5 ").replace(
        "documents = 3_000\n", "documents = 3_000\nepochs = 0.833333\n"
    )
    assert stat.S_IMODE(given.stat().st_mode) == 0o640
    assert list(given.parent.iterdir()) == [given]


def test_without_write_the_recipe_stays_as_it_is(given: Path, pile: Command) -> None:
    _, out, error = pile("weights", given, "--scheme", "proportional", "--json")
    assert given.read_text() == GIVEN
    rows = json.loads(out)
    assert [row["former_epochs"] for row in rows] == [1.0, 2.0]
    assert [row["epochs"] for row in rows] == [1.25, 1.25]  # the effective size of before: 5 MB over 4 MB
    assert "+epochs = 1.25" in error and "--write" in error


def test_after_writing_a_build_mixes_and_seals_only_and_gives_the_bytes_of_one_from_scratch(  # type: ignore[no-untyped-def]
    built: Path, pile: Command, build, tmp_path: Path
) -> None:
    scheme = ("--scheme", "temperature", "--tau", "3", "--max-epochs", "4")
    assert pile("weights", built, "--out", "out", *scheme, "--write")[0] == 0
    again, progress = build(built)
    assert {name for name, count in progress.stages.items() if count.done} == {"spread", "gather", "seal"}
    scratch, _ = build(built, out=tmp_path / "out2", work=tmp_path / "work2")
    assert again.manifest == scratch.manifest
    assert pile("verify", "out")[0] == 0
    assert again.manifest.sources["one"].epochs != 1.0


def test_a_cap_or_a_given_size_is_no_reason_to_build_again(built: Path, pile: Command, build) -> None:  # type: ignore[no-untyped-def]
    again, _ = build(BUILT.replace("bytes = 77", "bytes = 78\nmax_epochs = 9.0"))
    assert not again.fresh


REFUSED = [
    (["--scheme", "epochs", "--budget", "50MB", "--max-epochs", "4"], 2, ["cannot be reached", "14.31 MiB"]),
    (["--scheme", "unimax", "--budget", "2e4docs", "--max-epochs", "4"], 2, ["20,000 documents", "12,150 documents"]),
    (["--scheme", "epoch"], 2, ["unknown scheme 'epoch'", "did you mean 'epochs'", "unimax"]),
    (["--scheme", "unimax"], 2, ["--max-epochs"]),
    (["--scheme", "temperature"], 2, ["--tau"]),
    (["--scheme", "temperature", "--tau", "0"], 2, ["--tau"]),
    (["--scheme", "temperature", "--tau", "nan"], 2, ["--tau"]),
    (["--scheme", "unimax", "--max-epochs", "4", "--tau", "2"], 2, ["--tau", "temperature"]),
    (["--scheme", "epochs", "--max-epochs", "nan"], 2, ["--max-epochs"]),
    (["--scheme", "epochs", "--budget", "12parsecs"], 2, ["'12parsecs'", "300GB", "1e6docs"]),
    (["--scheme", "epochs", "--budget", "0"], 2, ["'0'"]),
    (["--scheme", "epochs", "--budget", "1e999"], 2, ["'1e999'"]),
    (["--scheme", "law"], 2, ["--runs"]),
    (["--scheme", "law", "--runs", "none.csv"], 2, ["none.csv", "CSV"]),
    (["--budget", "3MB"], 2, ["--scheme"]),
    (["--write"], 2, ["--scheme"]),
]


@pytest.mark.parametrize(("arguments", "exit_status", "says"), REFUSED, ids=[" ".join(a) for a, _, _ in REFUSED])
def test_what_cannot_be_done_is_refused_in_one_line_and_nothing_is_written(
    given: Path, pile: Command, arguments: list[str], exit_status: int, says: list[str]
) -> None:
    status, out, error = pile("weights", given, *arguments, *(["--write"] if "--write" not in arguments else []))
    assert status == exit_status
    assert out == ""
    assert error.startswith("error: ") and error.count("\n") == 1
    for word in says:
        assert word in error
    assert given.read_text() == GIVEN


BAD_TABLES = [
    ("bytes = 3_000_000 ", "bytes = 0 ", ["[sources.large]", "bytes = 0", "at least 1"]),
    ("bytes = 3_000_000 ", "bytes = 1.5 ", ["[sources.large]", "bytes", "int"]),
    ("documents = 50", "", ["[sources.small]", "'use' is missing", "'documents'"]),
    ("max_epochs = 3.0", "max_epochs = 1.5", ["epochs = 2", "max_epochs = 1.5"]),
    ("max_epochs = 3.0", "max_epochs = nan", ["max_epochs = nan"]),
    ("max_epochs = 3.0", "max_epochs = 0", ["max_epochs = 0"]),
]


@pytest.mark.parametrize(("good", "bad", "says"), BAD_TABLES, ids=[bad or "no documents" for _, bad, _ in BAD_TABLES])
def test_a_table_that_cannot_be_weighed_is_refused(
    given: Path, pile: Command, good: str, bad: str, says: list[str]
) -> None:
    given.write_text(GIVEN.replace(good, bad))
    status, _, error = pile("weights", given)
    assert status == 2
    assert error.count("\n") == 1
    for word in says:
        assert word in error


def test_weights_that_sum_to_zero_are_refused(given: Path, pile: Command) -> None:
    given.write_text(GIVEN.replace("epochs = 2.0", "epochs = 0").replace("= 3_000\n", "= 3_000\nepochs = 0\n"))
    for arguments in ([], ["--scheme", "epochs", "--budget", "1MB"], ["--scheme", "proportional"]):
        status, _, error = pile("weights", given, *arguments)
        assert status == 2
        assert "sum to zero" in error
    assert pile("weights", given, "--scheme", "proportional", "--budget", "1MB")[0] == 0


def test_a_source_of_which_nothing_was_left_is_an_error_of_the_data(tmp_path, monkeypatch, pile, build) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.jsonl").write_text('{"id": "1", "text": "a document of some words"}\n')
    (tmp_path / "two.jsonl").write_text('{"id": "1", "text": "short"}\n')
    build(BUILT.replace('"two.jsonl"] }', '"two.jsonl"] }\nfilters = [{ use = "length", min_words = 3 }]'))
    recipe = tmp_path / "recipe.toml"
    status, out, _ = pile("weights", recipe, "--out", "out")
    assert status == 0
    assert "0.00%" in out
    before = recipe.read_text()
    status, _, error = pile("weights", recipe, "--out", "out", "--scheme", "proportional", "--write")
    assert status == 1
    assert "no documents in two" in error and "pile inspect" in error
    assert recipe.read_text() == before
