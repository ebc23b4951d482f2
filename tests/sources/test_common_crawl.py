"""The ``common_crawl`` source: what it pins, and which gate stops which capture."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pile.document import Document, Drop, Input, Record
from pile.errors import DamagedInputError, FetchError, RecipeError
from pile.fetch import Upstream
from pile.making import make_source
from sources.common_crawl import CommonCrawl
from sources.crawl_lists import ROOT
from sources.extract.page_type import html_type, sniffed
from sources.page_document import LICENSE
from sources.page_gates import CUT_LENGTH, PAGE_BOUND

SHARED = Path(os.environ.get("PILE_SHARED") or Path(__file__).resolve().parents[2].parent / "shared")
MIRROR = SHARED / "mirror"
needs_mirror = pytest.mark.skipif(not (MIRROR / "data.commoncrawl.org").is_dir(), reason=f"no crawl in {MIRROR}")

COLLINFO = "https://index.commoncrawl.org/collinfo.json"
LIST = f"{ROOT}/crawl-data/CC-MAIN-2026-30/warc.paths.gz"
INPUT = Input(f"{ROOT}/crawl-data/CC-MAIN-2026-30/segments/1.0/warc/one.warc.gz")

HTML = (
    b"<!DOCTYPE html><html><head><title>Tides</title></head><body><article><h1>Reading a tide table</h1>"
    + b"<p>High water comes some fifty minutes later each day, because the moon has moved on by then, and the table "
    + b"gives the hour and the height for the port; for a harbour along the coast a constant is added.</p>" * 3
    + b"</article></body></html>"
)


class Fake:
    """An upstream with a few small files."""

    def __init__(self, **files: bytes) -> None:
        self.files = {COLLINFO: files.get("info", INFO), LIST: files.get("paths", PATHS)}
        self.asked: list[str] = []

    def read(self, url: str) -> bytes:
        self.asked.append(url)
        if url not in self.files:
            raise FetchError(f"{url}: status 404")
        return self.files[url]

    def find(self, patterns: list[str]) -> list[str]:
        raise AssertionError(patterns)

    def size(self, url: str) -> int | None:
        raise AssertionError(f"a request for {url}")


INFO = json.dumps(
    [{"id": "CC-MAIN-2026-30", "name": "July"}, {"id": "CC-MAIN-2026-25"}, {"id": "CC-MAIN-2008-2009"}]
).encode()
PATHS = gzip.compress(b"crawl-data/a.warc.gz\ncrawl-data/b.warc.gz\n") + gzip.compress(b"crawl-data/c.warc.gz\n")


def test_latest_is_pinned_to_the_newest_crawl_and_its_files_to_their_addresses() -> None:
    pin = CommonCrawl().pin(Fake())
    assert pin.options == {"crawl": "CC-MAIN-2026-30", "files": None, "languages": ()}
    assert pin.inputs == [Input(f"{ROOT}/crawl-data/{name}.warc.gz") for name in "abc"]


def test_files_are_the_first_of_the_list() -> None:
    pin = CommonCrawl(crawl="CC-MAIN-2026-30", files=2).pin(upstream := Fake())
    assert [one.url[-9:] for one in pin.inputs] == ["a.warc.gz", "b.warc.gz"]
    assert upstream.asked == [LIST]
    assert msgspec.convert(pin.options, CommonCrawl).pin(Fake()) == pin


def test_a_crawl_that_there_is_not_is_named_with_the_closest_that_there_is() -> None:
    with pytest.raises(
        RecipeError, match=r"'CC-MAIN-2026-31': no such crawl; did you mean 'CC-MAIN-2026-30'\?"
    ) as error:
        CommonCrawl(crawl="CC-MAIN-2026-31").pin(Fake())
    assert "\n" not in str(error.value) and COLLINFO in str(error.value)


def test_a_list_that_cannot_be_had_is_no_fault_of_the_recipe() -> None:
    with pytest.raises(FetchError, match="status 404"):
        CommonCrawl(crawl="CC-MAIN-2026-25").pin(Fake())


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"info": b"<html>busy</html>"}, "is not the list of crawls"),
        ({"info": b"[]"}, "names no crawl"),
        ({"info": b'{"message": "gone"}'}, "is not the list of crawls"),
        ({"paths": PATHS[:-5]}, "cannot be read"),
        ({"paths": b"<html>"}, "cannot be read"),
        ({"paths": gzip.compress(b"\n")}, "names no file"),
    ],
)
def test_lists_that_are_none_are_errors_that_name_the_address(files: dict[str, bytes], words: str) -> None:
    with pytest.raises(FetchError, match=f"^https://.*{words}"):
        CommonCrawl().pin(Fake(**files))


@pytest.mark.parametrize(
    "options", [{"crawls": "latest"}, {"files": 0}, {"files": "2"}, {"crawl": "../x"}, {"crawl": 30}]
)
def test_options_that_mean_nothing_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(options, CommonCrawl)


def test_block_lists_are_pinned_as_they_are_now_own_files_by_pattern_and_others_by_address(tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    for url, content in {LIST: PATHS, "https://lists.example/hosts": b"0.0.0.0 c.example d.example\n"}.items():
        path = mirror / url.removeprefix("https://")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for name, content in {"domains": b"a.example\nb.example\n", "urls": b"a.example/x\n"}.items():
        (tmp_path / name).write_bytes(content)
    source = CommonCrawl(crawl="CC-MAIN-2026-30", block_lists=("https://lists.example/hosts", "*s", "urls"))
    with Upstream(mirror=str(mirror), base=tmp_path) as upstream:
        pin = source.pin(upstream)
        assert [(one.url, one.options) for one in pin.side_inputs] == [
            ("https://lists.example/hosts", {"hosts": 2}),
            ("domains", {"hosts": 2}),
            ("urls", {"urls": 1}),
        ]
        with pytest.raises(RecipeError, match="'nothing/\\*' matches no file"):
            CommonCrawl(crawl="CC-MAIN-2026-30", block_lists=("nothing/*",)).pin(upstream)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"blocked_hosts": ["spam.example", "spam.example/offers"]}, "'spam.example/offers' is no host"),
        ({"blocked_hosts": [""]}, "'' is no host"),
        ({"blocked_urls": ["/offers/"]}, "'/offers/' is no address"),
    ],
)
def test_rules_that_no_page_could_meet_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(RecipeError) as error:
        make_source("web", "common_crawl", options)
    assert words in str(error.value)


def capture(
    body: bytes = HTML, *, status: str = "HTTP/1.1 200 OK", mime: str = "text/html", warc: str = "", http: str = ""
) -> bytes:
    head = "".join([status, "\r\n", f"Content-Type: {mime}\r\n" if mime else "", http, "\r\n"]).encode()
    fields = (
        "WARC/1.0\r\nWARC-Type: response\r\nWARC-Date: 2026-07-10T07:05:34Z\r\n"
        "WARC-Record-ID: <urn:uuid:11111111-2222-3333-4444-555555555555>\r\nWARC-Target-URI: https://tides.example/table\r\n"
        f"Content-Type: application/http; msgtype=response\r\n{warc}Content-Length: {len(head) + len(body)}\r\n\r\n"
    )
    return gzip.compress(fields.encode() + head + body + b"\r\n\r\n", mtime=0)


def only(tmp_path: Path, content: bytes) -> Document | Drop:
    path = tmp_path / "fetched"
    path.write_bytes(content)
    source = CommonCrawl()
    (record,) = source.records(INPUT, path)
    if isinstance(record, Drop):
        return record
    again = pickle.loads(pickle.dumps(record))
    item = source.parse(record)
    assert source.parse(again) == item
    assert isinstance(item, Document | Drop)
    return item


def test_a_page_becomes_a_document_with_what_upstream_says_of_it(tmp_path: Path) -> None:
    document = only(tmp_path, capture(HTML.replace(b"Tides", "Tides ½ – ¾".encode())))
    assert isinstance(document, Document)
    assert document.id == "11111111-2222-3333-4444-555555555555"
    assert document.url == "https://tides.example/table"
    assert (document.created, document.license) == ("2026-07-10T07:05:34Z", LICENSE)
    assert document.meta == {"charset": "utf-8"}
    assert "High water comes some fifty minutes later each day" in document.text


@pytest.mark.parametrize(
    "content",
    [
        capture(mime=""),
        capture(mime="application/xhtml+xml; charset=utf-8"),
        capture(mime="TEXT/HTML;Charset=utf-8"),
        capture(status="HTTP/2 200"),
        capture(http="X-Crawler-Content-Encoding: gzip\r\nX-Crawler-Content-Length: 9\r\n"),
        capture(gzip.compress(HTML), http="Content-Encoding: gzip\r\n"),
        capture(b"%x\r\n%s\r\n0\r\n\r\n" % (len(HTML), HTML), http="Transfer-Encoding: chunked\r\n"),
        capture(HTML.decode().encode("utf-16"), mime="text/html"),
        capture(b"\r\n <!-- made by hand -->" + HTML),
    ],
)
def test_pages_are_kept_however_they_were_sent(tmp_path: Path, content: bytes) -> None:
    document = only(tmp_path, content)
    assert isinstance(document, Document)
    assert "a constant is added" in document.text


@pytest.mark.parametrize(
    ("content", "reason", "detail"),
    [
        (capture(status="HTTP/1.1 404 Not Found"), "bad_status", "status 404"),
        (capture(status="HTTP/1.1 301 Moved"), "bad_status", "status 301"),
        (capture(status="no status line"), "bad_status", "status missing"),
        (capture(mime="application/pdf"), "not_html", "application/pdf"),
        (capture(b"%PDF-1.7 ..."), "not_html", "pdf"),
        (capture(b"\x89PNG\r\n\x1a\n" + bytes(200), mime=""), "not_html", "png"),
        (capture(b'{"tides": [1, 2]}'), "not_html", "json"),
        (capture(b"<?xml version='1.0'?><rss><item/></rss>"), "not_html", "rss"),
        (capture(b"Just words.", mime=""), "not_html", "no markup"),
        (capture(warc="WARC-Truncated: length\r\n"), "truncated", "length"),
        (capture(HTML.ljust(CUT_LENGTH, b" ")), "truncated", str(CUT_LENGTH)),
        (capture(gzip.compress(HTML)[:-30], http="Content-Encoding: gzip\r\n"), "truncated", "ends early"),
        (capture(b""), "empty_page", "no bytes"),
        (capture(b" \r\n\0"), "empty_page", "4 bytes of white space"),
        (capture(HTML.ljust(PAGE_BOUND + 1, b" ")), "too_large", str(PAGE_BOUND)),
        (
            capture(zlib.compress(HTML + bytes(PAGE_BOUND)), http="Content-Encoding: deflate\r\n"),
            "too_large",
            str(PAGE_BOUND),
        ),
        (capture(b"<html><body><img src=a.png></body></html>"), "no_text", "no block of text"),
    ],
)
def test_every_gate_names_its_reason(tmp_path: Path, content: bytes, reason: str, detail: str) -> None:
    drop = only(tmp_path, content)
    assert isinstance(drop, Drop)
    assert (drop.id, drop.reason) == ("11111111-2222-3333-4444-555555555555", reason)
    assert drop.url == "https://tides.example/table"
    assert detail in drop.detail


def test_records_are_named_by_the_upstreams_file_not_the_local_one(tmp_path: Path) -> None:
    path = tmp_path / "0123456789abcdef"
    first = capture()
    path.write_bytes(first + b"garbage that is no member" + capture()[:-20])
    items = CommonCrawl().records(INPUT, path)
    assert isinstance(next(items), Record)
    drop = next(items)
    assert isinstance(drop, Drop)
    assert (drop.id, drop.reason) == (f"one.warc.gz:{len(first)}", "malformed_record")
    assert drop.detail.startswith(f"offset {len(first)}: ")
    with pytest.raises(DamagedInputError):
        next(items)


def test_types_and_signatures() -> None:
    assert html_type("text/html; charset=utf-8") is html_type(" Application/XHTML+xml") is True
    assert html_type("") is html_type("application/octet-stream") is None
    assert html_type("text/plain") is html_type("image/png") is False
    assert sniffed(b"\xef\xbb\xbf\n<?xml version='1.0'?><!-- x --><!DOCTYPE html>") == "html"
    assert sniffed(b"<svg xmlns='x'>") == "svg"
    assert sniffed(b"plain words") == ""
    assert sniffed(bytes(range(32)) * 9) == "binary"


#: Captures of CC-MAIN-2026-30 by what becomes of them, as ../shared/data/warc/built-shared.manifest.tsv has them. It knows of 14
#: copies within one of its two archives; 22 more are manuals that lie at several addresses, and spam that was sent twice.
EXPECTED = {"document": 1306, "bad_status": 93, "not_html": 25, "truncated": 15, "duplicate_payload": 36}


@needs_mirror
def test_the_real_crawl_goes_through_the_gates_as_its_manifest_says() -> None:
    source = CommonCrawl(crawl="latest")
    counts: Counter[str] = Counter()
    with Upstream(mirror=str(MIRROR)) as upstream:
        pin = source.pin(upstream)
    assert pin.options["crawl"] == "CC-MAIN-2026-30"
    for number, one in enumerate(pin.inputs):
        for k, item in enumerate(source.records(one, MIRROR / one.url.removeprefix("https://"))):
            # Extraction is most of the time: every tenth page is enough here.
            found = item if isinstance(item, Drop) else None if (k + number) % 10 else source.parse(item)
            counts[found.reason if isinstance(found, Drop) else "document"] += 1
    assert dict(counts) == EXPECTED


@needs_mirror
def test_archives_of_many_writers_are_read_without_damage() -> None:
    source = CommonCrawl(crawl="CC-MAIN-2026-25")
    with Upstream(mirror=str(MIRROR)) as upstream:
        inputs = source.pin(upstream).inputs
    counts = {one.url[-13:-8]: 0 for one in inputs}
    drops = []
    for one in inputs:
        for item in source.records(one, MIRROR / one.url.removeprefix("https://")):
            if isinstance(item, Drop) and item.reason in ("malformed_record", "digest_mismatch", "unknown_type"):
                drops.append((one.url[-13:-8], item.reason))
            else:
                counts[one.url[-13:-8]] += 1
    assert sum(counts.values()) == 532
    assert drops == [("00006", "unknown_type")] * 3
    assert [name for name, count in counts.items() if not count] == ["00006", "00019"]
