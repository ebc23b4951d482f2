"""The wikipedia source: what it reads from a dump however that is packed or broken, and what it drops and why."""

from __future__ import annotations

import bz2
import gzip
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pile.document import Document, Drop, Input, Record
from pile.errors import DamagedInputError
from sources.wikipedia import ROOT, Wikipedia

DATE = "20261101"

HEAD = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.{version}/" version="0.{version}" xml:lang="xx"><siteinfo>
<base>https://xx.wikipedia.org/wiki/Start</base><namespaces><namespace key="0"/><namespace key="6">Bildo</namespace>
<namespace key="14">Kategorio</namespace></namespaces></siteinfo>
"""


def page(
    number: int, text: str = "Some words.", *, title: str = "", extra: str = "", ns: int = 0, model: str = "wikitext"
) -> str:
    return (
        f"<page><title>{title or f'Page {number}'}</title><ns>{ns}</ns><id>{number}</id>{extra}<revision><id>{number}000</id>"
        f"<timestamp>2026-10-30T01:02:03Z</timestamp><contributor><id>5</id></contributor><model>{model}</model>"
        f'<text xml:space="preserve">{text}</text></revision></page>\n'
    )


def dump(*found: str, version: int = 11, tail: str = "</mediawiki>") -> str:
    return HEAD.format(version=version) + "".join(found) + tail


def read(path: Path, date: str = DATE) -> Iterator[Record | Drop]:
    return Wikipedia(wiki="xxwiki", date=date).records(Input(url=f"{ROOT}/xxwiki/{date}/x.xml.bz2"), path)


def parsed(path: Path, *found: str, date: str = DATE) -> list[Any]:
    path.write_text(dump(*found), encoding="utf-8")
    source = Wikipedia(wiki="xxwiki", date=date)
    return [source.parse(record) if isinstance(record, Record) else record for record in read(path, date)]


def multistream(*parts: str) -> bytes:
    return b"".join(bz2.compress(part.encode()) for part in parts)


@pytest.mark.parametrize("version", [10, 11])
@pytest.mark.parametrize("packing", ["plain", "gzip", "bzip2", "multistream"])
def test_a_dump_is_read_however_it_is_packed(packing: str, version: int, tmp_path: Path) -> None:
    whole = dump(page(1), page(2), page(3), version=version)
    packed = {
        "plain": whole.encode(),
        "gzip": gzip.compress(whole.encode()),
        "bzip2": bz2.compress(whole.encode()),
        "multistream": multistream(HEAD.format(version=version), page(1) + page(2), page(3), "</mediawiki>"),
    }
    path = tmp_path / "dump"
    path.write_bytes(packed[packing])
    assert [record.name for record in read(path) if isinstance(record, Record)] == ["1", "2", "3"]


def test_records_travel_between_processes(tmp_path: Path) -> None:
    path = tmp_path / "dump.xml"
    path.write_text(dump(page(1)), encoding="utf-8")
    (record,) = read(path)
    assert pickle.loads(pickle.dumps(record)) == record


@pytest.mark.parametrize(
    ("damaged", "whole", "said"),
    [
        (
            multistream(HEAD.format(version=11), page(1), page(2)),
            2,
            "XML ends early",
        ),  # cut at the border of two streams
        (multistream(dump(page(1), page(2)))[:-20], None, "compressed data ends early"),
        (multistream(HEAD.format(version=11), page(1)) + b"BZh9" + b"\x00" * 50, 1, "early"),
        (dump(page(1), page(2), "<page><title>un<closed</title></page>", page(3)).encode(), 2, "XML"),
        (dump(page(1), tail="").encode(), 1, "XML ends early"),
        (gzip.compress(dump(page(1)).encode())[:-12], None, "compressed data"),
        (b"", 0, "XML ends early"),
    ],
)
def test_a_damaged_dump_is_an_error_after_its_last_whole_page(
    damaged: bytes, whole: int | None, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "dump"
    path.write_bytes(damaged)
    names = []
    with pytest.raises(DamagedInputError, match=said) as raised:
        for record in read(path):
            assert isinstance(record, Record)
            names.append(record.name)
    assert whole is None or names == [str(number + 1) for number in range(whole)]
    assert raised.value.offset is not None
    assert 0 <= raised.value.offset <= len(damaged)


def test_entities_of_a_hostile_dump_do_not_grow(tmp_path: Path) -> None:
    path = tmp_path / "dump.xml"
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
    path.write_text(bomb + dump(page(1, "one &b; &f; two")), encoding="utf-8")
    (record,) = read(path)
    assert isinstance(record, Record)
    assert record.data.page.text == "one &b; &f; two"


def test_a_comment_in_a_text_does_not_end_it(tmp_path: Path) -> None:
    (document,) = parsed(tmp_path / "dump.xml", page(1, "one <!-- two --> three"))
    assert document.text == "Page 1\n\none three"


def test_an_article_becomes_a_document(tmp_path: Path) -> None:
    wikitext = "'''Tea &amp;amp; cake''' [[Bildo:x|thumb|gone]] is [[food|eaten]].\n\n[[Kategorio:Food]]"
    (document,) = parsed(tmp_path / "dump.xml", page(12, wikitext, title="Tea &amp; cake: a “study”?"))
    assert document == Document(
        id="12",
        text="Tea & cake: a “study”?\n\nTea & cake is eaten.",
        url="https://xx.wikipedia.org/wiki/Tea_%26_cake:_a_%E2%80%9Cstudy%E2%80%9D%3F",
        license="CC BY-SA 4.0 and GFDL",
        created="2026-10-30T01:02:03Z",
        meta={"title": "Tea & cake: a “study”?", "revision": "12000"},
    )


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (page(1, ns=1), "not_article"),
        (page(1, ns=14), "not_article"),
        (page(1, extra='<redirect title="Other" />'), "redirect"),
        (page(1, "#REDIRECT [[Other]]"), "redirect"),
        (page(1, "\n # redirect: [[Other#Part]] {{R}}"), "redirect"),
        (page(1, "#WEITERLEITUNG [[Anderes]]"), "redirect"),
        (page(1, "#перенаправление [[Другое]]"), "redirect"),
        (page(1, "#転送 [[他]]"), "redirect"),
        (page(1, "#تحويل [[آخر]]"), "redirect"),
        (page(1, model="css"), "not_wikitext"),
        (page(1).replace("<text", '<text deleted="deleted"'), "deleted_text"),
        (page(1).replace('<text xml:space="preserve">Some words.</text>', ""), "deleted_text"),
        (page(1, ""), "empty"),
        (page(1, "{{Infobox|a=b}}\n[[Category:X]]\n== References ==\n{{reflist}}"), "empty"),
        (page(1).replace("<id>1</id>", "", 1), "malformed_record"),
    ],
)
def test_what_is_no_article_is_dropped_with_its_reason(found: str, reason: str, tmp_path: Path) -> None:
    (drop,) = parsed(tmp_path / "dump.xml", found)
    assert isinstance(drop, Drop)
    assert drop.reason == reason
    assert drop.id == ("Page 1" if reason == "malformed_record" else "1")


def test_a_list_that_begins_with_a_number_sign_is_no_redirect(tmp_path: Path) -> None:
    (document,) = parsed(tmp_path / "dump.xml", page(1, "#[[Redirect]] is a word"))
    assert document.text == "Page 1\n\n1. Redirect is a word"


@pytest.mark.parametrize(
    ("found", "flags"),
    [
        (page(1, "May be:\n* a\n{{Disambiguation}}"), {"disambiguation": True}),
        (page(1, "May be:\n* a\n{{hndis|name=X}}"), {"disambiguation": True}),
        (page(1, "Kann sein:\n* a\n{{Begriffsklärung}}"), {"disambiguation": True}),
        (page(1, "Words.", title="X (disambiguation)"), {"disambiguation": True}),
        (page(1, "Words.", title="List of rivers"), {"list": True}),
        (page(1, "{{about|tea|the disambiguation}} Words."), {}),
    ],
)
def test_lists_and_lists_of_meanings_are_kept_and_flagged(found: str, flags: dict[str, bool], tmp_path: Path) -> None:
    (document,) = parsed(tmp_path / "dump.xml", found)
    assert {key: value for key, value in document.meta.items() if key not in ("title", "revision")} == flags


@pytest.mark.parametrize(
    ("date", "license"),
    [("20230601", "CC BY-SA 3.0 and GFDL"), ("20230620", "CC BY-SA 4.0 and GFDL"), (DATE, "CC BY-SA 4.0 and GFDL")],
)
def test_the_licence_is_that_of_the_dumps_date(date: str, license: str, tmp_path: Path) -> None:
    (document,) = parsed(tmp_path / "dump.xml", page(1), date=date)
    assert document.license == license


@pytest.mark.parametrize(
    ("wiki", "site"),
    [
        ("enwiki", "en.wikipedia.org"),
        ("simplewiki", "simple.wikipedia.org"),
        ("zh_yuewiki", "zh-yue.wikipedia.org"),
        ("frwiktionary", "fr.wiktionary.org"),
    ],
)
def test_a_dump_without_an_address_gets_it_from_the_wikis_name(wiki: str, site: str, tmp_path: Path) -> None:
    path = tmp_path / "dump.xml"
    path.write_text(f"<mediawiki>{page(1)}</mediawiki>", encoding="utf-8")
    source = Wikipedia(wiki=wiki, date=DATE)
    (record,) = source.records(Input(url="dump.xml"), path)
    assert isinstance(record, Record)
    document = source.parse(record)
    assert isinstance(document, Document)
    assert document.url == f"https://{site}/wiki/Page_1"
