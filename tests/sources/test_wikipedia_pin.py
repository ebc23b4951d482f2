"""What the wikipedia source pins of a dump's status, and that everything in the mirror's dump is accounted for."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pile.document import Drop, Input, Record
from pile.errors import FetchError
from sources.wikipedia import JOB, ROOT, Wikipedia

SHARED = Path(os.environ.get("PILE_SHARED") or Path(__file__).resolve().parents[2].parent / "shared")
DATE = "20261101"
SHA1 = "0123456789abcdef0123456789abcdef01234567"


class Upstream:
    """A reader of a dictionary; ``asked`` are the addresses it was asked for."""

    def __init__(self, files: dict[str, Any]) -> None:
        self.files = {
            ROOT + path: value if isinstance(value, bytes) else json.dumps(value).encode()
            for path, value in files.items()
        }
        self.asked: list[str] = []

    def read(self, url: str) -> bytes:
        self.asked.append(url)
        if url not in self.files:
            raise FetchError(f"{url}: 404")
        return self.files[url]

    def find(self, patterns: list[str]) -> list[str]:
        raise AssertionError("wikipedia has no files of the person's own")

    def size(self, url: str) -> int | None:
        raise AssertionError("dumpstatus.json knows the sizes")


def status(*names: str, state: str = "done", sha1: str | None = SHA1) -> dict[str, Any]:
    file = {"size": 7, "url": "/x", "md5": "0" * 32} | ({"sha1": sha1} if sha1 else {})
    return {"version": "0.8", "jobs": {JOB: {"status": state, "updated": "", "files": dict.fromkeys(names, file)}}}


def name(ending: str, date: str = DATE) -> str:
    return f"enwiki-{date}-pages-articles-multistream{ending}"


def test_the_xml_file_of_the_finished_job_is_pinned_with_size_and_sha1() -> None:
    files = status(name(".xml.bz2"), name("-index.txt.bz2"))
    pin = Wikipedia(date=DATE).pin(Upstream({f"/enwiki/{DATE}/dumpstatus.json": files}))
    url = f"https://dumps.wikimedia.org/enwiki/{DATE}/{name('.xml.bz2')}"
    assert pin.inputs == [Input(url=url, size=7, checksum=f"sha1:{SHA1}")]
    assert pin.options == {"wiki": "enwiki", "date": DATE}


def test_pieces_come_in_page_order_and_before_the_whole() -> None:
    files = status(
        name(".xml.bz2"),
        name("10.xml-p900p999.bz2"),
        name("2.xml-p50p899.bz2"),
        name("1.xml-p1p49.bz2"),
        name("-index1.txt-p1p49.bz2"),
    )
    upstream = Upstream({f"/enwiki/{DATE}/dumpstatus.json": files})
    names = [input.url.rpartition("/")[2] for input in Wikipedia(date=DATE).pin(upstream).inputs]
    assert names == [name("1.xml-p1p49.bz2"), name("2.xml-p50p899.bz2"), name("10.xml-p900p999.bz2")]
    first = Wikipedia(date=DATE, files=2).pin(upstream)
    assert [input.url.rpartition("/")[2] for input in first.inputs] == names[:2]
    assert first.options == {"wiki": "enwiki", "date": DATE, "files": 2}


def test_a_missing_sha1_is_read_from_the_list_of_sums() -> None:
    sums = f"{'f' * 40}  other.xml.bz2\n{SHA1}  {name('.xml.bz2')}\n".encode()
    upstream = Upstream(
        {
            f"/enwiki/{DATE}/dumpstatus.json": status(name(".xml.bz2"), sha1=None),
            f"/enwiki/{DATE}/enwiki-{DATE}-sha1sums.txt": sums,
        }
    )
    assert Wikipedia(date=DATE).pin(upstream).inputs[0].checksum == f"sha1:{SHA1}"


def test_latest_is_the_newest_date_whose_job_is_done() -> None:
    listing = b"".join(
        b'<a href="%s/">x</a>\n' % day for day in (b"..", b"20260901", b"20261001", b"20261101", b"latest")
    )
    upstream = Upstream(
        {
            "/enwiki/": listing,
            "/enwiki/20261101/dumpstatus.json": status(name(".xml.bz2"), state="in-progress"),
            "/enwiki/20261001/dumpstatus.json": status(name(".xml.bz2", "20261001")),
            "/enwiki/20260901/dumpstatus.json": status(name(".xml.bz2", "20260901")),
        }
    )
    pin = Wikipedia().pin(upstream)
    assert pin.options["date"] == "20261001"
    assert f"{ROOT}/enwiki/20260901/dumpstatus.json" not in upstream.asked
    assert Wikipedia(**pin.options).pin(upstream) == pin, "what is pinned pins the same again"


@pytest.mark.parametrize(
    ("files", "date", "said"),
    [
        ({}, DATE, ["enwiki", DATE, "no such dump"]),
        ({}, "latest", ["enwiki", "name a date"]),
        ({"/enwiki/": b"nothing here"}, "latest", ["enwiki", "no finished dump"]),
        (
            {f"/enwiki/{DATE}/dumpstatus.json": status(name(".xml.bz2"), state="waiting")},
            DATE,
            [DATE, "'waiting'", "not done"],
        ),
        ({f"/enwiki/{DATE}/dumpstatus.json": {"version": "0.8", "jobs": {}}}, DATE, [DATE, "'missing'"]),
        ({f"/enwiki/{DATE}/dumpstatus.json": b"<!DOCTYPE html>"}, DATE, [DATE, "no dump status"]),
        ({f"/enwiki/{DATE}/dumpstatus.json": status(name("-index.txt.bz2"))}, DATE, [DATE, "no .xml file"]),
    ],
)
def test_what_cannot_be_pinned_is_one_line_that_names_it(files: dict[str, Any], date: str, said: list[str]) -> None:
    with pytest.raises(FetchError) as raised:
        Wikipedia(date=date).pin(Upstream(files))
    assert "\n" not in str(raised.value)
    assert all(word in str(raised.value) for word in said)


@pytest.mark.parametrize(
    "options", [{"wiki": "../x"}, {"date": "2026"}, {"files": 0}, {"wiki": "enwiki", "crawl": "x"}, {"date": 20261101}]
)
def test_bad_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(options, Wikipedia)


def test_every_page_of_the_mirrors_dump_is_a_document_or_a_counted_drop() -> None:
    root = SHARED / "mirror" / "dumps.wikimedia.org"
    if not root.is_dir():
        pytest.skip(f"{root} is not there: the shared material is not part of this repository")
    path = f"/enwiki/{DATE}/dumpstatus.json"
    source = Wikipedia(date=DATE)
    (input,) = source.pin(Upstream({path: (root / path[1:]).read_bytes()})).inputs
    found = Counter[str]()
    for record in source.records(input, root / input.url.removeprefix(f"{ROOT}/")):
        assert isinstance(record, Record)
        result = source.parse(record)
        found[result.reason if isinstance(result, Drop) else "document"] += 1
    assert found == {"document": 106, "redirect": 99, "not_article": 1}
