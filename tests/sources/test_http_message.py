"""HTTP responses as they are stored in archives, through ``sources.http_message``."""

from __future__ import annotations

import gzip
import hashlib
import zlib

import pytest

from sources import http_message


def chunked(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (*parts, b""))


HTML = b"<html><p>" + b"Some words to be packed. " * 40 + b"</p></html>"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ("Transfer-Encoding: chunked", chunked(HTML[:100], HTML[100:])),
        ("Transfer-Encoding: chunked", HTML),
        ("Content-Encoding: gzip", gzip.compress(HTML)),
        ("Content-Encoding: x-gzip", HTML),
        ("content-encoding: GZIP\r\ntransfer-encoding: Chunked", chunked(gzip.compress(HTML))),
        ("Content-Encoding: deflate", zlib.compress(HTML)),
        ("Content-Encoding: deflate", zlib.compress(HTML, wbits=-15)),
        ("Content-Encoding: deflate", HTML),
        ("Content-Encoding: br", HTML),
        ("Content-Encoding: br", gzip.compress(HTML)),
        ("X-Crawler-Content-Encoding: gzip\r\nX-Crawl-Transfer-Encoding: chunked", HTML),
        ("Content-Encoding: gzip, identity", gzip.compress(HTML)),
    ],
)
def test_a_payload_is_decoded_only_where_its_bytes_agree(headers: str, body: bytes) -> None:
    block = f"HTTP/1.1 200 OK\r\n{headers}\r\n\r\n".encode() + body
    assert http_message.payload(http_message.parse(block)) == http_message.Payload(HTML)


def test_a_compressed_payload_that_ends_early_says_so() -> None:
    noise = b"".join(hashlib.sha256(bytes([k])).digest() for k in range(250))
    block = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(noise)[:-2000]
    payload = http_message.payload(http_message.parse(block))
    assert payload.problem == "cut"
    assert noise.startswith(payload.body) and len(payload.body) > 1000


def test_a_payload_that_grows_without_end_is_not_decoded_to_its_end() -> None:
    block = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(bytes(http_message.PAYLOAD_BOUND + 5))
    payload = http_message.payload(http_message.parse(block))
    assert payload.problem == "too_large"
    assert len(payload.body) <= http_message.PAYLOAD_BOUND


@pytest.mark.parametrize(
    ("block", "status"),
    [
        (b"HTTP/2 200\r\ncontent-type: text/html\r\n\r\nx", 200),
        (b"HTTP/1.1 404 Not Found\nContent-Type: text/html\n\nx", 404),
        (b"HTTP/1.0 200\r\nno colon here\r\nContent-Type:\r\n text/html\r\n\xff\xfe: \xe9\r\n\r\nx", 200),
        (b"<html>no head</html>", None),
        (b"Content-Type: text/html\r\n\r\nx", None),
        (b"", None),
    ],
)
def test_heads_that_servers_get_wrong_are_read(block: bytes, status: int | None) -> None:
    response = http_message.parse(block)
    assert response.status == status
    if status:
        assert (response.header("content-type"), response.body) == ("text/html", b"x")
