"""Author and year of the works that a paper cites by name, from its own list of references.

Where a sentence leans on ``\\citet{key}``, dropping it would leave "as shown by": the label that natbib put in the
``.bbl``, or the ``.bib`` entry, has the words that the paper shows there.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from pylatexenc.latex2text import LatexNodes2Text
from pylatexenc.latexwalker import LatexWalkerError

from sources.extract.latex.scan import bracket_end, group_end, skip_space

#: Characters of one label or field that are looked at; a list of authors may have thousands of names.
MAX_FIELD = 50_000

_ITEM = re.compile(r"\\bibitem\s*(?=\[)")
_KEY = re.compile(r"\s*\{([^{}]*)\}")
_YEAR = re.compile(r"\(\s*(\d{4}[a-z]?)")
_GROUPS = re.compile(r"\{([^{}]*)\}")
_ENTRY = re.compile(r"^[ \t]*@[A-Za-z]+\s*\{\s*([^\s,{}]+)\s*,", re.MULTILINE)
_QUOTED = re.compile(r"\"((?:[^\"{}]|\{[^{}]*\})*)\"")
_BIB_YEAR = re.compile(r"\b(?:year|date)\s*=\s*[{\"]?\s*(\d{4})", re.IGNORECASE)
_BIB_AUTHOR = re.compile(r"\bauthor\s*=\s*", re.IGNORECASE)
_AND = re.compile(r"\s+and\s+")


class Work(NamedTuple):
    """How a sentence names a cited work."""

    author: str  #: "Smith", "Smith and Jones" or "Smith et al.", as TeX
    year: str


class Bibliography:
    """The works that a package's ``.bbl`` and ``.bib`` files name, looked up by key."""

    def __init__(self, references: str = "", database: str = "") -> None:
        self._works = {**_from_bib(database), **_from_bbl(references)}

    def work(self, key: str) -> Work | None:
        """Return the work's author and year as text, None where the files do not say."""
        found = self._works.get(key)
        if found is None:
            return None
        try:
            author = LatexNodes2Text().latex_to_text(found.author)
        except (LatexWalkerError, RecursionError):
            return None
        author = " ".join(author.split()).strip(" ,")
        return Work(author, found.year) if author else None


def _from_bbl(text: str) -> dict[str, Work]:
    works: dict[str, Work] = {}
    for match in _ITEM.finditer(text):
        end = bracket_end(text, match.end(), MAX_FIELD)
        key = _KEY.match(text, end) if end > 0 else None
        if key is None:
            continue
        label = text[match.end() + 1 : end - 1]
        if "citeauthoryear" in label or "astroncite" in label:
            groups = _GROUPS.findall(label)
            if len(groups) >= 2:
                works[key[1].strip()] = Work(groups[-2], groups[-1])
        elif year := _YEAR.search(label):
            works[key[1].strip()] = Work(label[: year.start()].replace("{", "").replace("}", ""), year[1])
    return works


def _from_bib(text: str) -> dict[str, Work]:
    works: dict[str, Work] = {}
    entries = list(_ENTRY.finditer(text))
    for number, entry in enumerate(entries, start=1):
        end = entries[number].start() if number < len(entries) else len(text)
        author, year = _BIB_AUTHOR.search(text, entry.end(), end), _BIB_YEAR.search(text, entry.end(), end)
        if author and year:
            names = _field(text, author.end())
            if names:
                works[entry[1]] = Work(_short(names), year[1])
    return works


def _field(text: str, position: int) -> str:
    start = skip_space(text, position)
    if text.startswith("{", start):
        end = group_end(text, start, MAX_FIELD)
        return text[start + 1 : end - 1] if end > 0 else ""
    quoted = _QUOTED.match(text, start)
    return quoted[1] if quoted else ""


def _short(names: str) -> str:
    """Return BibTeX's list of authors as natbib shortens it."""
    authors = [_family(name.strip()) for name in _AND.split(names.strip())]
    if len(authors) == 1:
        return authors[0]
    return f"{authors[0]} and {authors[1]}" if len(authors) == 2 and authors[1] != "others" else f"{authors[0]} et al."


def _family(name: str) -> str:
    if name.startswith("{") and name.endswith("}"):
        return name
    return name.split(",", 1)[0] if "," in name else name.rsplit(None, 1)[-1] if name else ""
