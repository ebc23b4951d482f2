"""HTTP responses as crawlers store them (RFC 9112), with what servers and crawlers get wrong.

A payload is decoded only where its bytes agree with its header: many crawlers store it decoded and leave the header as sent.
"""

from __future__ import annotations

import io
import re
import zlib
from typing import NamedTuple

from fastwarc.stream_io import BrotliReader

#: Longest head, in bytes; servers themselves allow 8 to 64 KiB.
HEAD_BOUND = 128 << 10
#: Longest payload after decoding, in bytes: what is over it is not decoded (an archive of zeros grows a thousandfold).
PAYLOAD_BOUND = 32 << 20
STATUS_LINE = re.compile(rb"HTTP/\d+(?:\.\d+)?[ \t]+(\d{3})(?!\d)", re.IGNORECASE)
HEAD_END = re.compile(rb"\n\r*\n")
#: A chunk's size line: hexadecimal, then perhaps extensions. Sizes of sixteen digits are never meant.
CHUNK_LINE = re.compile(rb"[ \t]*([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r\n]{0,1000})?\r?\n")
GZIP_MAGIC = b"\x1f\x8b\x08"
#: How a deflate stream in a zlib frame can begin: 32 KiB window or less, header checksum a multiple of 31 (RFC 1950).
ZLIB_MAGIC = re.compile(rb"[\x08-\x78][\x01\x5e\x9c\xda\x43-\xff]")
#: What begins with markup or white space is no compressed stream.
MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<[!?/a-zA-Z]")
#: Bytes of a payload that show whether it is text.
SAMPLE = 4096
#: Control characters that no text has.
CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


class Response(NamedTuple):
    """A response as stored: ``status`` is None without a status line, header names are in lower case and in order."""

    status: int | None
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """Return the first value of a header that is not empty, "" when there is none."""
        return next((value for key, value in self.headers if key == name and value), "")


class Payload(NamedTuple):
    """A decoded body. ``problem`` is "" or says why it is not whole: "cut" or "too_large"."""

    body: bytes
    problem: str = ""


def parse(block: bytes) -> Response:
    """Return the response in a record's block; without a status line ``status`` is None and all of it the body."""
    line = STATUS_LINE.match(block, 0)
    if line is None:
        return Response(None, (), block)
    end = HEAD_END.search(block, 0, HEAD_BOUND)
    head, body = (block[: end.start()], block[end.end() :]) if end else (block[:HEAD_BOUND].rstrip(), b"")
    headers: list[tuple[str, str]] = []
    for row in head.decode("latin-1").split("\n")[1:]:
        if row[:1] in (" ", "\t") and headers:  # obsolete folding
            name, value = headers.pop()
            headers.append((name, f"{value} {row.strip()}".strip()))
            continue
        name, colon, value = row.partition(":")
        if colon:
            headers.append((name.strip().lower(), value.strip()))
    return Response(int(line[1]), tuple(headers), body)


def payload(response: Response) -> Payload:
    """Return the body without its transfer and content codings, as far as its bytes say that it has them.

    ``X-Crawler-*`` and ``X-Crawl-*`` headers tell of codings that a crawler has removed; they are other headers.
    """
    body = response.body
    if "chunked" in response.header("transfer-encoding").lower():
        body = unchunked(body)
    codings = response.header("content-encoding").lower()
    result = Payload(body)
    for coding in reversed([word.strip() for word in codings.split(",")]):
        result = _decoded(result.body, coding)
        if result.problem:
            break
    return result


def unchunked(body: bytes) -> bytes:
    """Return a body without its chunk sizes; as it is when it has none, and from a wrong one on as it is."""
    parts: list[bytes] = []
    at = 0
    while line := CHUNK_LINE.match(body, at):
        size = int(line[1], 16)
        if not size:
            return b"".join(parts)
        end = line.end() + size
        parts.append(body[line.end() : end])
        at = end + 2 if body[end : end + 2] == b"\r\n" else end + 1 if body[end : end + 1] == b"\n" else end
    return b"".join([*parts, body[at:]])


def _decoded(body: bytes, coding: str) -> Payload:
    if not body or MARKUP.match(body):
        return Payload(body)
    if body.startswith(GZIP_MAGIC) and coding in ("gzip", "x-gzip", "deflate", "br", "zstd"):
        return _inflated(body, 31)
    if coding == "deflate" and ZLIB_MAGIC.match(body) and int.from_bytes(body[:2], "big") % 31 == 0:
        return _inflated(body, 15)
    if coding == "deflate" and CONTROLS.search(body[:SAMPLE]):
        return _inflated(body, -15)
    if coding == "br" and not _is_text(body[:SAMPLE]):
        return _unbrotlied(body)
    return Payload(body)


def _is_text(sample: bytes) -> bool:
    """Return whether bytes are text as they stand; brotli has no magic bytes."""
    return not CONTROLS.search(sample) and (sample.isascii() or _is_utf8(sample))


def _is_utf8(sample: bytes) -> bool:
    try:
        sample[:-3].decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > len(sample) - 8  # a character that the sample cuts
    return True


def _inflated(body: bytes, window_bits: int) -> Payload:
    """Return a deflate stream's bytes; the body as it is when it is none."""
    inflater = zlib.decompressobj(window_bits)
    parts: list[bytes] = []
    size, rest = 0, body
    while not inflater.eof and size < PAYLOAD_BOUND:
        try:
            part = inflater.decompress(rest, min(1 << 20, PAYLOAD_BOUND - size))
        except zlib.error:
            return Payload(b"".join(parts), "cut") if parts else Payload(body)
        rest = inflater.unconsumed_tail
        if not part and not rest:
            break
        parts.append(part)
        size += len(part)
    problem = "" if inflater.eof else "too_large" if size >= PAYLOAD_BOUND else "cut"
    return Payload(b"".join(parts), problem)


def _unbrotlied(body: bytes) -> Payload:
    """Return a brotli stream's bytes; the body as it is when it is none."""
    reader = BrotliReader(io.BytesIO(body))
    parts: list[bytes] = []
    size = 0
    try:
        while size < PAYLOAD_BOUND and (part := reader.read(1 << 20)):
            parts.append(part)
            size += len(part)
    except OSError:
        return Payload(b"".join(parts), "cut") if parts else Payload(body)
    return Payload(b"".join(parts), "too_large" if size >= PAYLOAD_BOUND else "")
