"""Names in a recipe to objects: the catalogue below, then installed entry points, then ``"module:attribute"``.

This is the one place where the kernel learns of sources, filters and dedup, and it knows them as strings only.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

from pile.document import Document, Drop, Input, Pin, Record, SideFile, Tombstone, Verdict
from pile.errors import PluginError

Kind = Literal["source", "filter", "dedup", "training"]

#: What ships with pile. A name maps to "module:attribute".
CATALOGUE: dict[Kind, dict[str, str]] = {
    "source": {
        "arxiv": "sources.arxiv:Arxiv",
        "common_crawl": "sources.common_crawl:CommonCrawl",
        "local": "sources.local:Local",
        "pubmed": "sources.pubmed:Pubmed",
        "wikipedia": "sources.wikipedia:Wikipedia",
    },
    "filter": {
        "c4": "filters.c4:C4",
        "fineweb": "filters.fineweb:FineWeb",
        "fineweb2": "filters.fineweb2:FineWeb2",
        "gopher_quality": "filters.gopher:GopherQuality",
        "gopher_repetition": "filters.gopher:GopherRepetition",
        "language": "filters.language:Language",
        "length": "filters.length:Length",
        "license": "filters.license:License",
        "pii": "filters.pii:Pii",
        "quality": "filters.quality:Quality",
        "spam": "filters.spam:Spam",
    },
    "dedup": {"minhash": "dedup.minhash:Minhash"},
    "training": {"quality": "filters.quality_training:fit", "spam": "filters.spam_training:fit"},
}
#: What the modules of the catalogue import late, since only workers need it.
WORKERS_ONLY = {"sources.common_crawl": ("sources.page_document", "sources.selected")}


class Reader(Protocol):
    """What a source may ask of an upstream while it pins its inputs (``pile.fetch.Upstream`` is one)."""

    def read(self, url: str) -> bytes:
        """Return the whole of a small upstream file, as stored; raises ``FetchError``."""

    def find(self, patterns: list[str]) -> list[str]:
        """Return the person's own files that match glob patterns relative to the recipe, sorted; raises ``RecipeError``."""

    def read_range(self, url: str, offset: int, length: int) -> bytes:
        """Return ``length`` bytes of an upstream file, for one that is too large to be read whole; raises ``FetchError``."""

    def size(self, url: str) -> int | None:
        """Return the size of an upstream file in bytes, None where upstream does not say."""


class Source(Protocol):
    """Where bytes are and how to read them: a ``msgspec.Struct(frozen=True)`` whose fields are its options."""

    version: ClassVar[int]  #: raise it when the same bytes would give another document
    libraries: ClassVar[tuple[str, ...]]  #: distributions whose version may change a document
    #: Options that choose inputs and side inputs, and change no document by themselves: more inputs repeat none.
    choosing: ClassVar[frozenset[str]]

    def pin(self, upstream: Reader) -> Pin:
        """Return options without ``"latest"``, and every input in order."""

    def records(self, input: Input, path: Path, *side: SideFile) -> Iterator[Record | Drop]:
        """Yield the raw records of one fetched file, cheaply and in order.

        ``side`` are the side inputs in the order of the pin; a source that pins none need not take any.
        A record that cannot be told apart is a ``Drop("...", "malformed_record", "offset ...")``; a file that ends
        early raises ``DamagedInputError`` after the last good record.
        """

    def parse(self, record: Record) -> Document | Tombstone | Drop:
        """Turn one record into a document, or say why not. Pure: no state, no clock, no network."""


class Filter(Protocol):
    """A judgement of one document. A filter is a ``msgspec.Struct(frozen=True)`` whose fields are its options."""

    version: ClassVar[int]
    libraries: ClassVar[tuple[str, ...]]

    def judge(self, document: Document) -> Verdict:
        """Decide; stateless."""


@runtime_checkable
class Scorer(Filter, Protocol):
    """A filter that parts measuring from deciding: another threshold then decides anew by stored scores, and reads no text."""

    decided_by: ClassVar[tuple[str, ...]]  #: the options that only ``decide`` reads

    def measure(self, document: Document) -> dict[str, float | str]:
        """Return the scores of a document, rounded; stateless."""

    def decide(self, scores: dict[str, Any]) -> Verdict:
        """Decide by the scores alone."""


@runtime_checkable
class Expecting(Filter, Protocol):
    """A filter that is quicker when it knows some documents that it is about to be asked of; its answers are the same."""

    def expect(self, documents: Sequence[Document]) -> None:
        """Prepare for these documents, and forget those of the last call."""


@runtime_checkable
class Surveyor(Scorer, Protocol):
    """A filter whose thresholds come from the scores of all documents of its source."""

    @property
    def surveys(self) -> bool:
        """Whether its options ask for that."""

    def survey(self, scores: Iterable[dict[str, Any]]) -> dict[str, Any]:
        """Return what the scores of all documents, in any order, say, as plain JSON."""

    def surveyed(self, found: dict[str, Any]) -> Filter:
        """Return the filter that decides by what ``survey`` found."""


@runtime_checkable
class Trained(Filter, Protocol):
    """A filter whose model is trained inside the build, on documents of its own source against those of others."""

    positives: list[str]  #: the sources that are good; empty where it has a model already

    def training_facts(self) -> Any:
        """Return the options that decide its model, as plain JSON."""

    def feature(self, text: str) -> str:
        """Return what the model sees of a text."""

    def train(self, positives: list[str], negatives: list[str], out: Path) -> dict[str, Any]:
        """Write the model that tells features of one kind from those of the other; return a report of it, as plain JSON."""

    def with_model(self, path: Path) -> Filter:
        """Return the filter that judges with this model."""


@runtime_checkable
class Downloading(Filter, Protocol):
    """A filter that may judge with a file of an upstream's, which the build fetches before any other work."""

    @property
    def wanted(self) -> Input | None:
        """The file, with its sha256; None where all that the filter needs is on this machine."""

    def with_file(self, path: Path) -> Filter:
        """Return the filter that judges with this file; raises ``PluginError`` where it cannot be used."""


@runtime_checkable
class Rewriter(Filter, Protocol):
    """A filter that also changes the text of what it keeps."""

    def rewrite(self, document: Document) -> Document:
        """Return the document as the corpus is to have it, the same object where nothing changes; stateless."""


def names(kind: Kind) -> list[str]:
    """Return every name that a recipe can use for ``kind``, sorted."""
    return sorted({*CATALOGUE[kind], *(point.name for point in entry_points(group=f"pile.{kind}"))})


def shipped_modules(kind: Kind, name: str) -> list[str]:
    """Return the modules that workers need of what ships with pile under ``name``; none for anything else."""
    module = CATALOGUE[kind].get(name, "").partition(":")[0]
    return [module, *WORKERS_ONLY.get(module, ())] if module else []


def resolve(kind: Kind, name: str) -> Any:
    """Return the object that ``name`` stands for; raises ``PluginError`` naming the choices."""
    if not isinstance(name, str):
        raise PluginError(f"{kind} {name!r}: a name is text; choose one of {', '.join(names(kind))}")
    target = CATALOGUE[kind].get(name)
    if target is None:
        for point in entry_points(group=f"pile.{kind}", name=name):
            return point.load()
        if ":" not in name:
            known = names(kind)
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            raise PluginError(
                f"unknown {kind} {name!r}: {hint}choose one of {', '.join(known)}, or name a 'module:Class'"
            )
        target = name
    module, _, attribute = target.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except Exception as error:
        raise PluginError(
            f"{kind} {name!r} cannot be loaded from {target!r}: {type(error).__name__}: {error}; is its folder on PYTHONPATH?"
        ) from error
