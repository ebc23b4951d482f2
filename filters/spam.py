"""Judges whether a text is spam: an advertisement nobody asked for, a doorway, a list of keywords.

The probability is the shipped model's (docs/spam-model.md has its data and its errors), which ``pile train spam`` replaces.
What a web source saw of a page's markup before extraction (``meta["page"]``) counts where it is there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec

from filters import model_address, spam_model
from filters.fasttext_model import digest_of
from filters.spam_model import TEXT_MODELS
from filters.spam_page import evidence
from filters.spam_signals import families
from filters.spam_text import read
from pile.document import Document, Input, Verdict

#: Probability from which a document is dropped. At it, fewer than 0.5 % of each clean source are (docs/spam-model.md).
THRESHOLD = 0.9
#: Digits after the point of a probability, which is compared when rounded.
_DIGITS = 4
#: Signals that are named beside a probability, the strongest first, and the least log-odds that one of them adds.
_NAMED, _LEAST = 4, 0.1
#: Phrases of the lexicon that are shown.
_SHOWN = 5


class Spam(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keeps documents whose probability of spam is below ``threshold``. The only reason is ``spam``.

    ``model`` is a file that ``pile train spam`` wrote, or its address (the shipped one, when left
    out); with ``sha256`` it must be that file.
    """

    version: ClassVar[int] = 2
    libraries: ClassVar[tuple[str, ...]] = ("fasttext-community", "numpy", "zstandard")
    decided_by: ClassVar[tuple[str, ...]] = ("threshold",)

    threshold: Annotated[float, msgspec.Meta(gt=0, le=1)] = THRESHOLD
    model: str = ""
    sha256: str = ""

    def __post_init__(self) -> None:
        """Raise ``PluginError`` when the model cannot be used."""
        if self.wanted:
            return
        spam_model.load(self.model, self.sha256)
        # What is stored under these options holds for the bytes of the model, whatever it is called.
        msgspec.structs.force_setattr(self, "sha256", digest_of(self.model or str(spam_model.SHIPPED)))

    @property
    def wanted(self) -> Input | None:
        """The model, where it is named by address."""
        return model_address.wanted(self.model, self.sha256)

    def with_file(self, path: Path) -> Spam:
        """Return the filter that judges with this file as its model."""
        return msgspec.structs.replace(self, model=str(path))

    def measure(self, document: Document) -> dict[str, float | str]:
        """Return ``probability``, and what the text models and the strongest signals add to its log-odds, by name.

        ``phrases`` are some that the lexicon has, where there are any.
        """
        reading = read(document.text)
        page = evidence(document.meta.get("page"))
        judged = spam_model.load(self.model, self.sha256).judge(reading, sum(page.values()))
        scores: dict[str, float | str] = {"probability": round(judged.probability, _DIGITS)}
        parts = _named({**judged.parts, **page})
        scores.update(parts)
        if "lexicon" in parts or "urging" in parts:
            found = [phrase for phrases in families(reading).values() for phrase in phrases]
            scores["phrases"] = "; ".join(found[:_SHOWN])
        return scores

    def decide(self, scores: dict[str, Any]) -> Verdict:
        """Decide by the probability alone."""
        spam = scores["probability"] >= self.threshold
        return Verdict(not spam, "spam" if spam else "", scores)

    def judge(self, document: Document) -> Verdict:
        """Measure and decide."""
        return self.decide(self.measure(document))


def _named(parts: dict[str, float]) -> dict[str, float]:
    """Return what the text models add as ``words``, and the strongest of the signals that speak for spam."""
    words = sum(parts[name] for name in TEXT_MODELS)
    signals = [(part, name) for name, part in parts.items() if name not in TEXT_MODELS]
    strongest = sorted((found for found in signals if found[0] >= _LEAST), key=lambda found: (-found[0], found[1]))
    return {"words": round(words, 2), **{name: round(part, 2) for part, name in strongest[:_NAMED]}}


def score(text: str) -> float:
    """Return the probability that a text is spam, from 0 to 1; 0 for one without a letter, digit or sign that is read.

    The first 4,000 and the last 1,000 characters decide. Any text has a score; it never fails, and takes no longer for long ones.
    """
    reading = read(text)
    return round(spam_model.load().judge(reading).probability, _DIGITS) if reading.feature else 0.0
