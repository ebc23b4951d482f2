"""WET files: the text that Common Crawl's own extractor made of each page, menus and all, as WARC "conversion" records.

What is in them: https://commoncrawl.org/get-started (one record for each page, UTF-8, no markup left).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from pile.document import Drop
from sources.members import members
from sources.records import Piece, begins
from sources.warc import fields_of, id_of, read


class Conversion(msgspec.Struct, frozen=True):
    """The text of one page as Common Crawl extracted it; its bytes are not decoded yet.

    ``id``, ``date``, ``truncated``, ``missing`` and ``repaired`` are as for a ``Capture``; ``languages`` are ISO 639-3 codes,
    the most frequent first, empty when Common Crawl found none.
    """

    id: str
    url: str
    date: str
    text: bytes
    languages: tuple[str, ...] = ()
    truncated: str = ""
    missing: int = 0
    repaired: bool = False


def conversions(path: Path, name: str = "") -> Iterator[Conversion | Drop]:
    """Yield the conversion records of an archive; other records are passed over, as in a WARC file.

    Raises ``DamagedInputError`` at the end when the file is cut short.
    """
    yield from read(members(path, begins), name or path.name, _conversion)


def _conversion(piece: Piece, offset: str, name: str) -> Conversion | Drop | None:
    fields = fields_of(piece, offset)
    if isinstance(fields, Drop):
        return fields
    url = fields["warc-target-uri"]
    if fields["warc-type"].lower() != "conversion" or not url.startswith(("http:", "https:")):
        return None
    named = fields.get("warc-identified-content-language", "").split(",")
    return Conversion(
        id=id_of(fields) or f"{name}:{offset}",
        url=url,
        date=fields.get("warc-date", ""),
        text=piece.block,
        languages=tuple(code.strip() for code in named if code.strip()),
        truncated=fields.get("warc-truncated", ""),
        missing=piece.missing,
        repaired=piece.repaired,
    )
