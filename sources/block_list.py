"""Block lists: rules on hosts and addresses, in the formats in which such lists are published, and whether a page meets one.

None is bundled: a list is a file or an address of the person's own, under its own licence
(such as https://dsi.ut-capitole.fr/blacklists/index_en.php).
"""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import zlib
from array import array
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import xxhash

from pile.document import Input, SideFile
from pile.errors import RecipeError
from pile.plugins import Reader
from sources.web_address import host_of, places, plain_address, plain_host, suffixes

#: Share of a list's lines that may mean nothing: real lists have a few typing errors, and another format has nothing else.
MOST_UNREAD = 0.1
#: A line of a hosts file: an address to send the names to, then the names.
HOSTS_LINE = re.compile(r"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]*:[0-9a-f:.%a-z]*)\s+(\S.*)", re.IGNORECASE)
#: Names that every hosts file gives the machine itself; all others of its own have no dot.
OWN_NAMES = frozenset({"localhost.localdomain", "0.0.0.0"})
#: A host as nearly all lines of large lists are, which needs no more than to be hashed.
PLAIN_HOST = re.compile(rb"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63}){1,20}")
#: What begins a remark: "#" anywhere after a blank, the others at the start of a line.
REMARK = re.compile(r"(?:^|\s)#.*|^[!;].*")
#: What keeps a rule on an address from being one on a host, which never begins so. No seed does: xxh3 mixes those into short
#: inputs so weakly that "0.r" with the seed 0 is "0.u" with the seed 1.
URL_MARK = b"/"
TAR_MAGIC, TAR_OFFSET = b"ustar", 257


class Rule(NamedTuple):
    """A rule that a page meets: ``reason`` is ``blocked_host`` or ``blocked_url``, ``origin`` the list that has it."""

    reason: str
    rule: str
    origin: str


class BlockList:
    """Rules as sorted 64-bit hashes: 10 bytes a rule, so 50 MB for 5 million hosts (about 200 MB while they are read).

    A page is looked up by its host's few suffixes and its address's few prefixes. That any page of 2,000,000,000 meets a
    rule by chance of its hash has a probability under 1 % for 5 million rules.
    """

    def __init__(self, lists: Sequence[tuple[str, npt.NDArray[np.uint64]]]) -> None:
        """Put lists together, each with its name and the hashes of its rules; the first that has a rule is named."""
        self._names = [name for name, _ in lists]
        hashes = np.concatenate([np.empty(0, np.uint64), *(found for _, found in lists)])
        origins = np.repeat(np.arange(len(lists), dtype=np.uint16), [len(found) for _, found in lists])
        order = np.argsort(hashes, kind="stable")
        self._hashes, self._origins = hashes[order], origins[order]

    def rule(self, url: str) -> Rule | None:
        """Return the rule that the page at an address meets, hosts before addresses and wide ones first; else None."""
        if not len(self._hashes):
            return None
        host = host_of(url)
        rules = [("blocked_host", suffix) for suffix in suffixes(host)]
        rules += [("blocked_url", place) for place in places(url)]
        hashes = np.array([_hash(reason, _bytes(rule)) for reason, rule in rules], dtype=np.uint64)
        found = np.searchsorted(self._hashes[:-1], hashes)  # so that each is a place in the whole
        hits = np.flatnonzero(self._hashes[found] == hashes)
        if not len(hits):
            return None
        reason, rule = rules[hits[0]]
        return Rule(reason, rule, self._names[self._origins[found[hits[0]]]])


def block_list(hosts: tuple[str, ...], urls: tuple[str, ...], files: Sequence[SideFile]) -> BlockList:
    """Return the recipe's own rules and those of its lists; the last few are kept, by the sha256 of their files."""
    known = tuple(_Content(file) for file in files)
    return _block_list(hosts, urls, known)


class _Content:
    """A list's file, equal to any other that has the same name and the same bytes, wherever it lies."""

    def __init__(self, file: SideFile) -> None:
        self.file = file

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Content) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[str, str]:
        return self.file.url, self.file.sha256


@lru_cache(maxsize=2)
def _block_list(hosts: tuple[str, ...], urls: tuple[str, ...], files: tuple[_Content, ...]) -> BlockList:
    own = [_hash("blocked_host", _bytes(plain_host(host))) for host in hosts]
    own += [_hash("blocked_url", _bytes(plain_address(url))) for url in urls]
    lists = [("the recipe's own rules", np.array(own, dtype=np.uint64))]
    return BlockList(lists + [(one.file.url, read(one.file.path.read_bytes()).hashes) for one in files])


class Rules(NamedTuple):
    """What was read of a list: the hashes of its rules, how many are of each kind, and the lines that mean nothing."""

    hashes: npt.NDArray[np.uint64]
    hosts: int
    urls: int
    unread: list[str]


def read(content: bytes) -> Rules:
    """Return the rules of a list, plain or gzip: a host or an address in each line, or lines of a hosts file.

    Raises ``ValueError`` for what is neither text nor gzip of text.
    """
    hashes = array("Q")
    urls = 0
    unread: list[str] = []
    is_plain, digest, add = PLAIN_HOST.fullmatch, xxhash.xxh3_64_intdigest, hashes.append
    for line in _lines(content):
        if is_plain(line):
            add(digest(line))
            continue
        text = REMARK.sub("", line.decode("utf-8", "replace")).strip()
        if not text:
            continue
        rules = list(_rules(text))
        if not all(rule for _, rule in rules):
            unread.append(text)
        for reason, rule in rules:
            if rule:
                hashes.append(_hash(reason, _bytes(rule)))
                urls += reason == "blocked_url"
    return Rules(np.frombuffer(hashes, dtype=np.uint64), len(hashes) - urls, urls, unread)


def pinned(names: Sequence[str], upstream: Reader) -> list[Input]:
    """Return lists as the lock has them, as they are now: those of the web, then a person's own that match ``names``.

    Raises ``RecipeError`` for what is no block list and for a name that matches nothing, ``FetchError`` for a list that cannot
    be had.
    """
    own = [name for name in names if "://" not in name]
    found = [name for name in names if "://" in name] + (upstream.find(own) if own else [])
    return [_pinned(name, upstream.read(name)) for name in dict.fromkeys(found)]


def _pinned(url: str, content: bytes) -> Input:
    try:
        rules = read(content)
    except ValueError as error:
        raise RecipeError(f"block list {url}: {error}") from error
    number, unread = rules.hosts + rules.urls, len(rules.unread)
    if not number and not unread:
        raise RecipeError(f"block list {url} is empty: name a list that has a host or an address in each line")
    if unread > MOST_UNREAD * (number + unread):
        raise RecipeError(
            f"block list {url}: {unread} lines are neither host nor address, such as {rules.unread[0][:80]!r}; "
            "name a list that has one in each line, or a hosts file"
        )
    counts = {"hosts": rules.hosts, "urls": rules.urls, "unread": unread}
    checksum = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return Input(url, len(content), checksum, {name: count for name, count in counts.items() if count})


def _lines(content: bytes) -> Iterator[bytes]:
    if content[TAR_OFFSET:].startswith(TAR_MAGIC):
        raise ValueError("it is a tar archive: unpack it, and name the lists in it")
    if not content.startswith(b"\x1f\x8b"):
        yield from (line.strip() for line in io.BytesIO(content))
        return
    try:
        with gzip.open(io.BytesIO(content)) as file:
            head = file.read(1024)
            if head[TAR_OFFSET:].startswith(TAR_MAGIC):
                raise ValueError("it is a tar archive: unpack it, and name the lists in it")
            file.seek(0)
            yield from (line.strip() for line in file)
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"it cannot be unpacked: {error}") from error


def _rules(text: str) -> Iterator[tuple[str, str]]:
    """Yield kind and plain form of the rules in a line, an empty form for what means nothing."""
    if found := HOSTS_LINE.fullmatch(text):
        for name in found[1].split():
            if "." in name and name not in OWN_NAMES:
                yield "blocked_host", plain_host(name)
        return
    if " " in text or "\t" in text:
        yield "blocked_host", ""
    elif "/" in text:
        yield "blocked_url", plain_address(text)
    else:
        yield "blocked_host", plain_host(text)


def _hash(reason: str, rule: bytes) -> int:
    return xxhash.xxh3_64_intdigest(rule if reason == "blocked_host" else URL_MARK + rule)


def _bytes(rule: str) -> bytes:
    return rule.encode("utf-8", "surrogatepass")
