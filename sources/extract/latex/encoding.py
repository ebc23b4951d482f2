"""Bytes of a TeX file to characters: UTF-8 where it is that, else what the paper declares, else cp1252 or latin-1."""

from __future__ import annotations

import codecs
import re

_DECLARED = re.compile(rb"^[^%\n]*\\usepackage\s*\[\s*([A-Za-z0-9-]+)\s*\]\s*\{inputenc\}", re.MULTILINE)

#: inputenc's names (https://ctan.org/pkg/inputenc) for which Python has another.
_PYTHON_NAMES = {
    "ansinew": "cp1252",
    "applemac": "mac_roman",
    "macce": "mac_latin2",
    "cp437de": "cp437",
    "latin9": "iso8859_15",
    "latin10": "iso8859_16",
    "koi8-r": "koi8_r",
    "koi8-u": "koi8_u",
    "utf8x": "utf_8",
}


def declared_encoding(content: bytes) -> str | None:
    """Return Python's name of the encoding that a file declares by inputenc, None where it declares none that is known."""
    match = _DECLARED.search(content)
    if match is None:
        return None
    name = match[1].decode("ascii").lower()
    try:
        return codecs.lookup(_PYTHON_NAMES.get(name, name)).name
    except LookupError:
        return None


def decode(content: bytes, declared: str | None) -> tuple[str, str]:
    """Return the text, with ``\\n`` for every line end and without byte-order mark and NUL, and the encoding that read it."""
    for encoding in ("utf-8", declared, "cp1252"):
        if encoding is not None:
            try:
                return _plain(content.decode(encoding)), encoding
            except UnicodeDecodeError:
                continue
    return _plain(content.decode("latin-1")), "latin-1"


def _plain(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
