"""Benchmarks that a corpus must not hold: their files, and the words in a row by which their questions are known again.

A question is known by ``GRAM_WORDS`` words in a row that stand in few others; one that every second question begins with
says nothing.
"""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import zstandard

from pile.errors import RequestError
from pile.text import spaced
from pile.words import Hashes, Places, grams_of, word_hashes

#: Words in a row that are looked for: the shortest question that can be found. GPT-3 and The Pile took 13, datatrove 12; here
#: several of one question must be found, so that each may be shorter.
GRAM_WORDS = 8
#: What stands in more passages than this is a phrase of the benchmark's, not of one question.
MOST_PASSAGES = 3
#: Characters of the longest line that is one question.
LONGEST_LINE = 1_000_000
#: A number is a number, however many digits it has.
NUMBER = re.compile(rb"0+")
BLANK_LINES = re.compile(r"\n\s*\n")


class Passage(NamedTuple):
    """A text of a benchmark that is looked for by itself: a question, an answer, a choice."""

    item: int  #: line or paragraph of the file, from 0
    text: str


class Features(msgspec.Struct, frozen=True):
    """What is looked for: all rare grams, ascending, and the passages that each stands in.

    Passages of gram g are ``passages[bounds[g] : bounds[g + 1]]``. Of each passage: its benchmark, its item, and how many of the
    grams are in it; of each benchmark: its name, how many items it has, and how many have no passage that is long enough.
    """

    grams: Any  # uint64
    bounds: Any  # int64
    passages: Any  # int32
    benchmark: Any  # int32, by passage
    item: Any  # int32, by passage
    size: Any  # int32, by passage
    names: list[str]
    items: list[int]
    too_short: list[int]


def gram_hashes(texts: list[str]) -> tuple[Hashes, Places]:
    """Return the hashes of all ``GRAM_WORDS`` words in a row of each text, and where each text's begin (one more: the end)."""
    return grams_of(*word_hashes([words_of(text) for text in texts]), GRAM_WORDS)


def words_of(text: str) -> bytes:
    """Return a text's words as they are compared: normalised, and each number the same as any other."""
    return NUMBER.sub(b"0", spaced(text))


def read(path: Path, fields: list[str]) -> Iterator[Passage]:
    """Yield the passages of a benchmark file, plain, gzip or zstd: JSON Lines by their fields, other text by paragraphs.

    Of a line all strings count, those of lists as well, or those of the named fields. Raises ``RequestError`` for a file that
    is empty, damaged or one huge line.
    """
    text = _content(path)
    found = False
    if path.name.removesuffix(".gz").removesuffix(".zst").endswith((".jsonl", ".ndjson")):
        for item, line in enumerate(text.split("\n")):
            if line.strip():
                _check(path, item, line)
                passages = list(_strings(_decoded(path, item, line), fields))
                found = found or bool(passages)
                yield from (Passage(item, passage) for passage in passages)
    else:
        for item, paragraph in enumerate(BLANK_LINES.split(text)):
            if paragraph.strip():
                _check(path, item, max(paragraph.splitlines(), key=len))
                found = True
                yield Passage(item, paragraph)
    if not found:
        what = f"in the fields {', '.join(fields)}" if fields and text.strip() else "in it"
        raise RequestError(f"benchmark {path}: no text {what}; name a file of questions, or leave it out")


def _content(path: Path) -> str:
    try:
        data = path.read_bytes()
        if data.startswith(b"\x1f\x8b"):
            data = gzip.decompress(data)
        elif data.startswith(b"\x28\xb5\x2f\xfd"):
            data = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True).read()
        return data.decode("utf-8-sig")
    except FileNotFoundError:
        raise RequestError(f"no benchmark at {path}: name a file of JSON Lines or of text") from None
    except (OSError, EOFError, ValueError, zstandard.ZstdError) as error:
        raise RequestError(f"benchmark {path} cannot be read: {error}; fetch it again") from error


def _check(path: Path, item: int, line: str) -> None:
    if len(line) > LONGEST_LINE:
        raise RequestError(
            f"benchmark {path}: item {item + 1} has a line of {len(line):,} characters; write one question on a line"
        )


def _decoded(path: Path, item: int, line: str) -> Any:
    try:
        return msgspec.json.decode(line)
    except msgspec.DecodeError as error:
        raise RequestError(f"benchmark {path} line {item + 1}: {error}; mend or remove that line") from error


def _strings(value: Any, fields: list[str]) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner, [])
    elif isinstance(value, dict):
        for key, inner in value.items():
            if not fields or key in fields:
                yield from _strings(inner, [])


def compiled(benchmarks: list[tuple[str, list[Passage]]]) -> Features:
    """Return what is looked for of some benchmarks, by name."""
    passages = [(place, passage) for place, (_, found) in enumerate(benchmarks) for passage in found]
    hashes, starts = gram_hashes([passage.text for _, passage in passages])
    owner = np.repeat(np.arange(len(passages)), np.diff(starts))
    order = np.lexsort((owner, hashes))
    hashes, owner = hashes[order], owner[order]
    new = np.ones(len(hashes), bool)
    new[1:] = (hashes[1:] != hashes[:-1]) | (owner[1:] != owner[:-1])
    hashes, owner = hashes[new], owner[new]  # each gram of a passage once
    grams, count = np.unique(hashes, return_counts=True)
    rare = count <= MOST_PASSAGES
    kept = np.repeat(rare, count)
    owner, count = owner[kept], count[rare]
    benchmark = np.array([place for place, _ in passages], np.int32)
    item = np.array([passage.item for _, passage in passages], np.int32)
    long = np.diff(starts) > 0
    items, short = [], []
    for place in range(len(benchmarks)):
        mine = benchmark == place
        items.append(len(np.unique(item[mine])))
        short.append(items[-1] - len(np.unique(item[mine & long])))
    return Features(
        grams[rare],
        np.concatenate([[0], np.cumsum(count)]),
        owner.astype(np.int32),
        benchmark,
        item,
        np.bincount(owner, minlength=len(passages)).astype(np.int32),
        [name for name, _ in benchmarks],
        items,
        short,
    )


class Lookup:
    """Finds grams among those that are looked for; most are none, which one look into a table of bits says."""

    BITS = 22

    def __init__(self, grams: npt.NDArray[np.uint64]) -> None:
        self._grams = grams
        self._shift = np.uint64(64 - self.BITS)
        self._table = np.zeros(1 << self.BITS, bool)
        self._table[(grams >> self._shift).astype(np.int64)] = True

    def __call__(self, hashes: Hashes) -> tuple[Places, Places]:
        """Return places among the hashes that hold a gram that is looked for, and its number."""
        maybe = np.flatnonzero(self._table.take((hashes >> self._shift).astype(np.int64)))
        if not len(self._grams) or not len(maybe):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        wanted = hashes[maybe]
        number = np.minimum(np.searchsorted(self._grams, wanted), len(self._grams) - 1)
        there = self._grams[number] == wanted
        return maybe[there], number[there]
