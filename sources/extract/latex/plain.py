"""LaTeX to text by pylatexenc, which expands no macros and stops at nothing: the fall-back where pandoc stops.

https://pylatexenc.readthedocs.io/
"""

from __future__ import annotations

import re
from typing import Any

from pylatexenc.latex2text import LatexNodes2Text, MacroTextSpec, get_default_latex_context_db
from pylatexenc.latexwalker import LatexWalkerError

from sources.extract.latex.macros import definitions, words
from sources.extract.latex.normalise import drop_environments
from sources.extract.latex.scan import after_groups, group_end
from sources.extract.latex.tree_text import GONE, tidy

#: Characters of TeX that pylatexenc is given, of which it makes a tree in memory.
MAX_CHARACTERS = 2 << 20

_BODY = re.compile(r"\\begin\s*\{document\}(.*?)(?:\\end\s*\{document\}|\Z)", re.DOTALL)
_TITLE = re.compile(r"\\title\s*(?:\[[^\]]*\])?\s*(?=\{)")
_BLANK = re.compile(r"\n\s*\n+")
_HEADINGS = ["part", "chapter", "section", "subsection", "subsubsection", "paragraph", "subparagraph"]
#: Commands that only point somewhere, and commands that hold no text.
_POINTERS = "cite citep citet citealp citealt citeauthor citeyear ref eqref pageref autoref cref Cref"
_NOTHING = "label title author date includegraphics bibliography bibliographystyle maketitle"
#: Commands of the title page, unknown to pylatexenc, which would leave their arguments as text.
_FRONT = re.compile(
    r"\\(?:affil|affiliation|address|email|thanks|institute|altaffiliation|pacs|preprint|keywords)\s*(?=[\[{])"
)
_TABLES = words("tabular tabular* tabularx longtable deluxetable deluxetable*")


def _heading(node: Any, l2tobj: LatexNodes2Text) -> str:
    """A heading on a line of its own; its title is the last of the macro's arguments. The parameters' names are the library's."""
    arguments = [argument for argument in node.nodeargd.argnlist if argument is not None] if node.nodeargd else []
    return f"\n\n{l2tobj.nodelist_to_text([arguments[-1]])}\n\n" if arguments else ""


def _converter() -> LatexNodes2Text:
    context = get_default_latex_context_db()
    macros = [MacroTextSpec(name, simplify_repl=_heading) for name in _HEADINGS]
    macros += [MacroTextSpec(name, simplify_repl="") for name in _NOTHING.split()]
    macros += [MacroTextSpec(name, simplify_repl=GONE) for name in _POINTERS.split()]
    context.add_context_category("pile", prepend=True, macros=macros)
    return LatexNodes2Text(latex_context=context, math_mode="verbatim", keep_comments=False)


def plain_text(tex: str) -> tuple[str, str]:
    """Return title and text; raises ``ValueError`` or ``RecursionError`` where pylatexenc cannot read it."""
    if len(tex) > MAX_CHARACTERS:
        raise ValueError(f"over {MAX_CHARACTERS} characters")
    converter = _converter()
    body = _BODY.search(tex)
    try:
        title = " ".join(converter.latex_to_text(_title(tex)).split())
        text = converter.latex_to_text(_only_text(body[1] if body else tex))
    except LatexWalkerError as error:
        raise ValueError(str(error)) from error
    paragraphs = [tidy(" ".join(part.split())) for part in _BLANK.split(text)]
    return title, "\n\n".join(part for part in [title, *paragraphs] if part)


def _only_text(tex: str) -> str:
    """Return ``tex`` without definitions, tables and the title page's commands."""
    out: list[str] = []
    position = 0
    for item in definitions(tex):
        out.append(tex[position : item.start])
        position = item.end
    tex = drop_environments("".join([*out, tex[position:]]), _TABLES)
    out, position = [], 0
    for match in _FRONT.finditer(tex):
        end = after_groups(tex, match.end())
        if match.start() >= position:
            out.append(tex[position : match.start()])
            position = end
    return "".join([*out, tex[position:]])


def _title(tex: str) -> str:
    match = _TITLE.search(tex)
    end = group_end(tex, match.end()) if match else -1
    return tex[match.end() + 1 : end - 1] if match and end > 0 else ""
