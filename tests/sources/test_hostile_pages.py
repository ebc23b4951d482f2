"""Pages that nobody writes for readers, through ``main_text``: a text or none, in a time that grows with the page alone.

Bounds on time are guards against hanging, far above what is needed; what is asserted is what comes out.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sources.extract.html import main_text

ROOT = Path(__file__).resolve().parents[2]
SENTENCE = (
    "The keeper climbed the steps each evening, lit the lamp, wound the clockwork and wrote the weather in the log."
)
ARTICLE = f"<p>{SENTENCE}</p>" * 6
#: What 10,000 times the shortest of these takes is well under a second; quadratic time would be a minute or more.
GUARD_SECONDS = 60

#: Markup by how often its piece stands in it.
REPEATED: dict[str, Callable[[int], str]] = {
    # What never ends.
    "less-than signs": lambda n: "<" * n,
    "tags that do not end": lambda n: "<a " * n,
    "quotes that do not end": lambda n: '<a href="' * n,
    "apostrophes that do not end": lambda n: "<p a='" * n,
    "a quote that does not end": lambda n: '<p title="' + "word " * n,
    "comments that do not end": lambda n: "<!--" * n,
    "comments that begin to end": lambda n: "<!-- - -" * n,
    "declarations": lambda n: "<!" * n,
    "processing instructions": lambda n: "<?" * n,
    "CDATA in HTML": lambda n: "<![CDATA[" * n,
    "CDATA in SVG": lambda n: "<svg>" + "<![CDATA[" * n,
    "scripts that do not end": lambda n: "<script>" * n,
    "script tags that do not end": lambda n: "<script " * n,
    "JSON-LD that does not end": lambda n: '<script type="application/ld+json">' * n,
    "styles that do not end": lambda n: "<style>" * n,
    "text areas": lambda n: "<textarea>" * n,
    "titles": lambda n: "<title>" * n,
    "plain text": lambda n: "<plaintext>" * n,
    "templates": lambda n: "<template>" * n,
    "frame sets": lambda n: "<frameset>" * n,
    # What was never begun.
    "ends of paragraphs": lambda n: "</p>" * n,
    "ends of lines": lambda n: "</br>" * n,
    "ends of divisions": lambda n: "</div>" * n,
    "ends of what there is not": lambda n: "</x>" * n,
    # What nests, or is made to by the rules of HTML.
    "tables in tables": lambda n: "<table><tr><td>word" * n,
    "tables in no cell": lambda n: "<table>word" * n,
    "text that is put before its table": lambda n: "<table>" + "<b>word" * n,
    "cells": lambda n: "<td>word" * n,
    "rows": lambda n: "<table>" + "<tr><td>word" * n,
    "bold in bold": lambda n: "<b>word" * n,
    "bold and italic that overlap": lambda n: "<b><i>word</b></i>" * n,
    "bold that paragraphs take over": lambda n: "<b><p>word" * n,
    "links that paragraphs take over": lambda n: "<a><p>word" * n,
    "bold that is reopened": lambda n: "<p><b>word</p>" * n,
    "links around divisions": lambda n: "<a>" + "<div>" * 20 + "word</a>" * n,
    "fonts": lambda n: "<font color=a>word" * n,
    "items": lambda n: "<ul>" + "<li>word" * n,
    "lists in items": lambda n: "<ul><li>word" * n,
    "terms": lambda n: "<dd><dt>word" * n,
    "choices": lambda n: "<select>" + "<option>word" * n,
    "selects": lambda n: "<select>" * n,
    "buttons": lambda n: "<button>word" * n,
    "forms": lambda n: "<form>word" * n,
    "headings": lambda n: "<h1>word" * n,
    "ruby": lambda n: "<ruby><rt>word" * n,
    "SVG": lambda n: "<svg>" * n,
    "MathML": lambda n: "<math><mi>" * n,
    "objects": lambda n: "<object>" * n,
    "quotations": lambda n: "<q>word" * n,
    "spans 900 deep": lambda n: ("<span>" * 900 + "word" + "</span>" * 900) * (n // 900),
    # Names and attributes.
    "names of elements": lambda n: "".join(f"<x{k}>word</x{k}>" for k in range(n)),
    "names of elements that do not end": lambda n: "".join(f"<x{k}>word" for k in range(n)),
    "names of attributes": lambda n: "".join(f"<p a{k}=1>word" for k in range(n)),
    "attributes of the body": lambda n: "".join(f"<body a{k}=1>" for k in range(n)),
    "classes": lambda n: "".join(f'<p class="c{k} d{k}">word' for k in range(n)),
    "classes of one element": lambda n: '<p class="' + " ".join(f"c{k}" for k in range(n)) + '">word',
    "a long class": lambda n: '<p class="' + "abc-" * n + '">word',
    "equals signs": lambda n: "<p " + "=" * n + ">word",
    "slashes": lambda n: "<p " + "/" * n + ">word",
    "styles": lambda n: '<p style="' + "a:b;" * n + '">word',
    # Entities.
    "ampersands": lambda n: "<p>" + "&" * n,
    "numbers of characters without digits": lambda n: "<p>" + "&#x" * n,
    "a number of a character that is too great": lambda n: "<p>&#" + "9" * n,
    "entities that there are not": lambda n: "<p>" + "&notanentity;" * n,
    "an entity that grows a hundred million times": lambda n: (
        '<!DOCTYPE x [<!ENTITY a "' + "a" * (n // 100) + '">'
        + "".join(f'<!ENTITY {chr(98 + k)} "{f"&{chr(97 + k)};" * 10}">' for k in range(8))
        + f"]><p>&i;</p>{ARTICLE}"
    ),
    "entities that grow in attributes": lambda n: "<p title='" + "&amp;" * n + f"'>word</p>{ARTICLE}",
    # Text.
    "white space": lambda n: "<p>" + " \t\n" * n + "word",
    "line ends": lambda n: "<pre>" + "\n" * n + "word",
    "carriage returns": lambda n: "<pre>" + "\r" * n + "word",
    "line breaks": lambda n: "word<br>" * n,
    "bars": lambda n: "<p>" + " |" * n,
    "spaces without width": lambda n: "<p>" + "\u200b " * n,
    "one word": lambda n: "<p>" + "w" * n,
    "digits": lambda n: "<p>" + "1" * n,
    "full stops": lambda n: "<p>" + ". " * n,
    "dashes": lambda n: "<p>" + "-" * n,
    "NUL": lambda n: "<p>" + "a\0" * n,
    "lone surrogates": lambda n: "<p>" + "\ud800" * n,
    "control characters": lambda n: "<p>" + "\x01" * n,
    "links": lambda n: "<p>" + "<a href=x>word</a> " * n,
    "pictures": lambda n: "<img src=x>" * n + ARTICLE,
    "comments": lambda n: "<!-- x -->" * n + ARTICLE,
    "comments in a word": lambda n: "word<!-- x -->" * n,
    "JSON-LD that nests": lambda n: '<script type="application/ld+json">' + "[" * n + "</script>" + ARTICLE,
    "JSON-LD in pieces": lambda n: '<script type="application/ld+json">{"@type":"Article"}</script>' * n + ARTICLE,
    "document types": lambda n: "<!DOCTYPE html>" * n + ARTICLE,
}  # fmt: skip


def check(page: str) -> None:
    text = main_text(page)
    text.encode("utf-8")
    assert "\0" not in text and "\r" not in text
    # The page's characters, and at most a dash, bars and line ends for each tag.
    assert len(text) <= 2 * len(page) + 100


@pytest.mark.timeout(GUARD_SECONDS)
@pytest.mark.parametrize("markup", REPEATED.values(), ids=REPEATED)
def test_repeated_markup_gives_a_text_or_none(markup: Callable[[int], str]) -> None:
    check(markup(2_000))


@pytest.mark.slow
@pytest.mark.timeout(4 * GUARD_SECONDS)
@pytest.mark.parametrize("markup", REPEATED.values(), ids=REPEATED)
def test_much_repeated_markup_gives_a_text_or_none(markup: Callable[[int], str]) -> None:
    check(markup(100_000))


@pytest.mark.timeout(4 * GUARD_SECONDS)
@pytest.mark.parametrize(
    "filling",
    [
        b"word ",
        b"<p>word</p>",
        *(pytest.param(filling, marks=pytest.mark.slow) for filling in (b"<", b"\0", b"\xff", b"\xe4\xb8\xad")),
    ],
)
def test_a_page_of_50_megabytes_gives_none(filling: bytes) -> None:
    page = b"<html><body>" + filling * (50_000_000 // len(filling))
    assert main_text(page) == ""


def page(head: str = "", body: str = "") -> str:
    return f"<!DOCTYPE html><html><head>{head}<title>Log</title></head><body><main>{ARTICLE}{body}</main></body></html>"


ACCENTS = "Über die Brücke führte früher ein Weg, den nur noch die Möwen kennen, und der Wärter weiß es längst."
ACCENTED = f"<p>{ACCENTS}</p>" * 4


@pytest.mark.parametrize("coding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_read_without_a_byte_order_mark(coding: str) -> None:
    for body in ("", ACCENTED):
        assert main_text(page("", body).encode(coding)) == main_text(page("", body))


@pytest.mark.parametrize(
    ("declared", "coding"),
    [
        ("utf-16", "utf-8"),
        ("utf-32", "utf-8"),
        ("iso-8859-1", "utf-8"),
        ("shift_jis", "utf-8"),
        ("no-such-charset", "utf-8"),
        ("x-user-defined", "utf-8"),
        ("", "utf-8"),
        ("utf-8", "cp1252"),
        ("utf-16le", "cp1252"),
        ("us-ascii", "cp1252"),
        ("utf-7", "cp1252"),
    ],
)
def test_a_charset_that_is_declared_wrongly_is_not_believed(declared: str, coding: str) -> None:
    text = main_text(page(f'<meta charset="{declared}">', ACCENTED).encode(coding))
    assert SENTENCE in text and ACCENTS in text


def test_bytes_that_are_half_of_one_charset_and_half_of_another_lose_only_those() -> None:
    text = main_text(page("<meta charset=utf-8>").encode() + ACCENTED.encode("cp1252") + ACCENTED.encode())
    assert SENTENCE in text


def test_nul_bytes_are_passed_over() -> None:
    plain = main_text(page())
    assert main_text(page().replace("the", "t\0he").encode()) == plain
    assert main_text(b"\0" * 1000 + page().encode() + b"\0" * 1000) == plain


def test_an_entity_bomb_is_no_text() -> None:
    text = main_text(REPEATED["an entity that grows a hundred million times"](1000))
    assert SENTENCE in text and len(text) < 2000


#: Reads pages of which no two share a name, an address or a word that a cache might keep, and prints the memory in use.
GROWTH = """
import psutil
from pile.document import Record
from sources import http_message
from sources.common_crawl import CommonCrawl
from sources.page_gates import Page
from sources.warc import Capture

HEAD = b"HTTP/1.1 200 OK\\r\\nContent-Type: text/html\\r\\n\\r\\n"
source = CommonCrawl(languages=("en",))
for number in range({last} + 1):
    own = f"{{number * 2654435761 % (1 << 32):08x}}".translate(str.maketrans("0123456789", "ghijklmnop"))
    article = '<meta property="og:type" content="article">' if number % 20 == 0 else ""  # trafilatura reads these
    rows = "".join(
        f'<div class="{{own}}-{{row}} x{{own}}{{row}}"><a href="https://{{own}}.example/{{row}}">{{own}}{{row}}</a>'
        " {sentence}<br></div>"
        for row in range(6)
    )
    page = f"<html><head><title>{{own}}</title>{{article}}</head><body><x-{{own}} a{{own}}=1>{{rows}}</x-{{own}}></body></html>"
    response = http_message.parse(HEAD + page.encode())
    source.parse(Record(own, Page(Capture(own, f"https://{{own}}.example/", "", response), response.body)))
    if number in ({first}, {last}):
        print(psutil.Process().memory_info().rss)
"""


@pytest.mark.slow
def test_pages_leave_nothing_behind_in_memory() -> None:
    code = GROWTH.format(first=1_000, last=6_000, sentence=SENTENCE)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    first, last = map(int, done.stdout.split())
    assert last < 1.10 * first
