"""Files that filters judge with and recipes name by address: fetched, verified and tried before any other work."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from pile.errors import DataError, PluginError, RecipeError
from pile.executor import Executor
from pile.stage import Work

PLUGIN = '''
from pathlib import Path
from typing import ClassVar
import msgspec
from pile.document import Input, Verdict
from pile.errors import PluginError

class Wordlist(msgspec.Struct, frozen=True):
    """Drops texts with words of a list."""
    version: ClassVar[int] = 1
    libraries: ClassVar[tuple[str, ...]] = ()
    decided_by: ClassVar[tuple[str, ...]] = ("most",)
    address: str
    sha256: str
    path: str = ""
    most: int = 0
    @property
    def wanted(self):
        return Input(self.address, checksum="sha256:" + self.sha256)
    def with_file(self, path):
        if not path.read_text().strip():
            raise PluginError(f"{path} lists no words")
        if "!" in path.read_text():
            raise ValueError("words have letters only")
        return msgspec.structs.replace(self, path=str(path))
    def measure(self, document):
        words = Path(self.path).read_text().split()
        return {"listed": sum(word in words for word in document.text.split())}
    def decide(self, scores):
        keep = scores["listed"] <= self.most
        return Verdict(keep, "" if keep else "listed", scores)
    def judge(self, document):
        return self.decide(self.measure(document))
'''
ADDRESS = "https://lists.example/2026/words.txt"


@pytest.fixture
def folder(tmp_path: Path, test_plugins: Path) -> Path:
    (test_plugins / "listing.py").write_text(PLUGIN)
    lines = [json.dumps({"id": str(n), "text": f"document number{n} says red green"[: 20 + n]}) for n in range(20)]
    (tmp_path / "texts.jsonl").write_text("\n".join(lines))
    listed(tmp_path, "red")
    return tmp_path


def listed(folder: Path, words: str) -> None:
    file = folder / "mirror" / ADDRESS.removeprefix("https://")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(words)


def recipe(words: str, **options: int) -> str:
    digest = hashlib.sha256(words.encode()).hexdigest()
    more = "".join(f", {name} = {value}" for name, value in options.items())
    return (
        'name = "toy"\n[sources.texts]\nuse = "local"\noptions = { paths = ["texts.jsonl"] }\n'
        f'filters = [{{ use = "listing:Wordlist", address = "{ADDRESS}", sha256 = "{digest}"{more} }}]\n'
    )


def test_a_file_named_by_address_is_fetched_and_judged_with(folder: Path, build, executor: Executor) -> None:  # type: ignore[no-untyped-def]
    built, _ = build(recipe("red"), executor=executor, mirror=str(folder / "mirror"))
    texts = [json.loads(line)["text"] for line in (folder / "texts.jsonl").read_text().splitlines()]
    with_red = sum("red" in text.split() for text in texts)
    assert 0 < with_red < len(texts)
    assert built.manifest.sources["texts"].funnel["judge"]["drops"] == {"listed": with_red}


def test_other_content_measures_anew_and_other_thresholds_do_not(folder: Path, build) -> None:  # type: ignore[no-untyped-def]
    mirror = str(folder / "mirror")
    before, _ = build(recipe("red"), mirror=mirror)
    _, progress = build(recipe("red", most=3), mirror=mirror)
    assert progress.stages["score"].done == 0
    listed(folder, "red says")
    after, progress = build(recipe("red says"), mirror=mirror)
    assert progress.stages["score"].done == 1
    dropped = [one.manifest.sources["texts"].funnel["judge"]["drops"]["listed"] for one in (before, after)]
    assert dropped[0] < dropped[1]


@pytest.mark.parametrize(
    ("there", "pinned", "error", "said"),
    [
        ("green", "red", DataError, "sha256"),
        (None, "red", DataError, r"words\.txt"),
        ("", "", PluginError, "lists no words"),
        ("no!", "no!", RecipeError, "source 'texts', filter 'listing:Wordlist': words have letters only"),
    ],
)
def test_a_wrong_file_ends_the_build_before_any_other_work(
    folder: Path, build, there: str | None, pinned: str, error: type[Exception], said: str
) -> None:  # type: ignore[no-untyped-def]
    listed(folder, there or "")
    if there is None:
        (folder / "mirror" / ADDRESS.removeprefix("https://")).unlink()
    with pytest.raises(error, match=said):
        build(recipe(pinned), mirror=str(folder / "mirror"))
    assert not Work(str(folder / "work")).storage.names("extract")
