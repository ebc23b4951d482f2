"""Numbers of a paper's displayed equations, counted as LaTeX counts them, so that "Eq. (3)" keeps its number."""

from __future__ import annotations

import re
from typing import Any

#: Environments that have a number for each row, and those that have one.
_ROWS = frozenset(["align", "eqnarray", "gather", "flalign", "alignat", "dgroup"])
_ONE = frozenset(["equation", "multline", "dmath"])

_BEGIN = re.compile(r"\s*\\begin\{([A-Za-z]+\*?)\}")
_TOKEN = re.compile(
    r"\\(begin|end)\{[^{}]*\}|(\\\\)|\\(nonumber|notag|tag)(?![A-Za-z])|\\label\s*\{([^{}]*)\}|\\.|[{}]", re.DOTALL
)
#: Where a paper numbers in another way, its numbers are not known.
OTHER_NUMBERS = re.compile(r"\\numberwithin\s*\{equation\}|\\theequation|\\begin\s*\{subequations\}|\{equation\}\s*\[")


def numbers(tree: Any) -> dict[str, int]:
    """Return the number of each labelled equation in pandoc's document tree."""
    found: dict[str, int] = {}
    count = 0
    for tex in _displayed(tree):
        for labels in _numbered_rows(tex):
            count += 1
            found.update(dict.fromkeys(labels, count))
    return found


def _displayed(tree: Any) -> list[str]:
    """Return the TeX of all displayed maths in order, without recursion: trees are deep."""
    found: list[str] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(reversed(node))
        elif isinstance(node, dict):
            if node.get("t") == "Math" and node["c"][0]["t"] == "DisplayMath":
                found.append(node["c"][1])
            else:
                waiting.extend(reversed(list(node.values())))
    return found


def _numbered_rows(tex: str) -> list[list[str]]:
    """Return the labels of each numbered row."""
    begin = _BEGIN.match(tex)
    if begin is None or begin[1] not in _ROWS | _ONE:
        return []
    rows: list[list[str]] = [[]]
    silent = [False]
    depth = 0
    for match in _TOKEN.finditer(tex, begin.end()):
        if match[0] in {"{", "}"} or match[1]:
            depth += 1 if match[0] == "{" or match[1] == "begin" else -1
        elif match[2] and depth == 0 and begin[1] in _ROWS:
            rows.append([])
            silent.append(False)
        elif match[3]:
            silent[-1] = True
        elif match[4] is not None:
            rows[-1].append(match[4])
    numbered: list[list[str]] = []
    waiting: list[str] = []
    for labels, is_silent in zip(rows, silent, strict=True):
        waiting += labels  # a label in a row without a number means the next row that has one
        if not is_silent:
            numbered.append(waiting)
            waiting = []
    return numbered
