"""TeX rewritten into what pandoc reads without losing text: layout commands out, boxes opened, odd forms made plain.

pandoc takes the group after an unknown command for its argument and skips both, so ``\\noindent{\\bf Proof}`` would lose
"Proof": commands that only lay out are deleted here, commands that wrap text are unwrapped.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sources.extract.latex.macros import rewrite_definitions, words
from sources.extract.latex.scan import bracket_end, group_end, skip_space

#: Commands without arguments that only lay out, and ``\today``, which is no part of a text.
LAYOUT = words("""
    allowbreak bigbreak bigskip break centering clearpage cleardoublepage dotfill filbreak flushbottom frenchspacing
    goodbreak hfil hfill hss indent leavevmode linebreak listoffigures listoftables medbreak medskip newblock newpage
    noindent nolinebreak nopagebreak normalfont normalsize onecolumn pagebreak protect raggedbottom raggedright relax
    samepage scriptsize sloppy smallbreak smallskip strut tableofcontents tiny today twocolumn unskip vfil vfill vss
""")
#: Commands that are deleted with this many arguments (and any optional ones); what follows them stays.
_DELETED_WITH = {
    0: "fbox framebox makebox uwave added shadowbox doublebox ovalbox dropcap lettrine IEEEPARstart yinipar",
    1: """raisebox scalebox rotatebox foreignlanguage adjustbox vspace hspace pagestyle thispagestyle pagenumbering index
        marginpar todo includegraphics plotone epsfig epsfbox psfig markright pageref nocite bibliographystyle deleted
        selectlanguage linespread enlargethispage""",
    2: "resizebox fcolorbox setlength addtolength setcounter addtocounter markboth settowidth fontsize",
    3: "addcontentsline",
}
ARGUMENTS = {name: count for count, names in _DELETED_WITH.items() for name in names.split()}
#: Those of them whose first argument is the first letter of a word.
DROP_CAPITALS = words("dropcap lettrine IEEEPARstart yinipar")
#: Environments left out whole: drawings, lists of references, key words, and pseudo-code, which without its lay-out is no
#: more than scattered words.
DROPPED_ENVIRONMENTS = words("""
    tikzpicture pspicture pspicture* picture pgfpicture overpic feynman fmffile asy thebibliography references
    algorithm algorithm* algorithm2e algorithm2e* algorithmic keyword keywords IEEEkeywords
""")
#: Longest argument that is deleted or unwrapped, in characters.
MAX_ARGUMENT = 200_000

_COMMAND = re.compile(r"\\([A-Za-z]+)(?![A-Za-z@])(\*?)")
_GLUE = re.compile(
    r"\\[vh]skip\s*-?(?:[\d.]+\s*(?:pt|em|ex|cm|mm|in|pc|bp|sp|mu|true\s*\w\w)|[\d.]*\s*\\[A-Za-z]+)"
    r"(?:\s*(?:plus|minus)\s*-?[\d.]+\s*(?:pt|em|ex|cm|mm|in|fil+))*"
)
_ENVIRONMENT = re.compile(r"\\(begin|end)\s*\{([A-Za-z]+\*?)\}")
_IEEE = re.compile(r"\\begin\s*\{IEEEeqnarray(\*?)\}\s*(?:\[[^\]]{0,200}\])?\s*\{[^{}]{0,200}\}")
_HREF_OPTIONS = re.compile(r"\\href\s*\[[^\]]{0,200}\]")
_EMPTY_BOX = re.compile(r"\\mbox\s*\{\s*\}")
_LETTER = re.compile(r"\s*\{\s*([^{}\s]+)\s*\}\s*(?=\{|[^\W\d_])")
_TWO_COLUMN = re.compile(r"\\twocolumn\s*(?=\[)")
_ABSTRACT = re.compile(r"\\abstract\s*(?=\{)")


def normalise(text: str) -> str:
    """Return ``text`` (clean: no comments, verbatim aside) in forms that pandoc reads."""
    text = rewrite_definitions(text, LAYOUT | ARGUMENTS.keys())
    text = drop_environments(text, DROPPED_ENVIRONMENTS)
    text = _IEEE.sub(r"\\begin{eqnarray\1}", text).replace(r"\end{IEEEeqnarray", r"\end{eqnarray")
    text = _open(text, _TWO_COLUMN, bracket_end, "", "")
    text = _open(text, _ABSTRACT, group_end, "\\begin{abstract}", "\\end{abstract}")
    text = _HREF_OPTIONS.sub(r"\\href", _GLUE.sub(" ", text))
    return _EMPTY_BOX.sub("", unwrap(text, frozenset()))


def _open(text: str, pattern: re.Pattern[str], end_of: Callable[[str, int, int], int], before: str, after: str) -> str:
    """Replace the first such command and its one delimited argument by the argument's content."""
    match = pattern.search(text)
    if match is None:
        return text
    end = end_of(text, match.end(), MAX_ARGUMENT)
    if end < 0:
        return text
    return f"{text[: match.start()]}\n{before}{text[match.end() + 1 : end - 1]}{after}\n{text[end:]}"


def unwrap(text: str, names: frozenset[str]) -> str:
    """Return ``text`` without layout commands, and without the commands ``names``, whose arguments stay as text."""
    out: list[str] = []
    position = 0
    while match := _COMMAND.search(text, position):
        name = match[1]
        end = match.end()
        if name in LAYOUT:
            end = match.end(1)
        elif name in ARGUMENTS or name in names:
            end = _after_arguments(text, end, ARGUMENTS.get(name, 0))
        else:
            out.append(text[position:end])
            position = end
            continue
        out += [text[position : match.start()], " "]
        if name in DROP_CAPITALS:  # {P}{lague} or {P}lague is one word
            letter = _LETTER.match(text, end)
            out.append(letter[1] if letter else "")
            end = letter.end() if letter else end
        position = end
    return "".join([*out, text[position:]])


def _after_arguments(text: str, position: int, count: int) -> int:
    """Return the position after ``count`` mandatory arguments and the optional ones before, between and behind them."""
    while True:
        start = skip_space(text, position)
        if text.startswith("[", start):
            end = bracket_end(text, start, MAX_ARGUMENT)
        elif count and text.startswith("{", start):
            end = group_end(text, start, MAX_ARGUMENT)
            count -= 1
        elif count and text.startswith("\\", start) and (match := _COMMAND.match(text, start)):
            end = match.end()
            count -= 1
        else:
            return position
        if end < 0:
            return position
        position = end


def drop_environments(text: str, names: frozenset[str]) -> str:
    """Return ``text`` without the environments called ``names``, with what is nested in them."""
    out: list[str] = []
    position = depth = 0
    inside = ""
    for match in _ENVIRONMENT.finditer(text):
        if depth == 0:
            if match[1] == "begin" and match[2] in names:
                out.append(text[position : match.start()])
                position, depth, inside = match.start(), 1, match[2]
        elif match[2] == inside:
            depth += 1 if match[1] == "begin" else -1
            position = match.end() if depth == 0 else position
    return "".join([*out, text[position:]])


def balance_environments(text: str) -> str:
    """Return ``text`` with an ``\\end`` for every ``\\begin`` and none besides: put in where an outer one ends."""
    out: list[str] = []
    open_names: list[str] = []
    position = 0
    for match in _ENVIRONMENT.finditer(text):
        name = match[2]
        if match[1] == "begin":
            open_names.append(name)
        elif name in open_names:
            out.append(text[position : match.start()])
            position = match.start()
            while (inner := open_names.pop()) != name:
                out.append(f"\\end{{{inner}}}")
        else:
            out.append(text[position : match.start()])
            position = match.end()
    out.append(text[position:])
    return "".join([*out, *(f"\n\\end{{{name}}}" for name in reversed(open_names))])
