"""The spam model: fastText and weights of grams over plain words, and a logistic combination of both with the signals.

A model is one file, zstd over msgpack; the shipped one is described in docs/spam-model.md.
"""

from __future__ import annotations

import hashlib
import math
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import fasttext
import msgspec
import zstandard

from filters import fasttext_model, spam_grams
from filters.spam_grams import Table
from filters.spam_signals import SIGNALS, signals
from filters.spam_text import Reading
from pile.errors import PluginError

SHIPPED = Path(__file__).with_name("spam.model")
FORMAT = "pile-spam-2"
SPAM, CLEAN = "spam", "clean"
#: Largest model file that is read, in bytes: none that ``pile train`` writes comes near it.
LARGEST = 256 << 20
#: Log-odds of fastText beyond which it is no surer: trained to the end, it calls nearly everything certain.
SURE = 8.0
#: What the combination weighs, in order: the two text models and the signals.
TEXT_MODELS = ("fasttext", "grams")
INPUTS = (*TEXT_MODELS, *SIGNALS)
#: Log-odds by the grams beyond which they are no surer.
SURE_BY_GRAMS = 15.0


class Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a model file holds: the text models, and the weights of ``inputs`` for long and short texts.

    Between them a weight goes over from one to the other as ``few_words`` grows from 0 to 1.
    """

    format: str
    fasttext: bytes
    grams: Table
    short_grams: Table
    inputs: tuple[str, ...]
    weights: tuple[float, ...]
    short_weights: tuple[float, ...]
    bias: float

    def check(self) -> None:
        """Raise ``ValueError``, saying what is wrong, unless the model can be used."""
        counts = {len(self.inputs), len(self.weights), len(self.short_weights)}
        if self.format != FORMAT or self.inputs != INPUTS or counts != {len(INPUTS)}:
            raise ValueError("it is of another version of pile")
        fasttext_model.check(self.fasttext)
        self.grams.check()
        self.short_grams.check()


class Judged(NamedTuple):
    """The probability of spam, and what each input adds to its log-odds."""

    probability: float
    parts: dict[str, float]


class Model:
    """A model that is read and ready."""

    def __init__(self, stored: Stored, classifier: Any) -> None:
        self._stored = stored
        self._fasttext = classifier
        self._weights = list(zip(stored.inputs, stored.weights, stored.short_weights, strict=True))

    def judge(self, reading: Reading, extra: float = 0.0) -> Judged:
        """Return the judgement of what was read of a text; ``extra`` is added to the log-odds."""
        values = inputs(reading, self.fasttext_odds(reading.feature), self.grams_odds(reading.line))
        short = values["few_words"]
        parts = {name: ((1 - short) * long + short * brief) * values[name] for name, long, brief in self._weights}
        return Judged(chance_of(self._stored.bias + sum(parts.values()) + extra), parts)

    def fasttext_odds(self, feature: str) -> float:
        """Return fastText's log-odds of spam, bounded by ``SURE``."""
        return odds(fasttext_model.probability(self._fasttext, feature, SPAM)) if feature else 0.0

    def grams_odds(self, line: str) -> float:
        """Return the log-odds by the weights of the grams, of the table for texts of the line's length."""
        stored = self._stored.short_grams if spam_grams.is_short(line) else self._stored.grams
        return spam_grams.log_odds(line, stored)


def inputs(reading: Reading, fasttext_odds: float, grams_odds: float) -> dict[str, float]:
    """Return the inputs of the combination by name."""
    bounded = min(max(grams_odds, -SURE_BY_GRAMS), SURE_BY_GRAMS)
    return {"fasttext": fasttext_odds, "grams": bounded, **signals(reading)}


def odds(probability: float) -> float:
    """Return the log-odds of a probability, bounded by ``SURE``."""
    least = 1 / (1 + math.exp(SURE))
    bounded = min(max(probability, least), 1 - least)
    return math.log(bounded / (1 - bounded))


def chance_of(log_odds: float) -> float:
    """Return the probability for log-odds."""
    if log_odds < 0:
        raised = math.exp(max(log_odds, -700.0))
        return raised / (1 + raised)
    return 1 / (1 + math.exp(-log_odds))


def pack(stored: Stored) -> bytes:
    """Return a model as the bytes of its file."""
    return zstandard.ZstdCompressor(level=19, write_checksum=True).compress(
        msgspec.msgpack.encode(stored, order="deterministic")
    )


@lru_cache(maxsize=4)
def load(path: str = "", sha256: str = "") -> Model:
    """Return a model, the shipped one for "", one per process; raises ``PluginError`` for a file that is none, or another."""
    file = Path(path) if path else SHIPPED
    next_step = "name a file that `pile train spam` wrote" if path else "install pile again"
    try:
        data = file.read_bytes()
    except OSError as error:
        raise PluginError(f"spam model {file} cannot be read ({error.strerror or error}): {next_step}") from error
    digest = hashlib.sha256(data).hexdigest()
    if sha256 and digest != sha256:
        raise PluginError(f"spam model {file} has sha256 {digest}, not {sha256}: fetch it again, or mend sha256")
    try:
        stored = msgspec.msgpack.decode(_unpacked(data), type=Stored)
        stored.check()
    except (zstandard.ZstdError, msgspec.DecodeError, ValueError) as error:
        raise PluginError(f"spam model {file} cannot be used: {error}; {next_step}") from error
    return Model(stored, opened(stored.fasttext))


def _unpacked(data: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompress(data, max_output_size=LARGEST)


def opened(data: bytes) -> Any:
    """Return fastText's model of its file's bytes; fastText reads files only."""
    with tempfile.NamedTemporaryFile(suffix=".ftz") as file:
        file.write(data)
        file.flush()
        return fasttext.load_model(file.name)
