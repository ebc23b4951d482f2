"""What the spam filter reads of a text: a bounded piece of it in plain words, without host names, addresses and numbers.

What names a site, a person, a day or an amount would teach a classifier its training data; that there is one stays visible.
"""

from __future__ import annotations

import re
from typing import NamedTuple

#: Characters that are read: of longer texts the beginning and the end, where advertisements say what is to be done. Held out,
#: mail ranks better by 5,000 characters than by 2,000, and hardly by 10,000.
HEAD, TAIL = 4_000, 1_000
#: Characters of those that the signals and fastText are given: fastText ranks long mail no better by 5,000, and takes longer.
SHORT_HEAD, SHORT_TAIL = 1_600, 400

#: What stand for a web address and an address of e-mail. No word of a text is spelled so.
LINK, ADDRESS = "_link_", "_mail_"
#: Signs that are words of their own; all others are spaces.
SIGNS = "!$%£€?"

_LINK = re.compile(rb"(?:https?:/|ftp:/|www\.)[^\s<>\"]*")
_ADDRESS = re.compile(rb"[\w.+-]{1,64}@[\w.-]+")
#: Where UTF-8 has signs that typographers and keyboards make: Latin-1's, U+2000 to U+2BFF, CJK's and the halfwidth forms'.
_TYPOGRAPHY = re.compile(
    rb"\xc2[\x80-\xbf]|\xe2[\x80-\xaf][\x80-\xbf]|\xe3\x80[\x80-\x84\x88-\x9f]|\xef(?:\xbb\xbf|\xbc[\x80-\x8f\x9a-\xa0]|\xbf\xbd)"
)
#: Apostrophes are ASCII's, and pounds and euros single bytes, which UTF-8 never has.
_SINGLE = ((b"\xe2\x80\x99", b"'"), (b"\xc2\xa3", b"\xfe"), (b"\xe2\x82\xac", b"\xff"))
_SIGN_BYTES = (
    (b"!", b" ! "),
    (b"$", b" $ "),
    (b"%", b" % "),
    (b"?", b" ? "),
    (b"\xfe", b" \xc2\xa3 "),
    (b"\xff", b" \xe2\x82\xac "),
)
#: A point within a word stays, so that "example.com" and "u.s" are words by themselves; others are spaces.
_POINTS = ((b"...", b" "), (b"..", b" "), (b". ", b" "))
#: Scripts without spaces between words: each of their characters is a word (CJK from U+2E80, Thai to Myanmar apart, Hangul not).
_UNSPACED = "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
_ANY_UNSPACED, _BESIDE_UNSPACED = re.compile(_UNSPACED), re.compile(f"(?={_UNSPACED})|(?<={_UNSPACED})")
_PLAIN = bytes(
    code
    if code >= 0x80 or chr(code) in "'._!$%?"
    else ord(chr(code).lower())
    if chr(code).isalpha()
    else ord("0")
    if chr(code).isdigit()
    else ord(" ")
    for code in range(256)
)


class Reading(NamedTuple):
    """A text as the spam filter reads it."""

    piece: bytes  #: the beginning and the end as they stand, in UTF-8
    feature: str  #: both ends of ``line``, which fastText is given
    line: str  #: all that is read: words in lower case, ``SIGNS``, numbers as runs of 0


def read(text: str) -> Reading:
    """Return what is read of ``text``; takes time in proportion to the bounds, however long it is."""
    # A lone surrogate has no UTF-8, and no meaning.
    piece = _ends(text, SHORT_HEAD, SHORT_TAIL).encode("utf-8", "ignore")
    line = plain_words(_ends(text, HEAD, TAIL))
    return Reading(piece, _ends(line, SHORT_HEAD, SHORT_TAIL), line)


def _ends(text: str, head: int, tail: int) -> str:
    return text if len(text) <= head + tail else f"{text[:head]} {text[-tail:]}"


def plain_words(text: str) -> str:
    """Return a text as one line of plain words."""
    whole = text.encode("utf-8", "ignore")
    if whole.isascii():
        plain = whole
    else:
        plain = text.lower().encode("utf-8", "ignore")
        for sign, byte in _SINGLE:
            plain = plain.replace(sign, byte)
        plain = _TYPOGRAPHY.sub(b" ", plain)
    if b"/" in plain or b"www." in plain or b"WWW." in plain:
        plain = _LINK.sub(b" _link_ ", plain.lower())
    if b"@" in plain:
        plain = _ADDRESS.sub(b" _mail_ ", plain)
    plain = plain.translate(_PLAIN) + b" "
    for sign, word in (*_POINTS, *_SIGN_BYTES):
        plain = plain.replace(sign, word)
    words = plain.decode("utf-8", "ignore")
    if not whole.isascii() and _ANY_UNSPACED.search(words):
        words = _BESIDE_UNSPACED.sub(" ", words)
    return " ".join(words.split())
