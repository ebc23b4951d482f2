"""New epochs change their own line of a recipe, and no other character of it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from pile.errors import RecipeError
from pile.rewrite import difference, rewritten, write

EPOCHS: dict[tuple[str, int | None], float] = {("a", None): 2.5, ("b", None): 0.125}

#: A recipe, and what it becomes.
FORMS = [
    ('[sources.a]\nepochs = 1 # one\nuse="x"\n[sources.b]\nepochs=7e0\n', "epochs = 2.5 # one|epochs=0.125"),
    (
        '[sources.a]\nuse = "x"   # why\n\n\n# about b\n[sources.b]\nuse = "y"',
        'use = "x"   # why\nepochs = 2.5\n\n\n# about b\n',
    ),
    ('[sources]\na.use = "x"\nb.use = "y" # no epochs = 3\n', "a.epochs = 2.5\n|b.epochs = 0.125|# no epochs = 3"),
    ('[sources]\na = { use = "x" }\nb = { epochs = 4.0, use = "y" } # tail\n', "epochs = 0.125, use"),
    (
        '[sources.a]\nuse = "x"\n[output]\nshards = 3\n[sources.b]\nuse = """\nepochs = 9\n"""\n',
        "shards = 3\n|epochs = 9\n",
    ),
    (
        '[sources.a]\nuse = "x"\n# of the options\n[sources.a.options]\np = 1\n[sources.b]\nuse = "y"\n',
        'use = "x"\nepochs = 2.5\n# of the options\n[sources.a.options]\np = 1',
    ),
    (
        '[sources.a]\nuse = "x"\n\n# first\n[sources.a.options]\np = 1\n# second\n[[sources.a.filters]]\nuse = "f"\n'
        '[sources.b]\noptions.p = 1\nuse = "y"\n# third\noptions.q = 2\n',
        'use = "x"\nepochs = 2.5\n\n# first\n[sources.a.options]\np = 1\n# second\n[[|use = "y"\nepochs = 0.125\n# third\n',
    ),
    (
        '[sources.a]\r\nuse = "x"\r\n\r\n[sources.b]\r\nepochs=1.0#x\r\n',
        '"x"\r\nepochs = 2.5\r\n\r\n|epochs=0.125#x\r\n',
    ),
    ('sources.a.use = "x"\nsources.b.use = "ü"\n', "sources.a.epochs = 2.5"),
]


@pytest.mark.parametrize(("before", "has"), FORMS, ids=range(len(FORMS)))
def test_every_way_to_write_a_table_is_changed_in_place(tmp_path: Path, before: str, has: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_bytes(before.encode())
    text, after = rewritten(path, EPOCHS)
    assert text == before
    for piece in has.split("|"):
        assert piece in after
    expected = tomllib.loads(before)
    for (name, _), value in EPOCHS.items():
        expected["sources"][name]["epochs"] = value
    assert tomllib.loads(after) == expected
    # Lines that do not speak of epochs are all there, in their order.
    kept = [line for line in before.splitlines() if "epochs" not in line and "{" not in line]
    rest = iter(after.splitlines())
    assert all(line in rest for line in kept)
    assert ("\r\n" in before) == (after.count("\r\n") == after.count("\n"))


@pytest.mark.parametrize(
    "before",
    [
        '[sources.a]\nbuckets = [\n  { score = "x.y", at_least = 1, epochs = 3 }, # best\n  { epochs = 1.0, at_least = 0 },\n]\n',
        "[sources.a]\nepochs = 1.0\n\n[[sources.a.buckets]]\nepochs = 3 # best\n\n[[sources.a.buckets]]\nepochs = 1.0\n",
    ],
)
def test_buckets_are_changed_in_place(tmp_path: Path, before: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(before)
    _, after = rewritten(path, {("a", 0): 2.5, ("a", 1): 0.5, ("a", None): 1.0})
    assert after == before.replace("epochs = 3", "epochs = 2.5").replace("{ epochs = 1.0", "{ epochs = 0.5").replace(
        "]]\nepochs = 1.0", "]]\nepochs = 0.5"
    )


def test_equal_epochs_are_left_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text('[sources.a]\nuse = "x"\n[sources.b]\nepochs = 3\n')
    before, after = rewritten(path, {("a", None): 1.0, ("b", None): 3.0})
    assert before == after
    assert difference(path, before, after) == ""


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.toml").write_text("old")
    link = tmp_path / "link.toml"
    link.symlink_to("real.toml")
    write(link, "new")
    assert link.is_symlink()
    assert (tmp_path / "real.toml").read_text() == "new"


def test_what_reads_back_otherwise_is_never_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text('[sources.a]\nuse = "x"\n')
    monkeypatch.setattr("tomlkit.dumps", lambda document: '[sources.a]\nuse = "y"\nepochs = 2.0\n')
    with pytest.raises(RecipeError, match=r"by hand: a 2"):
        rewritten(path, {("a", None): 2.0})
