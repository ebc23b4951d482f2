"""A crawl of invented pages for tests: archives, file lists, and both indexes of it, laid out as Common Crawl serves them."""

from __future__ import annotations

import gzip
import json
import uuid
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

CRAWL = "CC-MAIN-2026-30"
FOLDER = f"crawl-data/{CRAWL}/segments/1783672534810.12/warc"
TABLE = f"cc-index/table/cc-main/warc/crawl={CRAWL}/subset=warc"
COLLINFO = json.dumps([{"id": CRAWL, "to": "2026-07-23T01:13:28"}, {"id": "CC-MAIN-2026-25"}]).encode()


class Page(NamedTuple):
    """One visit: what was got, and what the indexes say of it."""

    url: str
    status: int = 200
    mime: str = "text/html"
    languages: str | None = "eng"
    words: str = "the harbour"

    @property
    def html(self) -> bytes:
        subject = f"{self.words} at {self.url}"
        said = f"<p>High water of {subject} comes some fifty minutes later each day, because the moon has moved on by then.</p>"
        return f"<!DOCTYPE html><html><body><article><h1>Of {subject}</h1>{said * 4}</article></body></html>".encode()


#: A few pages of which an index says different things.
PAGES = [
    Page("https://alps.example/1"),
    Page("https://alps.example/2", languages="deu,eng"),
    Page("https://alps.example/3", languages=None),
    Page("https://alps.example/4", status=404),
    Page("https://alps.example/5.pdf", mime="application/pdf"),
    Page("https://www.alps.example/6", mime="application/xhtml+xml", languages="deu"),
    Page("https://notalps.example/7"),
    Page("https://deep.sea.example:8443/8", languages="deu"),
    Page("https://sea.example/9"),
    Page("https://zoo.example/10"),
]


class Place(NamedTuple):
    """Where a page lies."""

    page: Page
    file: str
    offset: int
    length: int


def record(kind: str, url: str, block: bytes, **fields: str) -> bytes:
    """Return a WARC record as a gzip member."""
    lines = {
        "WARC-Type": kind,
        "WARC-Date": "2026-07-10T07:05:34Z",
        "WARC-Record-ID": f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, kind + url)}>",
        "WARC-Target-URI": url,
        **{name.replace("_", "-"): value for name, value in fields.items()},
        "Content-Length": str(len(block)),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return gzip.compress(f"WARC/1.0\r\n{head}\r\n".encode() + block + b"\r\n\r\n", mtime=0)


def response(page: Page, payload: bytes = b"", **headers: str) -> bytes:
    """Return the response record of a page."""
    head = [f"HTTP/1.1 {page.status} Well", f"Content-Type: {page.mime}"]
    head += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    block = "\r\n".join([*head, "", ""]).encode() + (payload or page.html)
    return record("response", page.url, block, Content_Type="application/http; msgtype=response")


def archive(pages: list[Page], name: str) -> tuple[bytes, list[Place]]:
    """Return a WARC file with three records for each page, and where the responses are."""
    content = record("warcinfo", "", b"isPartOf: tests\r\n")
    places = []
    for page in pages:
        content += record("request", page.url, b"GET / HTTP/1.1\r\n\r\n")
        member = response(page)
        places.append(Place(page, f"{FOLDER}/{name}", len(content), len(member)))
        content += member + record("metadata", page.url, b"fetchTimeMs: 7\r\n")
    return content, places


def registered(url: str) -> str:
    return ".".join((urlsplit(url).hostname or "").split(".")[-2:])


def parquet(places: list[Place], path: Path, *, without: tuple[str, ...] = (), **options: Any) -> None:
    """Write one file of the columnar index; rows are in the order of the real one, by host from its end."""
    rows = sorted(places, key=lambda one: (urlsplit(one.page.url).netloc.split(".")[::-1], one.page.url))
    columns = {
        "url": pa.array([one.page.url for one in rows]),
        "url_host_registered_domain": pa.array([registered(one.page.url) for one in rows]),
        "fetch_status": pa.array([one.page.status for one in rows], pa.int16()),
        "content_mime_type": pa.array([one.page.mime for one in rows]),
        "content_mime_detected": pa.array([one.page.mime for one in rows]),
        "content_languages": pa.array([one.page.languages for one in rows], pa.string()),
        "warc_filename": pa.array([one.file for one in rows]),
        "warc_record_offset": pa.array([one.offset for one in rows], pa.int32()),
        "warc_record_length": pa.array([one.length for one in rows], pa.int32()),
    }
    table = pa.table({name: column for name, column in columns.items() if name not in without})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, compression="gzip", **options)


def cdx_line(one: Place) -> bytes:
    """Return a capture as the CDX API gives it: every value is text, and what is unknown is not there."""
    line = {
        "url": one.page.url,
        "mime": one.page.mime,
        "mime-detected": one.page.mime,
        "status": str(one.page.status),
        "length": str(one.length),
        "offset": str(one.offset),
        "filename": one.file,
    }
    return json.dumps(line | ({"languages": one.page.languages} if one.page.languages else {})).encode() + b"\n"


def write(mirror: Path, archives: dict[str, list[Page]]) -> list[Place]:
    """Write a crawl with its lists and its columnar index (two files, two rows to a group) as a mirror; return what it has."""
    data = mirror / "data.commoncrawl.org"
    files: dict[str, bytes] = {}
    places: list[Place] = []
    for name, pages in archives.items():
        files[f"{FOLDER}/{name}"], found = archive(pages, name)
        places += found
    files[f"crawl-data/{CRAWL}/warc.paths.gz"] = gzip.compress("".join(f"{name}\n" for name in files).encode())
    tables = [f"{TABLE}/part-0000{number}.c000.gz.parquet" for number in (0, 1)]
    listed = [f"cc-index/table/cc-main/warc/crawl={CRAWL}/subset=robotstxt/part-0.parquet", *tables]
    files[f"crawl-data/{CRAWL}/cc-index-table.paths.gz"] = gzip.compress("\n".join(listed).encode())
    for name, content in files.items():
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_bytes(content)
    by_host = sorted(places, key=lambda one: urlsplit(one.page.url).netloc.split(".")[::-1])
    half = len(by_host) // 2
    for table, rows in zip(tables, (by_host[:half], by_host[half:]), strict=True):
        parquet(rows, data / table, row_group_size=2)
    (mirror / "index.commoncrawl.org").mkdir(exist_ok=True)
    (mirror / "index.commoncrawl.org/collinfo.json").write_bytes(COLLINFO)
    return places
