"""One paper's source as arXiv packs it: telling its kind apart, unpacking it in memory, finding its main file.

Kinds and rules: https://info.arxiv.org/help/submit_tex.html and https://info.arxiv.org/help/mimetypes.html; nothing is
ever written to disk, and names never become paths.
"""

from __future__ import annotations

import gzip
import io
import posixpath
import re
import tarfile
import zlib
from collections.abc import Iterator
from typing import NamedTuple

#: Bytes that one package may unpack to. arXiv takes submissions of up to 50 MB, of which figures as PostScript unpack
#: about tenfold.
MAX_UNPACKED = 1 << 30
#: Unpacked bytes for each packed byte. gzip gets at most 1,032; text with figures gets under 20.
MAX_RATIO = 200
#: Below this many unpacked bytes the ratio does not matter.
RATIO_FREE = 32 << 20
#: Members of one package.
MAX_MEMBERS = 20_000
#: Bytes of one text member that is kept; longer ones are data.
MAX_TEXT = 8 << 20
#: Bytes of all text members together.
MAX_ALL_TEXT = 64 << 20
#: Lines at the head of a file in which arXiv looks for ``%auto-ignore`` and its like.
HEAD_LINES = 10

#: Suffixes of figures, data and archives: never TeX.
_BINARY = re.compile(
    r"\.(pdf|png|jpe?g|gif|e?ps|svg|tiff?|bmp|zip|gz|bz2|xz|tar|mp4|avi|mov|ttf|otf|pfb|dvi|bst|csv|h5|npz|mat|xlsx?|docx?|ipynb)",
    re.IGNORECASE,
)
_TEX = frozenset([".tex", ".ltx", ".latex", ""])
_IGNORED = re.compile(rb"%\s*auto-ignore|%\s*auto-include|\\input\s*\{?\s*texinfo", re.IGNORECASE)
_WITHDRAWN = re.compile(rb"\s*%\s*auto-ignore", re.IGNORECASE)
_HTML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html|head|\?xml)", re.IGNORECASE)
_POSTSCRIPT = re.compile(rb"(?:\x1b%-12345X|\x04|\s)*%!")


class UnusablePackageError(ValueError):
    """There is no TeX to read: ``reason`` is the drop's machine word, the message its detail."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail)
        self.reason = reason


class Package(NamedTuple):
    """The files of one paper that may be TeX, by name, in the order of the package."""

    texts: dict[str, bytes]
    others: tuple[str, ...]  #: names of all other files


class _Bounded(io.RawIOBase):
    """Passes on what a decompressor gives until it is too much."""

    def __init__(self, inner: gzip.GzipFile | io.BytesIO, packed: int) -> None:
        self.inner = inner
        self.limit = max(min(packed * MAX_RATIO, MAX_UNPACKED), RATIO_FREE)
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        data = self.inner.read(len(view))
        self.count += len(data)
        if self.count > self.limit:
            raise UnusablePackageError("too_large", f"unpacks to over {self.limit} bytes")
        view[: len(data)] = data
        return len(data)


def unpack(data: bytes) -> Package:
    """Return the files of a package that may be TeX.

    ``data`` is a member of a bulk tar: gzip of a tar or of one file, or a PDF. A file alone is called ``main.tex``.
    Members with an absolute name or one that leads out are left out, as are links and devices; of two with the same
    name the later counts. Raises ``UnusablePackageError`` (``pdf_only``, ``postscript_only``, ``html_only``,
    ``withdrawn``, ``not_tex``, ``too_large``, ``malformed_record``).
    """
    packed = data.startswith(b"\x1f\x8b")
    inner = gzip.GzipFile(fileobj=io.BytesIO(data)) if packed else io.BytesIO(data)
    stream = io.BufferedReader(_Bounded(inner, len(data)), 1 << 16)
    try:
        head = stream.peek(tarfile.BLOCKSIZE)[: tarfile.BLOCKSIZE]
        if _is_tar_header(head):
            return _untar(stream)
        _refuse(head)
        text = stream.read(MAX_TEXT + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error, tarfile.TarError) as error:
        raise UnusablePackageError("malformed_record", f"cannot be unpacked: {error}") from error
    if len(text) > MAX_TEXT:
        raise UnusablePackageError("too_large", f"one file of over {MAX_TEXT} bytes")
    if b"\0" in text:
        raise UnusablePackageError("not_tex", "a single file of an unknown kind")
    return Package({"main.tex": text}, ())


def _is_tar_header(head: bytes) -> bool:
    """Old tars have no ``ustar``: the header's own checksum tells."""
    if len(head) < tarfile.BLOCKSIZE:
        return False
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _refuse(head: bytes) -> None:
    """Raise for a single file that is no TeX."""
    if b"%PDF-" in head[:64]:
        raise UnusablePackageError("pdf_only")
    if _POSTSCRIPT.match(head):
        raise UnusablePackageError("postscript_only")
    if _HTML.match(head):
        raise UnusablePackageError("html_only")
    if _WITHDRAWN.match(head):
        raise UnusablePackageError("withdrawn")
    if not head.strip():
        raise UnusablePackageError("not_tex", "an empty file")


def _untar(stream: io.BufferedReader[_Bounded]) -> Package:
    texts: dict[str, bytes] = {}
    others: list[str] = []
    total = 0
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for count, name, member in _members(archive):
            if count > MAX_MEMBERS:
                raise UnusablePackageError("too_large", f"over {MAX_MEMBERS} members")
            content = _text(archive, name, member)
            if content is None:
                others.append(name)
                continue
            total += len(content)
            if total > MAX_ALL_TEXT:
                raise UnusablePackageError("too_large", f"over {MAX_ALL_TEXT} bytes of text")
            texts[name] = content
    return Package(texts, tuple(others))


def _members(archive: tarfile.TarFile) -> Iterator[tuple[int, str, tarfile.TarInfo]]:
    for count, member in enumerate(archive, start=1):
        name = posixpath.normpath(member.name)
        if member.isreg() and not name.startswith(("/", "..")):
            yield count, name, member


def _text(archive: tarfile.TarFile, name: str, member: tarfile.TarInfo) -> bytes | None:
    """Return a member's bytes, None where it is no text."""
    if _BINARY.fullmatch(posixpath.splitext(name)[1]) or member.size > MAX_TEXT:
        return None
    file = archive.extractfile(member)
    content = file.read() if file else b""
    return None if b"\0" in content[:8192] else content


def is_tex_name(name: str) -> bool:
    """Return whether a file of that name may be a paper's main file."""
    folder = name.split("/", 1)[0]
    return (
        posixpath.splitext(name)[1].lower() in _TEX
        and folder != "anc"
        and not posixpath.basename(name).startswith("00README")
    )


def candidates(package: Package) -> list[str]:
    """Return the names that may be the main file, in the package's order; raises ``UnusablePackageError`` where none may."""
    named = [name for name in package.texts if is_tex_name(name)]
    kept = [
        name
        for name in named
        if not _IGNORED.search(b"\n".join(package.texts[name].split(b"\n", HEAD_LINES)[:HEAD_LINES]))
    ]
    if kept:
        return kept
    if named:
        raise UnusablePackageError("withdrawn")
    suffixes = {posixpath.splitext(name)[1].lower() for name in [*package.others, *package.texts]}
    for suffix, reason in [
        (".pdf", "pdf_only"),
        (".ps", "postscript_only"),
        (".html", "html_only"),
        (".htm", "html_only"),
    ]:
        if suffix in suffixes:
            raise UnusablePackageError(reason)
    raise UnusablePackageError("no_main_file", "no TeX among its files")
