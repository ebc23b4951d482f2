"""Texts to shingles, against a plain definition in Python: one word, one shingle at a time."""

from __future__ import annotations

import numpy as np
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.signature import SHINGLE_WORDS, sets_of, shingle_batch
from pile import words
from pile.text import normalise, spaced
from pile.words import LONG_WORD, word_hashes

BITS = (1 << 64) - 1

TEXT = st.text(st.sampled_from("abcé xyz 漢한국 ไท،\U0001d7d8"), max_size=60)
LONG = st.builds(lambda word, size: (word * size)[:size], st.sampled_from(["abc", "ы", "x"]), st.integers(1, 140))
SENTENCE = st.lists(
    st.one_of(st.sampled_from(["a", "b", "ab", "eightlet", "nineletts", "été", "汉字", "नमस्ते"]), LONG), max_size=14
)


def mix(value: int) -> int:
    value ^= value >> 32
    value = value * 0x9E3779B185EBCA87 & BITS
    return value ^ value >> 29


def plain_word(word: bytes) -> int:
    """The definition of a word's hash."""
    if len(word) > LONG_WORD:
        return xxhash.xxh3_64_intdigest(word)
    blocks = [int.from_bytes(word[place : place + 8], "little") for place in range(0, len(word), 8)]
    value = mix(blocks[0])
    for block in blocks[1:]:
        value = mix((value + block) & BITS)
    return value


def plain_shingles(text: str) -> list[int]:
    """The definition of a text's shingles, in order."""
    hashes = [plain_word(word) for word in spaced(text).split()]
    found = []
    for start in range(len(hashes) - SHINGLE_WORDS + 1):
        value = 0
        for word in hashes[start : start + SHINGLE_WORDS]:
            value = (value * 0x9FB21C651E98DF25 + word) & BITS
        found.append(mix(value))
    return found


@settings(max_examples=150)
@given(
    st.lists(st.one_of(TEXT, SENTENCE.map(" ".join), SENTENCE.map(", ".join)), min_size=1, max_size=8),
    st.integers(8, 300),
)
def test_batches_give_what_the_definition_gives_for_each_text_alone(texts: list[str], piece: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(words, "PIECE_BYTES", piece)
        hashes, starts = word_hashes([spaced(text) for text in texts])
        grams, gram_starts = shingle_batch(hashes, starts)
        found = list(sets_of([spaced(text) for text in texts]))
    for place, text in enumerate(texts):
        plain = plain_shingles(text)
        assert hashes[starts[place] : starts[place + 1]].tolist() == [plain_word(word) for word in spaced(text).split()]
        assert grams[gram_starts[place] : gram_starts[place + 1]].tolist() == plain
        assert found[place].tolist() == sorted(set(plain))


@given(SENTENCE, SENTENCE)
def test_shingles_have_the_jaccard_of_word_tuples(left: list[str], right: list[str]) -> None:
    texts = [spaced(" ".join(side)) for side in (left, right)]
    first, second = (set(found.tolist()) for found in sets_of(texts))
    slow = []
    for text in texts:
        parts = text.split()
        slow.append({tuple(parts[i : i + SHINGLE_WORDS]) for i in range(len(parts) - SHINGLE_WORDS + 1)})
    assert (len(first), len(second)) == (len(slow[0]), len(slow[1]))
    assert len(first & second) == len(slow[0] & slow[1])


@given(TEXT)
def test_a_text_and_its_normal_form_have_the_same_shingles(text: str) -> None:
    assert plain_shingles(text) == plain_shingles(normalise(text))


def test_a_batch_of_nothing_and_of_texts_without_shingles() -> None:
    for texts in ([b""], [b"", b""], [b"one two three four"], [b"", b"a b", b""], [b"a b", b"c d e f"]):
        grams, starts = shingle_batch(*word_hashes(texts))
        assert len(grams) == 0
        assert starts.tolist() == [0] * (len(texts) + 1)


def test_words_that_differ_in_their_last_letters_do_not_collide() -> None:
    letters = [f"{letter:c}" for letter in range(97, 123)]
    texts = [f"{pre}{a} b {pre}{b} d e" for pre in ("seventh", "a", "fifteenletters") for a in letters for b in letters]
    hashes = np.concatenate(list(sets_of([spaced(text) for text in texts])))
    assert len(np.unique(hashes)) == len(hashes)


def test_no_collisions_among_a_million_words() -> None:
    text = " ".join(f"{number:x}" for number in range(1_000_000)).encode()
    hashes, _ = word_hashes([text])
    assert len(np.unique(hashes)) == 1_000_000
    assert len(next(sets_of([text]))) == 999_996


def test_one_word_of_many_megabytes_is_one_word() -> None:
    hashes, starts = word_hashes([b"x" * 20_000_000, b"y"])
    assert hashes.tolist() == [plain_word(b"x" * 20_000_000), plain_word(b"y")]
    assert starts.tolist() == [0, 1, 2]
