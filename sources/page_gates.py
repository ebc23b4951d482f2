"""The gates that a capture passes before its page is read, cheapest first: what stops it, in a word and for a person.

Each is sure of what it stops; what it is unsure of goes on to be judged by its text.
"""

from __future__ import annotations

from sources import http_message
from sources.extract.page_type import html_type, sniffed
from sources.warc import Capture

#: Longest page, in bytes after decoding: above Common Crawl's own bound of 5 MiB. What is longer is data, not text.
PAGE_BOUND = 8 << 20
#: Until crawl 2019-47 payloads were cut at 1 MiB without always saying so.
CUT_LENGTH = 1 << 20


def refused(capture: Capture) -> tuple[str, str] | None:
    """Return reason and detail when a capture's head says that it is no page."""
    response, url = capture.response, capture.url
    if response.status != 200:
        return "bad_status", f"{url}: status {response.status or 'missing'}"
    content_type = response.header("content-type")
    if html_type(content_type) is False:
        return "not_html", f"{url}: {content_type[:100]}"
    if capture.truncated:
        return "truncated", f"{url}: {capture.truncated[:100]}"
    if capture.missing:
        return "too_large", f"{url}: over {len(response.body)} bytes"
    return None


def refused_payload(capture: Capture, payload: http_message.Payload) -> tuple[str, str] | None:
    """Return reason and detail when a capture's decoded body is no page."""
    body, url = payload.body, capture.url
    if payload.problem == "too_large" or len(body) > PAGE_BOUND:
        return "too_large", f"{url}: over {min(len(body), PAGE_BOUND)} bytes"
    if payload.problem or len(capture.response.body) == CUT_LENGTH:
        return "truncated", f"{url}: ends early after {len(body)} bytes"
    if not body.strip(b" \t\r\n\0"):
        return "empty_page", url
    kind = sniffed(body)
    if kind != "html" and (kind or html_type(capture.response.header("content-type")) is None):
        return "not_html", f"{url}: {kind or 'no markup in it, and no type'}"
    return None
