"""Tokens: how many a byte of each source's text has, by a tokenizer that a person names, measured on a finished corpus.

The order of a corpus is a hash of its documents' ids, so its first documents are a random sample of them, and always the same.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from pile.corpus import Corpus
from pile.errors import DataError, RequestError
from pile.fetch import Upstream
from pile.weights import Component

#: A source has been measured with so many documents, or so many bytes of their text: its ratio is then known within a percent or
#: two, and 22 sources take seconds.
ENOUGH_DOCUMENTS, ENOUGH_BYTES = 200, 1 << 20
#: Bytes of text after which no more is read for a source that is rarely met.
MOST_BYTES = 256 << 20
#: Texts that are tokenized together.
BATCH = 64
#: A tokenizer's name on its hub, with a revision or without: https://huggingface.co/docs/hub.
NAME = re.compile(r"([\w.-]+(?:/[\w.-]+)?)(?:@([\w.-]+))?")
ADDRESS = "https://huggingface.co/{name}/resolve/{revision}/tokenizer.json"


class Tokenizer(NamedTuple):
    """A tokenizer, where it came from, and the sha256 (hex) of its file."""

    place: str
    sha256: str
    made: Any

    def count(self, texts: list[str]) -> int:
        """Return the tokens of some texts, without any that only begin or end one."""
        return sum(len(one.ids) for one in self.made.encode_batch(texts, add_special_tokens=False))


class Sample(msgspec.Struct):
    """What was read of one source."""

    documents: int = 0
    bytes: int = 0
    tokens: int = 0

    @property
    def enough(self) -> bool:
        """Whether no more need be read."""
        return self.documents >= ENOUGH_DOCUMENTS or self.bytes >= ENOUGH_BYTES


def load(name: str, upstream: Upstream) -> Tokenizer:
    """Return the tokenizer of a file, ``tokenizer.json``, or of a name on huggingface.co, ``OWNER/NAME[@REVISION]``.

    Raises ``RequestError`` where there is none, ``FetchError`` where the hub does not give one by that name.
    """
    from tokenizers import (  # late: no other command needs it
        Tokenizer as Made,
    )

    place, match = name, NAME.fullmatch(name)
    if Path(name).is_file():
        content = Path(name).read_bytes()
    elif match is None or name.endswith(".json"):
        raise RequestError(
            f"--tokenizer {name}: no such file; name a tokenizer.json, or OWNER/NAME as on huggingface.co"
        )
    else:
        place = ADDRESS.format(name=match[1], revision=match[2] or "main")
        content = upstream.read(place)
    try:
        made = Made.from_str(content.decode())
    except Exception as error:  # the library raises no narrower class
        raise RequestError(f"--tokenizer {place} is no tokenizer: {error}; name a tokenizer.json") from error
    made.no_truncation()
    made.no_padding()
    return Tokenizer(place, hashlib.sha256(content).hexdigest(), made)


def measured(found: list[Component], corpus: Corpus, tokenizer: Tokenizer) -> tuple[list[Component], list[str]]:
    """Return the components with their tokens, and lines that say how these were measured.

    Raises ``DataError`` naming the sources that no document of the sample is of.
    """
    samples = sampled({one.place[0] for one in found if one.bytes}, corpus, tokenizer)
    missing = [name for name, sample in samples.items() if not sample.tokens]
    if missing:
        raise DataError(
            f"no document of {', '.join(missing)} is among the first of the corpus, so that its tokens cannot be counted: build "
            "it with more epochs, or give --budget in bytes"
        )
    ratios: dict[str, float] = {name: sample.tokens / sample.bytes for name, sample in samples.items()}
    notes = [
        f"tokens: counted by {tokenizer.place} (sha256:{tokenizer.sha256}) in the first documents of {corpus.fingerprint}"
    ]
    notes += [
        f"tokens: {name}: {ratios[name]:.4f} a byte, by {sample.documents:,} documents of {sample.bytes:,} bytes"
        for name, sample in samples.items()
    ]
    return [
        msgspec.structs.replace(one, tokens=round(one.bytes * ratios.get(one.place[0], 0.0))) for one in found
    ], notes


def sampled(sources: set[str], corpus: Corpus, tokenizer: Tokenizer) -> dict[str, Sample]:
    """Return what the first documents of a corpus say of each source."""
    samples = {name: Sample() for name in sorted(sources)}
    waiting: list[tuple[Sample, str]] = []
    for name, text in _documents(corpus):
        sample = samples.get(name)
        if sample is None or sample.enough:
            continue
        sample.documents += 1
        sample.bytes += len(text.encode())
        waiting.append((sample, text))
        if len(waiting) == BATCH or sample.enough:
            _count(waiting, tokenizer)
            if all(one.enough for one in samples.values()):
                break
    _count(waiting, tokenizer)
    return samples


def _count(waiting: list[tuple[Sample, str]], tokenizer: Tokenizer) -> None:
    for sample in {id(sample): sample for sample, _ in waiting}.values():
        sample.tokens += tokenizer.count([text for owner, text in waiting if owner is sample])
    waiting.clear()


def _documents(corpus: Corpus) -> Iterator[tuple[str, str]]:
    """Yield source and text of a corpus's first documents."""
    read = 0
    for document in corpus:
        yield document["meta"]["pile_set_name"], document["text"]
        read += len(document["text"])
        if read > MOST_BYTES:
            return
