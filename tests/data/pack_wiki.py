"""Packs ``upstream/wiki`` as dumps.wikimedia.org serves a Wikipedia dump: multistream bz2, index, sums, status.

XML as MediaWiki's export 0.11 writes it; every stream is a whole bz2 file, so the index's offsets can be jumped to.
"""

from __future__ import annotations

import bz2
import hashlib
import json
from typing import Any
from xml.sax.saxutils import escape as escape_brackets

from packing import UPSTREAM, Files, md5, sha1, table

#: Pages in one bz2 stream; 100 upstream, fewer here so that a small dump has several streams.
PAGES_PER_STREAM = 4

SCHEMA = "http://www.mediawiki.org/xml/export-0.11/"

NAMESPACES = {
    -2: "Media", -1: "Special", 0: "", 1: "Talk", 2: "User", 3: "User talk", 4: "Wikipedia", 5: "Wikipedia talk",
    6: "File", 7: "File talk", 8: "MediaWiki", 9: "MediaWiki talk", 10: "Template", 11: "Template talk", 12: "Help",
    13: "Help talk", 14: "Category", 15: "Category talk",
}  # fmt: skip


def pack() -> Files:
    """Return the dump's part of the mirror."""
    wiki = table("wiki/pages.toml")
    name, date = wiki["wiki"], wiki["date"]
    dump, index = _multistream(name, wiki["page"])
    stem = f"{name}-{date}-pages-articles-multistream"
    data = {f"{stem}.xml.bz2": dump, f"{stem}-index.txt.bz2": bz2.compress(index)}
    sums = "".join(f"{sha1(content)}  {file}\n" for file, content in data.items()).encode()
    listing = {file: _entry(f"/{name}/{date}/{file}", content) for file, content in data.items()}
    files = data | {f"{name}-{date}-sha1sums.txt": sums, "dumpstatus.json": _status(listing)}
    return {f"dumps.wikimedia.org/{name}/{date}/{file}": content for file, content in files.items()}


def _entry(url: str, content: bytes) -> dict[str, Any]:
    return {"size": len(content), "url": url, "md5": md5(content), "sha1": sha1(content)}


def _status(listing: dict[str, dict[str, Any]]) -> bytes:
    """Return dumpstatus.json: one job done, one still running (its file has no sums yet), one waiting."""
    running = {"pages-meta-history1.xml-p1p99.7z": {"size": 512, "url": "/enwiki/20261101/history1.7z"}}
    jobs = {
        "articlesmultistreamdump": {"status": "done", "updated": "2026-11-02 03:04:05", "files": listing},
        "metahistory7zdump": {"status": "in-progress", "updated": "2026-11-02 06:00:00", "files": running},
        "xmlpagelogsdump": {"status": "waiting", "updated": ""},
    }
    return json.dumps({"version": "0.8", "jobs": jobs}).encode()


def _multistream(wiki: str, pages: list[dict[str, Any]]) -> tuple[bytes, bytes]:
    """Return the dump and the text of its index (``offset:page id:title``, one line a page)."""
    dump = bz2.compress(_header(wiki).encode())
    index = []
    for start in range(0, len(pages), PAGES_PER_STREAM):
        chunk = pages[start : start + PAGES_PER_STREAM]
        index += [f"{len(dump)}:{page['id']}:{escape(page['title'])}\n" for page in chunk]
        dump += bz2.compress("".join(_page(page) for page in chunk).encode())
    return dump + bz2.compress(b"</mediawiki>\n"), "".join(index).encode()


def _header(wiki: str) -> str:
    names = "".join(
        f'      <namespace key="{key}" case="first-letter"' + (f">{name}</namespace>\n" if name else " />\n")
        for key, name in NAMESPACES.items()
    )
    schema_location = f"{SCHEMA} http://www.mediawiki.org/xml/export-0.11.xsd"
    return (
        f'<mediawiki xmlns="{SCHEMA}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xsi:schemaLocation="{schema_location}" version="0.11" xml:lang="en">\n'
        f"  <siteinfo>\n    <sitename>Wikipedia</sitename>\n    <dbname>{wiki}</dbname>\n"
        "    <base>https://en.wikipedia.org/wiki/Main_Page</base>\n    <generator>MediaWiki 1.46.0</generator>\n"
        f"    <case>first-letter</case>\n    <namespaces>\n{names}    </namespaces>\n  </siteinfo>\n"
    )


def _page(page: dict[str, Any]) -> str:
    """Return one page with its newest revision."""
    redirect = f'    <redirect title="{escape(page["redirect"])}" />\n' if "redirect" in page else ""
    editor = page.get("editor", "A. Tester")
    who = (
        f"<ip>{editor}</ip>" if editor[0].isdigit() else f"<username>{escape(editor)}</username><id>{len(editor)}</id>"
    )
    title, comment, revision = escape(page["title"]), escape(page.get("comment", "copy edit")), page["revision"]
    return (
        f"  <page>\n    <title>{title}</title>\n    <ns>{page.get('ns', 0)}</ns>\n    <id>{page['id']}</id>\n"
        f"{redirect}    <revision>\n      <id>{revision}</id>\n      <parentid>{revision - 7}</parentid>\n"
        f"      <timestamp>{page['timestamp']}</timestamp>\n      <contributor>{who}</contributor>\n"
        f"      <comment>{comment}</comment>\n      <origin>{revision}</origin>\n"
        f"      <model>wikitext</model>\n      <format>text/x-wiki</format>\n{_text(page)}    </revision>\n  </page>\n"
    )


def _text(page: dict[str, Any]) -> str:
    """Return the text element: its attributes count and hash the UTF-8 text, or say that it was suppressed."""
    if "file" not in page:
        return '      <text deleted="deleted" />\n      <sha1 />\n'
    text = (UPSTREAM / "wiki" / page["file"]).read_text("utf-8").rstrip("\n")
    digest = _base36(int(hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(), 16))
    size = len(text.encode())
    return (
        f'      <text bytes="{size}" sha1="{digest}" xml:space="preserve">{escape(text)}</text>\n'
        f"      <sha1>{digest}</sha1>\n"
    )


def escape(text: str) -> str:
    """Return XML text as MediaWiki writes it: double quotes are escaped, single ones are not."""
    return escape_brackets(text, {'"': "&quot;"})


def _base36(number: int) -> str:
    """Return MediaWiki's spelling of a SHA-1: base 36, 31 digits."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits.rjust(31, "0")
