"""Where e-mail addresses and the internet addresses of machines stand in a text, in time linear in it.

An address is found from what it must have ("@", or digits between dots or colons), and only as many characters around that are
looked at as an address can have.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import NamedTuple

#: Characters that an e-mail address has at most on either side of its "@" (RFC 3696, erratum 1003: 64 and 255).
MAILBOX_CHARACTERS, HOST_CHARACTERS = 64, 255
#: Hosts that exist for examples, with all below them (RFC 2606, RFC 6761): nobody's address.
RESERVED_HOSTS = ("example.com", "example.org", "example.net", "example", "test", "invalid", "localhost")

#: Characters of a mailbox's parts, as FineWeb has them: RFC 5322 without quotes and comments.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
#: A mailbox, its characters in reverse; what stands before it is no letter, digit or low line.
_REVERSED_MAILBOX = re.compile(rf"{_ATOM}+(?:\.{_ATOM}+)*(?<=[A-Za-z0-9_])")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}\.)+{_LABEL}")

_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
#: Four octets that are no part of a longer number.
_IPV4 = re.compile(rf"(?<![\w.])(?:{_OCTET}\.){{3}}{_OCTET}(?!\w|\.\d)", re.ASCII)
#: What stands before a number that is a version: "v", "version 2", "release", "build", "Firefox/".
_VERSION = re.compile(
    r"(?:\b(?:v|ver|versions?|release|rev|revision|build|firmware|update)[.:]?\s*|\w/)\Z", re.IGNORECASE
)
_VERSION_CHARACTERS = 16
#: Addresses that are given out begin with 2 or 3 (RFC 4291, section 2.4: 2000::/3); so does no scope of C++ and no time of day.
_IPV6 = re.compile(r"(?<![\w:.])[23][0-9A-Fa-f]{3}:[0-9A-Fa-f:]{2,35}(?![\w:]|\.\d)", re.ASCII)

EMAIL, IPV4, IPV6 = "emails", "ipv4", "ipv6"


class Found(NamedTuple):
    """Where an address stands, and which kind it is."""

    start: int
    end: int
    kind: str


def emails(text: str) -> Iterator[Found]:
    """Yield the e-mail addresses, in order, but for those at hosts that exist for examples."""
    behind = 0
    at = text.find("@")
    while at >= 0:
        before = text[max(behind, at - MAILBOX_CHARACTERS - 1) : at][::-1]
        mailbox = _REVERSED_MAILBOX.match(before)
        if mailbox and len(mailbox[0]) <= MAILBOX_CHARACTERS:
            host = _HOST.match(text, at + 1, at + 1 + HOST_CHARACTERS)
            if host:
                behind = host.end()
                if not _reserved(host[0].lower()):
                    yield Found(at - len(mailbox[0]), behind, EMAIL)
        behind = max(behind, at + 1)
        at = text.find("@", behind)


def machines(text: str) -> Iterator[Found]:
    """Yield the addresses of machines that can be reached from everywhere, by kind, each in order.

    Private and reserved ones are nobody's, and what stands where a version stands is none.
    """
    for match in _IPV4.finditer(text):
        before = text[max(0, match.start() - _VERSION_CHARACTERS) : match.start()]
        address = ipaddress.IPv4Address(match[0])
        if address.is_global and not address.is_multicast and not _VERSION.search(before):
            yield Found(match.start(), match.end(), IPV4)
    for match in _IPV6.finditer(text):
        if _is_ipv6(match[0]):
            yield Found(match.start(), match.end(), IPV6)


def _reserved(host: str) -> bool:
    return any(host == name or host.endswith(f".{name}") for name in RESERVED_HOSTS)


def _is_ipv6(text: str) -> bool:
    try:
        return ipaddress.IPv6Address(text).is_global
    except ValueError:
        return False
