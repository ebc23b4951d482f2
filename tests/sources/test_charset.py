"""Bytes of pages to characters, through ``sources.extract.charset.decode``."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources import http_message
from sources.extract.charset import codec_of, declared, decode, proves_utf8
from sources.warc import Capture, captures

SHARED = Path(os.environ.get("PILE_SHARED") or Path(__file__).resolve().parents[2].parent / "shared")
WARC = SHARED / "data" / "warc" / "built-shared.warc.gz"

FRENCH = "<html><p>Le café est fermé, à bientôt chère élève, où êtes-vous déjà passés cet été ?</p></html>"
RUSSIAN = "<html><p>Маяк стоит на самом краю мыса, и свет его виден далеко в море каждую ночь.</p></html>"
JAPANESE = "<html><p>灯台は岬の先に立っていて、その光は毎晩遠くの海からも見えます。</p></html>"
TURKISH = "<html><p>Deniz feneri burnun ucunda duruyor ve ışığı her gece açık denizden görülüyor, şaşırtıcı.</p></html>"


def test_the_header_says_what_bytes_cannot() -> None:
    assert decode(RUSSIAN.encode("koi8-r"), "text/html; charset=KOI8-R").text == RUSSIAN
    assert decode(JAPANESE.encode("cp932"), 'text/html;charset="shift_jis"').text == JAPANESE


def test_the_page_says_what_the_header_does_not() -> None:
    page = RUSSIAN.replace("<html>", '<html><meta http-equiv="Content-Type" content="text/html; charset=windows-1251">')
    assert decode(page.encode("cp1251"), "text/html").text == page
    page = JAPANESE.replace("<html>", "<html><meta charset=EUC-JP>")
    assert decode(page.encode("euc-jp")).text == page
    assert declared(b'<?xml version="1.0" encoding="Big5"?><html>') == "Big5"


def test_well_formed_utf8_beats_every_declaration() -> None:
    page = FRENCH.replace("<html>", "<html><meta charset=iso-8859-1>")
    assert decode(page.encode(), "text/html; charset=windows-1251").text == page


def test_a_page_in_utf8_with_some_wrong_bytes_stays_in_utf8() -> None:
    page = FRENCH.encode() * 3 + b"\xe9\xff"
    assert decode(page, "text/html; charset=utf-8").text == FRENCH * 3 + "\ufffd\ufffd"


def test_a_page_that_claims_utf8_and_is_not_is_read_as_what_it_looks_like() -> None:
    assert decode(FRENCH.encode("cp1252"), "text/html; charset=utf-8").text == FRENCH
    assert decode((RUSSIAN * 4).encode("cp1251"), "text/html; charset=utf-8").text == RUSSIAN * 4


def test_the_default_that_servers_send_unasked_gives_way_to_the_page_itself() -> None:
    page = RUSSIAN.replace("<html>", "<html><meta charset=windows-1251>")
    assert decode(page.encode("cp1251"), "text/html; charset=ISO-8859-1").text == page


def test_labels_mean_what_browsers_take_them_for() -> None:
    assert (
        decode("<p>“quoted” – 5 €</p>".encode("cp1252"), "text/html; charset=iso-8859-1").text
        == "<p>“quoted” – 5 €</p>"
    )
    assert decode(TURKISH.encode("cp1254"), "text/html; charset=iso-8859-9").text == TURKISH
    assert decode("镕喆".encode("gb18030") * 9, "text/html; charset=gb2312").text == "镕喆" * 9
    assert codec_of("no such thing") == ""


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("marked", [True, False])
def test_utf16_is_read_with_a_mark_and_without(codec: str, marked: bool) -> None:
    page = "<html><head><title>Harbour</title></head>" + FRENCH
    assert decode((("\ufeff" if marked else "") + page).encode(codec), "text/html; charset=utf-8").text == page


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert decode(b"\xef\xbb\xbf" + FRENCH.encode(), "text/html; charset=koi8-r").text == FRENCH


def test_few_bytes_over_127_without_a_declaration_are_western() -> None:
    assert decode("<p>Sold by Labtec® today.</p>".encode("cp1252")).text == "<p>Sold by Labtec® today.</p>"


@given(st.binary(max_size=400), st.text(max_size=30))
def test_any_bytes_give_characters_that_can_be_written(html: bytes, content_type: str) -> None:
    decoded = decode(html, content_type)
    assert decoded == decode(html, content_type)
    decoded.text.encode("utf-8")


@pytest.mark.skipif(not WARC.is_file(), reason=f"no {WARC}")
def test_real_pages_are_decoded_whatever_their_header_claims() -> None:
    with open(WARC.with_name("built-shared.manifest.tsv"), newline="") as file:
        rows = {
            row["record_id"].strip("<>").removeprefix("urn:uuid:"): row for row in csv.DictReader(file, delimiter="\t")
        }
    seen, wrong = 0, []
    for capture in captures(WARC):
        assert isinstance(capture, Capture)
        row = rows[capture.id]
        if row["status"] != "200" or row["mime"] != "text/html" or not row["charset"]:
            continue
        seen += 1
        body = http_message.payload(capture.response).body
        true = body.decode(codec_of(row["charset"]), "replace").removeprefix("\ufeff")
        if decode(body, capture.response.header("content-type")).text != true:
            wrong.append(row["origin"])
    assert seen > 1200
    # Two are well-formed UTF-8, though their own declaration, which the manifest repeats, is another.
    assert sorted(wrong) == ["postlight/jvndb.jvn.jp.html", "wcxb/0452"]


@given(
    st.binary(max_size=200) | st.text(max_size=100).map(str.encode),
    st.sampled_from(
        ["", "text/html; charset=windows-1251", "text/html; charset=iso-2022-jp", "text/html; charset=utf-16"]
    ),
)
def test_bytes_that_prove_utf8_are_read_alike_whatever_is_declared(html: bytes, content_type: str) -> None:
    if proves_utf8(html):
        assert decode(html, content_type) == decode(html)
