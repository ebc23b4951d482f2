"""Bytes of a page to its characters: byte order mark, then what the bytes prove, what is declared, what they look like.

Labels are read as browsers read them (https://encoding.spec.whatwg.org/): "iso-8859-1" means windows-1252.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import NamedTuple

from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5

#: Byte order marks, which are right whatever is declared.
MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
#: Bytes of a page in which its declaration stands; browsers read 1,024, but long scripts come before it in real pages.
DECLARATION_BOUND = 16 << 10
#: <meta charset=...>, <meta http-equiv=... content="...; charset=...">, <?xml encoding=...?>
DECLARED = re.compile(
    rb"""<(?:meta\b[^>]{0,500}?\bcharset|\?xml\b[^>]{0,200}?\bencoding)\s*=\s*["']?\s*([\w.:+-]{2,40})""", re.I
)
HEADER = re.compile(r"""charset\s*=\s*["']?\s*([\w.:+-]{2,40})""", re.I)
#: Python's codecs that read what browsers accept under a label: each holds the one that the label names.
SUPERSETS = {
    "big5": "big5hkscs",
    "euc_kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso8859-11": "cp874",
    "shift_jis": "cp932",
}
#: Labels that are not in the standard, but in pages.
UNLISTED = {
    "cp936": "gb18030",
    "cp949": "cp949",
    "win-1251": "cp1251",
    "x-mac-cyrillic": "mac-cyrillic",
    "cp1250": "cp1250",
}
#: One character of more than one byte in UTF-8, as it must be (RFC 3629).
MULTIBYTE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xef][\x80-\xbf]{2}|\xf0[\x90-\xbf][\x80-\xbf]{2}"
    rb"|[\xf1-\xf4][\x80-\xbf]{3}"
)
HIGH = re.compile(rb"[\x80-\xff]+")
#: Share of the bytes over 127 that must be well-formed UTF-8 for a page with some faults to be UTF-8: other encodings hardly
#: ever reach half.
UTF8_SHARE = 0.9
#: Bytes that show UTF-16 without a mark, and the share of NULs on one side of its pairs: markup is ASCII.
UTF16_SAMPLE = 512
UTF16_SHARE = 0.4
#: Markup, which says nothing of the language.
TAG = re.compile(rb"<(?:script|style)\b.*?</(?:script|style)\s*>|<[^>]{0,2000}>", re.I | re.S)
#: Bytes of text that the detector is shown.
DETECTION_BOUND = 64 << 10
#: Bytes over 127 that the detector needs: with fewer it takes a trade mark sign for Thai.
DETECTION_LEAST = 16
#: What the labels windows-1252 and iso-8859-1 are worth: servers send them unasked.
DEFAULT = "cp1252"


class Decoded(NamedTuple):
    """The characters of a page, and the Python codec that gave them."""

    text: str
    charset: str


def decode(html: bytes, content_type: str = "") -> Decoded:
    """Return the characters of ``html``, which a server sent with the header ``content_type``.

    Never fails: bytes that mean nothing in the encoding chosen become U+FFFD.
    """
    for mark, codec in MARKS:
        if html.startswith(mark):
            return Decoded(html[len(mark) :].decode(codec, "replace"), codec)
    if codec := _utf16(html):
        return Decoded(html.decode(codec, "replace"), codec)
    try:
        text = html.decode("utf-8")
    except UnicodeDecodeError:
        if _is_mostly_utf8(html):
            return Decoded(html.decode("utf-8", "replace"), "utf-8")
    else:
        if not text.isascii() or b"\x1b$" not in html:
            return Decoded(text, "utf-8")
    candidates = list(dict.fromkeys(_candidates(html, content_type)))
    for codec in candidates:
        try:
            return Decoded(html.decode(codec), codec)
        except (UnicodeDecodeError, LookupError):
            continue
    codec = candidates[0]
    return Decoded(html.decode(codec, "replace"), codec)


def proves_utf8(html: bytes) -> bool:
    """Return whether bytes are UTF-8 or ASCII beyond doubt: then nothing that is declared decides how they are read."""
    try:
        html.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return b"\x1b$" not in html  # ISO-2022-JP is ASCII to look at


def declared(html: bytes) -> str:
    """Return the label that a page declares for itself, "" when it declares none."""
    found = DECLARED.search(html, 0, DECLARATION_BOUND)
    return found[1].decode("ascii", "ignore") if found else ""


def codec_of(label: str) -> str:
    """Return the Python codec for a label as browsers understand it, "" for a label that means nothing."""
    label = label.strip().lower()
    known: str = map_encoding_to_html5(label, False) or UNLISTED.get(label, "")
    return SUPERSETS.get(known, known)


def _utf16(html: bytes) -> str:
    """Return which UTF-16 a page without a mark is in, "" when in none."""
    sample = html[:UTF16_SAMPLE]
    if sample.count(0) < UTF16_SHARE * len(sample) or len(html) < 4:
        return ""
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    pairs = len(sample) // 2
    if odd > 2 * UTF16_SHARE * pairs > even:
        return "utf-16-le"
    return "utf-16-be" if even > 2 * UTF16_SHARE * pairs > odd else ""


def _is_mostly_utf8(html: bytes) -> bool:
    high = sum(len(run) for run in HIGH.findall(html))
    return sum(len(found) for found in MULTIBYTE.findall(html)) >= UTF8_SHARE * high


def _candidates(html: bytes, content_type: str) -> Iterator[str]:
    """Yield codecs for bytes that are not UTF-8, the likeliest first, none of them twice; at least one."""
    found = HEADER.search(content_type)
    said = [codec for codec in (codec_of(found[1] if found else ""), codec_of(declared(html))) if codec]
    yield from (codec for codec in said if codec not in ("utf-8", "utf-16-le", "utf-16-be", DEFAULT))
    text = TAG.sub(b" ", html[: 4 * DETECTION_BOUND])[:DETECTION_BOUND]
    high = sum(len(run) for run in HIGH.findall(text))
    looks = codec_of(detect_encoding(text, DETECTION_BOUND) or "") if high >= DETECTION_LEAST else ""
    if DEFAULT in said:
        yield DEFAULT
    if looks and not looks.startswith("utf"):
        yield looks
    yield DEFAULT
