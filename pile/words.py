"""Hashes of words and of words in a row, a batch of normalised texts at a time: what is compared instead of text.

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
#: The odd multiplier that joins words, or a band's digests, to one hash.
JOIN = np.uint64(0x9FB21C651E98DF25)
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


def grams_of(words: Hashes, starts: Places, size: int) -> tuple[Hashes, Places]:
    """Return the hashes of ``size`` words in a row, and where each text's begin (one more: where the last's end).

    ``words`` and ``starts`` are as ``word_hashes`` gives them. They come in the order of the words, with repeats; a text of
    fewer words has none. The words are joined as a polynomial in ``JOIN``, the first with the highest power, and mixed.
    """
    count = len(words) - (size - 1)
    if count < 1:
        return np.empty(0, np.uint64), np.zeros(len(starts), np.int64)
    grams = words[:count].copy()
    for offset in range(1, size):
        grams *= JOIN
        grams += words[offset : offset + count]
    # What begins in the last words of a text would reach into the next.
    across = (starts[1:, None] - np.arange(1, size)).ravel()
    whole = np.ones(count, bool)
    whole[across[(across >= 0) & (across < count)]] = False
    counts = np.maximum(np.diff(starts) - (size - 1), 0)
    return mixed(grams[whole]), np.concatenate([[0], np.cumsum(counts)])


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
