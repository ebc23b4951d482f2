"""pandoc's document tree to plain text: paragraphs and headings stay, maths stays TeX, all that only refers goes.

The tree is the JSON of pandoc-types (https://hackage.haskell.org/package/pandoc-types): ``{"t": constructor, "c": content}``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from sources.extract.latex.citations import Bibliography
from sources.extract.latex.equations import numbers
from sources.extract.latex.math import display, inline

Node = dict[str, Any]

#: Stands for a citation or reference that was left out, until the brackets around it are seen to be empty.
GONE = "\ue002"

#: Environments that pandoc passes on as a Div of that class, and that are no part of the text.
DROPPED_CLASSES = frozenset(["thebibliography", "references"])
#: Headings that are left out when nothing follows them: the list of references itself was left out.
REFERENCE_HEADINGS = frozenset(["references", "bibliography", "literature cited", "references and notes"])

#: What cleveref and autoref write before the number, by the usual first part of a label.
REFERENCE_NAMES = {
    **dict.fromkeys(["fig", "figure", "f"], "Fig."),
    **dict.fromkeys(["tab", "table", "t", "tbl"], "Table"),
    **dict.fromkeys(["sec", "section", "subsec", "s"], "Section"),
    **dict.fromkeys(["app", "appendix"], "Appendix"),
    **dict.fromkeys(["thm", "theorem"], "Theorem"),
    **dict.fromkeys(["lem", "lemma"], "Lemma"),
    **dict.fromkeys(["prop", "proposition"], "Proposition"),
    **dict.fromkeys(["cor", "corollary"], "Corollary"),
    **dict.fromkeys(["def", "defn", "definition"], "Definition"),
    **dict.fromkeys(["alg", "algorithm"], "Algorithm"),
}

#: Words that only lead to a citation; brackets that hold nothing else are dropped with it.
_LEAD = r"(?:\b(?:see|also|e|g|i|cf|and|or|in|refs?|eqs?|figs?|sec|section)\b|[;,:.\s&~-]|\ue002)"
_EMPTY_BRACKETS = re.compile(rf"[ ]?(?:\((?=[^()]*{GONE}){_LEAD}*\)|\[(?=[^\[\]]*{GONE}){_LEAD}*\])", re.IGNORECASE)
_GONE_RUN = re.compile(rf"{GONE}(?:[\s,;&-]*(?:and\s+)?{GONE})+")
_BEFORE_POINT = re.compile(rf"[ ]?{GONE}(?=\s?[.,;:!?)\]])")
_SPACES = re.compile(r"[ \t\u00a0\u2009\u202f]+")
_AROUND_LINE = re.compile(r" ?\n ?")
_BLANK = re.compile(r"\n{3,}")


def text_of(tree: bytes, bibliography: Bibliography, *, numbered: bool = True) -> tuple[str, str]:
    """Return title and text of a document tree: title first, then abstract, then the body, paragraphs apart by a blank line.

    ``bibliography`` names the works that sentences name; ``numbered`` says that equations are numbered 1, 2, 3.
    Raises ``msgspec.DecodeError`` or ``RecursionError`` where it is no such tree or is nested too deep to walk.
    """
    document = msgspec.json.decode(tree)
    meta = document["meta"]
    writer = _Writer(bibliography, numbers(document["blocks"]) if numbered else {})
    title = " ".join(writer.meta(meta.get("title")).split())
    writer.notes = []
    blocks = [title]
    if abstract := writer.meta(meta.get("abstract")):
        blocks += ["Abstract", abstract]
    blocks.append(writer.blocks(_without_empty_headings(document["blocks"], writer)))
    return title, _BLANK.sub("\n\n", "\n\n".join(block for block in blocks if block)).strip()


def _without_empty_headings(blocks: list[Node], writer: _Writer) -> list[Node]:
    """Leave out the heading of a list of references that is no longer there."""
    kept: list[Node] = []
    blocks = [block for block in blocks if not (block["t"] == "Div" and DROPPED_CLASSES & set(block["c"][0][1]))]
    for number, block in enumerate(blocks):
        ends = number + 1 == len(blocks) or blocks[number + 1]["t"] == "Header"
        if block["t"] == "Header" and ends and writer.line(block["c"][2]).lower() in REFERENCE_HEADINGS:
            continue
        kept.append(block)
    return kept


def tidy(text: str) -> str:
    """Return a paragraph with single spaces, and without the brackets that a citation left empty."""
    text = _SPACES.sub(" ", text)
    if GONE in text:
        text = _EMPTY_BRACKETS.sub("", text)
        text = _GONE_RUN.sub(GONE, text)
        text = _BEFORE_POINT.sub("", text)
        text = _SPACES.sub(" ", text.replace(GONE, ""))
    return _AROUND_LINE.sub("\n", text).strip()


class _Writer:
    """Walks one tree; footnotes wait here until the paragraph that they belong to is written."""

    def __init__(self, bibliography: Bibliography, equations: dict[str, int]) -> None:
        self.bibliography = bibliography
        self.equations = equations
        self.notes: list[str] = []
        self.depth = 0

    def meta(self, value: Node | None) -> str:
        if value is None:
            return ""
        if value["t"] == "MetaInlines":
            return self.line(value["c"])
        if value["t"] == "MetaBlocks":
            return self.blocks(value["c"])
        if value["t"] == "MetaList":
            return "\n\n".join(part for part in map(self.meta, value["c"]) if part)
        return value["c"] if value["t"] == "MetaString" else ""

    def line(self, inlines: list[Node]) -> str:
        return tidy(self.inlines(inlines))

    def blocks(self, blocks: list[Node], separator: str = "\n\n") -> str:
        parts: list[str] = []
        for block in blocks:
            write = _BLOCKS.get(block["t"])
            text = write(self, block.get("c")) if write else ""
            if text:
                parts.append(text)
            if self.depth == 0 and self.notes:
                parts += self.notes
                self.notes = []
        return separator.join(parts)

    def inlines(self, inlines: list[Node]) -> str:
        out: list[str] = []
        for node in inlines:
            write = _INLINES.get(node["t"])
            if write:
                out.append(write(self, node.get("c")))
        return "".join(out)

    def note(self, content: list[Node]) -> str:
        if text := _Writer(self.bibliography, self.equations).blocks(content):
            self.notes.append(text)
        return ""

    def items(self, items: list[list[Node]], mark: Callable[[int], str]) -> str:
        self.depth += 1
        lines = []
        for number, item in enumerate(items):
            if text := self.blocks(item, "\n"):
                lines.append(mark(number) + text)
        self.depth -= 1
        return "\n".join(lines)

    def definitions(self, items: list[Any]) -> str:
        self.depth += 1
        out = []
        for term, bodies in items:
            head = self.line(term)
            text = "\n".join(part for part in (self.blocks(body, "\n") for body in bodies) if part)
            out.append(" ".join(part for part in (f"{head}:" if head and head[-1] not in ":." else head, text) if part))
        self.depth -= 1
        return "\n".join(line for line in out if line)

    def div(self, content: Any) -> str:
        return "" if DROPPED_CLASSES & set(content[0][1]) else self.blocks(content[1])

    def figure(self, content: Any) -> str:
        """A figure is its caption, and the text of the figures within."""
        inner = self.blocks([block for block in content[2] if block["t"] in {"Figure", "Table", "CodeBlock", "Div"}])
        return "\n\n".join(part for part in (inner, self.caption(content[1])) if part)

    def caption(self, caption: Any) -> str:
        return self.blocks(caption[1])

    def table(self, content: Any) -> str:
        """A table is its caption: rows of numbers do not read as text. One column is a box around text, so it is text."""
        _attributes, caption, columns, head, bodies, foot = content
        parts = [self.caption(caption)]
        if len(columns) == 1:
            rows = [*head[1], *(row for body in bodies for row in [*body[2], *body[3]]), *foot[1]]
            parts[:0] = [self.blocks(cell[4], "\n") for row in rows for cell in row[1]]
        return "\n".join(part for part in parts if part)

    def link(self, content: Any) -> str:
        attributes, inlines, _target = content
        facts = dict(attributes[2])
        kind, label = facts.get("reference-type"), facts.get("reference", "")
        if kind is None:
            return self.inlines(inlines)
        if label in self.equations:
            number = self.equations[label]
            return {"ref": f"{number}", "eqref": f"({number})"}.get(kind, f"Eq. ({number})")
        text = self.inlines(inlines)
        if not text or text.startswith("["):
            return GONE
        named = REFERENCE_NAMES.get(label.partition(":")[0].lower()) if kind.startswith("ref+") else None
        return f"{named} {text}" if named else text

    def cite(self, content: Any) -> str:
        """A work that the sentence names stays as author and year; one that it only points to goes."""
        citations, raw = content
        command = raw[0]["c"][1] if raw and raw[0]["t"] == "RawInline" else ""
        modes = {citation["citationMode"]["t"] for citation in citations}
        if modes == {"NormalCitation"} and not command.startswith("\\citeauthor"):
            return GONE
        works = [self.bibliography.work(citation["citationId"]) for citation in citations]
        if "SuppressAuthor" in modes:
            return ", ".join(work.year for work in works if work) or GONE
        form = "{0.author}" if command.startswith("\\citeauthor") else "{0.author} ({0.year})"
        return ", ".join(form.format(work) for work in works if work) or GONE

    def superscript(self, content: list[Node]) -> str:
        text = self.inlines(content)
        return f"^{text}" if re.fullmatch(r"[-+−–]?[0-9.]+", text) else text

    def quoted(self, content: Any) -> str:
        left, right = ("‘", "’") if content[0]["t"] == "SingleQuote" else ("“", "”")
        return f"{left}{self.inlines(content[1])}{right}"

    def maths(self, content: Any) -> str:
        if content[0]["t"] == "InlineMath":
            return inline(content[1])
        text = display(content[1])
        return f"\n{text}\n" if text else ""


def _number(start: int) -> Callable[[int], str]:
    return lambda index: f"{start + index}. "


_BLOCKS: dict[str, Callable[[_Writer, Any], str]] = {
    "Plain": _Writer.line,
    "Para": _Writer.line,
    "LineBlock": lambda writer, lines: "\n".join(writer.line(line) for line in lines),
    "CodeBlock": lambda writer, content: content[1].strip("\n"),
    "BlockQuote": lambda writer, content: writer.blocks(content),
    "OrderedList": lambda writer, content: writer.items(content[1], _number(content[0][0])),
    "BulletList": lambda writer, content: writer.items(content, lambda _: "- "),
    "DefinitionList": _Writer.definitions,
    "Header": lambda writer, content: writer.line(content[2]).replace("\n", " "),
    "Table": _Writer.table,
    "Figure": _Writer.figure,
    "Div": _Writer.div,
}

_INLINES: dict[str, Callable[[_Writer, Any], str]] = {
    "Str": lambda writer, text: text,
    "Space": lambda writer, _: " ",
    "SoftBreak": lambda writer, _: " ",
    "LineBreak": lambda writer, _: "\n",
    "Emph": _Writer.inlines,
    "Strong": _Writer.inlines,
    "Underline": _Writer.inlines,
    "SmallCaps": _Writer.inlines,
    "Subscript": _Writer.inlines,
    "Superscript": _Writer.superscript,
    "Quoted": _Writer.quoted,
    "Cite": _Writer.cite,
    "Code": lambda writer, content: content[1],
    "Math": _Writer.maths,
    "Link": _Writer.link,
    "Note": _Writer.note,
    "Span": lambda writer, content: writer.inlines(content[1]),
}
