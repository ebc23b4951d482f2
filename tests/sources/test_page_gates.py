"""The gates before extraction that compare captures, addresses and digests: what each stops, and what none may stop."""

from __future__ import annotations

import base64
import gzip
import hashlib
import os
from contextlib import suppress
from pathlib import Path

import pytest

from pile.document import Drop, Input, Record
from pile.errors import DamagedInputError
from sources import http_message
from sources.common_crawl import CommonCrawl
from sources.warc import Capture, captures

SHARED = Path(os.environ.get("PILE_SHARED") or Path(__file__).resolve().parents[2].parent / "shared")
CRAWL = SHARED / "mirror/data.commoncrawl.org/crawl-data/CC-MAIN-2026-30"
REAL = SHARED / "data/warc/real"
needs_shared = pytest.mark.skipif(not CRAWL.is_dir(), reason=f"no real material at {SHARED}")

PAGE = b"<!DOCTYPE html><html><body><p>Low water at the bar, and the boats wait outside.</p></body></html>"
LATIN = PAGE.replace(b"boats", b"bateaux \xe0 voile")


def capture(
    url: str, body: bytes = PAGE, *, status: int = 200, http: str = "", mime: str = "text/html", warc: str = ""
) -> bytes:
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {mime}\r\n{http}\r\n".encode()
    fields = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nWARC-Record-ID: <urn:uuid:{url}>\r\n"
        f"Content-Type: application/http\r\n{warc}Content-Length: {len(head) + len(body)}\r\n\r\n"
    )
    return gzip.compress(fields.encode() + head + body + b"\r\n\r\n", mtime=0)


def fates(tmp_path: Path, *members: bytes, source: CommonCrawl | None = None) -> dict[str, str]:
    """Return what becomes of each capture by its address: a reason, or "passed"."""
    path = tmp_path / "one.warc.gz"
    path.write_bytes(b"".join(members))
    items = list((source or CommonCrawl()).records(Input(path.name), path))
    return {i.id if isinstance(i, Drop) else i.name: i.reason if isinstance(i, Drop) else "passed" for i in items}


def test_of_equal_payloads_the_first_in_the_archive_passes(tmp_path: Path) -> None:
    found = fates(tmp_path, capture("http://a.example/"), capture("http://b.example/"), capture("http://a.example/?x"))
    assert list(found.values()) == ["passed", "duplicate_payload", "duplicate_payload"]


def test_a_duplicate_names_the_page_that_it_is_a_copy_of(tmp_path: Path) -> None:
    path = tmp_path / "one.warc.gz"
    path.write_bytes(capture("http://a.example/first") + capture("http://b.example/"))
    _, drop = CommonCrawl().records(Input("one.warc.gz"), path)
    assert isinstance(drop, Drop)
    assert (drop.url, drop.detail) == ("http://b.example/", "the same bytes as http://a.example/first")
    assert drop.facts == {"html": {"bytes": len(PAGE)}}


def test_payloads_are_compared_without_their_codings(tmp_path: Path) -> None:
    found = fates(
        tmp_path,
        capture("http://a.example/"),
        capture("http://b.example/", gzip.compress(PAGE), http="Content-Encoding: gzip\r\n"),
        capture(
            "http://c.example/", b"%x\r\n%s\r\n0\r\n\r\n" % (len(PAGE), PAGE), http="Transfer-Encoding: chunked\r\n"
        ),
    )
    assert list(found.values()) == ["passed", "duplicate_payload", "duplicate_payload"]


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (capture("http://a.example/", status=404), "bad_status"),
        (capture("http://a.example/", mime="text/plain"), "not_html"),
        (capture("http://a.example/", warc="WARC-Truncated: length\r\n"), "truncated"),
        (capture("http://spam.example/"), "blocked_host"),
        (capture("http://a.example/spam/1"), "blocked_url"),
        (capture("http://a.example/", warc="WARC-Block-Digest: sha1:AAAA\r\n"), "digest_mismatch"),
    ],
)
def test_a_capture_that_another_gate_stops_hides_no_later_one(tmp_path: Path, first: bytes, reason: str) -> None:
    source = CommonCrawl(blocked_hosts=("spam.example",), blocked_urls=("a.example/spam/",))
    found = fates(tmp_path, first, capture("http://good.example/"), source=source)
    assert list(found.values()) == [reason, "passed"]


def test_equal_bytes_under_another_charset_are_another_page_unless_they_are_utf8(tmp_path: Path) -> None:
    mimes = ("text/html", "text/html; charset=windows-1251")
    latin = [capture(f"http://{n}.example/", LATIN, mime=mime) for n, mime in enumerate(mimes)]
    assert list(fates(tmp_path, *latin).values()) == ["passed", "passed"]
    japanese = "<html><p>日本語のページ</p></html>".encode("iso-2022-jp")
    seven = [capture(f"http://{n}.example/", japanese, mime=mime) for n, mime in enumerate(mimes)]
    assert list(fates(tmp_path, *seven).values()) == ["passed", "passed"]
    plain = [capture(f"http://{n}.example/", PAGE, mime=mime) for n, mime in enumerate(mimes)]
    assert list(fates(tmp_path, *plain).values()) == ["passed", "duplicate_payload"]


def test_equal_stated_digests_stop_no_page_that_has_other_bytes(tmp_path: Path) -> None:
    stated = f"WARC-Payload-Digest: {sha1(PAGE)}\r\n"
    other = PAGE.replace(b"Low", b"High")
    found = fates(tmp_path, capture("http://a.example/", warc=stated), capture("http://b.example/", other, warc=stated))
    assert list(found.values()) == ["passed", "passed"]


def test_what_came_before_in_another_archive_or_another_run_hides_nothing(tmp_path: Path) -> None:
    assert fates(tmp_path, capture("http://a.example/")) == fates(tmp_path, capture("http://a.example/"))


def sha1(content: bytes) -> str:
    return "sha1:" + base64.b32encode(hashlib.sha1(content).digest()).decode()


HEAD = b"HTTP/1.1 200 X\r\nContent-Type: text/html\r\n\r\n"
RIGHT, WRONG = f"WARC-Block-Digest: {sha1(HEAD + PAGE)}\r\n", f"WARC-Block-Digest: {sha1(b'')}\r\n"


@pytest.mark.parametrize(
    ("stated", "fate"),
    [
        (RIGHT, "passed"),
        (WRONG, "digest_mismatch"),
        (f"WARC-Block-Digest: sha256:{hashlib.sha256(HEAD + PAGE).hexdigest()}\r\n", "passed"),
        (f"WARC-Block-Digest: SHA-256:{hashlib.sha256(PAGE).hexdigest().upper()}\r\n", "digest_mismatch"),
        ("WARC-Block-Digest: blake9:ABCDEF\r\n", "passed"),
        ("WARC-Block-Digest: \r\n", "passed"),
        ("WARC-Block-Digest: nonsense\r\n", "passed"),
        (f"WARC-Payload-Digest: {sha1(b'')}\r\n", "passed"),
        (f"{WRONG}WARC-Payload-Digest: {sha1(PAGE)}\r\n", "passed"),
        (f"{WRONG}WARC-Payload-Digest: {sha1(b'')}\r\n", "digest_mismatch"),
        (f"{RIGHT}WARC-Payload-Digest: {sha1(b'')}\r\n", "passed"),
    ],
)
def test_only_a_block_digest_that_nothing_vouches_against_stops_a_page(tmp_path: Path, stated: str, fate: str) -> None:
    assert list(fates(tmp_path, capture("http://a.example/", warc=stated)).values()) == [fate]


def distinct(capture: Capture) -> tuple[bytes, str]:
    """Return what makes a page another: its bytes, and what the server says of them where they are not UTF-8."""
    body = http_message.payload(capture.response).body
    try:
        body.decode()
    except UnicodeDecodeError:
        return body, capture.response.header("content-type")
    return body, ""


@needs_shared
def test_of_a_real_crawl_exactly_the_later_copies_in_each_archive_are_duplicates() -> None:
    for path in sorted(CRAWL.rglob("*.warc.gz")):
        bodies = {c.id: distinct(c) for c in captures(path) if not isinstance(c, Drop)}
        seen: set[tuple[bytes, str]] = set()
        for item in CommonCrawl().records(Input(path.name), path):
            name = item.name if isinstance(item, Record) else item.id
            if isinstance(item, Drop) and item.reason != "duplicate_payload":
                continue
            assert (bodies[name] in seen) == isinstance(item, Drop), name
            seen.add(bodies[name])
        assert len(seen) > 600


@needs_shared
def test_real_archives_lose_no_page_to_their_digests_but_two_that_were_changed_by_hand() -> None:
    stopped = []
    for path in sorted(REAL.glob("*.warc*")):
        with suppress(DamagedInputError):
            for item in CommonCrawl().records(Input(path.name), path):
                if isinstance(item, Drop) and item.reason == "digest_mismatch":
                    stopped.append(path.name)
    assert stopped == ["ipwb-baconipsum_chunked.warc", "warcio-example-trunc.warc"]
