"""Reading TeX as characters: comments, verbatim text and balanced groups, without running any macro.

Everything here is one pass over the text, so the work is bounded by its size.
"""

from __future__ import annotations

import re

#: Environments whose body TeX does not read as TeX: LaTeX's own and those of fancyvrb, listings and minted.
VERBATIM_ENVIRONMENTS = frozenset(
    ["verbatim", "verbatim*", "Verbatim", "Verbatim*", "BVerbatim", "LVerbatim", "alltt", "lstlisting", "minted"]
)
#: Verbatim environments that print nothing, or whose body is not the paper's text.
HIDDEN_ENVIRONMENTS = frozenset(["comment", "filecontents", "filecontents*", "CCSXML"])

#: A verbatim piece is put aside as ``OPEN number CLOSE``: private-use characters, which clean text never holds.
OPEN, CLOSE = "\ue000", "\ue001"
_PLACEHOLDER = re.compile(f"{OPEN}([0-9]+){CLOSE}")
_PRIVATE = re.compile(f"[{OPEN}{CLOSE}]")

_TOKEN = re.compile(
    r"\\begin\s*\{(?P<environment>[A-Za-z]+\*?)\}"
    r"|\\(?P<verb>verb\*?|lstinline(?:\[[^\]\n]*\])?)(?P<delimiter>[^A-Za-z\s{*])"
    r"|(?P<endinput>\\endinput(?![A-Za-z@]))"
    r"|\\(?:[A-Za-z@]+|.)"
    r"|(?P<comment>%)",
    re.DOTALL,
)
_OWN_VERBATIM = re.compile(r"\\(?:lstnewenvironment|DefineVerbatimEnvironment)\s*\{([A-Za-z]+\*?)\}")
_MINTED = re.compile(r"\\newminted(?:\[([A-Za-z]+)\])?\s*\{([A-Za-z]+)\}")


class Stash:
    """Verbatim pieces put aside while the text around them is rewritten, and the names that begin such pieces."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.own_environments: set[str] = set()

    def declare(self, text: str) -> None:
        """Remember the verbatim environments that ``text`` defines for itself."""
        self.own_environments.update(_OWN_VERBATIM.findall(text))
        self.own_environments.update(own or f"{language}code" for own, language in _MINTED.findall(text))

    def put(self, piece: str) -> str:
        """Put ``piece`` aside and return what stands for it."""
        self.pieces.append(piece)
        return f"{OPEN}{len(self.pieces) - 1}{CLOSE}"

    def line_before(self, text: str, line: int) -> int:
        """Return the line of ``text`` (from 1) that became ``line`` of ``restore(text)``."""
        restored = 0
        for number, content in enumerate(text.split("\n"), start=1):
            restored += 1 + sum(self.pieces[int(match[1])].count("\n") for match in _PLACEHOLDER.finditer(content))
            if restored >= line:
                return number
        return line

    def restore(self, text: str) -> str:
        """Return ``text`` with every piece back in its place."""
        return _PLACEHOLDER.sub(lambda match: self.pieces[int(match[1])], text)


def clean(text: str, stash: Stash) -> str:
    """Return ``text`` up to its ``\\endinput`` without comments, its verbatim pieces put aside in ``stash``."""
    text = _PRIVATE.sub("", text)
    stash.declare(text)
    unclosed: set[str] = set()
    out: list[str] = []
    position = 0
    while match := _TOKEN.search(text, position):
        out.append(text[position : match.start()])
        if match["endinput"]:
            return "".join(out)
        if match["comment"]:
            replacement, position = _comment(text, match.start(), out)
        elif match["environment"]:
            replacement, position = _environment(text, match, stash, unclosed)
        elif match["verb"]:
            replacement, position = _verb(text, match, stash)
        else:
            replacement, position = match[0], match.end()
        out.append(replacement)
    out.append(text[position:])
    return "".join(out)


def _comment(text: str, start: int, out: list[str]) -> tuple[str, int]:
    """A comment takes the line's end and the next line's indent with it, but a blank line still ends the paragraph."""
    end = text.find("\n", start)
    if end < 0:
        return "", len(text)
    before = next((piece for piece in reversed(out) if piece.strip(" \t")), "\n")
    if before.rstrip(" \t").endswith("\n"):
        return "", end + 1  # the comment has the line to itself
    following = end + 1
    while following < len(text) and text[following] in " \t":
        following += 1
    if text.startswith("\n", following):
        return "\n", following
    control_word = before.startswith("\\") and before[-1].isalpha()
    return (" " if control_word else ""), following


def _environment(text: str, match: re.Match[str], stash: Stash, unclosed: set[str]) -> tuple[str, int]:
    name = match["environment"]
    own = name in stash.own_environments
    if name in unclosed or not (own or name in VERBATIM_ENVIRONMENTS or name in HIDDEN_ENVIRONMENTS):
        return match[0], match.end()
    closing = f"\\end{{{name}}}"
    end = text.find(closing, match.end())
    if end < 0:
        unclosed.add(name)
        return match[0], match.end()
    after = end + len(closing)
    if name in HIDDEN_ENVIRONMENTS:
        return "", after
    if own:
        body = re.sub(r"\A[ \t]*\[[^\]]*\]", "", text[match.end() : end])
        return stash.put(f"\\begin{{verbatim}}{body}\\end{{verbatim}}"), after
    return stash.put(text[match.start() : after]), after


def _verb(text: str, match: re.Match[str], stash: Stash) -> tuple[str, int]:
    line_end = text.find("\n", match.end())
    end = text.find(match["delimiter"], match.end(), len(text) if line_end < 0 else line_end)
    if end < 0:
        return match[0], match.end()
    return stash.put(text[match.start() : end + 1]), end + 1


#: Longest run of arguments that is looked at, in characters.
MAX_GROUPS = 5_000

_GROUP_TOKEN = re.compile(r"\\.|[{}]", re.DOTALL)
_SPACE = re.compile(r"\s*")
_BRACKET_TOKEN = re.compile(r"\\.|[{}\[\]]", re.DOTALL)


def skip_space(text: str, position: int) -> int:
    """Return the first position at or after ``position`` that is not white space."""
    match = _SPACE.match(text, position)
    return match.end() if match else position


def group_end(text: str, start: int, limit: int | None = None) -> int:
    """Return the position after the ``}`` that closes the ``{`` at ``start``, -1 where there is none.

    ``limit`` bounds the search to that many characters, so that scanning many unclosed groups stays linear.
    """
    depth = 0
    for match in _GROUP_TOKEN.finditer(text, start, len(text) if limit is None else start + limit):
        if match[0] == "{":
            depth += 1
        elif match[0] == "}":
            depth -= 1
            if depth == 0:
                return match.end()
    return -1


def bracket_end(text: str, start: int, limit: int | None = None) -> int:
    """Return the position after the ``]`` that closes the ``[`` at ``start`` outside of groups, -1 where there is none."""
    depth = braces = 0
    for match in _BRACKET_TOKEN.finditer(text, start, len(text) if limit is None else start + limit):
        token = match[0]
        if token == "{":
            braces += 1
        elif token == "}":
            braces -= 1
            if braces < 0:
                return -1
        elif braces == 0 and token == "[":
            depth += 1
        elif braces == 0 and token == "]":
            depth -= 1
            if depth == 0:
                return match.end()
    return -1


def after_groups(text: str, position: int) -> int:
    """Return the position after the ``[...]`` and ``{...}`` that stand at ``position``, up to ``MAX_GROUPS`` characters."""
    limit = position + MAX_GROUPS
    while position < limit:
        start = skip_space(text, position)
        if text.startswith("{", start):
            end = group_end(text, start, MAX_GROUPS)
        elif text.startswith("[", start):
            end = bracket_end(text, start, MAX_GROUPS)
        else:
            break
        if end < 0:
            break
        position = end
    return position
