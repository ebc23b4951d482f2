"""Real bytes, mutilated: ``main_text`` gives a text, and ``captures`` gives captures and drops, whatever they are given.

Work is counted, not timed: reads of a file, bytes of a text. The slow runs are the same with many more examples.
"""

from __future__ import annotations

import functools
import gzip
import io
import os
import re
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brotli
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pile.document import Document, Drop, Record
from pile.errors import DamagedInputError
from sources import http_message, members
from sources.block_list import block_list
from sources.common_crawl import CommonCrawl
from sources.extract.html import main_text
from sources.page_gates import Gates
from sources.warc import Capture, begins, captures

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("PILE_SHARED") or ROOT.parent / "shared")
#: Longest seed: long ones cost time and teach nothing.
SEED_BOUND = 80_000
MIRROR = sorted((ROOT / "tests/data/mirror").rglob("*.warc.gz"))
REAL = [
    path
    for path in sorted(SHARED.glob("data/warc/real/*"))
    if path.stat().st_size < SEED_BOUND and ".tsv" not in path.name
]
#: Every so many pages of the real crawl is a seed.
REAL_STEP = 40

#: What is put into pages and archives.
PIECES = [
    *(
        b"<",
        b">",
        b"</",
        b"<!--",
        b"-->",
        b"<![CDATA[",
        b"]]>",
        b"<?xml",
        b'"',
        b"'",
        b"=",
        b"\0",
        b"\xff",
        b"\xfe\xff",
    ),
    *(
        b"<!DOCTYPE x [<!ENTITY a '&a;'>]>",
        b"&a;",
        b"&#0;",
        b"&#xD800;",
        b"&#x110000;",
        b"&#",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
    ),
    *(
        b"<script>",
        b"<style>",
        b"<textarea>",
        b"<title>",
        b"<plaintext>",
        b"<svg>",
        b"<math>",
        b"<template>",
        b"<select>",
    ),
    *(b"<table>", b"<td>", b"<b><p>", b"</p>", b"</br>", b"<noscript>", b"<frameset>", b"<body x=1>", b"<pre>\n"),
    *(b"<meta charset=utf-16>", b"<meta charset=x-user-defined>", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"),
    *(
        b'<script type="application/ld+json">{"description": [',
        b"<base href='http://[::1'>",
        b"<a href='http://x:99999999/'>",
    ),
    *(
        b"\r\n",
        b"\r\n\r\n",
        b"\n\n",
        b"WARC/1.0\r\n",
        b"WARC-Type: response\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"ffffffff\r\n",
    ),
    *(b"Content-Length: 99999999999\r\n", b"Content-Length: -1\r\n", b"Transfer-Encoding: chunked\r\n", b"0\r\n"),
    *(b"Content-Encoding: gzip\r\n", b"Content-Encoding: br, deflate\r\n", b"\x1f\x8b\x08\x00", b"\x28\xb5\x2f\xfd"),
    *(b"\x1f\x8b\x08\x1f" + bytes(8), b"http://a.example/ 192.0.2.1 20080430204825 text/html 9999\n"),
]

#: One change: its kind, and where, how much, from where, and which piece, each of which is taken modulo what there is.
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "splice", "repeat", "insert", "end"]),
        st.integers(0, 1 << 20),
        st.integers(1, 1 << 12),
        st.integers(0, 1 << 20),
        st.sampled_from(PIECES),
    ),
    min_size=1,
    max_size=10,
)
Changes = list[tuple[str, int, int, int, bytes]]
#: Most copies that one change makes.
COPIES = 64


def changed(seed: bytes, other: bytes, changes: Changes) -> bytes:
    """Return a seed after changes; parts of ``other`` are what is spliced in."""
    data = seed
    for kind, where, size, source, piece in changes:
        at, start = where % (len(data) + 1), source % (len(other) + 1)
        if kind == "flip" and at < len(data):
            data = data[:at] + bytes([data[at] ^ (1 << size % 8)]) + data[at + 1 :]
        elif kind == "cut":
            data = data[:at] + data[at + size :]
        elif kind == "splice":
            data = data[:at] + other[start : start + size] + data[at:]
        elif kind == "repeat":
            data = data[:at] + data[at : at + size] * (1 + source % COPIES) + data[at + size :]
        elif kind == "insert":
            data = data[:at] + piece * (1 + source % COPIES) + data[at:]
        elif kind == "end" and where % 4 == 0:
            data = data[:at]
    return data


@functools.cache
def pages() -> list[bytes]:
    """Return what archives hold of pages: our own, and some real ones where they are."""
    found = [item.response.body for path in MIRROR for item in captures(path) if isinstance(item, Capture)]
    crawl = sorted((SHARED / "mirror/data.commoncrawl.org/crawl-data/CC-MAIN-2026-30").rglob("*.warc.gz"))[:1]
    real = [item for path in crawl for item in captures(path) if isinstance(item, Capture)][::REAL_STEP]
    found += [http_message.payload(item.response).body for item in real]
    return [body for body in found if 0 < len(body) < SEED_BOUND]


@functools.cache
def archives() -> list[bytes]:
    """Return archives as they are stored, and what is in them inflated, so that changes reach the heads of records."""
    found = []
    for path in [*MIRROR, *REAL]:
        found.append(path.read_bytes())
        inflated = [
            b"".join(iter(lambda member=member: member.read(1 << 16), b"")) for member in members.members(path, begins)
        ]
        found.append(b"".join(inflated)[: 4 * SEED_BOUND])
    return [content for content in found if content]


#: Read when a test first draws from them, not when tests are collected.
PAGES, ARCHIVES = (st.deferred(lambda read=read: st.sampled_from(read())) for read in (pages, archives))
#: What no text holds: NUL, carriage return, lone surrogates.
NO_TEXT = re.compile("[\0\r\ud800-\udfff]")


def check_page(page: bytes | str) -> None:
    text = main_text(page)
    assert isinstance(text, str)
    assert not NO_TEXT.search(text)
    # A block of the text may be a dash and two line ends longer than its words are, a cell a bar, and takes a tag for it.
    assert len(text) <= 2 * len(page) + 100


class Counted(io.FileIO):
    """A file that refuses to be read more often than once for each of its bytes."""

    def __init__(self, path: Any, left: int) -> None:
        super().__init__(path, "rb")
        self.left = left

    def read(self, size: int | None = -1) -> bytes:
        self.left -= 1
        assert self.left > 0, "the file is read again and again"
        return super().read(-1 if size is None else size)


def check_archive(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder) / "a.warc.gz"
        path.write_bytes(content)
        patch.setattr(members, "open", lambda path, *_, **__: Counted(path, 100 + len(content)), raising=False)
        captured = 0
        try:
            for item in captures(path):
                assert isinstance(item, Capture | Drop)
                captured += 1
                check_capture(item)
        except DamagedInputError as error:
            assert error.offset is None or 0 <= error.offset <= len(content)
        # The shortest record is "WARC/1.0" and an empty line; what is no record is as much between two of them.
        assert captured <= 100 + 2 * len(content)


def check_capture(item: Capture | Drop) -> None:
    if isinstance(item, Drop):
        assert item.id and item.reason and len(item.detail) < 1000
        return
    payload = http_message.payload(item.response)
    assert len(payload.body) <= max(http_message.PAYLOAD_BOUND, len(item.response.body))
    passed = Gates(block_list((), (), ())).passed(item)
    if not isinstance(passed, Drop):
        assert isinstance(CommonCrawl().parse(Record(item.id, passed)), Document | Drop)


FEW = settings(max_examples=25, suppress_health_check=list(HealthCheck))
MANY = settings(max_examples=1000, suppress_health_check=list(HealthCheck))
Given = Callable[[Callable[..., None]], Callable[[], None]]


def of_two(seeds: st.SearchStrategy[bytes]) -> Given:
    return given(seeds, seeds, CHANGES)


def packed(body: bytes, how: int) -> bytes:
    """Return a body in one of the codings that servers use, or as it is."""
    if how == 0:
        return gzip.compress(body, mtime=0)
    if how == 1:
        return zlib.compress(body)
    if how == 2:
        return zlib.compress(body, wbits=-15)
    return brotli.compress(body, quality=1) if how == 3 else body


@FEW
@of_two(PAGES)
def test_a_mutilated_page_gives_a_text(seed: bytes, other: bytes, changes: Changes) -> None:
    check_page(changed(seed, other, changes))


@FEW
@of_two(ARCHIVES)
def test_a_mutilated_archive_gives_captures_and_drops(seed: bytes, other: bytes, changes: Changes) -> None:
    check_archive(changed(seed, other, changes))


@FEW
@given(
    st.sampled_from(["gzip", "deflate", "br", "zstd", "gzip, gzip", "identity"]),
    st.booleans(),
    PAGES,
    st.integers(0, 4),
    CHANGES,
)
def test_a_mutilated_payload_is_decoded_or_left(
    coding: str, chunked: bool, seed: bytes, packing: int, changes: Changes
) -> None:
    body = changed(packed(seed[:5000], packing), seed, changes)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\n" + ("Transfer-Encoding: chunked\r\n" if chunked else "")
    payload = http_message.payload(http_message.parse(head.encode() + b"\r\n" + body))
    assert len(payload.body) <= max(http_message.PAYLOAD_BOUND, len(body))
    assert payload.problem in ("", "cut", "too_large")


@pytest.mark.slow
@pytest.mark.timeout(1800)
@MANY
@of_two(PAGES)
def test_many_mutilated_pages_give_a_text(seed: bytes, other: bytes, changes: Changes) -> None:
    check_page(changed(seed, other, changes))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@MANY
@of_two(ARCHIVES)
def test_many_mutilated_archives_give_captures_and_drops(seed: bytes, other: bytes, changes: Changes) -> None:
    check_archive(changed(seed, other, changes))
