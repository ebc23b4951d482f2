"""PubMed: titles and abstracts of a year's baseline and of its daily updates, the newest revision of each citation.

Upstream: https://ftp.ncbi.nlm.nih.gov/pubmed/ (README.txt there; the markup is https://dtd.nlm.nih.gov/ncbi/pubmed/).
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec
from lxml import etree, html

from pile.document import Document, Drop, Input, Pin, Record, Tombstone
from pile.errors import DamagedInputError, FetchError, RecipeError
from pile.plugins import Reader
from sources.extract import medline

ROOT = "https://ftp.ncbi.nlm.nih.gov/pubmed"
#: NLM claims no copyright in citation data; many publishers do in their abstracts.
LICENSE = "NLM PubMed terms; abstract copyright may apply"
#: pubmed<yy>n<number>.xml.gz; update files go on with the baseline's numbers.
FILE = re.compile(r"pubmed(\d\d)n(\d{4,})\.xml\.gz")
#: The .md5 files are in OpenSSL's style: "MD5(pubmed26n0001.xml.gz)= <hex>".
MD5 = re.compile(rb"(?:^|=)\s*([0-9a-fA-F]{32})\b")
#: The children of a file's root, in the DTD's order.
RECORDS = ("PubmedArticle", "PubmedBookArticle", "DeleteCitation")
#: Parts of a citation that ``parse`` does not read; without them a record is a third of its size.
UNREAD = ("ReferenceList", "AuthorList", "MeshHeadingList", "ChemicalList", "KeywordList", "GrantList", "OtherAbstract")
#: The start of a citation up to its PMID, which the DTD puts first.
CITATION_START = re.compile(
    rb"<(?:MedlineCitation|BookDocument)\b[^<>]{0,1000}>\s{0,200}<PMID\b[^<>]{0,100}>\s{0,20}(\d{1,12})\s{0,20}<"
)
#: More than the longest match of ``CITATION_START``, so that none is lost between two chunks.
SCAN_OVERLAP = 1400
#: Bytes of XML in hand at a time.
CHUNK = 1 << 16
#: No DTD from the network, and no entity expanded: what a citation says, it must hold.
XML_SAFETY: dict[str, Any] = {"resolve_entities": False, "load_dtd": False, "no_network": True, "huge_tree": False}

Year = Annotated[str, msgspec.Meta(pattern=r"^(latest|20\d\d)$")] | Annotated[int, msgspec.Meta(ge=2000, le=2099)]


class Pubmed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Citations with a title and an abstract; ``updates`` adds the year's update files after its baseline."""

    year: Year = "latest"
    files: Annotated[int, msgspec.Meta(ge=1)] | None = None
    updates: bool = False

    version: ClassVar[int] = 1
    libraries: ClassVar[tuple[str, ...]] = ("lxml",)
    choosing: ClassVar[frozenset[str]] = frozenset({"year", "files", "updates"})
    connections: ClassVar[dict[str, int]] = {"ftp.ncbi.nlm.nih.gov": 3}  # what NCBI advises

    def pin(self, upstream: Reader) -> Pin:
        """Return the year and its files in the order in which they revise each other, each with its md5.

        A file whose ``.md5`` is not in the listing has no checksum. Raises ``FetchError`` where a listing or a ``.md5``
        is not what it should be, and ``RecipeError`` for a year that upstream does not hold (it keeps one year only).
        """
        folder = f"{ROOT}/baseline/"
        names = _listing(upstream, folder)
        years = sorted({2000 + int(found[1]) for name in names if (found := FILE.fullmatch(name))})
        if not years:
            raise FetchError(f"{folder} lists no pubmedYYnNNNN.xml.gz: look at it in a browser (or the mirror)")
        year = years[-1] if self.year == "latest" else int(self.year)
        if year not in years:
            held = ", ".join(map(str, years))
            raise RecipeError(f"pubmed year = {self.year!r}: {folder} holds {held} only; name that, or 'latest'")
        chosen = [(folder + name, f"{name}.md5" in names) for name in _files(names, year)]
        if self.updates and (self.files is None or self.files > len(chosen)):
            folder = f"{ROOT}/updatefiles/"
            names = _listing(upstream, folder)
            chosen += [(folder + name, f"{name}.md5" in names) for name in _files(names, year)]
        inputs = [
            Input(url, upstream.size(url), _checksum(upstream, url) if has_md5 else "")
            for url, has_md5 in chosen[: self.files]
        ]
        return Pin({**msgspec.structs.asdict(self), "year": str(year)}, inputs)

    def records(self, input: Input, path: Path) -> Iterator[Record | Drop]:
        """Yield a record for each citation, then one for each PMID that the file deletes.

        Where a PMID comes more than once in the file, its highest Version stays, the last of equal ones; the others are
        ``superseded``. Raises ``DamagedInputError`` after the last good record.
        """
        kept = _kept(path)
        deleted: list[str] = []
        damage: DamagedInputError | None = None
        try:
            for number, element in enumerate(_elements(path), 1):
                if element.tag == "DeleteCitation":
                    deleted += [medline.fold(pmid.text or "") for pmid in element.iterfind("PMID")]
                else:
                    yield _record(element, number, kept, input.url.rpartition("/")[2])
        except DamagedInputError as error:
            damage = error
        for pmid in deleted:
            yield Record(pmid, None)
        if damage is not None:
            raise damage

    def parse(self, record: Record) -> Document | Tombstone | Drop:
        """Return the citation's title and abstract as a document; a record without data is a deleted citation."""
        if record.data is None:
            return Tombstone(record.name)
        try:
            root = etree.fromstring(record.data, etree.XMLParser(**XML_SAFETY))
        except etree.XMLSyntaxError as error:
            return Drop(record.name, "malformed_record", f"XML: {error}")
        is_book = root.tag == "PubmedBookArticle"
        body = root.find("BookDocument" if is_book else "MedlineCitation/Article")
        if body is None:
            return Drop(record.name, "malformed_record", "no <Article>")
        abstract = medline.abstract(body.iterfind("Abstract/AbstractText"))
        title = medline.title(body.find("ArticleTitle"), body.find("VernacularTitle"))
        if is_book and not title.text:
            title = medline.title(body.find("Book/BookTitle"), None)
        if not abstract.text:
            return Drop(record.name, "no_abstract", title.text, withdraws=True)
        if not title.text:
            return Drop(record.name, "no_title", withdraws=True)
        return Document(
            id=record.name,
            text=f"{title.text}\n\n{abstract.text}",
            url=f"https://pubmed.ncbi.nlm.nih.gov/{record.name}/",
            license=LICENSE,
            created=medline.published(body.iter("PubDate", "ArticleDate", "ContributionDate")),
            meta=_meta(root, body, title, abstract),
        )


def _listing(upstream: Reader, folder: str) -> frozenset[str]:
    """Return the names of the files that an HTML index links to."""
    try:
        links = html.fromstring(upstream.read(folder)).xpath("//a/@href")
    except etree.ParserError as error:
        raise FetchError(f"{folder} is not an HTML index: {error}; look at it in a browser") from error
    return frozenset(link.rpartition("/")[2] for link in links)


def _files(names: Iterable[str], year: int) -> list[str]:
    """Return a year's files by number, which is the order in which they revise each other."""
    found = [match for match in map(FILE.fullmatch, names) if match and 2000 + int(match[1]) == year]
    return [match[0] for match in sorted(found, key=lambda match: int(match[2]))]


def _checksum(upstream: Reader, url: str) -> str:
    found = MD5.search(upstream.read(f"{url}.md5"))
    if found is None:
        raise FetchError(f"{url}.md5 holds no md5: look at it in a browser, and try again later")
    return f"md5:{found[1].decode().lower()}"


def _inflated(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield chunks of a gzip file of any number of members, each with the offset read so far."""
    with open(path, "rb") as raw, gzip.GzipFile(fileobj=raw) as file:
        while True:
            try:
                chunk = file.read1(CHUNK)  # read() would lose what comes before a damage
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                raise DamagedInputError(f"gzip: {error}", raw.tell()) from error
            if not chunk:
                return
            yield raw.tell(), chunk


def _elements(path: Path) -> Iterator[Any]:
    """Yield the root's children one by one; each is emptied when the next is asked for."""
    parser = etree.XMLPullParser(events=("end",), tag=RECORDS, **XML_SAFETY)
    read = 0
    try:
        for offset, chunk in _inflated(path):
            read = offset
            try:
                parser.feed(chunk)
            finally:  # what came whole before an error
                yield from _drained(parser)
        root = parser.close()
    except etree.XMLSyntaxError as error:
        raise DamagedInputError(f"XML: {error}", read) from error
    if root.tag != "PubmedArticleSet":
        raise DamagedInputError(f"the root is <{root.tag}>, not <PubmedArticleSet>", 0)


def _drained(parser: Any) -> Iterator[Any]:
    for _, element in parser.read_events():
        yield element
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]


def _pmid(element: Any) -> tuple[str, int]:
    """Return a citation's PMID ("" without one) and its Version."""
    pmid = element.find("MedlineCitation/PMID" if element.tag == "PubmedArticle" else "BookDocument/PMID")
    if pmid is None or not re.fullmatch(r"[0-9]+", text := medline.fold(pmid.text or "")):
        return "", 0
    version = pmid.get("Version", "1")
    return text, int(version) if version.isdecimal() else 1


def _kept(path: Path) -> dict[str, tuple[int, int]]:
    """Return, for PMIDs that come more than once in a file, the Version that stays and its element's number.

    A scan of the bytes finds such PMIDs (rare: F1000 and PLoS Currents have versions); only then the XML is read twice.
    The memory is one number for each citation of one file (30,000 in the baseline).
    """
    seen: set[int] = set()
    repeated: set[str] = set()
    tail = b""
    with suppress(DamagedInputError):  # met again, and raised, when the records are read
        for _, chunk in _inflated(path):
            text, end = tail + chunk, 0
            for found in CITATION_START.finditer(text):
                pmid, end = int(found[1]), found.end()
                if pmid in seen:
                    repeated.add(str(pmid))
                seen.add(pmid)
            tail = text[max(end, len(text) - SCAN_OVERLAP) :]
    kept: dict[str, tuple[int, int]] = {}
    if repeated:
        with suppress(DamagedInputError):
            for number, element in enumerate(_elements(path), 1):
                pmid_text, version = _pmid(element) if element.tag != "DeleteCitation" else ("", 0)
                if pmid_text in repeated:
                    kept[pmid_text] = max(kept.get(pmid_text, (0, 0)), (version, number))
    return kept


def _record(element: Any, number: int, kept: dict[str, tuple[int, int]], file: str) -> Record | Drop:
    pmid, version = _pmid(element)
    if not pmid:
        detail = f"line {element.sourceline} of the XML: no PMID"
        return Drop(f"{file}:{number}", "malformed_record", detail)
    best, place = kept.get(pmid, (version, number))
    if place != number:
        return Drop(pmid, "superseded", f"Version {version}: Version {best} is citation {place} of {file}")
    for part in list(element.iter(*UNREAD)):
        part.getparent().remove(part)
    return Record(pmid, etree.tostring(element, encoding="utf-8", xml_declaration=False, with_tail=False))


def _meta(root: Any, body: Any, title: medline.Title, abstract: medline.Abstract) -> dict[str, Any]:
    pmid, version = _pmid(root)
    # Direct children only: the list of references has ArticleIdLists too, and their PMCIDs are other papers'.
    listed = root.find("PubmedData/ArticleIdList" if root.tag == "PubmedArticle" else "PubmedBookData/ArticleIdList")
    ids = {} if listed is None else {i.get("IdType"): medline.inline(i) for i in listed.iterfind("ArticleId")}
    doi = ids.get("doi") or medline.fold(body.findtext("ELocationID[@EIdType='doi']", ""))
    copyright_notice = body.findtext("Abstract/CopyrightInformation", "").strip() or abstract.copyright
    meta = {
        "pmid": pmid,
        "version": version,
        "pmcid": ids.get("pmc", ""),
        "doi": doi,
        "languages": [language for e in body.iterfind("Language") if (language := medline.fold(e.text or ""))],
        "journal": medline.fold(body.findtext("Journal/Title", "")),
        "copyright": copyright_notice,
        "translated_title": title.translated,
        "vernacular_title": title.vernacular,
        "truncated": abstract.truncated,
    }
    return {key: value for key, value in meta.items() if value}
