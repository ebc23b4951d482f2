"""JSON Lines that a person already has, plain or compressed: a collection, The Pile's shards, another build's output.

Upstream is a folder of files; the format is https://jsonlines.org/ (one JSON object a line, UTF-8).
"""

from __future__ import annotations

import bz2
import itertools
import json
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime
from io import BufferedReader
from pathlib import Path
from typing import Annotated, Any, ClassVar, Protocol

import jsonlines
import msgspec
import zstandard

from pile.document import Document, Drop, Input, Pin, Record
from pile.errors import DamagedInputError, DataError, NotTheFileError
from pile.plugins import Reader

#: Bytes read at a time. A decompressor gives all that they hold, so this also bounds what a dense file can swell to.
CHUNK = 1 << 15
#: Bytes of history that a zstd frame may ask for: the format's own limit on 64 bits (zstd --ultra --long=31).
ZSTD_WINDOW = 1 << 31
#: Objects and lists within each other: more is no document, and would overrun the stack of whoever reads the shards.
DEEPEST = 100
#: Fields of a line, or of its "meta", that may hold the date of a document; the first one that does is taken.
DATES = ("created", "date")
#: Keys of a shard's "meta" that the build writes; what a line has there is kept as original_<key>.
RESERVED = ("id", "license", "pile_set_name", "url")
#: ISO 8601 of a year or a month, which ``datetime`` does not read.
YEAR_OR_MONTH = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2]))?")


class _Decoder(Protocol):
    """What zlib, bz2, lzma and zstandard have in common: one member, stream or frame at a time."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


def _zstd() -> Any:
    return zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).decompressobj()


#: Magic bytes to a name and a decoder; names of files do not decide.
COMPRESSED: dict[bytes, tuple[str, Callable[[], _Decoder]]] = {
    b"\x1f\x8b": ("gzip", lambda: zlib.decompressobj(31)),  # 31: gzip wrapper, largest window
    b"BZh": ("bzip2", bz2.BZ2Decompressor),
    b"\xfd7zXZ\x00": ("xz", lzma.LZMADecompressor),
    b"\x28\xb5\x2f\xfd": ("zstd", _zstd),
    **{bytes([low, 0x2A, 0x4D, 0x18]): ("zstd", _zstd) for low in range(0x50, 0x60)},  # a skippable frame first
}
#: Suffixes of names that promise compression, so that an empty file is known for a damaged one.
SUFFIXES = (".gz", ".bz2", ".xz", ".zst", ".zstd")
#: Magic bytes of what people also keep documents in, which is not JSON Lines.
OTHERS = {b"PAR1": "Parquet", b"PK\x03\x04": "a zip archive", b"7z\xbc\xaf\x27\x1c": "a 7z archive"}


class Local(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Files of JSON Lines; a field is named by its key, or by a dotted path into nested objects ("meta.id").

    A line's id is its ``id_field`` where that is text or a whole number, else "<file>:<line>". Where an id comes again,
    the last one wins, as for every source. ``license`` is for lines that have no "license" of their own.
    """

    paths: Annotated[list[str], msgspec.Meta(min_length=1)]
    text_field: str = "text"
    id_field: str = "id"
    license: str = ""
    strict: bool = (
        False  #: True: a line that is no document stops the build, by file and line; else it is a counted drop
    )

    version: ClassVar[int] = 1
    libraries: ClassVar[tuple[str, ...]] = ("jsonlines", "msgspec")
    choosing: ClassVar[frozenset[str]] = frozenset({"paths"})

    def pin(self, upstream: Reader) -> Pin:
        """Return the files that ``paths`` match, without checksums: they may be large, and fetching takes them anyway.

        Raises ``RecipeError`` where nothing matches.
        """
        files = dict.fromkeys(upstream.find(self.paths))
        return Pin(msgspec.structs.asdict(self), [Input(file, upstream.size(file)) for file in files])

    def records(self, input: Input, path: Path) -> Iterator[Record | Drop]:
        """Yield each line's object under the name "<file>:<line>"; a line without one is a ``malformed_record``.

        Blank lines count as lines, not as records. Raises ``DamagedInputError`` where compression ends early, after the
        last whole line, ``NotTheFileError`` for Parquet and archives, and when strict ``DataError`` for a line.
        """
        with open(path, "rb") as file:
            reader = jsonlines.Reader(_lines(_chunks(file, input.url)), loads=_loads)
            for number in itertools.count(1):
                name = f"{input.url}:{number}"
                try:
                    line = reader.read(allow_none=True)
                except EOFError:
                    return
                except jsonlines.InvalidLineError as error:
                    if error.line.strip():
                        yield self._malformed(input, number, error.message.removesuffix(f" (line {number})"))
                    continue
                if not isinstance(line, dict):
                    yield self._malformed(input, number, "not an object ({...})")
                elif self.strict and not isinstance(text := _field(line, self.text_field), str):
                    yield self._malformed(input, number, _no_text(self.text_field, text))
                else:
                    yield Record(name, line)

    def _malformed(self, input: Input, number: int, why: str) -> Drop:
        if self.strict:
            raise DataError(
                f"{input.url} line {number}: {why}; mend or remove that line, then run the same command again"
            )
        return Drop(f"{input.url}:{number}", "malformed_record", f"line {number}: {why}")

    def parse(self, record: Record) -> Document | Drop:
        """Return a line as a document; its other fields go to ``meta``, a "meta" object's among them."""
        line: dict[str, Any] = record.data
        text = _field(line, self.text_field)
        if not isinstance(text, str):
            line_number = record.name.rpartition(":")[2]
            return Drop(record.name, "malformed_record", f"line {line_number}: {_no_text(self.text_field, text)}")
        native = _field(line, self.id_field)
        has_id = isinstance(native, str | int) and not isinstance(native, bool) and str(native).strip() != ""
        name = str(native) if has_id else record.name
        if not text.strip():
            return Drop(name, "empty", withdraws=True, detail=f"line {record.name.rpartition(':')[2]}")
        meta = _without(_without(line, self.text_field), self.id_field if has_id else "")
        return _document(name, text, meta, self.license)


def _chunks(file: BufferedReader, name: str) -> Iterator[bytes]:
    """Yield a file's bytes, decompressed where its first bytes say so."""
    start = file.peek(8)
    for magic, kind in OTHERS.items():
        if start.startswith(magic):
            raise NotTheFileError(f"{name} is {kind}, not JSON Lines: convert or unpack it first")
    if not start and name.endswith(SUFFIXES):
        raise DamagedInputError(f"{Path(name).suffix} file of no bytes", 0)
    for magic, (kind, make) in COMPRESSED.items():
        if start.startswith(magic):
            yield from _decompressed(file, kind, make)
            return
    while chunk := file.read(CHUNK):
        yield chunk


def _decompressed(file: BufferedReader, kind: str, make: Callable[[], _Decoder]) -> Iterator[bytes]:
    """Yield the content of every member, stream or frame of a file, one after the other."""
    decoder = make()
    while data := file.read(CHUNK):
        while data:
            if decoder.eof:
                data = data.lstrip(b"\0")  # gzip and xz files may be padded
                if not data:
                    break
                decoder = make()
            try:
                chunk = decoder.decompress(data)
            except (zlib.error, lzma.LZMAError, zstandard.ZstdError, OSError) as error:  # OSError is what bz2 raises
                raise DamagedInputError(f"{kind}: {error}", file.tell()) from error
            yield chunk
            data = decoder.unused_data if decoder.eof else b""
    if not decoder.eof:
        raise DamagedInputError(f"{kind}: the file ends before its data does", file.tell())


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield lines without their line feed; the time is linear in the length of a line, however long."""
    head: list[bytes] = []
    for chunk in chunks:
        first, *rest = chunk.split(b"\n")
        head.append(first)
        if rest:
            yield b"".join(head)
            yield from rest[:-1]
            head = rest[-1:]
    if last := b"".join(head):
        yield last


def _loads(line: str | bytes) -> Any:
    """Decode a line. Python's json takes what msgspec refuses but Python writes: NaN, and halves of surrogate pairs.

    The latter become U+FFFD, since UTF-8 cannot hold them. Raises ``ValueError``.
    """
    try:
        try:
            value = msgspec.json.decode(line)
        except msgspec.DecodeError:
            text = json.dumps(json.loads(line), ensure_ascii=False)
            value = json.loads(text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))
    except RecursionError:
        raise ValueError(f"nested deeper than {DEEPEST} levels") from None
    level = [value]
    for _ in range(DEEPEST):
        level = [v for c in level if isinstance(c, dict | list) for v in (c.values() if isinstance(c, dict) else c)]
        if not level:
            return value
    raise ValueError(f"nested deeper than {DEEPEST} levels")


def _no_text(name: str, found: Any) -> str:
    return f"no field {name!r}" if found is None else f"{name!r} is not text"


def _field(fields: dict[str, Any], path: str) -> Any:
    """Return a field by its key, or by a dotted path; None without it."""
    if path in fields:
        return fields[path]
    head, _, rest = path.partition(".")
    inner = fields.get(head)
    return _field(inner, rest) if rest and isinstance(inner, dict) else None


def _without(fields: dict[str, Any], path: str) -> dict[str, Any]:
    """Return the fields without the one that ``_field`` finds."""
    if path in fields:
        return {key: value for key, value in fields.items() if key != path}
    head, _, rest = path.partition(".")
    inner = fields.get(head)
    return {**fields, head: _without(inner, rest)} if rest and isinstance(inner, dict) else fields


def _document(name: str, text: str, fields: dict[str, Any], license: str) -> Document:
    inner = fields.get("meta")
    if isinstance(inner, dict):
        fields = {**inner, **_without(fields, "meta")}
    url = fields["url"] if isinstance(fields.get("url"), str) else ""
    own_license = fields["license"] if isinstance(fields.get("license"), str) else ""
    dated = next((key for key in DATES if _is_date(fields.get(key))), "")
    taken = {key for key, value in (("url", url), ("license", own_license), (dated, dated)) if value}
    return Document(
        id=name,
        text=text,
        url=url,
        license=own_license or license,
        created=fields[dated] if dated else "",
        meta={f"original_{k}" if k in RESERVED else k: v for k, v in fields.items() if k not in taken},
    )


def _is_date(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    if YEAR_OR_MONTH.fullmatch(value):
        return True
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True
