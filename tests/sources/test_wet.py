"""WET files: Common Crawl's own text of pages, with the same rules as WARC for what cannot be read."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from pile.document import Document, Drop, Input, Record
from pile.errors import DamagedInputError
from sources.common_crawl import CommonCrawl
from sources.crawl_lists import ROOT
from sources.page_document import LICENSE
from sources.page_gates import PAGE_BOUND

INPUT = Input(f"{ROOT}/crawl-data/CC-MAIN-2026-30/segments/1.0/wet/one.warc.wet.gz")
ENGLISH = b"High water comes some fifty minutes later each day, because the moon has moved on by then.\n" * 6
GERMAN = "Das Hochwasser kommt jeden Tag etwa fünfzig Minuten später, weil der Mond weitergezogen ist.\n".encode() * 6


def conversion(text: bytes, *, more: str = "", kind: str = "conversion", record_id: str = "<urn:uuid:1-2-3>") -> bytes:
    fields = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: https://tides.example/table\r\nWARC-Date: 2026-07-10T07:05:34Z\r\n"
        f"WARC-Record-ID: {record_id}\r\nContent-Type: text/plain\r\n{more}Content-Length: {len(text)}\r\n\r\n"
    )
    return gzip.compress(fields.encode() + text + b"\r\n\r\n", mtime=0)


def items(path: Path, content: bytes, **options: object) -> list[Document | Drop]:
    path.write_bytes(content)
    source = CommonCrawl(format="wet", **options)  # type: ignore[arg-type]
    found = [source.parse(item) if isinstance(item, Record) else item for item in source.records(INPUT, path)]
    assert all(isinstance(item, Document | Drop) for item in found)
    return found  # type: ignore[return-value]


def test_a_conversion_becomes_a_document_with_what_upstream_says_of_it(tmp_path: Path) -> None:
    content = conversion(b"WARC-Filename: x", kind="warcinfo") + conversion(
        ENGLISH, more="WARC-Identified-Content-Language: eng,deu\r\n"
    )
    assert items(tmp_path / "fetched", content) == [
        Document(
            id="1-2-3",
            text=ENGLISH.decode(),
            url="https://tides.example/table",
            license=LICENSE,
            created="2026-07-10T07:05:34Z",
            meta={"languages": ["eng", "deu"]},
        )
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (conversion(b" \r\n"), "empty_page"),
        (conversion(ENGLISH, more="WARC-Truncated: length\r\n"), "truncated"),
        (conversion(b"a" * (PAGE_BOUND + 1)), "too_large"),
        (conversion(GERMAN), "other_language"),
    ],
)
def test_every_gate_names_its_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    (drop,) = items(tmp_path / "fetched", content, languages=("en",))
    assert isinstance(drop, Drop)
    assert (drop.id, drop.reason) == ("1-2-3", reason)
    assert drop.url == "https://tides.example/table"


def test_text_that_looks_like_markup_is_judged_as_text(tmp_path: Path) -> None:
    text = b"<html lang=de> is how a German page begins. " + ENGLISH
    (document,) = items(tmp_path / "fetched", conversion(text), languages=("en",))
    assert isinstance(document, Document)
    assert document.text == text.decode()


def test_what_cannot_be_read_is_counted_and_a_cut_file_is_damaged(tmp_path: Path) -> None:
    first = conversion(ENGLISH, record_id="")
    path = tmp_path / "fetched"
    path.write_bytes(first + b"garbage that is no member" + conversion(ENGLISH)[:-20])
    found = CommonCrawl(format="wet").records(INPUT, path)
    assert getattr(next(found), "name", "") == "one.warc.wet.gz:0"
    drop = next(found)
    assert isinstance(drop, Drop)
    assert (drop.id, drop.reason) == (f"one.warc.wet.gz:{len(first)}", "malformed_record")
    with pytest.raises(DamagedInputError):
        next(found)


@pytest.mark.parametrize(
    ("name", "kept", "languages"),
    [("whirlwind.warc.wet.gz", 1, ["spa"]), ("cc-net-sample.warc.txt", 3, None), ("whirlwind.warc.wat.gz", 0, None)],
)
def test_real_files_are_read(shared: Path, tmp_path: Path, name: str, kept: int, languages: list[str] | None) -> None:
    content = (shared / "data/warc/real" / name).read_bytes()
    found = items(tmp_path / name, content)
    assert all(isinstance(item, Document) for item in found)
    assert len(found) == kept
    for item in found:
        assert isinstance(item, Document) and item.url.startswith("http") and len(item.text) > 50
        assert item.meta.get("languages") == languages
