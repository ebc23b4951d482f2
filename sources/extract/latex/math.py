"""Maths as TeX that stands for itself: ``$...$`` in a line, ``$$...$$`` on lines of its own, without labels.

Numbered environments become their inner forms (amsmath user's guide, section 3.7 "Alignment building blocks"), which TeX
and KaTeX read within ``$$``.
"""

from __future__ import annotations

import re

#: Environments that say no more than "display this".
_PLAIN = "equation|displaymath|math|dmath|subequations|linenomath"
#: Environments of rows, and the building block of the same layout.
_INNER = {
    **dict.fromkeys(["align", "flalign", "eqnarray"], "aligned"),
    **dict.fromkeys(["gather", "multline", "dgroup"], "gathered"),
}

_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%[^\n]*")
_LABEL = re.compile(r"\\(?:label|cite[a-z]*\*?(?:\[[^\]]*\])*|tag\*?)\s*\{[^{}]*\}|\\eqno\s*(?:\([^()]*\)|\{[^{}]*\})")
_UNNUMBERED = re.compile(r"\\(?:nonumber|notag)(?![A-Za-z])")
_EMPTY_SCRIPT = re.compile(r"[\^_]\s*\{[\s,]*\}")
_WRAPPED = re.compile(rf"\\(?:begin|end)\{{(?:{_PLAIN})\*?\}}")
_ROWS = re.compile(r"\\(begin|end)\{(align|flalign|gather|multline|dgroup|eqnarray)\*?\}")
_AT = re.compile(r"\\begin\{x*alignat\*?\}\s*(\{[^{}]*\})")
_AT_END = re.compile(r"\\end\{x*alignat\*?\}")
_EQNARRAY = re.compile(r"\\begin\{eqnarray\*?\}(.*?)\\end\{eqnarray\*?\}", re.DOTALL)
_RELATION = re.compile(r"&([^&\\]{1,20}|\s*\\[A-Za-z]+\s*)&")
_INNER_GROUP = r"\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}"
_IF_VALUE = re.compile(rf"\\If((?:No)?Value(?:TF|T|F))\s*{_INNER_GROUP}\s*{_INNER_GROUP}(?:\s*{_INNER_GROUP})?")
_LINES = re.compile(r"\s*\n\s*")


def _chosen(match: re.Match[str]) -> str:
    """Decide xparse's question whether an optional argument was given: it is empty where it was not."""
    kind, given, then, otherwise = match.groups()
    if kind.startswith("No"):
        given = not given.strip()
    branches = {"T": (then, ""), "F": ("", then), "TF": (then, otherwise or "")}[
        kind[-2:] if kind.endswith("TF") else kind[-1]
    ]
    return branches[0] if given else branches[1]


def _bare(tex: str) -> str:
    tex = _IF_VALUE.sub(_chosen, tex.replace("\\ensuremath", ""))
    tex = _COMMENT.sub(r"\1", tex)
    tex = _LABEL.sub("", tex)
    tex = _UNNUMBERED.sub("", tex)
    return _EMPTY_SCRIPT.sub("", tex)


def inline(tex: str) -> str:
    """Return inline maths as ``$tex$`` on one line, "" where nothing is left of it."""
    text = " ".join(_bare(tex).split())
    return f"${text}$" if text else ""


def display(tex: str) -> str:
    """Return display maths as ``$$tex$$``, rows on lines of their own, "" where nothing is left of it."""
    text = _bare(tex)
    text = _WRAPPED.sub("", text)
    text = _EQNARRAY.sub(lambda match: match[0].replace(match[1], _RELATION.sub(r"&\1", match[1])), text)
    text = _ROWS.sub(lambda match: f"\\{match[1]}{{{_INNER[match[2]]}}}", text)
    text = _AT_END.sub(r"\\end{alignedat}", _AT.sub(r"\\begin{alignedat}\1", text))
    text = _LINES.sub("\n", text.strip())
    return f"$${text}$$" if text else ""
