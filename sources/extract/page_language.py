"""The language that a page is written in, read off its raw markup: a gate before extraction, for pages where it is sure.

It costs a millisecond a page, extraction ten and more; what it is unsure of goes on to be judged by its text.
"""

from __future__ import annotations

import re
from collections.abc import Collection

import pycld2

#: Bytes of text, as CLD2 counts them, below which nothing is sure.
FEW_BYTES = 200
#: Percent of a page's text in a wanted language from which on the page goes on: main text may be the smaller part of a page.
SOME_PERCENT = 10
#: Codes of CLD2's that have another today.
RENAMED = {"iw": "he", "in": "id", "jw": "jv", "mo": "ro", "no": "nb"}
#: Languages that CLD2 and others tell apart differently: Norwegian as a whole, and its two written forms.
SAME = {"nb": "no", "nn": "no"}
#: CLD2 refuses characters that are no text (https://github.com/CLD2Owners/cld2 calls them non-interchange).
NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def other_language(page: str, wanted: Collection[str]) -> str:
    """Return the ISO 639-1 code of the language that a page is surely written in, when it is none of ``wanted``; else "".

    Sure is what CLD2 calls reliable, on ``FEW_BYTES`` of text or more, with less than ``SOME_PERCENT`` in a wanted language.
    """
    try:
        reliable, size, found = _detect(page)
    except pycld2.error:
        return ""
    if not reliable or size < FEW_BYTES:
        return ""
    languages = {_plain(language) for language in wanted}
    if any(percent >= SOME_PERCENT and _plain(code) in languages for _, code, percent, _ in found):
        return ""
    return _plain(found[0][1])


def _detect(page: str) -> tuple[bool, int, tuple[tuple[str, str, int, float], ...]]:
    """Return CLD2's answer; few pages need its forbidden characters taken out, which costs more than the answer."""
    try:
        return pycld2.detect(page.encode(), isPlainText=False)  # type: ignore[no-any-return]
    except (pycld2.error, UnicodeEncodeError):
        return pycld2.detect(NOT_TEXT.sub(" ", page).encode(), isPlainText=False)  # type: ignore[no-any-return]


def _plain(code: str) -> str:
    """Return a code without its script and in the form of today."""
    code = code.split("-")[0]
    code = RENAMED.get(code, code)
    return SAME.get(code, code)
