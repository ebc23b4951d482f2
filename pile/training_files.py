"""The files that `pile train` reads: JSON Lines, or text of a document a file, plain, gzip or zstd.

Each line of ``NAME.jsonl`` is a document's JSON with a field of text; any other file is one document as it stands.
"""

from __future__ import annotations

import glob
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import xxhash
import zstandard

from pile.errors import DamagedInputError, RequestError
from pile.training import Example
from pile.zstd_stream import MAX_WINDOW

#: Names of files of JSON Lines, and the endings of compressed ones.
JSON_LINES = re.compile(r"\.(jsonl|ndjson|json)(\.gz|\.zst|\.zstd)?$", re.IGNORECASE)
COMPRESSED = re.compile(r"\.(gz|zst|zstd)$", re.IGNORECASE)
#: Words at the beginning that make two texts one group: copies and versions of a text never stand on both sides of a split.
GROUP_WORDS = 8

_decoder = msgspec.json.Decoder()


def found(patterns: list[str], option: str) -> list[Path]:
    """Return the files that are named, or that patterns match, sorted; raises ``RequestError`` where there are none."""
    files: dict[Path, None] = {}
    for pattern in patterns:
        matches = [pattern] if Path(pattern).exists() else sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - patterns may be absolute
        if not matches:
            raise RequestError(f"{option} {pattern}: no such file; name JSON Lines or text files")
        for match in matches:
            if Path(match).is_dir():
                raise RequestError(f"{option} {match} is a folder: name its files, as in '{match.rstrip('/')}/*.jsonl'")
            files[Path(match)] = None
    return list(files)


def examples(files: list[Path], positive: bool, field: str) -> Iterator[Example]:
    """Yield the documents of files as examples, each file a source of its own in the report.

    Raises ``DamagedInputError`` for a file that cannot be read or a line that is no document, by file and line.
    """
    for file in files:
        try:
            for text in texts(file, field):
                yield Example(text, positive, group(text), file.name)
        except (OSError, EOFError, zlib.error, zstandard.ZstdError, UnicodeDecodeError) as error:
            raise DamagedInputError(f"{file} cannot be read: {error}; mend it, or leave it out") from error


def texts(file: Path, field: str) -> Iterator[str]:
    """Yield the texts of one file."""
    with file.open("rb") as raw:
        ending = (COMPRESSED.search(file.name) or [""])[0].lower()
        stream: io.BufferedIOBase = raw
        if ending == ".gz":
            stream = gzip.GzipFile(fileobj=raw)
        elif ending:
            stream = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW).stream_reader(  # type: ignore[assignment]
                raw, read_across_frames=True
            )
        if not JSON_LINES.search(file.name):
            yield stream.read().decode("utf-8")
            return
        for number, line in enumerate(io.BufferedReader(stream), 1):
            if line.strip():
                yield _text(line, field, f"{file}, line {number}")


def _text(line: bytes, field: str, place: str) -> str:
    try:
        row = _decoder.decode(line)
    except msgspec.DecodeError as error:
        raise DamagedInputError(f"{place} is no JSON: {error}; mend it, or leave it out") from error
    text = row.get(field) if isinstance(row, dict) else None
    if not isinstance(text, str):
        raise DamagedInputError(f"{place} has no text in field {field!r}; name the field with --text-field")
    return text


def group(text: str) -> str:
    """Return the group of a text of which no more is known: a hash of its first words."""
    words = re.sub(r"[\W\d_]+", " ", text[:1_000].lower()).split()[:GROUP_WORDS]
    return xxhash.xxh3_64_hexdigest(" ".join(words).encode("utf-8", "replace"))
