"""Macro definitions in TeX text: where they stand, which to keep, which to rewrite in the one form that pandoc reads.

pandoc expands ``\\newcommand`` and ``\\def``; it knows nothing of xparse's ``\\NewDocumentCommand``, and a paper that
redefines ``\\section`` or ``\\cite`` hides a command that pandoc reads well from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from sources.extract.latex.scan import bracket_end, group_end, skip_space


def words(listed: str) -> frozenset[str]:
    """Return a table of names written as plain words."""
    return frozenset(listed.split())


#: Commands with a meaning of their own to pandoc: a paper's redefinition changes their looks only, and is left out.
PROTECTED = words("""
    abstract appendix author begin bf bibitem bibliography caption chapter cite citep citet citealp citealt
    citeauthor citeyear date document em emph end footnote include includegraphics input it item itshape label
    maketitle newcommand paragraph part ref section subparagraph subsection subsubsection textbf textit textrm
    textsc texttt thanks title tt url usepackage verb
""")
#: Longest definition that is looked at, in characters; a longer one is a program, not a macro.
MAX_DEFINITION = 20_000

_DEFINITION = re.compile(
    r"\\(?P<kind>(?:re)?newcommand|providecommand|DeclareRobustCommand|(?:New|Renew|Provide|Declare)DocumentCommand"
    r"|DeclareMathOperator|[gex]?def)(?![A-Za-z@])\s*\*?\s*(?:\{\s*\\(?P<braced>[A-Za-z@]+|.)\s*\}|\\(?P<bare>[A-Za-z@]+|.))"
    r"|\\let\s*\\(?P<let>[A-Za-z@]+)\s*=?\s*(?:\\(?P<target>[A-Za-z@]+)|\\?.)",
    re.DOTALL,
)
_PARAMETERS = re.compile(r"[^{}\n]*")


class Definition(NamedTuple):
    """One definition: ``text[start:end]`` defines ``\\name``; ``parameters`` stands between the name and the body."""

    kind: str
    name: str
    start: int
    end: int
    parameters: str
    body: str


def definitions(text: str) -> Iterator[Definition]:
    """Yield the definitions in ``text`` in order; one within another's body is not given by itself."""
    position = 0
    while match := _DEFINITION.search(text, position):
        position = match.end()
        if match["let"]:
            yield Definition("let", match["let"], match.start(), match.end(), "", match["target"] or "")
            continue
        name = match["braced"] or match["bare"]
        body = _body_start(text, match["kind"], match.end())
        end = group_end(text, body, MAX_DEFINITION) if text.startswith("{", body) else -1
        if end > 0:
            parameters = text[match.end() : body].strip()
            yield Definition(match["kind"], name, match.start(), end, parameters, text[body:end])
            position = end


def _body_start(text: str, kind: str, position: int) -> int:
    """Return where the body's ``{`` should be."""
    if kind.endswith("def"):
        match = _PARAMETERS.match(text, position)
        return match.end() if match else position
    position = skip_space(text, position)
    if kind.endswith("DocumentCommand"):
        end = group_end(text, position, MAX_DEFINITION) if text.startswith("{", position) else -1
        return skip_space(text, end) if end > 0 else position
    while text.startswith("[", position):
        end = bracket_end(text, position, MAX_DEFINITION)
        if end < 0:
            break
        position = skip_space(text, end)
    return position


def harvest(text: str) -> str:
    """Return the plain macro definitions of a style file, one to a line: no internals, nothing that pandoc knows itself."""
    kept = [
        text[item.start : item.end]
        for item in definitions(text)
        if item.kind in {"newcommand", "providecommand", "DeclareMathOperator", "def", "DeclareRobustCommand"}
        and item.name.isalpha()
        and item.name not in PROTECTED
        and "@" not in item.body
    ]
    return "\n".join(kept)


def rewrite_definitions(text: str, handled: frozenset[str]) -> str:
    """Return ``text`` with xparse definitions as ``\\newcommand`` and without redefinitions of ``PROTECTED`` commands.

    ``handled`` names commands that the caller will delete from the text: their definitions and synonyms go too.
    """
    out: list[str] = []
    position = 0
    for item in definitions(text):
        if item.name in PROTECTED or item.name in handled or (item.kind == "let" and item.body in handled):
            replacement = ""
        elif item.kind.endswith("DocumentCommand"):
            replacement = _newcommand(item)
        else:
            continue
        out += [text[position : item.start], replacement]
        position = item.end
    return "".join([*out, text[position:]])


def _newcommand(item: Definition) -> str:
    """Return an xparse definition in LaTeX's form, or "" where its arguments have no such form."""
    arguments = re.findall(r"[A-Za-z+!>](?:\{[^{}]*\})?", item.parameters[1:-1])
    kinds = [argument for argument in arguments if argument not in {"+", "!"}]
    default = ""
    if kinds and kinds[0][0] in "oO":
        default = f"[{kinds[0][2:-1]}]"
        kinds = ["m", *kinds[1:]]
    if any(kind != "m" for kind in kinds):
        return ""
    count = f"[{len(kinds)}]" if kinds else ""
    return f"\\newcommand{{\\{item.name}}}{count}{default}{item.body}"


def drop_definitions(text: str, name: str) -> str:
    """Return ``text`` without any definition of ``\\name``."""
    out: list[str] = []
    position = 0
    for item in definitions(text):
        if item.name == name:
            out.append(text[position : item.start])
            position = item.end
    return "".join([*out, text[position:]])
