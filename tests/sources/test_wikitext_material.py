"""Real articles of the shared material: no leftovers of markup, and no words lost against mwparserfromhell."""

from __future__ import annotations

import gzip
import json
import os
import re
from collections import Counter
from pathlib import Path

import mwparserfromhell
import pytest

from sources.extract.wikitext import text
from sources.mediawiki_dump import pages

SHARED = Path(os.environ.get("PILE_SHARED") or Path(__file__).resolve().parents[2].parent / "shared")
MATERIAL = SHARED / "data" / "wikipedia"
DUMP = MATERIAL / "enwiki-latest-pages-articles1-shortened.xml.bz2"
PAGES = MATERIAL / "wtf-wikipedia-pages.jsonl.gz"

pytestmark = pytest.mark.skipif(not MATERIAL.is_dir(), reason=f"{MATERIAL} is not there: the shared material is apart")

#: One page of the material has had all its line breaks replaced by spaces: its tables and headings cannot be told from text.
FLATTENED = "raith_rovers"

#: What sources.md says to test for, and how often it may occur over the 150 articles: 0, or each case named.
LEFTOVERS = {
    "template or link brackets": (r"\{\{|\}\}|\[\[|\]\]", 0),
    "table markup": (r"^\s*(?:\{\||\|-|\|\}|[|!])|\|\|", 0),
    "file caption": (r"\b(?:thumb|thumbnail|upright|frameless|\d+px)\s*\||\|\s*(?:thumb|left|right|\d+px)\b|\b\d{2,3}px\b", 0),
    "category line": (r"^(?:Category|Kategorie|Kategori|Catégorie|Categoría):", 0),
    "file name": (r"\b(?:File|Image|Datei|Bilde|Fil):\S", 0),
    "reference": (r"</?ref\b|<references|cite (?:web|book|journal)", 0),
    "tag": (r"</?(?:div|span|small|br|sup|sub|gallery|imagemap|timeline|score|poem|table|center|nowiki|math|code)\b[^<>]*>", 0),
    "comment": (r"<!--|-->", 0),
    "character reference": (r"&(?:nbsp|ndash|mdash|thinsp|amp|lt|gt|quot|#\d+);", 0),
    "magic word": (r"__(?:NO)?TOC__|__[A-Z]{4,}__", 0),
    "attribute": (r"\b(?:style|class|align|colspan|rowspan|bgcolor)\s*=\s*[\"'\w]", 0),
    "heading marks": (r"^=+[^=\n]+=+\s*$", 0),
    "list marks": (r"^[*#:;]", 0),
    "bold or italic marks": (r"''", 0),
    "external link": (r"\[(?:https?:)?//", 0),
    "item without words": (r"^\s*(?:-|\d+\.)\s*$", 0),
    "line breaks": (r"\n{3,}", 0),
    # "#$%_&'()" is a row of a typewriter's keys in ASCII.
    "empty brackets": (r"\(\s*[;,:–—-]*\s*\)|\[\s*[;,]+\s*\]", 1),
    # "CO2,)" is the author's own.
    "hanging separator": (r"\(\s*[;,]|[;,]\s*\)", 1),
}  # fmt: skip


@pytest.fixture(scope="module")
def articles() -> list[tuple[str, str]]:
    found = [(page.title, page.text or "") for page in pages(DUMP) if not page.redirect and page.namespace == 0]
    with gzip.open(PAGES, "rt", encoding="utf-8") as lines:
        found += [(page["title"], page["wikitext"]) for page in map(json.loads, lines)]
    assert len(found) == 150
    return [article for article in found if article[0] != FLATTENED]


@pytest.fixture(scope="module")
def texts(articles: list[tuple[str, str]]) -> dict[str, str]:
    return {title: text(wikitext, title=title) for title, wikitext in articles}


@pytest.mark.parametrize("leftover", LEFTOVERS)
def test_no_leftovers_of_markup(leftover: str, texts: dict[str, str]) -> None:
    pattern, allowed = LEFTOVERS[leftover]
    found = [
        f"{title}: {body[max(0, match.start() - 40) : match.end() + 40]!r}"
        for title, body in ((title, re.sub(r"\$[^$\n]+\$", "$", body)) for title, body in texts.items())
        for match in re.finditer(pattern, body, re.M)
    ]
    assert len(found) <= allowed, found


def test_headings_have_bodies(articles: list[tuple[str, str]], texts: dict[str, str]) -> None:
    for title, wikitext in articles:
        headings = {re.sub(r"[^\w ]", "", match) for match in re.findall(r"^==\s*([^=\n]+?)\s*==\s*$", wikitext, re.M)}
        blocks = texts[title].split("\n\n")
        assert not blocks or re.sub(r"[^\w ]", "", blocks[-1]) not in headings, f"{title} ends in a bare heading"


def _oracle(wikitext: str) -> str:
    """The words that mwparserfromhell sees, without what is not wanted: files, references, tables, formulas."""
    code = mwparserfromhell.parse(wikitext)
    tags = [
        tag
        for tag in code.filter_tags()
        if str(tag.tag).lower() in ("ref", "table", "gallery", "math", "timeline", "source")
    ]
    links = [link for link in code.filter_wikilinks() if re.match(r"\s*(?:\w+):", str(link.title))]
    for node in (*tags, *links, *code.filter_headings()):
        try:
            code.remove(node)
        except ValueError:
            continue  # it was inside another that is gone already
    return str(code.strip_code())


def test_no_words_are_lost_against_mwparserfromhell(articles: list[tuple[str, str]], texts: dict[str, str]) -> None:
    lost = total = 0
    for title, wikitext in articles:
        if len(wikitext) > 20_000 or wikitext.count("bgcolor") > 5:
            continue  # the oracle is slow, and leaves rows of broken tables that count as words
        expected = Counter(re.findall(r"\w+", _oracle(wikitext)))
        missing = expected - Counter(re.findall(r"\w+", texts[title]))
        total += sum(expected.values())
        lost += sum(missing.values())
    assert total > 20_000
    assert lost / total < 0.005
