"""What the first bytes of a file must be for its address to be true.

An error page that arrives with status 200 is the commonest way in which a download silently goes wrong.
"""

from __future__ import annotations

import re
import tarfile
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pile.errors import NotTheFileError

#: How many first bytes decide: a tar header is one block of 512, an error page shows itself long before.
HEAD = 1024
#: How many last bytes decide: parquet's magic is at both ends.
TAIL = 4

#: Suffix of an address to the first bytes that its format prescribes.
SIGNATURES: dict[str, bytes] = {
    ".gz": b"\x1f\x8b",
    ".tgz": b"\x1f\x8b",
    ".bz2": b"BZh",
    ".7z": b"7z\xbc\xaf\x27\x1c",
    ".zip": b"PK",
    ".zst": b"\x28\xb5\x2f\xfd",
    ".xz": b"\xfd7zXZ\x00",
    ".parquet": b"PAR1",
    ".pdf": b"%PDF-",
}
#: Suffixes whose format is itself a compression: a server may name it in Content-Encoding and mean the stored file.
_COMPRESSED = (".gz", ".tgz", ".bz2", ".zst", ".xz", ".br")

_BEFORE = rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*"
#: A page, where anything but a page is promised.
_PAGE = re.compile(_BEFORE + rb"<(?:!doctype\s|html[\s>]|head[\s>]|error>)", re.IGNORECASE | re.DOTALL)
#: A page, where XML is promised, which has a DOCTYPE by right. ``<Error><Code>`` is how S3 answers.
_PAGE_NOT_XML = re.compile(
    _BEFORE + rb"<(?:!doctype\s+html|html[\s>]|head[\s>]|error>\s*<code>)", re.IGNORECASE | re.DOTALL
)
#: Zstandard's skippable frames begin with 0x184D2A50 to 0x184D2A5F (RFC 8878, 3.1.2); pzstd begins its files with one.
_SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")
_TAR_BLOCK = 512
_TAR_MAGIC = slice(257, 262)


def check(address: str, head: bytes, at: Literal["start", "end"], tail: bytes = b"") -> None:
    """Raise ``NotTheFileError`` when ``head`` is not how the file at ``address`` can begin.

    ``at`` says whether more bytes follow ("start") or the file is complete ("end"): then one that is too short is wrong
    as well, and ``tail`` holds its last bytes.
    """
    path = _path(address)
    wanted = next((magic for suffix, magic in SIGNATURES.items() if path.endswith(suffix)), b"")
    if not path.endswith(("/", ".html", ".htm", ".xhtml")):
        page = _PAGE_NOT_XML if path.endswith((".xml", ".nxml", ".svg", ".rss")) else _PAGE
        if page.match(head):
            raise NotTheFileError(
                f"{address}: an error page came instead of the file: {words(head)!r}; try again later"
            )
    promised = wanted if at == "end" else wanted[: len(head)]
    if head[: len(wanted)] != promised and not (path.endswith(".zst") and _SKIPPABLE.match(head)):
        raise _other(address, head, f"a {Path(path).suffix} file begins with {wanted!r}")
    if path.endswith(".parquet") and at == "end" and tail[-TAIL:] != wanted:
        raise _other(address, tail[-TAIL:], "the end of a .parquet file is b'PAR1'")
    if path.endswith(".tar") and (at == "end" or len(head) >= _TAR_BLOCK) and not _is_tar(head):
        raise _other(address, head, "a .tar file begins with a tar header")


def is_compressed(address: str) -> bool:
    """Return whether the file at ``address`` is a compressed one by its name."""
    return _path(address).endswith(_COMPRESSED)


def words(body: bytes, most: int = 80) -> str:
    """Return the first words that a person would see of an error page: tags out, white space folded, one line."""
    text = re.sub(r"<[^>]*>?", " ", body.decode("utf-8", "replace"))
    return " ".join(re.sub(r"[^\x20-\x7e\u00a0-\uffff]", " ", text).split())[:most].rstrip()


def _path(address: str) -> str:
    """Return the part of an address that ends in the file's suffix, in lower case."""
    return ((urlsplit(address).path or "/") if address.startswith(("http://", "https://")) else address).lower()


def _other(address: str, found: bytes, promise: str) -> NotTheFileError:
    return NotTheFileError(f"{address}: another kind of file came: {found[:16]!r}, but {promise}; check the address")


def _is_tar(head: bytes) -> bool:
    """Return whether ``head`` is a tar header, of the old format without magic too (its checksum tells)."""
    if head[_TAR_MAGIC] == b"ustar":
        return True
    try:
        tarfile.TarInfo.frombuf(head[:_TAR_BLOCK], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True
