"""The values that flow through a build: what a source reads, what a filter decides, what a lock pins.

All are frozen ``msgspec`` structs, so they travel between processes and files as plain JSON.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec


class Document(msgspec.Struct, frozen=True, omit_defaults=True):
    """One text of the corpus.

    A source's ``parse`` gives the upstream's own id; the extract stage turns it into ``"<source>:<native id>"``,
    which is unique in a corpus, and fills in ``source`` (the name of the recipe's table).
    """

    id: str
    text: str
    source: str = ""
    url: str = ""
    license: str = ""  #: exactly as upstream states it
    created: str = ""  #: ISO 8601 date or date-time, "" when upstream gives none
    meta: dict[str, Any] = {}
    #: How the source came by the text, for ``pile inspect``: what a person looks at once is no part of a corpus.
    facts: dict[str, Any] = {}


class Tombstone(msgspec.Struct, frozen=True):
    """A source takes the document ``id`` back: it removes that id from all earlier inputs and earlier in this one."""

    id: str


class Drop(msgspec.Struct, frozen=True, omit_defaults=True):
    """A record that gave no document.

    ``reason`` is a stable machine word (``malformed_record``, ``redirect``, ``no_abstract``); ``detail`` says where
    and why for a person (``"offset 1234: no Content-Length"``).
    """

    id: str
    reason: str
    detail: str = ""
    #: This is the newest state of a document, so an earlier text of the same id goes, too (a revision without its abstract).
    withdraws: bool = False
    url: str = ""
    facts: dict[str, Any] = {}  #: what the source saw of it before it dropped it, as of a document


class Record(msgspec.Struct, frozen=True):
    """One raw record of an input, before the costly and fragile work of parsing it.

    ``name`` is the native id (or the nearest thing known before parsing): it is written down before ``parse`` is
    called, so that a record that kills its worker can be named and quarantined.
    """

    name: str
    data: Any


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a filter decides: ``reason`` is "" for a kept document, else a stable machine word such as
    ``not_english``.
    """

    keep: bool
    reason: str = ""
    scores: dict[str, float | str] = {}  #: rounded by the filter before it compares them


class Input(msgspec.Struct, frozen=True, omit_defaults=True):
    """One upstream file, pinned: the unit of fetching and of resuming.

    ``url`` is the upstream's own address (never a mirror's); a path without a scheme is a file of the person's own,
    relative to the recipe. ``checksum`` is ``"md5:<hex>"``, ``"sha1:<hex>"`` or ``"sha256:<hex>"``, "" where upstream
    publishes none; ``size`` is in bytes.

    With ``ranges`` the input is no file but parts of some, one after the other, as ``pile.ranges`` writes them: ``url`` is
    then what their addresses begin with, and its fragment tells such inputs apart.
    """

    url: str
    size: int | None = None
    checksum: str = ""
    options: dict[str, Any] = {}  #: what the source wants to remember about this one file
    ranges: list[str] = []


class Pin(msgspec.Struct, frozen=True):
    """A source's part of the lock: its options with every ``"latest"`` resolved, and its inputs in order.

    ``side_inputs`` are files that every input is read with, such as block lists; each has its sha256 as ``checksum``.
    """

    options: dict[str, Any]
    inputs: list[Input]
    side_inputs: list[Input] = []


class SideFile(msgspec.Struct, frozen=True):
    """A side input on this machine: ``path`` holds the bytes with this ``sha256`` (hex), whatever it is called."""

    url: str
    sha256: str
    path: Path
