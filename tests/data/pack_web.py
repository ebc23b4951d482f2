"""Packs ``upstream/web`` as Common Crawl serves a crawl: collinfo.json, a paths list and WARC files.

One gzip member per record; record and header order as Common Crawl's own writer (commoncrawl/nutch) has them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import string
import uuid
import zlib
from typing import Any
from urllib.parse import urlsplit

from packing import UPSTREAM, Files, gzip_member, table

WEB = UPSTREAM / "web"

#: What four kinds of server send: status line, protocols, header lines; "{length}" is the length on the wire.
SERVERS: list[tuple[str, list[str], list[str]]] = [
    (
        "HTTP/1.1 {status}",
        ["http/1.1", "tls/1.2"],
        [
            "Server: nginx",
            "Connection: keep-alive",
            "X-Crawler-Transfer-Encoding: chunked",
            "X-Crawler-Content-Encoding: gzip",
        ],
    ),
    (
        "HTTP/1.1 {status}",
        ["http/1.1"],
        [
            "Server: Apache/2.4.62 (Debian)",
            "Vary: Accept-Encoding",
            "X-Crawler-Content-Encoding: gzip",
            "X-Crawler-Content-Length: {length}",
        ],
    ),
    ("HTTP/2 {code}", ["h2", "tls/1.3"], ["server: edge", "vary: accept-encoding", "X-Crawler-Content-Encoding: br"]),
    ("HTTP/1.0 {status}", ["http/1.0"], ["Server: thttpd", "Connection: close"]),
]

#: A record's header lines, in order; names may repeat.
Fields = list[tuple[str, str]]

STATUS = {200: "200 OK", 301: "301 Moved Permanently", 404: "404 Not Found", 503: "503 Service Unavailable"}

#: CLD2's names for the languages that occur: ISO 639-1 code to ISO 639-3 code and name.
LANGUAGES = {
    "de": ("deu", "GERMAN"),
    "en": ("eng", "ENGLISH"),
    "es": ("spa", "SPANISH"),
    "fr": ("fra", "FRENCH"),
    "ja": ("jpn", "Japanese"),
    "ru": ("rus", "RUSSIAN"),
    "zh": ("zho", "Chinese"),
}

WARCINFO = """isPartOf: {crawl}
publisher: pile's own tests
description: A tiny crawl of invented sites, written for tests and demonstrations
operator: tests/data/make_mirror.py
hostname: crawler.example
software: tests/data/pack_web.py
robots: not checked, the sites do not exist
format: WARC File Format 1.1
conformsTo: https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/
"""


def pack() -> Files:
    """Return the crawl's part of the mirror."""
    pages = table("web/pages.toml")
    crawl, folder = pages["crawl"], f"crawl-data/{pages['crawl']}/segments/{pages['segment']}/warc"
    files: Files = {"index.commoncrawl.org/collinfo.json": _collinfo(crawl, pages["from"], pages["to"])}
    names = []
    for archive in pages["archive"]:
        name = f"{folder}/{archive['name']}.warc.gz"
        names.append(name)
        files[f"data.commoncrawl.org/{name}"] = _warc(crawl, archive)
    paths = "".join(f"{name}\n" for name in names).encode()
    files[f"data.commoncrawl.org/crawl-data/{crawl}/warc.paths.gz"] = gzip_member(paths)
    return files


def _collinfo(crawl: str, first: str, last: str) -> bytes:
    """Return the index server's list of crawls, newest first."""
    site = f"https://index.commoncrawl.org/{crawl}"
    entry = {"id": crawl, "name": "July 2026 Index", "timegate": f"{site}/", "cdx-api": f"{site}-index"}
    return json.dumps([entry | {"from": first, "to": last}], indent=1).encode()


def _warc(crawl: str, archive: dict[str, Any]) -> bytes:
    """Return one WARC file: warcinfo, then request, response and metadata of each page."""
    info_id = _record_id(archive["name"], "warcinfo")
    filename = [("WARC-Filename", f"{archive['name']}.warc.gz")]
    info = WARCINFO.format(crawl=crawl).replace("\n", "\r\n").encode()
    members = [_record("warcinfo", archive["date"], info_id, "application/warc-fields", filename, info)]
    for minute, page in enumerate(archive["page"]):
        members += _capture(page, f"{archive['date'][:14]}{minute:02d}:17Z", info_id)
    return b"".join(members)


def _capture(page: dict[str, Any], date: str, info_id: str) -> list[bytes]:
    """Return the three records of one visit."""
    url, http = page["url"], "application/http; msgtype="
    request_id, response_id, metadata_id = (_record_id(url, kind) for kind in ("request", "response", "metadata"))
    payload = _payload(page)
    wire_head, protocols = _http_head(page, payload)
    address = f"203.0.113.{zlib.crc32(urlsplit(url).netloc.encode()) % 250 + 1}"
    sent = [("WARC-Warcinfo-ID", info_id), ("WARC-IP-Address", address), ("WARC-Target-URI", url)]
    block = wire_head + payload
    got = [
        ("WARC-Warcinfo-ID", info_id),
        ("WARC-Concurrent-To", request_id),
        ("WARC-IP-Address", address),
        ("WARC-Target-URI", url),
        *(("WARC-Protocol", protocol) for protocol in protocols),
        *([] if page.get("headless") else [("WARC-Payload-Digest", _digest(payload))]),
        ("WARC-Block-Digest", _digest(block)),
        *([("WARC-Truncated", "length")] if "cut_at" in page else []),
        ("WARC-Identified-Payload-Type", page.get("detected", "text/html")),
    ]
    about = [("WARC-Warcinfo-ID", info_id), ("WARC-Concurrent-To", response_id), ("WARC-Target-URI", url)]
    return [
        _record("request", date, request_id, f"{http}request", sent, _request(url)),
        _record("response", date, response_id, f"{http}response", got, block, garbled="garbled" in page),
        _record("metadata", date, metadata_id, "application/warc-fields", about, _metadata(page, payload)),
    ]


def _record(
    kind: str, date: str, record_id: str, media_type: str, fields: Fields, block: bytes, *, garbled: bool = False
) -> bytes:
    """Return one WARC record as a gzip member of its own; ``garbled`` is one whose first line is gone."""
    first = [("WARC-Type", kind), ("WARC-Date", date), ("WARC-Record-ID", record_id)]
    lines = [*first, ("Content-Length", str(len(block))), ("Content-Type", media_type), *fields]
    head = "".join(f"{name}: {value}\r\n" for name, value in lines)
    line = "\0" * 8 if garbled else "WARC/1.0"
    return gzip_member(f"{line}\r\n{head}\r\n".encode() + block + b"\r\n\r\n")


def _record_id(*parts: str) -> str:
    """Return a record's name, always the same one for the same record."""
    return f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, ' '.join(parts))}>"


def _digest(content: bytes) -> str:
    """Return a digest as WARC writes it: SHA-1 in base 32."""
    return "sha1:" + base64.b32encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode()


def _request(url: str) -> bytes:
    """Return what the crawler asked."""
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [
        f"GET {path} HTTP/1.1",
        "User-Agent: CCBot/2.0 (https://commoncrawl.org/faq/)",
        "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "Accept-Language: en-US,en;q=0.5",
        "Accept-Encoding: br,gzip",
        f"Host: {parts.netloc}",
        "Connection: Keep-Alive",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _payload(page: dict[str, Any]) -> bytes:
    """Return the body of the answer, in the bytes that the site sends."""
    if "file" not in page:
        return b""
    path = WEB / "pages" / page["file"]
    if path.suffix == ".hex":
        return bytes.fromhex(path.read_text("ascii"))
    text = path.read_text("utf-8")
    if "layout" in page:
        layout = string.Template((WEB / "layouts" / f"{page['layout']}.html").read_text("utf-8"))
        text = layout.substitute(title=page["title"], body=text)
    content: bytes = text.encode(page.get("bytes", "utf-8"))
    return content[: page.get("cut_at")]


def _http_head(page: dict[str, Any], payload: bytes) -> tuple[bytes, list[str]]:
    """Return the head of the answer as the crawl stores it, and the protocols that were spoken."""
    host = urlsplit(page["url"]).netloc.encode()
    status_line, protocols, extra = SERVERS[zlib.crc32(host) % len(SERVERS)]
    code = page.get("status", 200)
    lines = [status_line.format(code=code, status=STATUS[code]), "Date: Fri, 10 Jul 2026 08:15:00 GMT"]
    if page.get("type", True):
        lines.append(f"Content-Type: {page.get('type', 'text/html; charset=utf-8')}")
    if "location" in page:
        lines.append(f"Location: {page['location']}")
    lines += [line.format(length=len(payload) // 3) for line in extra]
    lines.append(f"Content-Length: {len(payload)}")
    if page.get("headless"):
        return b"", protocols
    return ("\r\n".join(lines) + "\r\n\r\n").encode(), protocols


def _metadata(page: dict[str, Any], payload: bytes) -> bytes:
    """Return the crawler's own findings; no languages where there was too little text to tell."""
    lines = [f"fetchTimeMs: {200 + zlib.crc32(page['url'].encode()) % 900}"]
    if payload and page.get("detected", "text/html") == "text/html":
        lines.append(f"charset-detected: {page.get('charset_detected', 'UTF-8')}")
    if code := page.get("language"):
        iso3, name = LANGUAGES[code]
        language = {"code": code, "code-iso-639-3": iso3, "text-covered": 0.98, "score": 1024.0, "name": name}
        found = {"reliable": True, "text-bytes": len(payload) // 2, "languages": [language]}
        lines.append("languages-cld2: " + json.dumps(found, separators=(",", ":")))
    return ("\r\n".join(lines) + "\r\n").encode()
