"""The language that a page is written in, read off its raw markup: a gate before extraction, for pages where it is sure.

It costs a millisecond or two a page, extraction ten and more; what it is unsure of goes on to be judged by its text.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection
from typing import NamedTuple

import pycld2

#: Bytes of text, as CLD2 counts them, below which nothing is sure.
FEW_BYTES = 200
#: Percent of a page's text in a wanted language from which on the page goes on: main text may be the smaller part of a page.
#: Of 948 pages of ../shared/mirror on which CLD2 is sure, the 76 with 10 to 19 are not English by their main text, nor 14 above.
SOME_PERCENT = 20
#: Codes of CLD2's that have another today.
RENAMED = {"iw": "he", "in": "id", "jw": "jv", "mo": "ro", "no": "nb"}
#: Languages that CLD2 and others tell apart differently: Norwegian as a whole, and its two written forms.
SAME = {"nb": "no", "nn": "no"}
#: CLD2 refuses characters that are no text (https://github.com/CLD2Owners/cld2 calls them non-interchange).
NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


class Language(NamedTuple):
    """What a page is written in: an ISO 639-1 code, its percent of the page's text, and the bytes of that text."""

    code: str
    percent: int
    size: int

    @property
    def told(self) -> str:
        """What a person is told of it."""
        return f"{self.code} is {self.percent} % of {self.size:,} bytes of text"


def other_language(page: str, wanted: Collection[str], utf8: bytes = b"") -> Language | None:
    """Return the language that a page is surely written in, when it is none of ``wanted`` (ISO 639-1 codes); else None.

    Sure is what CLD2 calls reliable, on ``FEW_BYTES`` of text or more, with less than ``SOME_PERCENT`` in a wanted language.
    ``utf8`` is the page's bytes where they are UTF-8 already: encoding it once more takes a tenth of the gate's time.
    """
    try:
        reliable, size, found = _detect(page, utf8.removeprefix(codecs.BOM_UTF8))
    except pycld2.error:
        return None
    if not reliable or size < FEW_BYTES:
        return None
    languages = {_plain(language) for language in wanted}
    if any(percent >= SOME_PERCENT and _plain(code) in languages for _, code, percent, _ in found):
        return None
    return Language(_plain(found[0][1]), found[0][2], size)


def _detect(page: str, utf8: bytes) -> tuple[bool, int, tuple[tuple[str, str, int, float], ...]]:
    """Return CLD2's answer; few pages need its forbidden characters taken out, which costs more than the answer."""
    try:
        return pycld2.detect(utf8 or page.encode(), isPlainText=False)  # type: ignore[no-any-return]
    except (pycld2.error, UnicodeEncodeError):
        return pycld2.detect(NOT_TEXT.sub(" ", page).encode(), isPlainText=False)  # type: ignore[no-any-return]


def _plain(code: str) -> str:
    """Return a code without its script and in the form of today."""
    code = code.split("-")[0]
    code = RENAMED.get(code, code)
    return SAME.get(code, code)
