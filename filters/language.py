"""Tells the language of a text with a probability, and keeps the languages asked for.

pile's own model and CLD2 are asked, and lid.176 where they are unsure (``filters.language_evidence``); or one fastText model that
the recipe names, alone. All are files on this machine; one that the recipe names by address is fetched by the build.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import msgspec
import pycld2

from filters import model_address
from filters.language_codes import GROUPS, NO_LANGUAGE, UNDETERMINED, expand, iso_code, iso_code_of_label
from filters.language_evidence import LOOKED_AT, letters, lid_codes, shipped, weigh
from filters.language_model import LABEL, LID_DISTRIBUTION, OtherModel, other_model
from filters.language_thresholds import fineweb2_thresholds
from pile.document import Document, Input, Verdict

#: English is kept from here on by datatrove and Dolma 3.
THRESHOLD = 0.65
#: A letter, or one of the numerals (½, ²) that ``\d`` leaves over.
_LETTER_OR_NUMERAL = re.compile(r"[^\W\d_]")
#: White space is folded before a text is cut to length; this many characters are looked through for that.
_LOOKED_THROUGH = 2 * LOOKED_AT
#: Digits after the point of a confidence.
_DIGITS = 4

#: Signs that programs and markup are full of, and prose is not.
_CODE_SIGNS = b'{}[]()<>=;_|\\^$#@~`&*+/"'
#: Their share of the characters that costs no confidence yet, and that from which on nothing is left of it. Of the sentences of
#: ../shared/data/lang 1 in 200 has more than .06, of gold texts of web pages 1 in 20, which show code; JavaScript has .20 and C
#: .09 in the middle, Python with its doc strings .08.
_SOME_CODE, _ALL_CODE = 0.06, 0.16

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Language(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keeps documents in the languages ``keep`` that are identified with a confidence of ``threshold`` or more.

    ``thresholds`` has other ones for single languages. With ``threshold = "fineweb2"`` a language that has none there gets
    its own from the documents of its source, by FineWeb-2's rule (``language_thresholds``). ``model`` is the path or the
    address of another fastText classifier, such as lid.176.bin or GlotLID's, and ``sha256`` that of the file. Reasons:
    ``not_english`` when only English is kept, else ``other_language``; ``language_unsure`` below the threshold, whichever
    language is the most probable.
    """

    version: ClassVar[int] = 2
    libraries: ClassVar[tuple[str, ...]] = ("fasttext-community", LID_DISTRIBUTION, "pycld2")
    decided_by: ClassVar[tuple[str, ...]] = ("keep", "threshold", "thresholds")

    keep: list[str]
    threshold: Share | Literal["fineweb2"] = THRESHOLD
    thresholds: dict[str, Share] = {}
    model: str = ""
    sha256: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{64})?$")] = ""

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for a code that the model never gives, ``PluginError`` when there is no such model."""
        if not self.keep:
            raise ValueError('keep names no language: write for example keep = ["en"]')
        if bool(self.model) != bool(self.sha256):
            raise ValueError("model and sha256 go together: a model's name does not say which bytes it has")
        known = self._known()
        for code in self.keep:
            if known and code not in known and code not in GROUPS:
                raise ValueError(f"keep names an unknown language {code!r}: choose among {', '.join(known)}")
        for code in self.thresholds:
            if code not in expand(self.keep):
                raise ValueError(f"thresholds names {code!r}, which keep does not: add it there, or leave it out here")

    @property
    def wanted(self) -> Input | None:
        """The model, where it is named by address."""
        return model_address.wanted(self.model, self.sha256)

    def with_file(self, path: Path) -> Language:
        """Return the filter that judges with this file as its model."""
        return msgspec.structs.replace(self, model=str(path))

    def measure(self, document: Document) -> dict[str, float | str]:
        """Return ``language`` (a code) and ``confidence`` (0 to 1), by the text alone."""
        code, confidence = identify(document.text) if not self.model else identify_with(self._other(), document.text)
        return {"language": code, "confidence": confidence}

    def decide(self, scores: dict[str, float | str]) -> Verdict:
        """Decide by what was measured."""
        code, confidence = str(scores["language"]), float(scores["confidence"])
        reason = ""
        if code != UNDETERMINED and confidence < self._threshold(code):  # also of a language that is not kept
            reason = "language_unsure"
        elif code not in expand(self.keep):
            reason = "not_english" if set(self.keep) == {"en"} else "other_language"
        return Verdict(not reason, reason, scores)

    def judge(self, document: Document) -> Verdict:
        """Measure, then decide."""
        return self.decide(self.measure(document))

    @property
    def surveys(self) -> bool:
        """Whether thresholds come from the whole source."""
        return self.threshold == "fineweb2"

    def survey(self, scores: Iterable[dict[str, Any]]) -> dict[str, float]:
        """Return FineWeb-2's threshold of each language that is kept."""
        wanted = expand(self.keep)
        found = ((str(one["language"]), float(one["confidence"])) for one in scores)
        return fineweb2_thresholds((code, confidence) for code, confidence in found if code in wanted)

    def surveyed(self, found: dict[str, Any]) -> Language:
        """Return the filter with the thresholds that ``survey`` found."""
        return msgspec.structs.replace(self, thresholds={**found, **self.thresholds})

    def _known(self) -> tuple[str, ...]:
        """Return the codes that the model can give; none of a model that is to be fetched, until it is there."""
        if not self.model:
            return languages()
        return () if self.wanted else tuple(sorted(other_model(self.model, self.sha256).codes))

    def _threshold(self, code: str) -> float:
        """Return a language's own threshold, else its group's, else that of all."""
        names = [code, *(group for group, members in GROUPS.items() if code in members)]
        default = THRESHOLD if isinstance(self.threshold, str) else self.threshold
        return next((self.thresholds[name] for name in names if name in self.thresholds), default)

    def _other(self) -> OtherModel:
        return other_model(self.model, self.sha256)


def identify(text: str) -> tuple[str, float]:
    """Return the language as ISO 639-1 code where one exists, else 639-3, and the confidence from 0 to 1.

    The first 1,000 characters from the first letter on decide, in lower case, so that capitals change nothing. The confidence is
    the probability that the code is right for a text in one language; it is lowered by the share of a second language that CLD2
    finds, and by what looks like code. A text without letters is ``("und", 0.0)``.
    """
    looked_at = _looked_at(text)
    if not (asked := letters(looked_at)):
        return UNDETERMINED, 0.0
    code, probability = weigh(asked, shipped())
    return (code, round(probability * _prose(looked_at), _DIGITS)) if code else (UNDETERMINED, 0.0)


def identify_with(model: OtherModel, text: str) -> tuple[str, float]:
    """Return what another model says of the characters that ``identify`` looks at, in pile's codes."""
    # A lone surrogate has no UTF-8, in which the model reads; it becomes a question mark.
    feature = _looked_at(text).lower().encode("utf-8", "replace")
    said = model.predictor.predict(feature + b"\n", 1, 0.0, "strict") if feature else []
    if not said:
        return UNDETERMINED, 0.0
    probability, label = said[0]
    return iso_code_of_label(label.removeprefix(LABEL)), min(round(probability, _DIGITS), 1.0)


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    """Return the codes that ``identify`` can give for a text with letters, sorted."""
    cld = {iso_code(code) for _, code in pycld2.LANGUAGES}
    named = shipped().own_codes | lid_codes() | cld
    return tuple(sorted(code for code in named - NO_LANGUAGE if not code.startswith("zz")))


def _looked_at(text: str) -> str:
    """Return the first 1,000 characters from the first letter on, white space folded; "" without a letter."""
    first = next((match.start() for match in _LETTER_OR_NUMERAL.finditer(text) if match.group().isalpha()), None)
    if first is None:
        return ""
    return " ".join(text[first : first + _LOOKED_THROUGH].split())[:LOOKED_AT]


def _prose(looked_at: str) -> float:
    """Return how far a text is from code: 1 for prose, 0 for nothing but code, by the share of its signs."""
    characters = looked_at.encode("ascii", "replace")
    signs = len(characters) - len(characters.translate(None, _CODE_SIGNS))
    return max(0.0, min(1.0, (_ALL_CODE - signs / len(characters)) / (_ALL_CODE - _SOME_CODE)))
