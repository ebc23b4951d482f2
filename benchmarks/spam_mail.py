"""Mail and SMS as text with a label and a group: what may not stand on both sides of a split shares its group.

Mail is reduced to what its author wrote: no headers, no footers that a mailing list or a scanner added, no quoting marks, since
they tell the list and not the spam.
"""

from __future__ import annotations

import email
import email.policy
import gzip
import hashlib
import html
import json
import re
from collections import Counter, defaultdict
from email.utils import parseaddr
from itertools import combinations
from typing import NamedTuple

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree


class Sample(NamedTuple):
    """A labelled text; ``spam`` is 1 or 0, ``source`` says where it is from."""

    text: str
    spam: int
    group: str
    source: str


#: Hosts where anyone has an address: there the address is the sender, elsewhere the domain is.
FREE_MAIL = frozenset(
    [
        "aol.com",
        "att.net",
        "bigfoot.com",
        "btamail.net.cn",
        "earthlink.net",
        "email.com",
        "excite.com",
        "hotmail.com",
        "juno.com",
        "lycos.com",
        "mail.com",
        "mail.ru",
        "msn.com",
        "netscape.net",
        "yahoo.co.uk",
        "yahoo.com",
        "yahoo.com.hk",
        "yahoo.ca",
        "yahoo.fr",
        "mindspring.com",
        "comcast.net",
        "canada.com",
        "eudoramail.com",
        "flashmail.com",
        "usa.net",
        "pobox.com",
        "acm.org",
        "best.com",
    ]
)
#: Hosts of the lists and of the person whose mailbox this is: they wrote none of it.
CARRIERS = re.compile(
    r"(?:^|\.)(?:taint\.org|linux\.ie|jmason\.org|xent\.com|netnoteinc\.com|sourceforge\.net|yahoogroups\.com)$"
)
REPLY = re.compile(r"^(?:\s*(?:re|fw|fwd|aw|sv)\s*(?:\[\d+\])?:|\s*\[[^\]]{1,40}\])+", re.IGNORECASE)
ATTRIBUTION = re.compile(
    r"^(?:(?:on|at) .{4,120}(?:wrote|said|writes|says)|.{2,80} (?:wrote|writes|said)(?: \w+ .{0,60})?):\s*$|"
    r"^-{2,}\s*original message.*$|^begin pgp signed.*$|^hash: sha1$",
    re.IGNORECASE,
)
FEED_HEAD = re.compile(r"\A(?:(?:URL|Date):[^\n]*\n+)+")
GROUPS_ADVERTISEMENT = re.compile(r"^-{5,} ?Yahoo! Groups Sponsor ?-.*?^-{20,}.*?$", re.MULTILINE | re.DOTALL)
GROUPS_FOOTER = re.compile(r"^\s*To unsubscribe from this group, send.*", re.MULTILINE | re.DOTALL | re.IGNORECASE)
SIGNATURE = re.compile(r"^(?:-- ?|-----BEGIN PGP SIGNATURE-----)$")
RULE = re.compile(r"^\s*[_=*~-]{15,}\s*>?\s*$")
#: What the footers of lists say; spam sent to a list has them as well.
FOOTER = re.compile(
    r"mailing list|mailman/listinfo|sf\.net email|sponsored by|groups\.yahoo|yahoo! groups|unsubscribe from this group|"
    r"list maintainer|thinkgeek|un/subscription|listinfo|sourceforge|list-",
    re.IGNORECASE,
)
#: Lines at the end among which a footer is looked for.
TAIL = 14
#: Words in a row, normalised, by which texts are compared; two that share this much of the shorter one are near-duplicates.
SHINGLE = 5
NEAR = 0.5
#: A shingle in more texts than this is an idiom.
IDIOM = 60


def mails(path, subjects=False):
    """Yield the mails with more than a few words; the HTML of one is read as its plain text."""
    rows = [json.loads(line) for line in lines(path)]
    found, keys = [], []
    for row in rows:
        message = email.message_from_bytes(row["raw"].encode("latin-1", "replace"), policy=email.policy.compat32)
        text = without_footers(body(message))
        if len(text.split()) < 3:
            continue
        subject = header(message, "Subject")
        if subjects:
            text = f"{subject}\n{text}"
        found.append((row["id"], text, int(row["label"] == "spam"), row["group"]))
        keys.append(_keys(message, subject))
    groups = grouped([text for _, text, _, _ in found], keys)
    for (_, text, spam, source), group in zip(found, groups, strict=True):
        yield Sample(text, spam, f"mail:{group}", source)


def messages(path):
    """Yield SMS; those of one template have one group."""
    rows = [line.rstrip("\n").split("\t", 1) for line in lines(path)]
    texts = [html.unescape(text) for _, text in rows]
    for (label, _), text, group in zip(rows, texts, grouped(texts, [[] for _ in texts]), strict=True):
        yield Sample(text, int(label == "spam"), f"sms:{group}", "sms")


def lines(path):
    """Yield the lines of a text file, plain or gzip."""
    with (
        gzip.open(path, "rt", encoding="utf-8")
        if path.suffix == ".gz"
        else open(path, encoding="utf-8", errors="replace") as file
    ):
        yield from file


def header(message, name):
    try:
        return str(email.header.make_header(email.header.decode_header(str(message.get(name, "")))))
    except (LookupError, ValueError, email.errors.HeaderParseError):
        return str(message.get(name, ""))


def _keys(message, subject):
    """Return what a mail shares with others of its sender and of its thread."""
    keys = []
    address = parseaddr(str(message.get("From", "")))[1].lower()
    domain = address.rpartition("@")[2]
    if domain and not CARRIERS.search(domain):
        keys.append(f"from:{address if domain in FREE_MAIL else '.'.join(domain.split('.')[-3:])}")
    elif address:
        keys.append(f"from:{address}")
    plain = " ".join(re.sub(r"[\W\d_]+", " ", REPLY.sub("", subject).lower()).split())
    if len(plain.split()) > 1:
        keys.append(f"subject:{plain}")
    return keys


def parts(message, kind):
    return [part for part in message.walk() if part.get_content_type() == kind and not part.get_filename()]


def decoded(part):
    data = part.get_payload(decode=True) or b""
    try:
        return data.decode(part.get_content_charset("latin-1"), "replace")
    except LookupError:
        return data.decode("latin-1")


def body(message):
    """Return what a person reads of a mail: its plain text or, where it has next to none, the text of its HTML."""
    plain = "\n".join(map(decoded, parts(message, "text/plain"))).replace("\r\n", "\n")
    if len(plain.split()) >= 5 and not re.search(r"<(?:html|table|body|font)\b", plain, re.IGNORECASE):
        return plain
    pages = [*map(decoded, parts(message, "text/html")), *([plain] if "<" in plain else [])]
    shown = "\n".join(page_text(page) for page in pages).strip()
    return shown if len(shown.split()) > len(plain.split()) // 3 else plain


def markup(message):
    """Return the HTML of a mail, "" where it has none."""
    return "\n".join(map(decoded, parts(message, "text/html")))


def page_text(page):
    tree = HTMLTree.parse(page.replace("\0", ""))
    return extract_plain_text(tree, alt_texts=False, links=False) if tree.body else ""


def without_footers(text):
    """Return a text without what lists, feeds and mail programs put around it."""
    text = GROUPS_ADVERTISEMENT.sub("", FEED_HEAD.sub("", text.lstrip()))
    text = GROUPS_FOOTER.sub("", text)
    kept = []
    for line in text.split("\n"):
        line = re.sub(r"^(?:\s{0,2}[>|:]\s?)+", "", line)
        if SIGNATURE.match(line.rstrip("\r")):
            break
        if not ATTRIBUTION.match(line.strip()):
            kept.append(line)
    while kept and not kept[-1].strip():
        kept.pop()
    for number in range(max(0, len(kept) - TAIL), len(kept)):
        if RULE.match(kept[number]) and FOOTER.search("\n".join(kept[number:])):
            kept = kept[:number]
            break
    return "\n".join(kept).strip()


def grouped(texts, keys):
    """Return a group for each text: linked are those that share a key, or several shingles, directly or by way of others."""
    parents = list(range(len(texts)))

    def root(number):
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    first = {}
    for number, own in enumerate(keys):
        for key in own:
            parents[root(number)] = root(first.setdefault(key, number))
    holders, sizes = defaultdict(list), []
    for number, text in enumerate(texts):
        own = _shingles(text)
        sizes.append(len(own))
        for shingle in own:
            holders[shingle].append(number)
    pairs = Counter()
    for held in holders.values():
        if len(held) <= IDIOM:
            pairs.update(combinations(held, 2))
    for (one, other), shared in pairs.items():
        if shared >= NEAR * min(sizes[one], sizes[other]):
            parents[root(one)] = root(other)
    # The first text of a group names it: which one is at its root depends on the order of sets.
    named = {}
    return [named.setdefault(root(number), number) for number in range(len(texts))]


def _shingles(text):
    words = re.sub(r"[\W_]+", " ", re.sub(r"\d+", "0", text.lower())).split()
    size = min(SHINGLE, max(2, len(words) // 3))
    return {
        hashlib.blake2b(" ".join(words[at : at + size]).encode("utf-8", "replace"), digest_size=8).digest()
        for at in range(max(1, len(words) - size + 1))
    }
