"""Comments and extension tags of wikitext, which come before all other markup: what to take out, what to keep as it stands.

The tags are MediaWiki's (https://www.mediawiki.org/wiki/Parser_extension_tags): inside them braces and brackets mean nothing.
"""

from __future__ import annotations

import re

from sources.extract.wikitext.blocks import SEPARATOR, fold, unescape
from sources.extract.wikitext.structure import GONE

#: Tags whose content is no text: references, pictures, music, maps, transclusion.
_TAKEN = (
    "ref|references|gallery|imagemap|timeline|score|graph|chart|templatedata|hiero|mapframe|maplink|inputbox|categorytree|"
    "indicator|templatestyles|section|includeonly|phonos|mapdata|listing|tabber"
)
#: Tags whose content stays as it stands, code and formulas.
_KEPT = "nowiki|pre|math|chem|ce|syntaxhighlight|source"
_OPENING = re.compile(rf"<!--|<({_TAKEN}|{_KEPT})(?=[\s/>])([^<>]*)>", re.I)
_NESTED_REFERENCE = re.compile(r"<ref(?=[\s>])[^<>]*(?<!/)>", re.I)
_MARK = re.compile("\x01(\\d+)\x02")


def set_aside(source: str) -> tuple[str, list[str]]:
    """Return the page without comments and extension tags, and the contents that ``restore`` puts back at the marks."""
    scan = _Scan(source)
    return scan.run(), scan.kept


def restore(text: str, kept: list[str]) -> str:
    """Return ``text`` with what was set aside in its places."""
    return _MARK.sub(lambda match: kept[int(match[1])], text) if kept else text


class _Scan:
    """One pass over the page from left to right; every search for a closing tag is done once."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.kept: list[str] = []
        self._closings: dict[str, tuple[int, int]] = {}

    def run(self) -> str:
        pieces: list[str] = []
        position = 0
        while match := _OPENING.search(self.source, position):
            begin, end, replacement = self._comment(match) if match[0] == "<!--" else self._tag(match)
            pieces += (self.source[position:begin], replacement)
            position = end
        pieces.append(self.source[position:])
        return "".join(pieces)

    def _comment(self, match: re.Match[str]) -> tuple[int, int, str]:
        """A comment goes; one that has its line for itself takes the line along, as in MediaWiki."""
        begin, end = match.start(), self.source.find("-->", match.end())
        end = len(self.source) if end < 0 else end + 3
        if (begin == 0 or self.source[begin - 1] == "\n") and self.source[end : end + 1] == "\n":
            end += 1
        return begin, end, ""

    def _tag(self, match: re.Match[str]) -> tuple[int, int, str]:
        name = match[1].lower()
        begin, end = match.span()
        if match[2].rstrip().endswith("/"):
            return begin, end, SEPARATOR if name == "nowiki" else GONE
        close, after = self._closing(name, end)
        if name == "ref":
            return begin, self._reference(match, close, after), GONE
        if close < 0:
            return begin, end, ""
        content = self.source[end:close]
        return begin, after, self._content(name, match[2].lower(), content)

    def _closing(self, name: str, start: int) -> tuple[int, int]:
        """Return (start, end) of the next ``</name>``, or (-1, -1)."""
        known = self._closings.get(name)
        if known is None or -1 < known[0] < start:
            match = re.compile(rf"</{name}\s*>", re.I).search(self.source, start)
            known = self._closings[name] = match.span() if match else (-1, -1)
        return known

    def _reference(self, match: re.Match[str], close: int, after: int) -> int:
        """Return where a reference ends; one that another one follows before its end was never closed."""
        inner = _NESTED_REFERENCE.search(self.source, match.end(), close) if close >= 0 else None
        if close >= 0 and inner is None:
            return after
        if "name" in match[2].lower():  # <ref name=x> where <ref name=x/> was meant
            return match.end()
        line = self.source.find("\n", match.end())
        return min(end for end in (line, inner.start() if inner else -1, len(self.source)) if end >= 0)

    def _content(self, name: str, attributes: str, content: str) -> str:
        if name == "nowiki":
            folded = fold(unescape(content))
            return self._keep(folded) if folded else SEPARATOR + " " * bool(content)
        if name in ("math", "chem", "ce"):
            tex = " ".join(unescape(content).split())
            tex = tex if name == "math" else rf"\ce{{{tex}}}"
            sign = "$$" if re.search(r"display\s*=\s*[\"']?block", attributes) else "$"
            return self._keep(f"{sign}{tex}{sign}") if tex else GONE
        if name in ("pre", "syntaxhighlight", "source"):
            content = unescape(content) if name == "pre" else content
            if "inline" in attributes:
                return self._keep(content.strip())
            return f"\n\n{self._keep(content.strip(chr(10)).rstrip())}\n\n" if content.strip() else GONE
        return GONE

    def _keep(self, content: str) -> str:
        self.kept.append(content)
        return f"\x01{len(self.kept) - 1}\x02"
