"""Whether bytes are a web page: by the type that a server declares, and by what the bytes are.

The signatures are those of https://mimesniff.spec.whatwg.org/ as far as they are met under ``text/html``.
"""

from __future__ import annotations

import re

#: Types of pages, and what a wrong server says for one.
PAGE_TYPES = frozenset(
    ["text/html", "application/xhtml+xml", "application/vnd.wap.xhtml+xml", "application/x-httpd-php"]
)
#: Types that say nothing.
UNKNOWN_TYPES = frozenset(["", "unknown/unknown", "application/unknown", "*/*", "application/octet-stream", "no-type"])
#: First bytes of other formats.
SIGNATURES = (
    (b"%PDF-", "pdf"),
    (b"%!PS", "postscript"),
    (b"\x89PNG", "png"),
    (b"GIF8", "gif"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"RIFF", "riff"),
    (b"PK\x03\x04", "zip"),
    (b"\x1f\x8b\x08", "gzip"),
    (b"BZh", "bzip2"),
    (b"Rar!", "rar"),
    (b"7z\xbc\xaf", "7z"),
    (b"\xd0\xcf\x11\xe0", "office"),
    (b"{\\rtf", "rtf"),
    (b"ID3", "mp3"),
    (b"OggS", "ogg"),
    (b"\x00\x00\x01\x00", "icon"),
    (b"wOFF", "font"),
    (b"wOF2", "font"),
    (b"MZ\x90", "program"),
    (b"\x7fELF", "program"),
    (b"CWS", "flash"),
    (b"FWS", "flash"),
)
#: Bytes from the start that decide.
HEAD = 2048
#: What comes before the first tag: a mark, white space, comments and an XML declaration.
BEFORE = rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*(?:<\?xml\b[^>]{0,500}>\s*|<!--.{0,1500}?-->\s*)*"
HTML_START = re.compile(
    BEFORE
    + rb"<(?:!doctype\s+html|html|head|body|title|meta|script|style|link|base|div|table|p|h[1-6]|a|br|b|center|font|"
    rb"span|ul|form|article|section|main|header|nav|img|iframe)\b",
    re.IGNORECASE | re.DOTALL,
)
XML_START = re.compile(
    BEFORE + rb"<(rss|feed|rdf:RDF|svg|urlset|sitemapindex|opml|kml|gpx|wsdl:definitions|soap:Envelope)\b",
    re.IGNORECASE | re.DOTALL,
)
JSON_START = re.compile(rb"\s*(?:\{\s*(?:\"|\}\s*\Z)|\[\s*(?:[\{\[\"\d]|\]\s*\Z))")
#: Control characters that text has in no encoding but UTF-16 and UTF-32.
BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
#: Share of the first bytes that are control characters for a body to be no text.
BINARY_SHARE = 0.1


def html_type(content_type: str) -> bool | None:
    """Return whether a Content-Type header names a page, None when it says nothing."""
    essence = re.split(r"[;,\s]", content_type.strip().lower(), maxsplit=1)[0].strip("\"'")
    if essence in PAGE_TYPES:
        return True
    return None if essence in UNKNOWN_TYPES else False


def sniffed(body: bytes) -> str:
    """Return "html", the name of another format that ``body`` is, or "" when its bytes do not tell."""
    for signature, name in SIGNATURES:
        if body.startswith(signature):
            return name
    head = body[:HEAD]
    if (
        head.count(0) > BINARY_SHARE * len(head)
        and head[:64].lower().replace(b"\0", b"").lstrip(b"\xff\xfe").lstrip()[:1] == b"<"
    ):
        head = head.replace(b"\0", b"")  # UTF-16
    if HTML_START.match(head):
        return "html"
    if found := XML_START.match(head):
        return found[1].decode("ascii").lower()
    if JSON_START.match(head):
        return "json"
    if len(BINARY.findall(head)) > BINARY_SHARE * len(head):
        return "binary"
    return ""
