"""Web archives, WARC (ISO 28500) and ARC, to captures: one for each page that a crawler got, as the crawler stored it.

FastWARC reads the records of WARC, warcio those of ARC and what FastWARC refuses; damage ends no more than one member.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec
from fastwarc import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.recordloader import ArcWarcRecordLoader
from warcio.statusandheaders import StatusAndHeadersParserException

from pile.document import Drop
from pile.errors import DamagedInputError
from sources import http_message
from sources.extract.page_type import html_type
from sources.members import Member, members
from sources.records import LENGTH, Piece, begins, pieces, place

T = TypeVar("T")

# warcio logs each address with a space in it; such an address is counted nowhere else either.
logging.getLogger("warcio").setLevel(logging.ERROR)

#: What kind a record is, as far as its head says it plainly.
KIND = re.compile(rb"\nwarc-type[ \t]*:[ \t]*([a-z]+)[ \t]*(?=\r?\n)", re.IGNORECASE)
#: ISO 28500:2017, 5.5. It lets writers make up more; what such records hold is not known.
KINDS = frozenset({"warcinfo", "response", "resource", "request", "metadata", "revisit", "conversion", "continuation"})
#: Kinds of records that hold no page. Two of three records are such, and most of a record's cost is the reading of its head.
PASSED_OVER = frozenset({b"warcinfo", b"request", b"metadata", b"revisit", b"conversion"})


class Capture(msgspec.Struct, frozen=True):
    """One response as a crawler stored it; its body is not decoded yet.

    ``id`` is the record's own id without its ``urn:uuid:``, or "<file>:<offset>"; ``date`` ISO 8601, "" when there is none;
    ``truncated`` the reason that WARC-Truncated gives, or that this is the first of several segments; ``missing`` the number
    of bytes over the bound on a record. ``block`` is all of the record's content, and ``digests`` what the record states of
    block and payload, "" for nothing.
    """

    id: str
    url: str
    date: str
    response: http_message.Response
    truncated: str = ""
    missing: int = 0
    offset: str = ""
    repaired: bool = False
    block: bytes = b""
    digests: tuple[str, str] = ("", "")


def captures(path: Path, name: str = "") -> Iterator[Capture | Drop]:
    """Yield what an archive holds of pages: response records over HTTP, and resource records that are HTML.

    Other records (requests, metadata, revisits, warcinfo) are no candidates and passed over, but one of a type that the
    standard does not have is an ``unknown_type``. Bytes that are no record, and a record in a member whose checksum is wrong,
    are each a ``malformed_record``. ``name`` stands for the file in ids.
    Raises ``DamagedInputError`` at the end when the file is cut short.
    """
    yield from read(members(path, begins), name or path.name, capture)


def read(
    archive: Iterable[Member], name: str, make: Callable[[Piece, str, str], T | Drop | None]
) -> Iterator[T | Drop]:
    """Yield what ``make`` makes of an archive's records (given piece, offset and ``name``); None is passed over.

    What cannot be read is told as ``captures`` does.
    """
    damaged: Member | None = None
    for member in archive:
        if damaged:
            yield _malformed(name, str(damaged.offset), damaged.damage)
        for piece in pieces(member):
            item = piece if isinstance(piece, Drop) else make(piece, place(member, piece.at), name)
            if isinstance(item, Drop):
                yield Drop(f"{name}:{item.id}", item.reason, item.detail)
            elif item is not None:
                yield item
        damaged = member if member.damage else None
    if damaged and damaged.cut:
        raise DamagedInputError(damaged.damage, damaged.offset)
    if damaged:
        yield _malformed(name, str(damaged.offset), damaged.damage)


def _malformed(name: str, offset: str, why: str) -> Drop:
    return Drop(f"{name}:{offset}", "malformed_record", f"offset {offset}: {why}")


def fields_of(piece: Piece, offset: str) -> dict[str, str] | Drop:
    """Return a record's fields as those of WARC by their names in lower case, "warc-target-uri" as an address is written."""
    fields = _by_warcio(piece) if piece.is_arc else _by_fastwarc(piece) or _by_warcio(piece)
    if fields is None:
        return Drop(offset, "malformed_record", f"offset {offset}: its head cannot be read")
    url = fields.get("warc-target-uri", "").removeprefix("<").removesuffix(">").replace(" ", "%20")
    return {**fields, "warc-target-uri": url}


def id_of(fields: dict[str, str]) -> str:
    """Return a record's own id without its ``urn:uuid:``, "" when there is none."""
    return fields.get("warc-record-id", "").strip("<> ").removeprefix("urn:uuid:")


def capture(piece: Piece, offset: str, name: str) -> Capture | Drop | None:
    """Return the capture in a record, None when the record is no candidate."""
    kinds = KIND.findall(piece.head)
    if len(kinds) == 1 and kinds[0].lower() in PASSED_OVER:
        return None
    fields = fields_of(piece, offset)
    if isinstance(fields, Drop):
        return fields
    kind, content_type = fields.get("warc-type", "").lower(), fields.get("content-type", "").lower()
    url = fields["warc-target-uri"]
    if kind == "response" and url.startswith(("http:", "https:")):
        response = http_message.parse(piece.block)
    elif kind == "resource" and html_type(content_type):
        response = http_message.Response(200, (("content-type", fields["content-type"]),), piece.block)
    elif kind in KINDS:
        return None
    else:
        return Drop(offset, "unknown_type", f"offset {offset}: WARC-Type {kind[:100]!r}")
    return Capture(
        id=(id_of(fields) if not piece.is_arc else "") or f"{name}:{offset}",
        url=url,
        date=fields.get("warc-date", ""),
        response=response,
        truncated=fields.get("warc-truncated", "") or ("segmented" if "warc-segment-number" in fields else ""),
        missing=piece.missing,
        offset=offset,
        repaired=piece.repaired,
        block=piece.block,
        digests=(fields.get("warc-block-digest", ""), fields.get("warc-payload-digest", "")),
    )


def _by_fastwarc(piece: Piece) -> dict[str, str] | None:
    """Return a WARC record's fields by their names in lower case, None where FastWARC refuses it."""
    # The block's end is known already: without a block FastWARC copies none.
    head = io.BytesIO(LENGTH.sub(b"\nContent-Length: 0", piece.head))
    try:
        record = next(iter(ArchiveIterator(head, parse_http=False, quirks_mode=True)), None)
    except OSError:
        return None
    fields = {} if record is None else {key.lower(): value for key, value in record.headers}
    return fields if "warc-type" in fields else None


def _by_warcio(piece: Piece) -> dict[str, str] | None:
    """Return a record's fields as those of WARC by their names in lower case, None where warcio refuses it too."""
    loader = ArcWarcRecordLoader(verify_http=False, arc2warc=True)
    try:
        record = loader.parse_record_stream(
            io.BytesIO(piece.head), known_format="arc" if piece.is_arc else "warc", no_record_parse=True
        )
    except (ArchiveLoadFailed, StatusAndHeadersParserException, EOFError, ValueError):
        return None
    fields = {key.lower(): value for key, value in record.rec_headers.headers}
    return fields if "warc-type" in fields else None
