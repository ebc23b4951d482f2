"""Filters that part measuring from deciding, that learn thresholds from their source, and that are trained inside the build."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from filters.language import Language
from filters.language_thresholds import fineweb2_thresholds
from pile.commands import app
from pile.corpus import Corpus
from pile.document import Document
from pile.errors import PluginError, RecipeError
from pile.executor import Executor
from pile.inspect import examples
from pile.progress import Progress
from pile.storage import Storage

PLUGIN = '''
from pathlib import Path
from typing import Any, ClassVar
import json, msgspec
from pile.document import Verdict

class Letters(msgspec.Struct, frozen=True):
    """Keeps texts of at least so many letters e, or as many as a third of the source has."""
    version: ClassVar[int] = 1
    libraries: ClassVar[tuple[str, ...]] = ()
    decided_by: ClassVar[tuple[str, ...]] = ("least", "median")
    letter: str = "e"
    least: int = 0
    median: bool = False
    def measure(self, document):
        if "broken" in document.text:
            raise ValueError("cannot measure this")
        return {"letters": document.text.count(self.letter)}
    def decide(self, scores):
        keep = scores["letters"] >= self.least
        return Verdict(keep, "" if keep else "few_letters", scores)
    def judge(self, document):
        return self.decide(self.measure(document))
    @property
    def surveys(self):
        return self.median
    def survey(self, scores):
        found = sorted(one["letters"] for one in scores)
        return {"least": found[len(found) * 2 // 3]}
    def surveyed(self, found):
        return msgspec.structs.replace(self, least=found["least"])

class Vocabulary(msgspec.Struct, frozen=True):
    """Keeps texts of which so many words are in the texts of other sources."""
    version: ClassVar[int] = 1
    libraries: ClassVar[tuple[str, ...]] = ()
    decided_by: ClassVar[tuple[str, ...]] = ("share",)
    positives: list[str] = []
    share: float = 0.5
    model: str = ""
    def training_facts(self):
        return []
    def feature(self, text):
        return text.lower()
    def train(self, positives, negatives, out):
        words = sorted({word for text in positives for word in text.split()})
        Path(out).write_text(json.dumps(words))
        return {"words": len(words), "seen": [len(positives), len(negatives)]}
    def with_model(self, path):
        return msgspec.structs.replace(self, model=str(path))
    def measure(self, document):
        known = set(json.loads(Path(self.model).read_text()))
        words = document.text.lower().split()
        return {"share": round(sum(word in known for word in words) / len(words), 4)}
    def decide(self, scores):
        keep = scores["share"] >= self.share
        return Verdict(keep, "" if keep else "unlike", scores)
    def judge(self, document):
        return self.decide(self.measure(document))

class Masked(msgspec.Struct, frozen=True):
    """Keeps everything, and writes the word green as another."""
    version: ClassVar[int] = 1
    libraries: ClassVar[tuple[str, ...]] = ()
    word: str = "blue"
    def judge(self, document):
        return Verdict(True)
    def rewrite(self, document):
        return msgspec.structs.replace(document, text=document.text.replace("green", self.word))
'''

RECIPE = """
name = "toy"
[sources.good]
use = "local"
options = { paths = ["good.jsonl"] }
[sources.crawl]
use = "local"
options = { paths = ["crawl-*.jsonl"] }
filters = [{ use = "judging:Letters", least = 3 }, { use = "judging:Vocabulary", positives = ["good"] }]
"""


@pytest.fixture
def corpus(tmp_path: Path, test_plugins: Path) -> Path:
    (test_plugins / "judging.py").write_text(PLUGIN)

    def write(name: str, texts: list[str]) -> None:
        lines = [json.dumps({"id": f"{name}{n}", "text": text}) for n, text in enumerate(texts)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines) + "\n")

    write("good", [f"the green tree number {n} sleeps" for n in range(10)])
    write("crawl-a", [f"e e e tree sleeps green the {n}" for n in range(6)] + ["e e e bargains cheap here"] * 3)
    write("crawl-b", [f"no such {n}" for n in range(5)] + ["a broken thing, the green tree"])
    return tmp_path


def done(progress: Progress) -> set[str]:
    return {name for name, count in progress.stages.items() if count.done}


def test_filters_are_trained_measure_and_decide(corpus: Path, build, executor: Executor) -> None:  # type: ignore[no-untyped-def]
    built, _ = build(RECIPE, executor=executor)
    funnel = built.manifest.sources["crawl"].funnel["judge"]
    assert funnel == {"in": 15, "out": 6, "drops": {"few_letters": 5, "filter_failed": 1, "unlike": 3}}
    (model,) = built.manifest.models
    assert (model.source, model.filter, model.positives, model.negatives) == ("crawl", "judging:Vocabulary", 10, 15)
    assert model.report["seen"] == [10, 15]
    assert len(model.sha256) == 64


def test_a_changed_threshold_measures_and_trains_nothing_again(corpus: Path, build) -> None:  # type: ignore[no-untyped-def]
    build(RECIPE)
    built, progress = build(RECIPE.replace('positives = ["good"]', 'positives = ["good"], share = 0.9'))
    assert not done(progress) & {"extract", "lesson", "train", "score"}
    assert built.manifest.sources["crawl"].funnel["judge"]["drops"]["unlike"] == 9
    _, progress = build(RECIPE.replace("least = 3", 'least = 3, letter = "t"'))
    assert {"score", "judge"} <= done(progress)
    assert not done(progress) & {"extract", "lesson", "train"}


def test_a_model_does_not_depend_on_how_texts_are_spread_over_files(corpus: Path, build, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    first, _ = build(RECIPE)
    lines = b"".join((corpus / f"crawl-{name}.jsonl").read_bytes() for name in "ab")
    (corpus / "crawl-b.jsonl").unlink()
    (corpus / "crawl-a.jsonl").write_bytes(lines)
    (corpus / "recipe.lock.json").unlink()
    second, _ = build(RECIPE, out=tmp_path / "out2", work=tmp_path / "work2")
    assert first.manifest.models == second.manifest.models


def test_thresholds_come_from_the_scores_of_the_whole_source(corpus: Path, build) -> None:  # type: ignore[no-untyped-def]
    recipe = RECIPE.replace("least = 3", "median = true").replace(
        ', { use = "judging:Vocabulary", positives = ["good"] }', ""
    )
    built, _ = build(recipe)
    # 14 documents can be measured: five have no e, three have six, and six have ten.
    assert built.manifest.sources["crawl"].funnel["judge"]["drops"] == {"few_letters": 8, "filter_failed": 1}


@pytest.mark.parametrize(
    ("positives", "said"), [('["godo"]', "there are good, crawl"), ('["crawl"]', "its own source")]
)
def test_positives_that_are_no_other_source_are_refused(corpus: Path, build, positives: str, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises((RecipeError, PluginError), match=said):
        build(RECIPE.replace('["good"]', positives))


def test_inspect_shows_what_thresholds_would_keep(corpus: Path, build) -> None:  # type: ignore[no-untyped-def]
    build(RECIPE)
    result = CliRunner().invoke(app, ["inspect", str(corpus / "out"), "--scores", "judging:Letters"])
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "crawl  judging:Letters.letters  (14 documents drawn)"
    shares = {line.split()[0]: line.split()[1:3] for line in lines[2:]}
    assert shares["0"] == ["100%", "0%"]
    assert shares["10"][0] in ("42%", "43%", "44%")
    wrong = CliRunner().invoke(app, ["inspect", str(corpus / "out"), "--scores", "language"])
    assert wrong.exit_code != 0


def test_filters_rewrite_what_enters_a_shard_and_what_is_shown_of_it(corpus: Path, build, executor: Executor) -> None:  # type: ignore[no-untyped-def]
    recipe = RECIPE.split("[sources.crawl]")[0] + "filters = [FILTERS]\n"
    plain, _ = build(recipe.replace("FILTERS", ""), executor=executor)
    built, _ = build(recipe.replace("FILTERS", '{ use = "judging:Masked" }'), executor=executor)
    texts = [document["text"] for document in Corpus(str(corpus / "out"))]
    assert len(texts) == 10
    assert all("the blue tree" in text for text in texts)
    assert built.manifest.sources["good"].text_bytes == plain.manifest.sources["good"].text_bytes - 10
    shown = examples(Storage(str(corpus / "out")), "good", "kept")
    assert len(shown) == 10
    assert all("blue" in example.text for example in shown)
    _, progress = build(recipe.replace("FILTERS", '{ use = "judging:Masked", word = "red" }'), executor=executor)
    assert "extract" not in done(progress)
    assert "the red tree" in next(iter(Corpus(str(corpus / "out"))))["text"]


def test_a_document_that_is_rewritten_to_nothing_is_a_counted_drop(tmp_path: Path, test_plugins: Path, build) -> None:  # type: ignore[no-untyped-def]
    (test_plugins / "judging.py").write_text(PLUGIN)
    (tmp_path / "good.jsonl").write_text('{"id": "1", "text": "green"}\n{"id": "2", "text": "a green tree"}\n')
    recipe = RECIPE.split("[sources.crawl]")[0] + 'filters = [{ use = "judging:Masked", word = "" }]\n'
    funnel = build(recipe)[0].manifest.sources["good"].funnel["mix"]
    assert (funnel["in"], funnel["out"], funnel["drops"]) == (2, 1, {"rewritten_to_nothing": 1})


def test_language_thresholds_by_fineweb2s_rule_come_from_the_source(tmp_path: Path, build) -> None:  # type: ignore[no-untyped-def]
    sentence = "The old library by the river opens every morning, and children come to read there until it is dark."
    texts = [f"{sentence} Nobody counts how many there are on day {n}, not even the man at the door." for n in range(8)]
    texts += [f"le la library open reads day {n} und" for n in range(3)]
    lines = [json.dumps({"id": str(n), "text": text}) for n, text in enumerate(texts)]
    (tmp_path / "web.jsonl").write_text("\n".join(lines) + "\n")
    recipe = 'name = "toy"\n[sources.web]\nuse = "local"\noptions = { paths = ["web.jsonl"] }\n'
    recipe += 'filters = [{ use = "language", keep = ["en"], threshold = THRESHOLD }]\n'
    built, _ = build(recipe.replace("THRESHOLD", '"fineweb2"'))
    assert built.manifest.sources["web"].funnel["judge"]["out"] == 8
    made = Language(keep=["en"], threshold="fineweb2")
    scores = [made.measure(Document(str(n), text)) for n, text in enumerate(texts)]
    english = [(str(s["language"]), float(s["confidence"])) for s in scores if s["language"] == "en"]
    assert made.survey(scores) == fineweb2_thresholds(english)
    assert made.surveyed({"en": 0.31}).decide({"language": "en", "confidence": 0.32}).keep


def test_quality_is_learnt_inside_the_build_from_sources_of_the_recipe(tmp_path: Path, build) -> None:  # type: ignore[no-untyped-def]
    def write(name: str, texts: list[str]) -> None:
        lines = [json.dumps({"id": str(n), "text": text}) for n, text in enumerate(texts)]
        (tmp_path / name).write_text("\n".join(lines) + "\n")

    good = [
        f"The committee of {n} members met to consider the report on the harbour and its history." for n in range(90)
    ]
    write("good.jsonl", good[:60])
    write(
        "crawl.jsonl", [f"click buy cheap {n} login cart home share tweet menu cookie" for n in range(60)] + good[60:]
    )
    recipe = 'name = "toy"\n[sources.good]\nuse = "local"\noptions = { paths = ["good.jsonl"] }\n[sources.crawl]\n'
    recipe += 'use = "local"\noptions = { paths = ["crawl.jsonl"] }\n'
    recipe += 'filters = [{ use = "quality", positives = ["good"], OPTION }]\n'
    built, _ = build(recipe.replace("OPTION", "threshold = 0.5"))
    funnel = built.manifest.sources["crawl"].funnel["judge"]
    assert funnel["drops"]["low_quality"] >= 58
    assert funnel["out"] >= 25
    (model,) = built.manifest.models
    assert (model.positives, model.negatives, model.report["kind"]) == (60, 90, "quality")
    pareto, progress = build(recipe.replace("OPTION", "alpha = 9.0"))
    assert not done(progress) & {"extract", "lesson", "train", "score"}
    assert pareto.manifest.models == built.manifest.models
    for wrong in ("positives = []", 'positives = ["good"], model = "x.bin"'):
        with pytest.raises(RecipeError, match="name either sources that are good"):
            build(recipe.replace('positives = ["good"], OPTION', wrong))
