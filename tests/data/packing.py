"""Bytes that are the same on every run: what the packers of the tiny upstream share.

Nothing here reads a clock, an owner or a locale; a format's own time stamps are constants.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
import tomllib
import zlib
from pathlib import Path
from typing import Any

#: The human-readable originals.
UPSTREAM = Path(__file__).parent / "upstream"

#: A finished tree: path below the mirror, to content.
Files = dict[str, bytes]

#: Magic, deflate, no flags, time 0, slowest compression, Unix: RFC 1952 section 2.3.
GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03"


def gzip_member(content: bytes) -> bytes:
    """Return one gzip member; written by hand because Python versions differ in the header they write."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    trailer = zlib.crc32(content).to_bytes(4, "little") + (len(content) % 2**32).to_bytes(4, "little")
    return GZIP_HEADER + deflate.compress(content) + deflate.flush() + trailer


def tar(members: list[tuple[str, bytes]], mtime: int) -> bytes:
    """Return a plain ustar archive of regular files, in the given order, owned by nobody in particular."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            member.mtime = mtime
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def table(path: str) -> dict[str, Any]:
    """Return a TOML table of the originals, by its path below ``upstream/``."""
    return tomllib.loads((UPSTREAM / path).read_text("utf-8"))


def md5(content: bytes) -> str:
    """Return the MD5 in hex, as upstreams still publish it."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def sha1(content: bytes) -> str:
    """Return the SHA-1 in hex."""
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()
