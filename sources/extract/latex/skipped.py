"""Which of the commands that pandoc skipped had text in their arguments, read from its own messages.

A journal's class may define ``\\significancestatement`` or a co-author ``\\revised``: no list names them all, but pandoc
says what it skipped, and prose looks like prose.
"""

from __future__ import annotations

import re

#: Words of two letters or more that an argument must have to count as prose.
MIN_WORDS = 6
#: Share of letters and spaces among the argument's characters that it must have.
MIN_LETTERS = 0.75

_SKIPPED = re.compile(
    r"^\[INFO\] Skipped '\\([A-Za-z]+)\*?([\[{ \n].*?)' at line \d+ column \d+$", re.DOTALL | re.MULTILINE
)
_WORD = re.compile(r"[^\W\d_]{2,}")
_MARKUP = re.compile(r"\\[A-Za-z]+|[{}]")
#: Arguments that are prose but no text of the paper: who wrote it, running heads, set-up of packages.
_NOT_TEXT = re.compile(
    r"author|affil|address|institut|email|thanks|running|short|copyright|licen|journal|header|footer|head$|foot$|mark$"
    r"|set$|setup$|keys?$|define|new|renew|provide|declare|graphic|bib|label|index|glossary|acronym|note$|todo|title"
    r"|conference|booktitle|subject|ccs|pacs|msc|doi|url|page|style|color|length|counter|box$|comment|hide|remove|delete"
    r"|input|include|only|caption|theorem|command|hyphenation|special|write|message|typeout|keyword|software|facilit"
    r"|^begin$|^end$|multicolumn|multirow|draw|tikz|node|matrix|diagram",
    re.IGNORECASE,
)


def text_commands(messages: str) -> frozenset[str]:
    """Return the names of skipped commands with an argument that is prose."""
    found = set()
    for match in _SKIPPED.finditer(messages):
        name, arguments = match[1], _MARKUP.sub(" ", match[2])
        if name not in found and not _NOT_TEXT.search(name) and _is_prose(arguments):
            found.add(name)
    return frozenset(found)


def _is_prose(text: str) -> bool:
    if len(_WORD.findall(text)) < MIN_WORDS:
        return False
    letters = sum(character.isalpha() or character.isspace() for character in text)
    return letters >= MIN_LETTERS * len(text)
