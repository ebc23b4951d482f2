"""Web addresses in one plain form, so that rules on hosts and addresses meet them however they were written.

Case, port, user, fragment, trailing dots and "www." decide nothing; names in other scripts are in the form that DNS has
(https://www.unicode.org/reports/tr46/).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from urllib.parse import unquote

import idna

SCHEME = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:)?[/\\]{2,}", re.IGNORECASE)
#: Where the host ends.
HOST_END = re.compile(r"[/\\?#]")
PORT = re.compile(r":\d*$")
#: A host in its plain form: what DNS has, which is wider than what may be registered, or an IPv6 address.
HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*|\[[0-9a-f:.]{2,45}\]")
#: A host that stands for the site itself, as long as a name with a dot follows.
WWW = re.compile(r"www\d*\.(?=[^.]+\.)")
#: Where one step of an address ends; a rule on an address ends at one.
STEP = re.compile(r"[/?&]")
#: Steps of an address that are looked at: rules have three or four, and some addresses have thousands.
MOST_STEPS = 64
#: Longest host that is looked at, in characters: DNS takes 253 bytes.
LONGEST_HOST = 1000
#: What a rule may end in without meaning more than the step before it.
REST = "/?&*"


def host_of(url: str) -> str:
    """Return an address's host in its plain form, "" where it has none that could be."""
    return _host(_split(url)[0])


def plain_host(host: str) -> str:
    """Return a host as a person or a list writes it ("*.Bücher.example.", "example.com:8080") in its plain form, else ""."""
    if HOST_END.search(host):
        return ""
    return _host(host.removeprefix("*").removeprefix("."))


def plain_address(url: str) -> str:
    """Return an address, with or without scheme, in its plain form: host and path; "" where it has no host."""
    host, path = _split(url)
    host = WWW.sub("", _host(host))
    return f"{host}{_path(path)}".rstrip(REST) if host else ""


def suffixes(host: str) -> Iterator[str]:
    """Yield a plain host's own name and those above it, the widest first."""
    labels = host.split(".")
    for first in range(len(labels) - 1, -1, -1):
        yield ".".join(labels[first:])


def places(url: str) -> Iterator[str]:
    """Yield the plain forms of all rules on addresses that an address meets: it and what it lies below, the widest first."""
    plain = plain_address(url)
    for step in islice(STEP.finditer(plain), MOST_STEPS):
        yield plain[: step.start()]
    yield plain


def _split(url: str) -> tuple[str, str]:
    rest = SCHEME.sub("", url, count=1) if SCHEME.match(url) else url
    end = HOST_END.search(rest)
    return (rest[: end.start()], rest[end.start() :]) if end else (rest, "")


def _host(host: str) -> str:
    host = PORT.sub("", host.rpartition("@")[2].strip())
    if len(host) > LONGEST_HOST:
        return ""
    if "%" in host:
        host = unquote(host)
    if "\ufffd" in host:  # bytes that are no text
        return ""
    host = host.lower().rstrip(".") if host.isascii() else _in_ascii(host)
    return host if HOST.fullmatch(host) else ""


def _in_ascii(host: str) -> str:
    """Return a name in another script as DNS has it; also one that may not be registered, which is met all the same."""
    try:
        return idna.encode(host, uts46=True).decode("ascii").rstrip(".")
    except (idna.IDNAError, UnicodeError):
        labels = re.split("[.\u3002\uff0e\uff61]", host.lower())
        return ".".join(label if label.isascii() else _punycode(label) for label in labels).rstrip(".")


def _punycode(label: str) -> str:
    return f"xn--{label.encode('punycode').decode('ascii')}"


def _path(path: str) -> str:
    """Return path and query in lower case, without escapes, fragment and repeated slashes."""
    path = unquote(path.partition("#")[0].replace("\\", "/")).lower()
    return re.sub(r"//+", "/", path)
