"""filters.quality: The Pile's rule with any fastText model, and what a wrong model file says."""

from __future__ import annotations

import hashlib
from pathlib import Path

import fasttext
import pytest

from filters import quality_training
from filters.quality import Quality, feature
from filters.spam_model import SHIPPED
from pile.chance import chance
from pile.document import Document
from pile.errors import CorpusError, PluginError

GOOD = [f"The committee of {n} members met to consider the report on the harbour and its history." for n in range(60)]
RAW = [f"click buy cheap {n} login cart home share tweet menu cookie" for n in range(60)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("quality") / "quality.bin"
    report = quality_training.train(GOOD, RAW, out)
    assert report.pr_auc == 1
    assert report.sha256 == hashlib.sha256(out.read_bytes()).hexdigest()
    return out


def test_the_same_texts_give_the_same_bytes(model: Path, tmp_path: Path) -> None:
    quality_training.train(GOOD, RAW, tmp_path / "again.bin")
    assert (tmp_path / "again.bin").read_bytes() == model.read_bytes()


def test_good_text_scores_above_raw_text(model: Path) -> None:
    judge = Quality(model=str(model), threshold=0.5)
    assert judge.judge(Document("x", GOOD[3])).keep
    verdict = judge.judge(Document("x", RAW[3]))
    assert (verdict.keep, verdict.reason) == (False, "low_quality")


def test_the_draw_is_a_hash_of_seed_and_id_and_the_rule_is_paretos(model: Path) -> None:
    scores = Quality(model=str(model), seed=7).measure(Document("web:1", GOOD[0]))
    assert scores["draw"] == round(chance(7, "pareto", "web:1"), 6)
    rule = Quality(model=str(model), alpha=3)
    assert rule.decide({"score": 0.0, "draw": 0.1249}).keep
    assert not rule.decide({"score": 0.0, "draw": 0.1251}).keep
    assert rule.decide({"score": 1.0, "draw": 0.999}).keep
    assert not Quality(model=str(model), alpha=9).decide({"score": 0.0, "draw": 0.1249}).keep


def test_the_feature_is_that_of_the_pile() -> None:
    text = "".join(chr(97 + place % 26) if place % 7 else "\n" for place in range(6_000))
    assert feature(text) == text[:4_000][-1_500:].replace("\n", " ")
    assert feature("short\ntext") == "short text"
    assert feature("a" * 9, end=0, length=0) == "a" * 9


@pytest.mark.parametrize("text", ["", "\0", "\ud800", "0" * 100, "😀" * 50, "x" * 10_000_000, "\n" * 5000])
def test_any_text_has_a_score(model: Path, text: str) -> None:
    scores = Quality(model=str(model)).measure(Document("x", text))
    assert 0 <= float(scores["score"]) <= 1


def test_a_model_of_the_persons_own_labels_can_be_used(model: Path, tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text(
        "".join(f"__label__hq {a}\n__label__cc {b}\n" for a, b in zip(GOOD, RAW, strict=True))
    )
    own = fasttext.train_supervised(
        str(tmp_path / "lines.txt"), dim=4, bucket=1000, thread=1, seed=1, verbose=0, epoch=20
    )
    own.save_model(str(tmp_path / "own.bin"))
    judge = Quality(model=str(tmp_path / "own.bin"), label="hq", threshold=0.5)
    assert judge.judge(Document("x", GOOD[0])).keep
    with pytest.raises(PluginError, match="no label 'good': set label to one of cc, hq"):
        Quality(model=str(tmp_path / "own.bin"))


def test_a_quantised_model_can_be_used(model: Path, tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text(
        "".join(f"__label__good {a}\n__label__raw {b}\n" for a, b in zip(GOOD, RAW, strict=True))
    )
    own = fasttext.train_supervised(
        str(tmp_path / "lines.txt"), dim=8, wordNgrams=2, bucket=1000, thread=1, seed=1, verbose=0
    )
    own.quantize(cutoff=500, qnorm=True)
    own.save_model(str(tmp_path / "own.ftz"))
    assert Quality(model=str(tmp_path / "own.ftz"))


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.01, 0.5, 0.999999])
def test_a_model_cut_short_stops_the_recipe_in_one_line(model: Path, tmp_path: Path, share: float) -> None:
    data = model.read_bytes()
    (tmp_path / "cut.bin").write_bytes(data[: int(share * len(data))])
    with pytest.raises(PluginError, match=r"cut\.bin") as error:
        Quality(model=str(tmp_path / "cut.bin"))
    assert "\n" not in str(error.value)


def test_wrong_kinds_of_files_stop_the_recipe(model: Path, tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("\n".join(GOOD))
    vectors = fasttext.train_unsupervised(
        str(tmp_path / "lines.txt"), dim=4, bucket=1000, thread=1, verbose=0, minCount=1
    )
    vectors.save_model(str(tmp_path / "vectors.bin"))
    with pytest.raises(PluginError, match="word vectors"):
        Quality(model=str(tmp_path / "vectors.bin"))
    with pytest.raises(PluginError, match="no model of fastText"):
        Quality(model=str(SHIPPED))
    with pytest.raises(PluginError, match="cannot be read"):
        Quality(model=str(tmp_path / "absent.bin"))
    with pytest.raises(PluginError, match="sha256"):
        Quality(model=str(model), sha256="0" * 64)
    (tmp_path / "long.bin").write_bytes(model.read_bytes() + b"x")
    with pytest.raises(PluginError, match="too many"):
        Quality(model=str(tmp_path / "long.bin"))


def test_too_few_texts_teach_nothing(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="negative texts teach nothing"):
        quality_training.train(GOOD, RAW[:3], tmp_path / "x.bin")
