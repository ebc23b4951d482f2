"""arXiv's bulk sources: the bucket ``s3://arxiv/src/`` (requester pays), its manifest, and the tars of papers in it.

https://info.arxiv.org/help/bulk_data_s3.html. Only each paper's latest version at packing time is there, and no licence:
that is per paper, in the OAI records.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, BinaryIO, ClassVar

import msgspec
from lxml import etree

from pile.document import Document, Drop, Input, Pin, Record
from pile.errors import DamagedInputError, NotTheFileError
from pile.plugins import Reader
from sources.arxiv_main import main_file
from sources.arxiv_package import Package, UnusablePackageError, unpack
from sources.extract.latex import UnparsableError, to_text
from sources.extract.latex.citations import Bibliography
from sources.extract.latex.encoding import declared_encoding, decode
from sources.extract.latex.flatten import TexTooLargeError, flatten

BUCKET = "s3://arxiv/"
MANIFEST = BUCKET + "src/arXiv_src_manifest.xml"
#: The bulk sources state no licence. Most papers are under arXiv's own, which forbids redistribution.
LICENSE = "arXiv: per paper, not stated in the bulk sources"
#: Bytes of one member of a bulk tar. arXiv takes submissions of up to 50 MB.
MAX_MEMBER = 256 << 20
#: Years from this one on are 19xx: arXiv began in August 1991.
FIRST_YEAR = 91

_OLD_ID = re.compile(r"([a-z-]+)(\d{7})")
_SUFFIX = re.compile(r"\.(?:tar\.gz|gz|pdf|tex|ps|html)$")
_NEW_MONTH = re.compile(r"(\d\d)(0[1-9]|1[0-2])\.\d{4,5}")
_OLD_MONTH = re.compile(r"[a-z-]+/(\d\d)(0[1-9]|1[0-2])\d{3}")


class Arxiv(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Papers of arXiv from their LaTeX sources; ``files`` is how many of the bulk tars, oldest first."""

    version: ClassVar[int] = 1
    libraries: ClassVar[tuple[str, ...]] = ("pypandoc-binary", "pylatexenc")
    choosing: ClassVar[frozenset[str]] = frozenset({"files"})
    advice: ClassVar[dict[str, str]] = {
        "s3://arxiv": "the bucket is requester-pays: use credentials of an AWS account that may read it and is billed for it"
    }

    files: Annotated[int, msgspec.Meta(ge=1)] | None = None

    def pin(self, upstream: Reader) -> Pin:
        """Return the bulk tars of the manifest, oldest first; raises ``NotTheFileError`` where it is no such manifest."""
        inputs = list(manifest(upstream.read(MANIFEST)))
        return Pin({} if self.files is None else {"files": self.files}, inputs[: self.files])

    def records(self, input: Input, path: Path) -> Iterator[Record | Drop]:
        """Yield the papers of one tar, packed as they are; raises ``DamagedInputError`` where the tar ends early."""
        with path.open("rb") as file:
            yield from _members(file, input.url.rsplit("/", 1)[-1])

    def parse(self, record: Record) -> Document | Drop:
        """Return a paper's text, or why it has none; raises ``RecordHungError`` past the time bound of its conversion."""
        member, data = record.data
        identifier = record.name
        if member.endswith(".pdf"):
            return Drop(identifier, "pdf_only")
        try:
            return _document(identifier, data)
        except UnusablePackageError as error:
            return Drop(identifier, error.reason, str(error))
        except (UnparsableError, TexTooLargeError) as error:
            return Drop(identifier, "unparsable", str(error))


def manifest(content: bytes) -> list[Input]:
    """Return the inputs that a manifest lists, each file once as its last entry says, by month and number."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise NotTheFileError(f"{MANIFEST}: not XML ({error}): fetch it again, or look at the mirror's copy") from error
    if root.tag != "arXivSRC":
        raise NotTheFileError(f"{MANIFEST}: begins with <{root.tag}> instead of <arXivSRC>: fetch it again")
    entries: dict[str, tuple[tuple[int, int, str], Input]] = {}
    for element in root.iterfind("file"):
        facts = {child.tag: (child.text or "").strip() for child in element}
        entries[facts.get("filename", "")] = _entry(facts)
    if not entries:
        raise NotTheFileError(f"{MANIFEST}: lists no file: fetch it again")
    return [entry for _, entry in sorted(entries.values(), key=lambda pair: pair[0])]


def _entry(facts: dict[str, str]) -> tuple[tuple[int, int, str], Input]:
    """Return one entry's place in the order, and the entry."""
    name, yymm = facts.get("filename", ""), facts.get("yymm", "")
    try:
        year, month, number = int(yymm[:2]), int(yymm[2:]), int(facts.get("seq_num", ""))
        size = int(facts["size"]) if facts.get("size") else None
    except ValueError as error:
        raise NotTheFileError(
            f"{MANIFEST}: the entry of {name!r} has no usable yymm, seq_num or size: {error}"
        ) from error
    options: dict[str, Any] = {"yymm": yymm}
    if facts.get("num_items", "").isdigit():
        options["num_items"] = int(facts["num_items"])
    checksum = f"md5:{facts['md5sum']}" if facts.get("md5sum") else ""
    months = (_century(year) + year) * 12 + month
    return (months, number, name), Input(BUCKET + name, size, checksum, options)


def _century(year: int) -> int:
    return 1900 if year >= FIRST_YEAR else 2000


def _members(file: BinaryIO, archive: str) -> Iterator[Record | Drop]:
    """Walk a tar header by header: ``tarfile`` takes a broken header, and a missing end, for the end of the archive."""
    position = 0
    while True:
        file.seek(position)
        header = file.read(tarfile.BLOCKSIZE)
        if len(header) < tarfile.BLOCKSIZE:
            raise DamagedInputError("the tar ends without its end mark", position)
        if not header.strip(b"\0"):
            return
        try:
            member = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            if position == 0:
                raise DamagedInputError(f"not a tar: {error}", 0) from error
            yield Drop(f"{archive}@{position}", "malformed_record", f"offset {position}: no tar header: {error}")
            position = _next_header(file, position + tarfile.BLOCKSIZE)
            continue
        if member.isreg():
            yield _member(file, member, f"{archive}@{position}", position)
        position += tarfile.BLOCKSIZE * (1 + -(-max(member.size, 0) // tarfile.BLOCKSIZE))


def _next_header(file: BinaryIO, position: int) -> int:
    """Return where the next block stands that is a tar header, or where the file ends."""
    while True:
        file.seek(position)
        block = file.read(tarfile.BLOCKSIZE)
        if len(block) < tarfile.BLOCKSIZE:
            return position
        if block[257:262] == b"ustar":
            try:
                tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
            except tarfile.HeaderError:
                pass
            else:
                return position
        position += tarfile.BLOCKSIZE


def _member(file: BinaryIO, member: tarfile.TarInfo, place: str, position: int) -> Record | Drop:
    """Return a paper as packed, the file standing at its first byte; raises ``DamagedInputError`` where the file ends."""
    if not 0 <= member.size <= MAX_MEMBER:
        return Drop(place, "malformed_record", f"offset {position}: a member of {member.size} bytes")
    name = member.name.encode("utf-8", "replace").decode()
    if name.startswith("/") or ".." in name.split("/"):
        return Drop(place, "malformed_record", f"offset {position}: the name {name!r} leads out of the archive")
    data = file.read(member.size)
    if len(data) < member.size:
        raise DamagedInputError(f"the tar ends within {name!r}", position)
    return Record(arxiv_id(name), (name, data))


def arxiv_id(member: str) -> str:
    """Return the id that a member's name stands for: ``9901/hep-th9901001.gz`` is ``hep-th/9901001``."""
    stem = _SUFFIX.sub("", member.rsplit("/", 1)[-1])
    old = _OLD_ID.fullmatch(stem)
    return f"{old[1]}/{old[2]}" if old else stem


def created(identifier: str) -> str:
    """Return the month in an id as ``YYYY-MM``, "" where it has none: the month of the first version."""
    match = _NEW_MONTH.fullmatch(identifier) or _OLD_MONTH.fullmatch(identifier)
    return f"{_century(int(match[1])) + int(match[1])}-{match[2]}" if match else ""


def _document(identifier: str, data: bytes) -> Document | Drop:
    package = unpack(data)
    main = main_file(package)
    declared = declared_encoding(package.texts[main])
    flat = flatten(main, set(package.texts), lambda name: decode(package.texts[name], declared)[0])
    paper = to_text(flat, Bibliography(_all(package, ".bbl"), _all(package, ".bib")))
    if not paper.text:
        return Drop(identifier, "no_text", f"{main}: nothing but commands")
    meta: dict[str, Any] = {"title": paper.title, "converter": paper.converter}
    meta["encoding"] = decode(package.texts[main], declared)[1]
    if flat.missing:
        meta["missing_inputs"] = flat.missing
    url = f"https://arxiv.org/abs/{identifier}"
    return Document(identifier, paper.text, url=url, license=LICENSE, created=created(identifier), meta=meta)


def _all(package: Package, suffix: str) -> str:
    """Return all files with that suffix as one text."""
    return "\n".join(decode(content, None)[0] for name, content in package.texts.items() if name.endswith(suffix))
