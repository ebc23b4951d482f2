"""Find the nested parts of wikitext (templates, links, tables) and render them, in time linear in the page.

Unlike a parser that shows broken markup as it stands, this one repairs it: what never closes is cut where a reader would
cut it, so that no braces, captions or table rows are left in the text.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple

from sources.extract.wikitext import templates
from sources.extract.wikitext.names import CATEGORY_PREFIXES, FILE_ENDING, FILE_PREFIXES, LANGUAGES

#: Stands where something was taken out, so that "( ; 1950)" around it can be told from what an author wrote.
GONE = "\x04"

#: Templates and links nested deeper than this are taken out: mwparserfromhell's own bound; real articles stay below 12.
MAX_DEPTH = 40

# Every alternative begins with a letter of its own, without flags: that is what lets the regex engine skip plain text.
_TOKEN = re.compile(
    r"\{\{+|\}\}+|\[\[|\]\]|\{\||\|\}+|<[tT][aA][bB][lL][eE](?=[\s>])[^<>]*>|</[tT][aA][bB][lL][eE]\s*>"
)
_HEADING = re.compile(r"^={2,6}[^=\n][^\n]*=[ \t]*$", re.M)
_BROKEN_TEMPLATE = re.compile(r"\{\{[^{}\n]{0,500}\}")  # closed by one brace where two are due
_PARAMETER = re.compile(r"[^|{}\[\]<>\n]+")
#: A template's parameter name and the space around it are shorter than this; what follows a later "=" is text.
MAX_PARAMETER = 80
_EXTERNAL = re.compile(r"(?:https?:|ftps?:)?//|mailto:", re.I)

#: What may stand before a table on its line: it can be indented or a list's item.
_TABLE_INDENT = " \t:*#;"


class _Token(NamedTuple):
    kind: str  #: "{{", "{{{", "[[", "{|", "<table" when it opens, "" when it closes
    start: int
    end: int


class Structure:
    """The tokens of one page and which of them belong together: ``partner[i]`` is the closing token of the opening i."""

    def __init__(self, source: str, namespaces: frozenset[str], variables: dict[str, str]) -> None:
        self.source = source
        self.namespaces = namespaces
        self.variables = variables
        self.tokens: list[_Token] = []
        self.partner: dict[int, int] = {}
        self._stack: list[int] = []
        self._open: dict[str, int] = dict.fromkeys(("{{", "{{{", "[[", "{|", "<table"), 0)
        self._headings = [match.start() for match in _HEADING.finditer(source)]
        self._match()

    def text(self) -> str:
        """Return the page without templates, tables, files and brackets; ``GONE`` where something was taken out."""
        return self._render(0, len(self.tokens), 0, len(self.source), 0)

    # -- matching

    def _match(self) -> None:
        for match in _TOKEN.finditer(self.source):
            sign, start, end = match[0][:2], match.start(), match.end()
            if sign == "{{":
                self._open_braces(start, end)
            elif sign == "}}":
                self._close_braces(start, end)
            elif sign == "[[":
                self._push("[[", start, end)
            elif sign == "]]":
                self._close("[[", start, end)
            elif sign == "{|":
                if (begin := self._line_start(start, _TABLE_INDENT)) >= 0:
                    self._push("{|", begin, end)
            elif sign == "|}":
                self._close_table(start, end)
            elif sign == "</":
                self._close("<table", start, end)
            else:
                self._push("<table", start, end)

    def _line_start(self, position: int, indent: str) -> int:
        """Return where the line of ``position`` starts when only ``indent`` stands before it there, else -1."""
        while position and self.source[position - 1] in indent:
            position -= 1
        return position if not position or self.source[position - 1] == "\n" else -1

    def _push(self, kind: str, start: int, end: int) -> None:
        self._stack.append(len(self.tokens))
        self._open[kind] += 1
        self.tokens.append(_Token(kind, start, end))

    def _open_braces(self, start: int, end: int) -> None:
        """A run of braces: pairs, with three for a parameter innermost when the number is odd."""
        while end - start > 3:
            self._push("{{", start, start + 2)
            start += 2
        self._push("{{{" if end - start == 3 else "{{", start, end)

    def _close_braces(self, start: int, end: int) -> None:
        while end - start >= 2:
            top = self.tokens[self._stack[-1]].kind if self._stack else ""
            width = 3 if top == "{{{" and end - start >= 3 else 2
            kind = top if top == "{{{" else "{{"
            self._close(kind if self._open[kind] else "{{{", start, start + width)
            start += width

    def _close_table(self, start: int, end: int) -> None:
        """``|}`` at a line's start ends a table; elsewhere, and in a template, ``|}}`` is an empty last argument."""
        top = self.tokens[self._stack[-1]].kind if self._stack else ""
        begin = self._line_start(start, " \t")
        if begin < 0 or (end - start > 2 and top in ("{{", "{{{")):
            self._close_braces(start + 1, end)
            return
        self._close("{|", begin, start + 2)
        self._close_braces(start + 2, end)

    def _close(self, kind: str, start: int, end: int) -> None:
        """Match with the nearest opening of this kind. ``]]`` closes nothing across a template or table, others do."""
        closer = len(self.tokens)
        self.tokens.append(_Token("", start, end))
        if not self._open[kind] or (kind == "[[" and self.tokens[self._stack[-1]].kind != "[["):
            return
        while True:
            opener = self._stack.pop()
            opened = self.tokens[opener].kind
            self._open[opened] -= 1
            if opened == kind:
                break
        if kind not in ("{{", "[[") or not self._spans_heading(self.tokens[opener].end, start):
            self.partner[opener] = closer

    def _spans_heading(self, start: int, end: int) -> bool:
        """A template or link around a heading is an unclosed one that met a stray end: believing it would eat sections."""
        return bisect_left(self._headings, start) < bisect_left(self._headings, end)

    # -- rendering

    def _render(self, first: int, last: int, position: int, end: int, depth: int) -> str:
        """Return the text of ``source[position:end]``, whose tokens are ``first`` to ``last`` (excluded)."""
        pieces: list[str] = []
        i = first
        while i < last:
            token = self.tokens[i]
            if token.start < position:  # inside what a repair has cut
                i += 1
                continue
            pieces.append(self.source[position : token.start])
            closer = self.partner.get(i)
            if closer is not None and closer < last:
                pieces.append(self._construct(i, closer, depth + 1) if depth < MAX_DEPTH else GONE)
                position = self.tokens[closer].end
                i = closer + 1
            else:
                position = min(end, self._repair(token)) if token.kind else token.end
                pieces.append(GONE if token.kind else "")
                i += 1
        pieces.append(self.source[position:end])
        return "".join(pieces)

    def _repair(self, token: _Token) -> int:
        """Return where to read on after an opening that is never closed."""
        if token.kind == "[[":
            aside = self._is_aside(self.source[token.end : token.end + MAX_PARAMETER])
            return self._line_end(token.end) if aside else token.end
        if token.kind in ("{{", "{{{"):
            broken = _BROKEN_TEMPLATE.match(self.source, token.start)
            return broken.end() if broken else self._line_end(token.end)
        heading = bisect_left(self._headings, token.end)
        return self._headings[heading] if heading < len(self._headings) else len(self.source)

    def _line_end(self, position: int) -> int:
        end = self.source.find("\n", position)
        return end if end >= 0 else len(self.source)

    def _construct(self, opener: int, closer: int, depth: int) -> str:
        kind = self.tokens[opener].kind
        if kind == "[[":
            return self._link(opener, closer, depth)
        if kind == "{{":
            return self._template(opener, closer, depth)
        if kind == "{{{":
            arguments = self._arguments(opener, closer, depth)
            return arguments[1] if len(arguments) > 1 else GONE
        return "\n" + GONE + "\n"

    def _arguments(self, opener: int, closer: int, depth: int) -> list[str]:
        return [self._render(*span, depth) for span in self._spans(opener, closer)]

    def _spans(self, opener: int, closer: int) -> Iterator[tuple[int, int, int, int]]:
        """Yield (first token, last token, start, end) of each part between the bars of a construct."""
        first, start = opener + 1, self.tokens[opener].end
        position, i = start, opener + 1
        while True:
            stop = self.tokens[i].start
            while (bar := self.source.find("|", position, stop)) >= 0:
                yield first, i, start, bar
                first, start, position = i, bar + 1, bar + 1
            if i >= closer:
                yield first, closer, start, stop
                return
            i = self.partner.get(i, i)
            position = max(position, self.tokens[i].end)
            i += 1

    def _template(self, opener: int, closer: int, depth: int) -> str:
        start, end = self.tokens[opener].end, self.tokens[closer].start
        head = self.source[start : min(end, start + templates.MAX_NAME)].partition("|")[0]
        name, _, inline = templates.split_name(head)
        if name in self.variables:
            return self.variables[name]
        if not templates.is_known(name):
            return GONE
        positional, named = ([inline] if inline else []), dict[str, str]()
        for span in list(self._spans(opener, closer))[1:]:
            first, last, begin, stop = span
            parameter, equals, _ = self.source[begin : min(stop, begin + MAX_PARAMETER)].partition("=")
            if equals and _PARAMETER.fullmatch(parameter.strip()):
                begin += len(parameter) + 1
                named[parameter.strip()] = self._render(first, last, begin, stop, depth).strip()
            else:
                positional.append(self._render(first, last, begin, stop, depth).strip())
        return templates.expand(name, positional, named) or GONE

    def _is_aside(self, target: str) -> bool:
        """Whether a link's target is a file, a category or the same page in another language."""
        prefix, colon, rest = target.partition(":")
        prefix = prefix.strip().lower().replace("_", " ")
        if not colon or not prefix:
            return False
        known = prefix in FILE_PREFIXES or prefix in CATEGORY_PREFIXES or prefix in self.namespaces
        return known or prefix in LANGUAGES or FILE_ENDING.search(rest.partition("|")[0]) is not None

    def _link(self, opener: int, closer: int, depth: int) -> str:
        spans = list(self._spans(opener, closer))
        target = self.source[spans[0][2] : spans[0][3]]
        if _EXTERNAL.match(target):
            return "[" + self._render(*spans[0], depth) + "]"
        if self._is_aside(target):
            return GONE
        if len(spans) > 1:
            first, _, start, _ = spans[1]
            shown = self._render(first, closer, start, self.tokens[closer].start, depth)
            if shown.strip():
                return shown
        target = self._render(*spans[0], depth).strip().lstrip(":#").replace("#", " § ")
        return re.sub(r" \([^()]*\)$", "", target.partition(":")[2] or target) if len(spans) > 1 else target
