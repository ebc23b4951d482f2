"""Judges a text by a fastText classifier of good text against raw crawl, as The Pile and GPT-3 did, with any such model.

The Pile's own feature and rule are the defaults (Gao et al. 2020, appendix C.1, https://arxiv.org/abs/2101.00027; Brown et al.
2020, appendix A, https://arxiv.org/abs/2005.14165): a document is kept when a Pareto draw exceeds 1 - s.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec

from filters import fasttext_model, model_address
from pile.chance import chance
from pile.document import Document, Input, Verdict
from pile.errors import PluginError

#: Alpha of Pareto's distribution: 3 as for Pile-CC; GPT-3 took 9.
ALPHA = 3.0
#: Characters that the feature ends at, and the last so many of them that are taken.
FEATURE_END, FEATURE_LENGTH = 4_000, 1_500
#: The label of good text in models that ``pile train quality`` writes.
GOOD, RAW = "good", "raw"
#: Digits after the point of what is stored; both are compared when rounded.
_DIGITS = 6


class Quality(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keeps a document of score s with the probability (2 - s)^-alpha, or with ``threshold`` each of that score or more.

    ``positives`` names sources of the recipe: a model is then trained inside the build, of their documents against those of this
    filter's own source before it is filtered. Or ``model`` is a file of fastText's, or its address, with
    ``sha256`` that very one; ``label`` is its label of good text (DCLM's: "hq").
    The score is of characters ``feature_end`` - ``feature_length`` to ``feature_end``; ``feature_end = 0`` takes the whole text,
    ``feature_length = 0`` all before the end. ``seed`` draws. The only reason is ``low_quality``.
    """

    version: ClassVar[int] = 1
    libraries: ClassVar[tuple[str, ...]] = ("fasttext-community",)
    decided_by: ClassVar[tuple[str, ...]] = ("alpha", "threshold")

    positives: list[str] = []
    model: str = ""
    sha256: str = ""
    label: str = GOOD
    alpha: Annotated[float, msgspec.Meta(gt=0)] = ALPHA
    threshold: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    feature_end: Annotated[int, msgspec.Meta(ge=0)] = FEATURE_END
    feature_length: Annotated[int, msgspec.Meta(ge=0)] = FEATURE_LENGTH
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise ``ValueError`` without one of ``positives`` and ``model``, ``PluginError`` when the model cannot be used."""
        if bool(self.positives) == bool(self.model):
            raise ValueError('name either sources that are good, positives = ["wikipedia"], or the file of a model')
        if self.positives or self.wanted:
            return
        known = fasttext_model.labels(fasttext_model.load(self.model, self.sha256))
        if self.label not in known:
            raise PluginError(f"model {self.model} has no label {self.label!r}: set label to one of {', '.join(known)}")
        # What is stored under these options holds for the bytes of the model, whatever it is called.
        msgspec.structs.force_setattr(self, "sha256", fasttext_model.digest_of(self.model))

    @property
    def wanted(self) -> Input | None:
        """The model, where it is named by address."""
        return model_address.wanted(self.model, self.sha256)

    def with_file(self, path: Path) -> Quality:
        """Return the filter that judges with this file as its model."""
        return msgspec.structs.replace(self, model=str(path))

    def training_facts(self) -> list[Any]:
        """Return what a model trained inside a build depends on."""
        from filters.quality_training import LEAST_EPOCHS, MOST_EPOCHS, SEEN, SETTINGS

        return [self.feature_end, self.feature_length, SETTINGS, LEAST_EPOCHS, MOST_EPOCHS, SEEN]

    def feature(self, text: str) -> str:
        """Return what the model sees of a text."""
        return feature(text, self.feature_end, self.feature_length)

    def train(self, positives: list[str], negatives: list[str], out: Path) -> dict[str, Any]:
        """Train on features, write the model to ``out``, and return the report of it; raises ``CorpusError`` for too few."""
        from filters.quality_training import train  # late: it imports this module, and few builds train

        found: dict[str, Any] = msgspec.to_builtins(train(positives, negatives, out))
        return found

    def with_model(self, path: Path) -> Quality:
        """Return the filter that judges with this model."""
        return msgspec.structs.replace(self, positives=[], model=str(path), sha256="", label=GOOD)

    def measure(self, document: Document) -> dict[str, float | str]:
        """Return ``score``, the probability of good text, and ``draw``, the document's own chance from 0 to 1."""
        model = fasttext_model.load(self.model, self.sha256)
        line = self.feature(document.text)
        return {
            "score": round(fasttext_model.probability(model, line, self.label), _DIGITS),
            "draw": round(chance(self.seed, "pareto", document.id), _DIGITS),
        }

    def decide(self, scores: dict[str, Any]) -> Verdict:
        """Decide by the score, and by the draw where there is no threshold."""
        score = scores["score"]
        keep = score >= self.threshold if self.threshold is not None else scores["draw"] < (2 - score) ** -self.alpha
        return Verdict(keep, "" if keep else "low_quality", scores)

    def judge(self, document: Document) -> Verdict:
        """Measure and decide."""
        return self.decide(self.measure(document))


def feature(text: str, end: int = FEATURE_END, length: int = FEATURE_LENGTH) -> str:
    """Return the line that the classifier reads: without line ends and lone surrogates, from the place that The Pile reads."""
    piece = text[:end] if end else text
    piece = piece[-length:] if length else piece
    # fastText reads to the end of a line, and UTF-8, which has no lone surrogates.
    return piece.replace("\n", " ").replace("\0", " ").encode("utf-8", "replace").decode("utf-8")
