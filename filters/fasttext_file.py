"""The layout of fastText's model files, so far as to tell a whole file from a part of one or something else.

fastText itself reads a file cut short as if something followed, and may never end. The layout is that of FastText::saveModel and
what it calls (https://github.com/facebookresearch/fastText/blob/main/src/fasttext.cc).
"""

from __future__ import annotations

import struct
from mmap import ACCESS_READ, mmap
from pathlib import Path

_MAGIC = 793712314
#: Arguments: twelve numbers and a fraction; then the sizes of the dictionary.
_HEAD = struct.Struct("<2i12id3i2q")
_SUPERVISED = 3
#: After a word of the dictionary: a zero byte, its count, its kind.
_AFTER_WORD = 1 + 8 + 1
_PRUNED_PAIR = 8
#: Centroids of a product quantiser, and bytes of a number.
_CENTROIDS, _FLOAT = 256, 4


def fault(path: Path) -> str:
    """Return what keeps a file from being a whole fastText classifier, "" where nothing does; raises ``OSError``."""
    with open(path, "rb") as file:
        if path.stat().st_size < _HEAD.size:
            return "it is too short for a model"
        with mmap(file.fileno(), 0, access=ACCESS_READ) as content:
            return _fault(content)


def _fault(content: mmap) -> str:
    magic, _, *arguments, words, _, labels, _, pruned = _HEAD.unpack_from(content)
    if magic != _MAGIC:
        return "it is no fastText model"
    if arguments[7] != _SUPERVISED or labels <= 0:
        return "it holds word vectors, and no classifier"
    place = _HEAD.size
    for _ in range(words):
        end = content.find(b"\x00", place)
        if end < 0:
            return "it is cut short in its dictionary"
        place = end + _AFTER_WORD
    place += _PRUNED_PAIR * max(0, pruned)
    try:
        for _ in ("input", "output"):
            (quantised,) = struct.unpack_from("<?", content, place)
            place = _after_quantised(content, place + 1) if quantised else _after_matrix(content, place + 1)
    except struct.error:
        return "it is cut short before its weights"
    missing = place - len(content)
    if missing > 0:
        return f"it is cut short by {missing:,} bytes"
    return "" if not missing else f"{-missing:,} bytes follow its end"


def _after_matrix(content: mmap, place: int) -> int:
    rows, columns = struct.unpack_from("<2q", content, place)
    return place + 16 + _FLOAT * rows * columns  # type: ignore[no-any-return]


def _after_quantised(content: mmap, place: int) -> int:
    norms, rows, _, codes = struct.unpack_from("<?2qi", content, place)
    place = _after_centroids(content, place + 21 + codes)
    return _after_centroids(content, place + rows) if norms else place


def _after_centroids(content: mmap, place: int) -> int:
    (columns,) = struct.unpack_from("<i", content, place)
    return place + 16 + _FLOAT * _CENTROIDS * columns  # type: ignore[no-any-return]
