"""Reading fastText's model files: whole, of the kind that classifies, and the one that is meant.

fastText itself (https://github.com/facebookresearch/fastText, ``FastText::loadModel``) checks a magic number and then believes
every size that it reads: a file cut short crashes it or gives another model. So the sizes are followed here first.
"""

from __future__ import annotations

import hashlib
import mmap
import struct
from functools import lru_cache
from pathlib import Path
from typing import Any

import fasttext

from pile.errors import PluginError

#: First number of a model file, and the newest version of the format.
MAGIC, VERSION = 793712314, 12
#: The kind of model that knows labels; others know words only.
SUPERVISED = 3
LABEL = "__label__"
#: Centroids of each part of a product quantizer.
_CENTROIDS = 256


class _Reader:
    """A place in the bytes of a model file; beyond their end it raises ``ValueError``."""

    def __init__(self, data: mmap.mmap | bytes) -> None:
        self.data = data
        self.place = 0

    def take(self, form: str) -> tuple[Any, ...]:
        size = struct.calcsize(form)
        self.skip(size)
        return struct.unpack_from(form, self.data, self.place - size)

    def skip(self, size: int) -> None:
        if size < 0 or self.place + size > len(self.data):
            raise ValueError(f"it ends early, at byte {len(self.data):,}")
        self.place += size

    def skip_entry(self) -> None:
        end = self.data.find(b"\0", self.place)
        if end < 0:
            raise ValueError(f"it ends early, at byte {len(self.data):,}")
        self.place = end
        self.skip(1 + struct.calcsize("<qb"))


def check(data: mmap.mmap | bytes) -> None:
    """Raise ``ValueError``, saying what is wrong, unless the bytes are a whole model that classifies."""
    reader = _Reader(data)
    if len(data) < 8:
        raise ValueError("it is no model of fastText")
    magic, version = reader.take("<ii")
    if magic != MAGIC:
        raise ValueError("it is no model of fastText")
    if version > VERSION:
        raise ValueError(f"it has version {version} of the format, and {VERSION} is the last one known")
    arguments = reader.take("<12id")
    if arguments[7] != SUPERVISED:
        raise ValueError("it is a model of word vectors, not of labels")
    words, _, labels, _, pruned = reader.take("<iiiqq")
    if labels < 1:
        raise ValueError("it has no labels")
    for _ in range(words):
        reader.skip_entry()
    reader.skip(8 * max(0, pruned))
    (quantized,) = reader.take("<?")
    _skip_matrix(reader, quantized)
    (output_quantized,) = reader.take("<?")
    _skip_matrix(reader, quantized and output_quantized)
    if reader.place != len(data):
        raise ValueError(f"it has {len(data) - reader.place:,} bytes too many")


def _skip_matrix(reader: _Reader, quantized: bool) -> None:
    if not quantized:
        rows, columns = reader.take("<qq")
        reader.skip(4 * rows * columns)
        return
    normed, rows, _, codes = reader.take("<?qqi")
    reader.skip(codes)
    _skip_quantizer(reader)
    if normed:
        reader.skip(rows)
        _skip_quantizer(reader)


def _skip_quantizer(reader: _Reader) -> None:
    dimensions = reader.take("<4i")[0]
    reader.skip(4 * dimensions * _CENTROIDS)


def digest_of(path: str) -> str:
    """Return the sha256 (hex) of a model file, "" where it cannot be read: what ``load`` says of it then comes first."""
    try:
        state = Path(path).stat()
        return _digest(path, state.st_size, state.st_mtime_ns)
    except OSError:
        return ""


@lru_cache(maxsize=8)
def _digest(path: str, size: int, changed: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(maxsize=4)
def load(path: str, sha256: str = "") -> Any:
    """Return a model, one per process; raises ``PluginError`` where the file is missing, another, cut short or no such model."""
    next_step = "name a model of fastText's that classifies, or train one with `pile train`"
    try:
        with open(path, "rb") as file:
            if not Path(path).stat().st_size:
                raise PluginError(f"model {path} is empty: {next_step}")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                digest = hashlib.sha256(data).hexdigest()
                if sha256 and digest != sha256:
                    raise PluginError(f"model {path} has sha256 {digest}, not {sha256}: fetch it again, or mend sha256")
                check(data)
        return fasttext.load_model(path)
    except OSError as error:
        raise PluginError(f"model {path} cannot be read ({error.strerror or error}): {next_step}") from error
    except ValueError as error:
        raise PluginError(f"model {path} cannot be used: {error}; {next_step}") from error


def probability(model: Any, feature: str, label: str) -> float:
    """Return the probability of a label, which is named without fastText's prefix; 0 for a text of which nothing is known."""
    labels, probabilities = model.predict(feature, k=-1)
    wanted = LABEL + label
    return next((min(1.0, float(p)) for name, p in zip(labels, probabilities, strict=True) if name == wanted), 0.0)


def labels(model: Any) -> list[str]:
    """Return the labels of a model without fastText's prefix, sorted."""
    return sorted(name.removeprefix(LABEL) for name in model.get_labels())
