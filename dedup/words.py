"""Hashes of words, a batch of normalised texts at a time: what exact and near-duplicate search compare instead of text.

No Python object is made per word, but for words of very many letters; time and memory are linear in the text, whatever it holds.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import xxhash

from pile.text import SPACE

Hashes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]

#: Bytes hashed at a time: what is made of them fits a second-level cache, and is small enough that malloc keeps its memory.
PIECE_BYTES = 50_000
#: Bytes that are read as one number.
BLOCK = 8
#: A word of more bytes than this is hashed alone, by xxh3_64: it costs more than an object for it.
LONG_WORD = 64
#: What keeps the first 0 to 8 bytes of a block.
_MASKS = np.array([(1 << 8 * size) - 1 for size in range(BLOCK + 1)], np.uint64)
#: The multiplier of xxh64's first round (its prime 1): odd, with bits all over.
_MULTIPLIER = np.uint64(0x9E3779B185EBCA87)
_HIGH, _MIDDLE = np.uint64(32), np.uint64(29)


def word_hashes(texts: list[bytes]) -> tuple[Hashes, Places]:
    """Return the hash of each word of each text, and where each text's begin (one more: where the last's end).

    The texts are as ``pile.text.spaced`` gives them: words of UTF-8 between spaces. A word of up to ``LONG_WORD`` bytes is
    taken in blocks b0, b1, ... of 8 bytes (little endian, the last filled up with NULs): h = mix(b0), then h = mix(h + b) for
    each other.
    """
    bounds = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(text) + 1 for text in texts], out=bounds[1:])
    content = b" ".join(texts)
    if len(content) <= PIECE_BYTES:
        hashes, starts = _hashed(content)
        return hashes, np.searchsorted(starts, bounds)
    pieces = [(_hashed(content[start:end]), start) for start, end in _pieces(content)]
    starts = np.concatenate([places + start for (_, places), start in pieces])
    return np.concatenate([hashes for (hashes, _), _ in pieces]), np.searchsorted(starts, bounds)


def mixed(values: Hashes) -> Hashes:
    """Return the values, changed in place, with their high bits spread downwards and their low ones upwards; one to one."""
    values ^= values >> _HIGH
    values *= _MULTIPLIER
    values ^= values >> _MIDDLE
    return values


def _pieces(content: bytes) -> Iterator[tuple[int, int]]:
    """Yield where to cut so that no piece ends within a word; a longer word stays whole."""
    start, size = 0, len(content)
    while size - start > PIECE_BYTES:
        end = content.rfind(b" ", start, start + PIECE_BYTES)
        if end < start:
            end = content.find(b" ", start + PIECE_BYTES)
        if end < 0:
            break
        yield start, end
        start = end + 1
    yield start, size


def _hashed(content: bytes) -> tuple[Hashes, Places]:
    """Return the hash of each word, and the place of its first byte."""
    padded = b" %b%b" % (content, b" " * BLOCK)
    space = np.frombuffer(padded, np.uint8) == SPACE
    edges = np.flatnonzero(space[1:] != space[:-1])
    starts, ends = edges[0::2], edges[1::2]  # in ``content``: one less than in ``padded``
    lengths = ends - starts
    blocks: Hashes = np.ndarray((len(padded) - BLOCK,), "<u8", padded, 1, (1,))  # of the 8 bytes from each place on
    hashes = blocks.take(starts)
    hashes &= _MASKS.take(lengths, mode="clip")
    mixed(hashes)
    longer, done = np.flatnonzero(lengths > BLOCK), BLOCK
    while len(longer) and done < LONG_WORD:
        block = blocks[starts[longer] + done]  # not take(): it would copy all blocks each time
        block &= _MASKS.take(lengths[longer] - done, mode="clip")
        block += hashes[longer]
        hashes[longer] = mixed(block)
        done += BLOCK
        longer = longer[lengths[longer] > done]
    for word in longer.tolist():
        hashes[word] = xxhash.xxh3_64_intdigest(content[starts[word] : ends[word]])
    return hashes, starts
