"""Wikipedia and its sister wikis from their XML dumps: https://dumps.wikimedia.org/<wiki>/<YYYYMMDD>/

``dumpstatus.json`` of a date names the files of each finished job with sizes and sha1; a page of namespace 0 that is no
redirect becomes a document of its title and its text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar
from urllib.parse import quote

import msgspec

from pile.document import Document, Drop, Input, Pin, Record
from pile.errors import FetchError
from pile.plugins import Reader
from sources.extract import wikitext
from sources.extract.wikitext.names import is_disambiguation, is_list, is_redirect
from sources.mediawiki_dump import Page, pages

ROOT = "https://dumps.wikimedia.org"
#: The job that writes current article pages as bzip2 of many streams.
JOB = "articlesmultistreamdump"

#: On 2023-06-07 the terms of use went from CC BY-SA 3.0 to 4.0 (https://foundation.wikimedia.org/wiki/Policy:Terms_of_Use); text
#: that was offered before, in older dumps, stays under what it was offered under.
LICENSE_CHANGE = "20230607"
LICENSE = "CC BY-SA 4.0 and GFDL"
LICENSE_BEFORE = "CC BY-SA 3.0 and GFDL"

#: Endings of database names and the sites they stand for; any other name ends in "wiki" and is a Wikipedia.
PROJECTS = ("wiktionary", "wikibooks", "wikinews", "wikiquote", "wikisource", "wikiversity", "wikivoyage")

_DATE = re.compile(r"/(\d{8})/")
_PIECE = re.compile(r"-p(\d+)p\d+\.")


class _File(msgspec.Struct):
    size: int | None = None
    sha1: str = ""


class _Job(msgspec.Struct):
    status: str = ""
    files: dict[str, _File] = {}


class _Status(msgspec.Struct):
    jobs: dict[str, _Job] = {}


class PageRecord(msgspec.Struct, frozen=True):
    """What ``records`` hands to ``parse``: a page and the licence of the dump it is from."""

    page: Page
    license: str


class Wikipedia(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``wiki`` is a database name ("enwiki", "simplewiki"), ``date`` a dump's day or "latest", ``files`` the first N only."""

    wiki: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]*$")] = "enwiki"
    date: Annotated[str, msgspec.Meta(pattern=r"^(\d{8}|latest)$")] = "latest"
    files: Annotated[int, msgspec.Meta(ge=1)] | None = None

    version: ClassVar[int] = 1
    libraries: ClassVar[tuple[str, ...]] = ("lxml",)
    choosing: ClassVar[frozenset[str]] = frozenset({"files"})
    connections: ClassVar[dict[str, int]] = {"dumps.wikimedia.org": 3}  # more from one address are blocked

    def pin(self, upstream: Reader) -> Pin:
        """Return the dump's date and its XML files with size and sha1; raises ``FetchError`` when there is no finished dump."""
        date, job = self._latest(upstream) if self.date == "latest" else (self.date, self._job(upstream, self.date))
        names = _dump_files(job.files)
        if not names:
            raise FetchError(f"{self._name(date)}: job {JOB} lists no .xml file: name another date")
        sums = self._sums(upstream, date) if any(not job.files[name].sha1 for name in names) else {}
        inputs = []
        for name in names[: self.files]:
            sha1 = job.files[name].sha1 or sums.get(name, "")
            url = f"{ROOT}/{self.wiki}/{date}/{name}"
            inputs.append(Input(url=url, size=job.files[name].size, checksum=f"sha1:{sha1}" if sha1 else ""))
        options: dict[str, Any] = {"wiki": self.wiki, "date": date}
        return Pin(options=options if self.files is None else {**options, "files": self.files}, inputs=inputs)

    def records(self, input: Input, path: Path) -> Iterator[Record | Drop]:
        """Yield every page of every namespace; raises ``DamagedInputError`` after the last whole page of a damaged file."""
        dated = _DATE.search(input.url)
        date = dated[1] if dated else self.date
        license = LICENSE_BEFORE if date < LICENSE_CHANGE else LICENSE
        for page in pages(path):
            if page.id:
                yield Record(name=page.id, data=PageRecord(page, license))
            else:
                yield Drop(page.title, "malformed_record", f"page {page.title!r} without an id")

    def parse(self, record: Record) -> Document | Drop:
        """Return the article, or why the page is none: another namespace, a redirect, no wikitext, no text."""
        page: Page = record.data.page
        if page.namespace != 0:
            return Drop(page.id, "not_article", f"namespace {page.namespace}: {page.title}")
        if page.redirect:
            return Drop(page.id, "redirect", page.title)
        if page.model != "wikitext":
            return Drop(page.id, "not_wikitext", f"{page.model}: {page.title}")
        if page.text is None:
            return Drop(page.id, "deleted_text", page.title, withdraws=True)
        if is_redirect(page.text):
            return Drop(page.id, "redirect", page.title)
        body = wikitext.text(page.text, title=page.title, namespaces=frozenset(page.site.namespaces))
        if not body:
            return Drop(page.id, "empty", page.title, withdraws=True)
        return Document(
            id=page.id,
            text=f"{page.title}\n\n{body}",
            url=self._url(page),
            license=record.data.license,
            created=page.timestamp,
            meta=_meta(page),
        )

    def _name(self, date: str) -> str:
        return f"wikipedia {self.wiki} {date}"

    def _job(self, upstream: Reader, date: str) -> _Job:
        url = f"{ROOT}/{self.wiki}/{date}/dumpstatus.json"
        try:
            status = msgspec.json.decode(upstream.read(url), type=_Status)
        except FetchError as error:
            raise FetchError(
                f"{self._name(date)}: no such dump, see {ROOT}/{self.wiki}/ for its dates ({error})"
            ) from error
        except msgspec.DecodeError as error:
            raise FetchError(f"{self._name(date)}: {url} is no dump status: {error}") from error
        job = status.jobs.get(JOB, _Job(status="missing"))
        if job.status != "done":
            raise FetchError(f"{self._name(date)}: job {JOB} is {job.status!r}, not done: name an earlier date or wait")
        return job

    def _latest(self, upstream: Reader) -> tuple[str, _Job]:
        """Return the newest date whose job is done; dates that are under way are passed over."""
        url = f"{ROOT}/{self.wiki}/"
        try:
            listing = upstream.read(url).decode("utf-8", "replace")
        except FetchError as error:
            raise FetchError(
                f"{self._name('latest')}: {url} cannot be listed: name a date, as in 20261101 ({error})"
            ) from error
        why = "it lists no dates"
        for date in sorted(set(re.findall(r"href=[\"'](?:[^\"']*/)?(\d{8})/", listing)), reverse=True):
            try:
                return date, self._job(upstream, date)
            except FetchError as error:
                why = str(error)
        raise FetchError(f"{self._name('latest')}: {url} has no finished dump: {why}")

    def _sums(self, upstream: Reader, date: str) -> dict[str, str]:
        listing = upstream.read(f"{ROOT}/{self.wiki}/{date}/{self.wiki}-{date}-sha1sums.txt").decode("utf-8", "replace")
        return {name: sha1 for sha1, name in re.findall(r"^([0-9a-f]{40}) [ *](\S+)$", listing, re.M)}

    def _url(self, page: Page) -> str:
        """The page on the web: by the address in the dump's head, else by the database's name."""
        site = page.site.base.rpartition("/")[0] or f"https://{self._host()}/wiki"
        return f"{site}/{quote(page.title.replace(' ', '_'), safe='/:@!$*(),;~-._')}"

    def _host(self) -> str:
        for project in PROJECTS:
            if self.wiki.endswith(project):
                return f"{self.wiki.removesuffix(project).replace('_', '-')}.{project}.org"
        return f"{self.wiki.removesuffix('wiki').replace('_', '-')}.wikipedia.org"


def _dump_files(files: dict[str, _File]) -> list[str]:
    """Return the XML files in page order, without indexes; the pieces where the whole is there in pieces too."""
    names = sorted(name for name in files if ".xml" in name and "-index" not in name)
    pieces = {name: int(match[1]) for name in names if (match := _PIECE.search(name))}
    return sorted(pieces, key=lambda name: (pieces[name], name)) or names


def _meta(page: Page) -> dict[str, Any]:
    """Title and revision, for attribution; lists and lists of meanings are flagged for filters to choose."""
    meta: dict[str, Any] = {"title": page.title, "revision": page.revision}
    if is_disambiguation(page.title, page.text or ""):
        meta["disambiguation"] = True
    if is_list(page.title):
        meta["list"] = True
    return meta
