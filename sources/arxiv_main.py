"""Which file of an arXiv package is the paper: what its 00README says, else what looks most like one.

The order of the rules is fixed and no clock or order of arrival enters it, so the same package always gives the same file.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from sources.arxiv_package import Package, UnusablePackageError, candidates

#: Names that authors give to the main file, best first.
PREFERRED = ["main", "paper", "ms", "manuscript", "article", "arxiv", "root", "draft"]

_TOPLEVEL_LINE = re.compile(r"^\s*(\S+)\s+toplevelfile\s*$", re.MULTILINE | re.IGNORECASE)
_TOPLEVEL_KEYS = re.compile(
    r"[\"']?filename[\"']?\s*:\s*[\"']?([^\s\"',}]+)[\"']?[\s,-]*[\"']?usage[\"']?\s*:\s*[\"']?toplevel"
    r"|[\"']?usage[\"']?\s*:\s*[\"']?toplevel[\"']?[\s,-]*[\"']?filename[\"']?\s*:\s*[\"']?([^\s\"',}]+)",
    re.IGNORECASE,
)
_CLASS = re.compile(rb"^[^%\n]*\\document(?:class|style)(?![A-Za-z])\s*(?:\[[^\]]*\])?\s*\{?([^{}\s]*)", re.MULTILINE)
_BEGIN = re.compile(rb"^[^%\n]*\\begin\s*\{document\}", re.MULTILINE)
#: What a file in plain TeX or AmS-TeX has and its parts have not.
_PLAIN = re.compile(
    rb"^[^%\n]*(?:\\bye(?![A-Za-z])|\\end\s*$|\\magnification|\\input\s*\{?(?:amstex|amsppt|harvmac|phyzzx|jnl|lanlmac|eplain)"
    rb"|\\documentstyle|\\begin\s*\{document\})",
    re.MULTILINE,
)
_INPUT = re.compile(rb"^[^%\n]*\\(?:input|include|subfile)\s*\{?\s*([^\s{}\\]+)", re.MULTILINE)
#: Classes of files that are only parts.
_PART_CLASSES = frozenset([b"standalone", b"subfiles"])


def main_file(package: Package) -> str:
    """Return the name of the paper's main file; raises ``UnusablePackageError`` where the package has none."""
    names = candidates(package)
    for named in _named_by_readme(package):
        if named in names:
            return named
    ranked = [name for name in names if _CLASS.search(package.texts[name])]
    if not ranked:
        ranked = [name for name in names if _PLAIN.search(package.texts[name])]
    if not ranked and len(names) == 1:
        ranked = names
    if not ranked:
        raise UnusablePackageError("no_main_file", f"{len(names)} TeX files, none with \\documentclass")
    parts = _parts(package, ranked)
    return min(ranked, key=lambda name: _rank(package, name, parts))


def _named_by_readme(package: Package) -> Iterator[str]:
    for name, content in package.texts.items():
        if posixpath.basename(name).upper().startswith("00README"):
            text = content.decode("latin-1")
            yield from _TOPLEVEL_LINE.findall(text)
            yield from (first or second for first, second in _TOPLEVEL_KEYS.findall(text))


def _parts(package: Package, names: list[str]) -> set[str]:
    """Return the names that another of them inputs."""
    found = set()
    for name in names:
        for wanted in _INPUT.findall(package.texts[name]):
            path = posixpath.normpath(wanted.decode("latin-1"))
            found.update({path, f"{path}.tex"} - {name})
    return found


def _rank(package: Package, name: str, parts: set[str]) -> tuple[object, ...]:
    content = package.texts[name]
    stem = posixpath.splitext(posixpath.basename(name))[0].lower()
    declared = _CLASS.search(content)
    return (
        bool(declared and declared[1] in _PART_CLASSES),
        name in parts,
        name.count("/"),
        PREFERRED.index(stem) if stem in PREFERRED else len(PREFERRED),
        _BEGIN.search(content) is None,
        -len(content),
        name,
    )
