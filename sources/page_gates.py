"""The gates that a capture passes before its page is read, cheapest first: what stops it, in a word and for a person.

Each is sure of what it stops; what it is unsure of goes on to be judged by its text.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import xxhash

from pile.document import Drop
from sources import http_message
from sources.block_list import BlockList
from sources.extract.charset import proves_utf8
from sources.extract.page_type import html_type, sniffed
from sources.seen_payloads import SeenPayloads
from sources.warc import Capture
from sources.warc_digest import agrees
from sources.wet import Conversion

#: Longest page, in bytes after decoding: above Common Crawl's own bound of 5 MiB. What is longer is data, not text.
PAGE_BOUND = 8 << 20
#: Until crawl 2019-47 payloads were cut at 1 MiB without always saying so.
CUT_LENGTH = 1 << 20


class Page(NamedTuple):
    """A capture that passed, and its body without transfer and content codings."""

    capture: Capture
    body: bytes


class Named(Protocol):
    """What stands for a page, whatever it was read from."""

    @property
    def id(self) -> str: ...
    @property
    def url(self) -> str: ...


class Gates:
    """The gates in front of one input's pages, which come in their order.

    It remembers the payload of each page that passed (``seen_payloads``).
    """

    def __init__(self, blocked: BlockList) -> None:
        self._blocked = blocked
        self._seen = SeenPayloads()

    def passed(self, capture: Capture) -> Page | Drop:
        """Return the page in a capture, or the reason of the first gate that stops it."""
        drop = _refused(capture) or self.unwanted(capture) or _altered(capture)
        if drop:
            return drop
        payload = http_message.payload(capture.response)
        drop = _refused_payload(capture, payload)
        return (
            drop
            or self.again(capture, payload.body, capture.response.header("content-type"))
            or Page(capture, payload.body)
        )

    def text_stopped(self, page: Conversion) -> Drop | None:
        """Return the reason of the first gate that stops the text that Common Crawl made of a page."""
        if page.truncated:
            return _drop(page, "truncated", f"WARC-Truncated: {page.truncated[:100]}")
        if page.missing or len(page.text) > PAGE_BOUND:
            return _drop(page, "too_large", f"over {min(len(page.text), PAGE_BOUND)} bytes")
        if not page.text.strip(b" \t\r\n\0"):
            return _drop(page, "empty_page", f"{len(page.text)} bytes of white space" if page.text else "no bytes")
        return self.unwanted(page) or self.again(page, page.text, "")

    def unwanted(self, page: Named) -> Drop | None:
        """Stop what meets a rule of the recipe or of its block lists."""
        rule = self._blocked.rule(page.url)
        return _drop(page, rule.reason, f"{rule.rule} is in {rule.origin}") if rule else None

    def again(self, page: Named, body: bytes, content_type: str) -> Drop | None:
        """Stop a payload that an earlier page of this input had: what would become of that page would become of this one.

        That holds where every gate before this one has let the earlier page pass, and all that comes after it looks at the
        payload alone. It is compared by a digest of our own, since a stated one may be wrong; what the server says of a
        payload's encoding is a part of it unless the bytes are UTF-8, which they prove themselves.
        """
        digest = xxhash.xxh3_64_intdigest(
            body if proves_utf8(body) else b"%s\0%s" % (body, content_type.encode("utf-8", "replace"))
        )
        first = self._seen.first(digest, page.url)
        if first is None:
            return None
        return _drop(page, "duplicate_payload", f"the same bytes as {first}", {"bytes": len(body)})


def _drop(page: Named, reason: str, detail: str, html: dict[str, Any] | None = None) -> Drop:
    return Drop(page.id, reason, detail, url=page.url, facts={"html": html} if html else {})


def _refused(capture: Capture) -> Drop | None:
    """Stop a capture whose head says that it is no page."""
    response = capture.response
    if response.status != 200:
        return _drop(capture, "bad_status", f"status {response.status or 'missing'}")
    content_type = response.header("content-type")
    if html_type(content_type) is False:
        return _drop(capture, "not_html", f"its type is {content_type[:100]}")
    if capture.truncated:
        return _drop(capture, "truncated", f"WARC-Truncated: {capture.truncated[:100]}")
    if capture.missing:
        return _drop(capture, "too_large", f"over {len(response.body)} bytes")
    return None


def _altered(capture: Capture) -> Drop | None:
    """Stop a record whose bytes are not those that its writer had, as far as it says.

    A block digest must agree; where it does not, the payload's may vouch for the page (some writers change the head after they
    took the digest). A payload digest alone stops nothing: of the 45 archives in ../shared/data/warc/real, three have one that
    agrees with no form of a sound page. Records whose stated length was wrong have lost what their digest was of.
    """
    block, payload = capture.digests
    if capture.repaired or agrees(block, [capture.block]) is not False:
        return None
    body = capture.response.body
    if agrees(payload, (body, http_message.unchunked(body), http_message.payload(capture.response).body)):
        return None
    return _drop(
        capture, "digest_mismatch", f"WARC-Block-Digest is {block[:80]}, which the bytes of the record have not"
    )


def _refused_payload(capture: Capture, payload: http_message.Payload) -> Drop | None:
    """Stop a capture whose decoded body is no page."""
    body = payload.body
    html = {"bytes": len(body), "type": capture.response.header("content-type")[:100] or "no type"}
    if payload.problem == "too_large" or len(body) > PAGE_BOUND:
        return _drop(capture, "too_large", f"over {min(len(body), PAGE_BOUND)} bytes", html)
    if payload.problem or len(capture.response.body) == CUT_LENGTH:
        return _drop(capture, "truncated", f"ends early after {len(body)} bytes", html)
    if not body.strip(b" \t\r\n\0"):
        return _drop(capture, "empty_page", f"{len(body)} bytes of white space" if body else "no bytes", html)
    kind = sniffed(body)
    if kind != "html" and (kind or html_type(capture.response.header("content-type")) is None):
        return _drop(capture, "not_html", f"its bytes are {kind}" if kind else "no markup in it, and no type", html)
    return None
