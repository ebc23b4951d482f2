"""The extract stage: one fetched input to documents, drops and the events that settle versions.

Every record that the source reads comes out as a document or as a drop with a reason; nothing goes missing in
between.
"""

from __future__ import annotations

import re
import struct
from array import array
from collections import Counter
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
import xxhash

from pile.document import Document, Drop, Input, Record, SideFile, Tombstone
from pile.errors import DamagedInputError, RecordHungError
from pile.making import make_source
from pile.parts import DOCUMENTS, DROPS, EVENT, EVENTS, NO_TEXT, SIZES, TOMBSTONE
from pile.plugins import Source
from pile.shards import STORED_LEVEL, FrameWriter
from pile.stage import MACHINE, Task, Watch, Work, make_key

STAGE = "extract"
VERSION = 2
#: A text keeps one line separator, and neither NUL nor byte order mark.
SEPARATORS = re.compile(r"\r\n?|\x85|\u2028|\u2029")
NOT_TEXT = re.compile("[\x00\ufeff]")
#: An ``EVENT`` as bytes.
PACKED_EVENT = struct.Struct("<QQq")
LONE_SURROGATE = re.compile("[\ud800-\udfff]")

Item = TypeVar("Item", Document, Drop)


class Side(msgspec.Struct, frozen=True):
    """A side input of the source, and where it is, as of an ``Extraction``."""

    url: str
    sha256: str
    path: str = ""
    fetched: tuple[str, str] = ("", "")

    def file(self, work: Work) -> SideFile:
        """Return it as a file on this machine."""
        return SideFile(self.url, self.sha256, Path(self.path) if self.path else work.file("fetch", *self.fetched))


class Extraction(msgspec.Struct, frozen=True):
    """What one task of the stage works on: ``path`` on this machine, or a file of the fetch stage on shared storage."""

    source: str
    use: str
    options: dict[str, Any]
    input: Input
    sha256: str
    path: str = ""
    fetched: tuple[str, str] = ("", "")  #: key and name of the fetch stage's file, where ``path`` is ""
    side: list[Side] = []


def task(extraction: Extraction, quarantined: dict[str, str], size: int) -> Task:
    """Return the stage's task; its key knows what the input contains, not which other inputs there are."""
    source = make_source(extraction.source, extraction.use, extraction.options)
    facts = {
        "source": extraction.source,
        "use": extraction.use,
        "version": source.version,
        "options": {k: v for k, v in extraction.options.items() if k not in source.choosing},
        "url": extraction.input.url,
        "input": extraction.input.options,
        **({"ranges": extraction.input.ranges} if extraction.input.ranges else {}),
        "content": extraction.sha256,
        **({"side": [side.sha256 for side in extraction.side]} if extraction.side else {}),
        "models": getattr(source, "models", ()),  # sha256 of each, where a source uses any
    }
    base = make_key(STAGE, VERSION, facts, source.libraries)
    label = f"{extraction.source} {extraction.input.url.rsplit('/', 1)[-1]}"
    return Task(STAGE, base, extract, extraction, label, quarantined, size)


def extract(call: Extraction, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Do one task: write documents, drops and events; return the counts, and the damage where the input is damaged."""
    source = make_source(call.source, call.use, call.options)
    path = Path(call.path) if call.path else work.file("fetch", *call.fetched)
    writer = _Writer(call.source, folder)
    damage = ""
    with writer:
        records = source.records(call.input, path, *(side.file(work) for side in call.side))
        while True:
            try:
                item = next(records, None)
            except DamagedInputError as error:
                damage = f"at byte {error.offset}: {error.cause}" if error.offset is not None else error.cause
                break
            if item is None:
                break
            writer.take(item if isinstance(item, Drop) else _parse(source, item, call.source, watch))
        facts = writer.facts()
    return {**facts, "damage": damage} if damage else facts


def _parse(source: Source, record: Record, name: str, watch: Watch) -> Document | Tombstone | Drop:
    """Parse one record under watch; what kills or hangs a worker is passed over, what raises is a drop with the error."""
    full = f"{name}:{record.name}"
    if full in watch.quarantined:
        return Drop(record.name, "quarantined", watch.quarantined[full])
    watch.begin(full)
    try:
        return source.parse(record)
    except RecordHungError as error:
        watch.quarantined[full] = f"{STAGE}: {error}"
        return Drop(record.name, "quarantined", watch.quarantined[full])
    except MemoryError:
        raise  # says something about the machine, not about what is in hand
    except Exception as error:
        if isinstance(error, OSError) and error.errno in MACHINE:
            raise
        return Drop(record.name, "parser_failed", f"{type(error).__name__}: {error}"[:500])


def clean(text: str) -> str:
    """Return the text with ``\\n`` as its only line separator, without NUL, byte order marks and outer white space.

    Lone surrogates, which no UTF-8 file can hold, become U+FFFD.
    """
    # A search for one character takes a twentieth of the time that an expression does, and most texts have none of them.
    if any(separator in text for separator in "\r\x85\u2028\u2029"):
        text = SEPARATORS.sub("\n", text)
    if "\0" in text or "\ufeff" in text:
        text = NOT_TEXT.sub("", text)
    text = text.strip()
    return text if text.isascii() else LONE_SURROGATE.sub("\ufffd", text)


class _Writer:
    """The files of one part, and the counts of what goes into them."""

    def __init__(self, source: str, folder: Path) -> None:
        self._source, self._folder = source, folder
        self._documents = FrameWriter(folder / DOCUMENTS, STORED_LEVEL)
        self._drops = FrameWriter(folder / DROPS, STORED_LEVEL)
        self._events = bytearray()  # 24 bytes each: as tuples they would be most of what a long input leaves in memory
        self._counts: Counter[str] = Counter()
        self._sizes = array("q")

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *exception: object) -> None:
        self._documents.__exit__()
        self._drops.__exit__()

    def take(self, item: Document | Tombstone | Drop) -> None:
        if isinstance(item, Document):
            text = clean(item.text)
            if text:
                self._keep(msgspec.structs.replace(item, text=text))
                return
            item = Drop(item.id, "empty", withdraws=True)
        full = LONE_SURROGATE.sub("\ufffd", f"{self._source}:{item.id}")
        if isinstance(item, Tombstone):
            self._event(full, TOMBSTONE)
            item = Drop(item.id, "tombstone")
        elif item.withdraws:
            self._event(full, NO_TEXT)
        self._counts[item.reason] += 1
        self._drops.write(_encoded(Drop(full, item.reason, item.detail, url=item.url, facts=item.facts))[1])

    def _keep(self, document: Document) -> None:
        full = f"{self._source}:{document.id}"
        document, line = _encoded(msgspec.structs.replace(document, id=full, source=self._source))
        self._event(document.id, len(self._sizes))
        self._documents.write(line)
        self._sizes.append(len(document.text.encode()))

    def _event(self, id: str, row: int) -> None:
        number = xxhash.xxh3_128_intdigest(id.encode())
        self._events += PACKED_EVENT.pack(number >> 64, number & (1 << 64) - 1, row)

    def facts(self) -> dict[str, Any]:
        """Close the files and return the counts: records in = documents out + drops."""
        documents = self._documents.close()
        self._drops.close()
        events = np.frombuffer(self._events, dtype=EVENT)
        # By id, so that settling can read one range of ids from every part; stable, so that an id's events keep their
        # order.
        np.save(self._folder / EVENTS, events[np.lexsort((events["low"], events["high"]))])
        sizes = np.array(self._sizes, np.int64)
        np.save(self._folder / SIZES, sizes)
        return {
            "in": len(sizes) + self._counts.total(),
            "out": len(sizes),
            "drops": dict(sorted(self._counts.items())),
            "text_bytes": int(sizes.sum()),
            "line_bytes": documents.content_bytes,
        }


def _encoded(item: Item) -> tuple[Item, bytes]:
    """Return a document or drop with its JSON, without the lone surrogates that may be outside of a text."""
    try:
        return item, msgspec.json.encode(item)
    except UnicodeEncodeError:
        item = msgspec.convert(_replaced(msgspec.to_builtins(item)), type(item))
        return item, msgspec.json.encode(item)


def _replaced(value: Any) -> Any:
    if isinstance(value, str):
        return LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_replaced(key): _replaced(item) for key, item in value.items()}
    return [_replaced(item) for item in value] if isinstance(value, list) else value
