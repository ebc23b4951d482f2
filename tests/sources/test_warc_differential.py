"""Every archive of ../shared/data/warc by three readers: ``sources.warc.captures``, warcio's and FastWARC's own iterators.

All must give the same captures: id, address, date, status, body as stored, payload decoded. What differs is in a table, record
by record, with the reason.
"""

from __future__ import annotations

import csv
import logging
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import brotli
import fastwarc
import pytest
from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from pile.document import Drop
from pile.errors import DamagedInputError
from sources import http_message
from sources.extract.page_type import html_type
from sources.warc import Capture, captures

SHARED = Path(os.environ.get("PILE_SHARED") or Path(__file__).resolve().parents[2].parent / "shared")
WARC = SHARED / "data" / "warc"
ARCHIVES = [path for path in [*sorted(WARC.glob("real/*")), *sorted(WARC.glob("*.warc.gz"))] if path.suffix != ".tsv"]
BROKEN = WARC / "built-shared-broken.warc.gz"
needs_shared = pytest.mark.skipif(not ARCHIVES, reason=f"no archives in {WARC}")

#: Stands for a payload that a reader has not decoded: it is compared with none.
UNREAD = b"not decoded"


class Row(NamedTuple):
    """A capture as a reader gives it."""

    id: str
    url: str
    date: str
    status: int | None
    body: bytes
    payload: bytes


class Read(NamedTuple):
    """What a reader makes of a file; ``stopped`` is why it did not come to the end."""

    rows: list[Row]
    stopped: str = ""


def by_pile(path: Path) -> Read:
    rows: list[Row] = []
    try:
        for item in captures(path):
            if isinstance(item, Capture):
                response = item.response
                rows.append(
                    Row(
                        item.id,
                        item.url,
                        item.date,
                        response.status,
                        response.body,
                        http_message.payload(response).body,
                    )
                )
    except DamagedInputError as error:
        return Read(rows, error.cause)
    return Read(rows)


def is_capture(fields: dict[str, str]) -> bool:
    kind, address = fields.get("warc-type", ""), plain(fields.get("warc-target-uri", ""))
    return (kind == "response" and address.startswith(("http:", "https:"))) or (
        kind == "resource" and html_type(fields.get("content-type", "")) is True
    )


def plain(value: str) -> str:
    return value.strip("<>").replace(" ", "%20").removeprefix("urn:uuid:")


def row(fields: dict[str, str], status: Any, body: bytes, payload: bytes) -> Row:
    names = (plain(fields.get("warc-record-id", "")), plain(fields["warc-target-uri"]), fields.get("warc-date", ""))
    if fields["warc-type"] == "resource":
        status = 200
    return Row(*names, int(status) if str(status).isdigit() else None, body, payload)


def by_warcio(path: Path) -> Read:
    """Read a file twice, since a record's stream gives its body either as it was sent or decoded."""
    logging.getLogger("warcio").setLevel(logging.CRITICAL)
    rows: list[Row] = []
    stopped = ""
    with open(path, "rb") as stored, open(path, "rb") as decoded:
        try:
            pairs = zip(ArchiveIterator(stored, arc2warc=True), ArchiveIterator(decoded, arc2warc=True), strict=True)
            for record, again in pairs:
                fields = {name.lower(): value for name, value in record.rec_headers.headers}
                if is_capture(fields):
                    status = record.http_headers.get_statuscode() if record.http_headers else None
                    body = record.raw_stream.read()
                    rows.append(row(fields, status, body, warcio_payload(again, body)))
        except ArchiveLoadFailed as error:
            stopped = str(error)
    return Read(rows, stopped)


def warcio_payload(record: Any, stored: bytes) -> bytes:
    """Return a body decoded; brotli 1.2 has lost an attribute that warcio 1.8 asks for, so it is called by itself."""
    try:
        payload: bytes = record.content_stream().read()
    except AttributeError:
        payload = brotli.decompress(stored)
    return payload


def by_fastwarc(path: Path) -> Read:
    """Read bodies as they were sent: where FastWARC cannot decode one, its iterator does not go on."""
    rows: list[Row] = []
    stopped = ""
    try:
        with open(path, "rb") as file:
            for record in fastwarc.ArchiveIterator(file, parse_http=True, quirks_mode=True, auto_decode="none"):
                fields = {name.lower(): value for name, value in record.headers}
                if is_capture(fields):
                    status = record.http_headers.status_code if record.http_headers else None
                    rows.append(row(fields, status, record.reader.read(), UNREAD))
    except OSError as error:
        stopped = str(error)
    return Read(rows, stopped)


def differences(ours: list[Row], theirs: list[Row], is_arc: bool) -> dict[str, str]:
    """Return the captures that only one reader has, and the fields in which two differ, by the start of their ids.

    ARC has no ids: there, its captures are told apart by their addresses.
    """
    mine, other = numbered(ours, is_arc), numbered(theirs, is_arc)
    found = {name: "only theirs" if name in other else "only ours" for name in mine.keys() ^ other.keys()}
    both = [name for name in mine if name in other]
    assert both == [name for name in other if name in mine], "another order"
    for name in both:
        fields = [
            field
            for field in Row._fields[is_arc:]
            if getattr(mine[name], field) != getattr(other[name], field) and getattr(other[name], field) != UNREAD
        ]
        if fields:
            found[name] = " ".join(fields)
    return found


def numbered(rows: list[Row], is_arc: bool) -> dict[str, Row]:
    seen: Counter[str] = Counter()
    found = {}
    for one in rows:
        name = one.url if is_arc else one.id[:8]
        seen[name] += 1
        found[name if seen[name] == 1 else f"{name} {seen[name]}"] = one
    return found


ONE_MEMBER = "all records are in one gzip member, at which warcio stops"
CUT = "the file is cut short in this record, which is damage here"
NO_HEAD = "the response has no status line or no head; here, all of it is the body then"
SHORT = "Content-Length is too small; here, the block goes on to the next record"
STATUS_0 = 'the status line says "0 No Content", which is none (RFC 9112 has three digits)'

#: What warcio reads otherwise, and why.
BY_WARCIO = {
    "aut-badexample.arc.gz": {
        "http://www.archive.org/robots.txt": ("only ours", ONE_MEMBER),
        "http://www.archive.org/": ("only ours", ONE_MEMBER),
        "http://www.archive.org/ 2": ("only ours", ONE_MEMBER),
    },
    "built-shared-broken.warc.gz": {
        "87beafe9": ("body payload", NO_HEAD),
        "bfef9617": ("body payload", NO_HEAD),
        "5c592bc8": ("body payload", SHORT),
    },
    "ipwb-broken.warc": {"338fbf3e": ("status body payload", SHORT)},
    "ipwb-redirect.warc": {"09aef536": ("only theirs", CUT)},
    "resiliparse-clipped.warc.gz": {"f3dfa8fa": ("only theirs", CUT)},
    "warc2zim-http-return-codes.warc.gz": {"45922e99": ("status body payload", STATUS_0)},
    "warcio-bad.arc": {
        f"http://example.com/{number}": ("body payload", "lengths that are no numbers: warcio's blocks are empty")
        for number in ("", " 2", " 3")
    },
    "warcio-example-bad-non-chunked.warc.gz": {"a9c51e3e": ("only ours", ONE_MEMBER)},
    "warcio-example-bad.warc.gz.bad": {
        "1d673b2a": ("only ours", ONE_MEMBER),
        "6d058047": ("only ours", ONE_MEMBER),
    },
    "warcio-example-wrong-chunks.warc.gz": {
        "80d63307": ("body payload", "the record goes on in the next gzip member, which warcio takes for a record")
    },
}

#: What FastWARC reads otherwise, and why. It reads no ARC.
BY_FASTWARC = {
    "built-shared-broken.warc.gz": {
        "87beafe9": ("body", NO_HEAD),
        "bfef9617": ("body", NO_HEAD),
        "5c592bc8": ("body", SHORT),
        "33606fde": ("only theirs", CUT),
    },
    "ipwb-broken.warc": {"338fbf3e": ("status body", SHORT)},
    "ipwb-redirect.warc": {"09aef536": ("only theirs", CUT)},
    "resiliparse-clipped.warc.gz": {"f3dfa8fa": ("only theirs", CUT)},
    "warc2zim-http-return-codes.warc.gz": {"45922e99": ("status body", STATUS_0)},
}


def explained(table: dict[str, dict[str, tuple[str, str]]], path: Path) -> dict[str, str]:
    return {name: found for name, (found, _) in table.get(path.name, {}).items()}


@pytest.fixture(scope="module")
def ours() -> Callable[[Path], Read]:
    read: dict[Path, Read] = {}
    return lambda path: read[path] if path in read else read.setdefault(path, by_pile(path))


@needs_shared
@pytest.mark.parametrize("path", ARCHIVES, ids=lambda path: path.name)
def test_warcio_gives_the_same_captures(path: Path, ours: Callable[[Path], Read]) -> None:
    found = differences(ours(path).rows, by_warcio(path).rows, ".arc" in path.name)
    assert found == explained(BY_WARCIO, path)


@needs_shared
@pytest.mark.parametrize("path", [path for path in ARCHIVES if ".arc" not in path.name], ids=lambda path: path.name)
def test_fastwarc_gives_the_same_captures(path: Path, ours: Callable[[Path], Read]) -> None:
    found = differences(ours(path).rows, by_fastwarc(path).rows, False)
    assert found == explained(BY_FASTWARC, path)


@needs_shared
def test_all_archives_are_there_that_the_tables_speak_of() -> None:
    assert len(ARCHIVES) >= 50
    assert {*BY_WARCIO, *BY_FASTWARC} <= {path.name for path in ARCHIVES}


#: What is no plain capture in the broken archive, by the case that its manifest names.
COUNTED = {"unknown-type": "unknown_type"}
#: What its pages are as responses; 200 and a body where nothing is said here.
STATUSES = {"no-http-headers": None, "no-status-line": None, "empty-block": None}


@needs_shared
def test_of_the_broken_archive_every_record_is_read_or_counted_with_its_offset() -> None:
    with open(BROKEN.with_suffix("").with_suffix(".manifest.tsv"), encoding="utf-8", newline="") as file:
        cases = {line["offset"]: line["case"] for line in csv.DictReader(file, delimiter="\t")}
    found: dict[str, Capture | Drop] = {}
    with pytest.raises(DamagedInputError) as damage:
        for item in captures(BROKEN):
            found[item.offset if isinstance(item, Capture) else item.id.rpartition(":")[2]] = item
    assert cases.pop(str(damage.value.offset)) == "file-cut-mid-member"
    assert found.keys() == cases.keys()
    reasons = {cases[offset]: item.reason for offset, item in found.items() if isinstance(item, Drop)}
    assert reasons == COUNTED
    for offset, item in found.items():
        if isinstance(item, Capture):
            assert item.response.status == STATUSES.get(cases[offset], 200), cases[offset]
            assert bool(item.response.body) == (cases[offset] != "empty-block"), cases[offset]
            assert item.repaired == (cases[offset] == "content-length-too-small"), cases[offset]
