"""What pile's model, CLD2 and lid.176 say of one text, and the probability of each language that follows from it.

The three are joined in logarithms: each answer counts for a language by how often it is given for that language, times a weight
fitted on sentences that no model had seen (benchmarks/train_language.py). lid.176 costs most and is asked only where the others
are unsure.
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import exp, log
from typing import NamedTuple

import pycld2

from filters.language_codes import NO_LANGUAGE, iso_code
from filters.language_model import LABEL, Header, OwnModel, Weights, lid_model, own_model

#: Characters of a text that are looked at, from its first letter on: of 1,400 gold texts 1,000 tell English from others as well
#: as 3,000 do, at twice the speed.
LOOKED_AT = 1_000
#: Signs beyond ASCII that are no letters: controls, punctuation, symbols, surrogates, emoji. CLD2 refuses some of these, and
#: gets more sentences right without the others (.949 to .952 on ../shared/data/lang).
_SIGNS = re.compile(
    "[\x7f-\xa9\xab-\xb4\xb6-\xb9\xbb-\xbf\xd7\xf7\u055a-\u055f\u0589\u05be-\u05c0\u060c\u061b\u061f\u0640\u066a-\u066d"
    "\u06d4\u0964\u0965\u1360-\u1368\u2000-\u206f\u20a0-\u20bf\u2100-\u2bff\u3000-\u3004\u3008-\u3020\u30fb\ud800-\udfff"
    "\ufdd0-\ufdef\ufeff\uff00-\uff20\uff3b-\uff40\uff5b-\uff65\ufffd-\uffff\U0001f000-\U0001faff]+"
)
#: The same in ASCII, digits included; other bytes are parts of letters.
_BLANKED = bytes(code if code >= 0x80 or chr(code).isalpha() else 0x20 for code in range(256))

#: Languages that a model names for one text; a sixth is never the right one where the first is not.
ANSWERS = 5
#: Below this probability lid.176 is asked, too; above it, 99 of 100 are right without.
SURE = 0.95
#: The least that an answer of pile's model counts, so that CLD2 can contradict it.
OWN_FLOOR = log(1e-4)
#: What pile's model counts for languages that it does not know: little, yet more than what it knows and rules out.
OWN_UNKNOWN = log(0.01)

#: How often a model says of a language what it should, and any one other thing, before it was counted; worth this many texts.
_SAME, _OTHER, _WORTH = 0.85, 0.002, 20
#: CLD2's finding another language in a part of a text means a mixed text where it seldom says that of this language.
_SELDOM = log(0.02)


class Found(NamedTuple):
    """What CLD2 says of a text: its languages with their percent of the text, the largest first; empty where it says nothing."""

    codes: tuple[tuple[str, int], ...]

    @property
    def first(self) -> str:
        """The language of most of the text, or "" where there is none."""
        return self.codes[0][0] if self.codes else ""


class Answers:
    """How often a model says what of a text in each language: Malay is often called Indonesian, Indonesian seldom Malay."""

    def __init__(self, counts: dict[str, dict[str, int]]) -> None:
        self._logs: dict[str, dict[str, float]] = {}
        self._others: dict[str, float] = {}
        for language, said in counts.items():
            whole = sum(said.values()) + _WORTH
            self._others[language] = log(_WORTH * _OTHER / whole)
            named = {*said, language}
            self._logs[language] = {
                code: log((said.get(code, 0) + _WORTH * (_SAME if code == language else _OTHER)) / whole)
                for code in named
            }

    def log_share(self, said: str, language: str) -> float:
        """Return the logarithm of how often ``said`` is said of texts in a language."""
        logs = self._logs.get(language)
        if logs is None:
            return log(_SAME if said == language else _OTHER)
        return logs.get(said, self._others[language])


class Judges(NamedTuple):
    """All that a decision needs, loaded."""

    own: OwnModel
    cld: Answers
    lid: Answers
    own_codes: frozenset[str]

    @property
    def header(self) -> Header:
        """The fitted weights."""
        return self.own.header


def judges_of(own: OwnModel) -> Judges:
    """Return the judges with this as pile's model."""
    return Judges(own, Answers(own.header.cld_answers), Answers(own.header.lid_answers), frozenset(own.labels))


@lru_cache(maxsize=1)
def shipped() -> Judges:
    """Return the judges that ship with pile, one set per process; raises ``PluginError`` without their models."""
    return judges_of(own_model())


@lru_cache(maxsize=1)
def lid_codes() -> frozenset[str]:
    """Return the codes of the languages that lid.176 knows."""
    return frozenset(iso_code(label.removeprefix(LABEL)) for label in lid_model().getLabels("strict")[0]) - NO_LANGUAGE


def letters(text: str) -> bytes:
    """Return the first 1,000 characters as the models are asked about them: UTF-8, lower case, spaces for all but letters."""
    text = text[:LOOKED_AT].lower()
    if not text.isascii():
        text = _SIGNS.sub(" ", text)
    return text.encode().translate(_BLANKED).strip()


def find(asked: bytes) -> Found:
    """Return what CLD2 says of ``letters(text)``."""
    try:
        _, _, found = pycld2.detect(asked, isPlainText=True, bestEffort=True)
    except pycld2.error:  # unassigned and private characters of higher planes
        return Found(())
    named = [(iso_code(code), percent) for _, code, percent, _ in found if percent]
    return Found(tuple((code, percent) for code, percent in named if code not in NO_LANGUAGE))


def own_says(own: OwnModel, asked: bytes) -> dict[str, float]:
    """Return the probabilities of pile's model alone."""
    return {label[len(LABEL) :]: p for p, label in own.predictor.predict(asked + b"\n", ANSWERS, 0.0, "strict")}


def lid_says(asked: bytes) -> tuple[str, float]:
    """Return lid.176's first answer and its probability; ("", 0.0) where it has none."""
    for p, label in lid_model().predict(asked + b"\n", 1, 0.0, "strict"):
        if (code := iso_code(label[len(LABEL) :])) not in NO_LANGUAGE:
            return code, min(p, 1.0)
    return "", 0.0


def own_log(judges: Judges, said: dict[str, float], code: str) -> float:
    """Return what pile's model counts for a language."""
    if code not in judges.own_codes:
        return OWN_UNKNOWN
    p = said.get(code, 0.0)
    return log(p) if p > 1e-4 else OWN_FLOOR


def candidates(said: dict[str, float], *others: str) -> list[str]:
    """Return every language that a model names: those of pile's model, and the first answers of others."""
    return [*said, *(code for code in dict.fromkeys(others) if code and code not in said)]


def most_probable(scores: dict[str, float]) -> tuple[str, float]:
    """Return the language with the highest score and its probability among them."""
    best = max(scores, key=lambda code: (scores[code], code))
    top = scores[best]
    return best, 1.0 / sum([exp(score - top) for score in scores.values()])


def weights_at(weights: Weights, size: int) -> list[float]:
    """Return what each model's answer counts for a text of so many bytes: of a few letters none says much."""
    return [weight * size / (size + half) for weight, half in weights]


def weigh(asked: bytes, judges: Judges) -> tuple[str, float]:
    """Return the most probable language of ``letters(text)`` and its probability; ("", 0.0) where nobody says anything."""
    said, found = own_says(judges.own, asked), find(asked)
    first, cld = found.first, judges.cld.log_share
    own_weight, cld_weight = weights_at(judges.header.alone, len(asked))
    scores = {
        code: own_weight * own_log(judges, said, code) + (cld_weight * cld(first, code) if first else 0.0)
        for code in candidates(said, first)
    }
    best, probability = most_probable(scores) if scores else ("", 0.0)
    if probability < SURE:
        best, probability = _join(asked, judges, said, first)
    if any(code == best for code, _ in found.codes):
        others = sum(percent for code, percent in found.codes if code != best and cld(code, best) < _SELDOM)
        probability *= 1 - others / 100
    return best, probability


def _join(asked: bytes, judges: Judges, said: dict[str, float], first: str) -> tuple[str, float]:
    """Return the most probable language and its probability when lid.176 is heard, too."""
    lid_first, sure = lid_says(asked)
    codes = candidates(said, first, lid_first)
    if not codes:
        return "", 0.0
    own_weight, cld_weight, lid_weight = weights_at(judges.header.joined, len(asked))
    return most_probable(
        {
            code: own_weight * own_log(judges, said, code)
            + (cld_weight * judges.cld.log_share(first, code) if first else 0.0)
            + (lid_weight * sure * judges.lid.log_share(lid_first, code) if lid_first else 0.0)
            for code in codes
        }
    )
