"""One TeX text from the files of a package: ``\\input`` and its relatives followed, comments gone, verbatim kept apart.

pandoc reads no files in its sandbox, so this happens before it; nothing outside the package is ever opened.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from sources.extract.latex.macros import harvest
from sources.extract.latex.scan import Stash, clean

#: How deep inputs may nest. TeX's own stack allows 15 open files (``max_in_open`` in texmf.cnf).
MAX_DEPTH = 15
#: Characters of the flattened text. The longest theses on arXiv are about 3 million characters.
MAX_CHARACTERS = 16 << 20

_INCLUDE = re.compile(
    r"\\(?P<two>(?:sub)?(?:import|inputfrom|includefrom))\*?\s*\{(?P<folder>[^{}]*)\}\s*\{(?P<file>[^{}]*)\}"
    r"|\\(?P<one>input|include|subfile|subfileinclude|@input|InputIfFileExists)\s*\{(?P<name>[^{}]*)\}"
    r"|\\input\s+(?P<bare>[^\s{}\\,]+)"
    r"|\\(?:usepackage|RequirePackage)\s*(?:\[[^\]]{0,2000}\])?\s*\{(?P<packages>[^{}]*)\}"
)
_CLASS = re.compile(r"\\document(?:class|style)(?![A-Za-z])")
_BODY = re.compile(r"\\begin\s*\{document\}(.*?)(?:\\end\s*\{document\}|\Z)", re.DOTALL)


class TexTooLargeError(ValueError):
    """The files input each other to more than ``MAX_CHARACTERS``."""


class Flat(NamedTuple):
    """A package as one text."""

    text: str  #: without comments, verbatim pieces put aside
    stash: Stash  #: those pieces
    missing: list[str]  #: names that were input and are not in the package, or input themselves, in order


def flatten(main: str, names: Mapping[str, str] | set[str], read: Callable[[str], str]) -> Flat:
    """Return the text of ``main`` with every file that it inputs in its place; raises ``TexTooLargeError``.

    ``names`` are the package's files, ``read`` gives the text of one. A file that inputs itself, directly or not, is
    left out at that place and counted among the missing, as is what nests deeper than ``MAX_DEPTH``.
    """
    flattener = _Flattener(names, read)
    text = flattener.expand(main, ())
    return Flat(text, flattener.stash, flattener.missing)


class _Flattener:
    def __init__(self, names: Mapping[str, str] | set[str], read: Callable[[str], str]) -> None:
        self.names = names
        self.read = read
        self.stash = Stash()
        self.missing: list[str] = []
        self.characters = 0

    def expand(self, name: str, inside: tuple[str, ...]) -> str:
        source = self.read(name)
        self.characters += len(source)
        if self.characters > MAX_CHARACTERS:
            raise TexTooLargeError(f"over {MAX_CHARACTERS} characters at {name!r}")
        text = clean(source, self.stash)
        if inside and _CLASS.search(text) and (body := _BODY.search(text)):
            text = body[1]
        active = (*inside, name)
        return _INCLUDE.sub(lambda match: self._replace(match, active), text)

    def _replace(self, match: re.Match[str], active: tuple[str, ...]) -> str:
        if match["packages"] is not None:
            return match[0] + self._own_packages(match["packages"], active)
        folders = ["", posixpath.dirname(active[0]), posixpath.dirname(active[-1])]
        if match["two"]:
            folders = [posixpath.join(folder, match["folder"].strip()) for folder in folders]
        wanted = (match["file"] or match["name"] or match["bare"] or "").strip().strip('"')
        if not wanted or wanted.endswith(".bbl"):
            return ""
        found = self._find(wanted, folders)
        if found is None or found in active or len(active) > MAX_DEPTH:
            if wanted not in self.missing:
                self.missing.append(wanted)
            return ""
        text = self.expand(found, active)
        return f"\n\n{text}\n\n" if match["one"] == "include" else _ended(text)

    def _find(self, wanted: str, folders: list[str], suffixes: tuple[str, ...] = (".tex", "")) -> str | None:
        for folder in folders:
            for suffix in suffixes:
                path = posixpath.normpath(posixpath.join(folder, wanted + suffix))
                if path in self.names:
                    return path
        return None

    def _own_packages(self, packages: str, active: tuple[str, ...]) -> str:
        """Macros of the package's own style files: maths that uses them means nothing without."""
        definitions = []
        for package in packages.split(","):
            found = self._find(package.strip(), ["", posixpath.dirname(active[0])], (".sty",))
            if found is not None:
                source = self.read(found)
                self.characters += len(source)
                definitions.append(harvest(clean(source, Stash())))
        return "\n".join(["", *definitions, ""]) if any(definitions) else ""


def _ended(text: str) -> str:
    """TeX reads an end of line at the end of each file as a space; written as one here, it makes no blank line."""
    if text.endswith("\n\n"):
        return text
    return text.removesuffix("\n") + " "
