"""Archives to captures, through ``sources.warc.captures``: what is read, what is counted, what stops a file."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pile.document import Drop
from pile.errors import DamagedInputError
from sources import http_message
from sources.warc import Capture, captures

ENDING = "the file ends inside of a gzip member"


def page(number: int, words: int = 60) -> bytes:
    text = " ".join(f"w{(number * 7919 + k * 104729) % 9973}" for k in range(words))
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><p>" + text.encode() + b"</p></html>"


def record(
    number: int, block: bytes | None = None, *, kind: str = "response", length: str = "", end: str = "\r\n"
) -> bytes:
    block = page(number) if block is None else block
    lines = [
        "WARC/1.0",
        f"WARC-Type: {kind}",
        f"WARC-Record-ID: <urn:uuid:id-{number}>",
        f"WARC-Target-URI: http://a.example/{number}",
        "WARC-Date: 2026-07-10T07:05:34Z",
        "Content-Type: application/http; msgtype=response",
        f"Content-Length: {length or len(block)}",
    ]
    return (end.join(lines) + end + end).encode() + block + b"\r\n\r\n"


def members(*records: bytes) -> tuple[bytes, list[int]]:
    packed = [gzip.compress(content, mtime=0) for content in records]
    return b"".join(packed), [sum(map(len, packed[:k])) for k in range(len(packed))]


def read(
    tmp_path: Path, content: bytes, name: str = "a.warc.gz"
) -> tuple[list[Capture], list[Drop], DamagedInputError | None]:
    path = tmp_path / name
    path.write_bytes(content)
    got: list[Capture] = []
    drops: list[Drop] = []
    try:
        for item in captures(path):
            (drops if isinstance(item, Drop) else got).append(item)  # type: ignore[arg-type]
    except DamagedInputError as error:
        return got, drops, error
    return got, drops, None


def ids(got: list[Capture]) -> list[str]:
    return [capture.id for capture in got]


THREE = [record(0), record(1), record(2)]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(members(*THREE)[0], id="a gzip member for each record"),
        pytest.param(gzip.compress(b"".join(THREE)), id="one gzip member"),
        pytest.param(b"".join(THREE), id="no compression"),
        pytest.param(b"".join(zstandard.compress(content) for content in THREE), id="zstd frames"),
        pytest.param(b"".join(record(k, end="\n") for k in range(3)), id="line feeds only"),
        pytest.param(b"".join(record(k, end="\r\r\n") for k in range(3)), id="CR CR LF"),
        pytest.param(members(THREE[0], b"", THREE[1], b"\r\n\r\n", THREE[2])[0], id="empty members"),
        pytest.param(members(*THREE)[0] + bytes(1024), id="padding at the end"),
    ],
)
def test_every_container_gives_the_same_captures(tmp_path: Path, content: bytes) -> None:
    got, drops, damage = read(tmp_path, content, "a.warc.zst" if content.startswith(b"\x28\xb5") else "a.warc.gz")
    assert ids(got) == ["id-0", "id-1", "id-2"]
    assert [capture.response.body for capture in got] == [http_message.parse(page(k)).body for k in range(3)]
    assert (drops, damage) == ([], None)


def test_a_capture_has_what_the_record_says_of_it(tmp_path: Path) -> None:
    content, offsets = members(record(0), record(1))
    capture = read(tmp_path, content)[0][1]
    assert (capture.id, capture.url, capture.date) == ("id-1", "http://a.example/1", "2026-07-10T07:05:34Z")
    assert capture.offset == str(offsets[1])
    assert capture.response.status == 200
    assert capture.response.header("content-type") == "text/html"


def test_only_responses_are_captures_and_resources_that_are_pages(tmp_path: Path) -> None:
    kinds = ["warcinfo", "request", "response", "metadata", "revisit", "x-new"]
    html = record(7, b"<html><p>kept</p></html>", kind="resource").replace(
        b"application/http; msgtype=response", b"text/html"
    )
    log = record(8, b"a log", kind="resource").replace(b"application/http; msgtype=response", b"text/plain")
    content, offsets = members(*(record(k, kind=kind) for k, kind in enumerate(kinds)), html, log)
    got, drops, _ = read(tmp_path, content)
    assert ids(got) == ["id-2", "id-7"]
    assert [(drop.reason, drop.detail) for drop in drops] == [
        ("unknown_type", f"offset {offsets[5]}: WARC-Type 'x-new'")
    ]


def test_a_page_in_segments_is_truncated(tmp_path: Path) -> None:
    first = record(0).replace(b"WARC-Date", b"WARC-Segment-Number: 1\r\nWARC-Date")
    got, _, _ = read(tmp_path, members(first, record(1, kind="continuation"))[0])
    assert [(capture.id, capture.truncated) for capture in got] == [("id-0", "segmented")]


def test_the_kind_of_a_record_is_in_a_field_of_its_own(tmp_path: Path) -> None:
    folded = record(1).replace(b"WARC-Date", b"X-Note: a\r\n warc-type: request\r\nWARC-Date")
    content, _ = members(folded, record(2, kind="Request"), record(3, kind="RESPONSE"))
    got, drops, _ = read(tmp_path, content)
    assert (ids(got), drops) == (["id-1", "id-3"], [])


BROKEN_MEMBERS = [
    pytest.param(gzip.compress(b"no head at all\r\n\r\n" + page(9)), "no record begins here", id="no head"),
    pytest.param(gzip.compress(record(9))[:-8] + bytes(8), "incorrect data check", id="wrong checksum"),
    pytest.param(b"bytes that are not gzip" * 9, "incorrect header check", id="not gzip"),
    pytest.param(b"\0" + gzip.compress(record(9))[1:], "incorrect header check", id="no signature"),
    pytest.param(gzip.compress(record(9))[:-40], "", id="end is missing"),
    pytest.param(gzip.compress(b"WARC/1.0\r\nWARC-Type: response"), "no record begins here", id="head without an end"),
]


@pytest.mark.parametrize(("broken", "why"), BROKEN_MEMBERS)
def test_a_broken_member_is_counted_with_its_offset_and_reading_goes_on(
    tmp_path: Path, broken: bytes, why: str
) -> None:
    first, rest = members(record(0))[0], members(record(1), record(2))[0]
    got, drops, damage = read(tmp_path, first + broken + rest)
    assert ids(got) == ["id-0", "id-1", "id-2"]
    assert damage is None
    (drop,) = drops
    assert drop.reason == "malformed_record"
    assert drop.id.startswith(f"a.warc.gz:{len(first)}") or broken.startswith(b"\0")
    assert drop.detail.startswith("offset ") and why in drop.detail


@pytest.mark.parametrize("cut", [1, 7, 8, 30, 200])
def test_a_file_that_is_cut_short_stops_after_all_good_records(tmp_path: Path, cut: int) -> None:
    content, offsets = members(*THREE)
    got, drops, damage = read(tmp_path, content[:-cut])
    assert ids(got) == ["id-0", "id-1"]
    assert drops == []
    assert damage is not None and (damage.cause, damage.offset) == (ENDING, offsets[2])


def test_a_plain_file_that_is_cut_short_stops_too(tmp_path: Path) -> None:
    got, _, damage = read(tmp_path, b"".join(THREE)[:-100], "a.warc")
    assert ids(got) == ["id-0", "id-1"]
    assert damage is not None and damage.cause == "the file ends inside of a record"


@pytest.mark.parametrize("length", ["20", "5000", "99999999", "999999999999", "many", "-1"])
@pytest.mark.parametrize("packed", [True, False])
def test_a_wrong_content_length_costs_no_record_and_no_byte(tmp_path: Path, length: str, packed: bool) -> None:
    records = [record(0), record(1, length=length), record(2)]
    got, drops, damage = read(tmp_path, members(*records)[0] if packed else b"".join(records))
    assert (ids(got), drops, damage) == (["id-0", "id-1", "id-2"], [], None)
    assert got[1].response.body == http_message.parse(page(1)).body
    assert [capture.repaired for capture in got] == [False, True, False]


def test_a_record_may_go_on_in_the_next_member(tmp_path: Path) -> None:
    whole = record(1, page(1, 2000))
    content, _ = members(record(0), whole[:700], whole[700:5000], whole[5000:], record(2))
    got, drops, damage = read(tmp_path, content)
    assert (ids(got), drops, damage) == (["id-0", "id-1", "id-2"], [], None)
    assert got[1].response.body == http_message.parse(page(1, 2000)).body


def test_arc_files_are_read(tmp_path: Path) -> None:
    version = b"1 0 Crawler\nURL IP-address Archive-date Content-type Archive-length\n"
    head = b"filedesc://a.arc 0.0.0.0 20080430204825 text/plain %d\n%s\n" % (len(version), version)
    records = [
        b"http://a.example/%d 192.0.2.1 20080430204825 text/html %d\n%s\n" % (k, len(page(k)), page(k))
        for k in range(2)
    ]
    content, offsets = members(head, *records)
    for packed, name in ((content, "a.arc.gz"), (head + b"".join(records), "a.arc")):
        got, drops, damage = read(tmp_path, packed, name)
        assert [capture.url for capture in got] == ["http://a.example/0", "http://a.example/1"]
        assert got[0].date == "2008-04-30T20:48:25Z"
        assert [capture.response.body for capture in got] == [http_message.parse(page(k)).body for k in range(2)]
        assert (drops, damage) == ([], None)
    assert ids(read(tmp_path, content, "a.arc.gz")[0]) == [f"a.arc.gz:{offset}" for offset in offsets[1:]]


def test_an_error_page_instead_of_an_archive_is_one_malformed_record(tmp_path: Path) -> None:
    got, drops, damage = read(tmp_path, b"<html><h1>503 Slow Down</h1></html>" * 50)
    assert (got, [drop.reason for drop in drops], damage) == ([], ["malformed_record"], None)


def test_a_head_without_an_end_takes_nothing_from_the_next_record(tmp_path: Path) -> None:
    content = record(0) + b"WARC/1.0\r\nWARC-Type: response\r\n" + record(1)
    got, drops, damage = read(tmp_path, content, "a.warc")
    assert (ids(got), damage) == (["id-0", "id-1"], None)
    assert [drop.detail for drop in drops] == [f"offset {len(record(0))}: no record begins here"]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_costs_no_more_than_the_members_it_is_in(tmp_path: Path, data: st.DataObject) -> None:
    content, offsets = members(*(record(k) for k in range(5)))
    at = data.draw(st.integers(0, len(content) - 1))
    size = data.draw(st.integers(0, 40))
    put = data.draw(st.binary(max_size=40))
    got, _, _ = read(tmp_path, content[:at] + put + content[at + size :])
    ends = [*offsets[1:], len(content)]
    untouched = {
        f"id-{k}" for k, (start, end) in enumerate(zip(offsets, ends, strict=True)) if end <= at or start >= at + size
    }
    # Bytes put in just before a member may belong to the end of the one before.
    assert untouched - {f"id-{k}" for k, end in enumerate(ends) if end == at} <= set(ids(got))
    for capture in got:
        assert capture.response.body == http_message.parse(page(int(capture.id[3:]))).body
