"""A page cut into its blocks of text in one pass of lxml's parser (https://lxml.de/parsing.html#the-target-parser-interface).

No tree is built: Python objects for each node would cost more than the parsing. Blocks come in the order of the page, so
that every element holds a run of them.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from sources.extract.page import CODE, HEADING, HEADINGS, ITEM, PLAIN, ROW, Page

#: Elements that stand in a line of text; all others begin and end a block.
INLINE = frozenset(
    re.findall(
        r"\S+",
        "a abbr acronym b bdi bdo big cite code data del dfn em font i img ins kbd label mark math meter nobr output "
        "progress q rb ruby s samp small span strike strong sub sup time tt u var wbr ",
    )
)
#: Elements whose text is not seen, or is a control.
UNREAD = frozenset(
    re.findall(
        r"\S+",
        "script style svg template iframe object embed audio video canvas map select textarea datalist head ",
    )
)
#: Elements that are no part of a line and hold no block.
APART = UNREAD | {"br", "meta"}
CELLS = frozenset(["td", "th"])
#: Attributes of an element that say what it is for.
NAMING = ("class", "id", "role", "itemprop")
#: Longest run of names of an element that is read, in characters.
NAMES_BOUND = 300
#: Longest cell of a table of data, in characters; what is longer is a layout, whose cells are blocks by themselves.
CELL_BOUND = 200
CELL_BREAK = " | "
HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
#: Deepest nesting that is read: browsers stop at 512, and the parser's time grows with its square.
DEPTH_BOUND = 1_000
#: An address with its host, apart from user and port.
WHOLE_ADDRESS = re.compile(r"\s*(?:https?:)?//(?:[^/?#@]{0,100}@)?(?:www\.)?([\w.-]{1,253})", re.IGNORECASE)
#: Different hosts that are told apart, and characters of keywords that are read.
HOSTS_BOUND, KEYWORDS_BOUND = 2_000, 20_000
KEYWORD = re.compile(r"[^,;|\s][^,;|]*")
#: Properties of the head that say what kind of page it is.
TYPING = frozenset(["og:type", "generator", "og:url"])


class TooDeepError(ValueError):
    """A page whose elements nest deeper than ``DEPTH_BOUND``."""


class _Reader:
    """The parser's target: keeps the elements that are open and the pieces of the block that is being read."""

    def __init__(self) -> None:
        self.page = Page()
        self._room = DEPTH_BOUND
        self._attributes: list[Any] = [None]  # of each element
        self._open = [0]
        self._skip = 0
        self._kept: list[str] | None = None  # text of <title> or JSON-LD
        self._pieces: list[str] = []
        self._length = 0
        self._linked = self._links = self._strong = 0
        self._in_link = self._in_strong = self._in_pre = 0
        self._item = False
        self._inner = ""
        self._after_link = False
        self._host: list[int] | None = None  # the entry of the host that an open link is to

    def start(self, tag: str, attributes: Any) -> None:
        self._room -= 1
        if self._room < 0:
            raise TooDeepError
        if self._skip:
            self._start_unread(tag, attributes)
        elif tag in INLINE:
            if tag == "a":
                self._in_link += 1
                self._links += 1
                self._host = self._linked_host(attributes.get("href") or "")
                if self._after_link:
                    self._pieces.append(" ")
                    self._after_link = False
            elif tag == "b" or tag == "strong":
                self._in_strong += 1
            if attributes and not self._inner:
                self._inner = (attributes.get("class") or attributes.get("itemprop") or "")[:NAMES_BOUND]
        elif tag in APART:
            self._start_apart(tag, attributes)
        else:
            self._start_block(tag, attributes)

    def _linked_host(self, address: str) -> list[int] | None:
        found = WHOLE_ADDRESS.match(address)
        if not found or len(self.page.hosts) >= HOSTS_BOUND:
            return None
        entry = self.page.hosts.setdefault(found[1].lower(), [0, 0])
        entry[0] += 1
        return entry

    def _start_unread(self, tag: str, attributes: Any) -> None:
        self._skip += 1
        if tag == "title" or (tag == "script" and "ld+json" in (attributes.get("type") or "")):
            self._kept = []
        elif tag == "meta":
            self._meta(attributes)

    def _start_apart(self, tag: str, attributes: Any) -> None:
        if tag == "br":
            self._pieces.append("\n")
        elif tag == "meta":
            self._meta(attributes)
        else:
            self._skip = 1
            if tag == "script" and "ld+json" in (attributes.get("type") or ""):
                self._kept = []

    def _start_block(self, tag: str, attributes: Any) -> None:
        page = self.page
        if self._pieces:
            if tag in CELLS and self._length <= CELL_BOUND:
                self._pieces.append(CELL_BREAK)
            else:
                self._flush()
        blocks = len(page.texts)
        page.parents.append(self._open[-1])
        self._open.append(len(page.tags))
        page.tags.append(tag)
        self._attributes.append(attributes)
        page.starts.append(blocks)
        page.ends.append(blocks)
        if tag == "li":
            self._item = True
        elif tag in HEADINGS:
            self._item = False
        elif tag == "pre":
            self._in_pre += 1

    def _meta(self, attributes: Any) -> None:
        name = attributes.get("property") or attributes.get("name")
        if name and name.lower() == "keywords":
            self.page.keywords += len(KEYWORD.findall((attributes.get("content") or "")[:KEYWORDS_BOUND]))
        if name in TYPING:
            self.page.typing += f" {name} {(attributes.get('content') or '')[:NAMES_BOUND]}"

    def end(self, tag: str) -> None:
        self._room += 1
        if self._skip:
            self._skip -= 1
            if self._kept is not None:
                self._keep(tag)
        elif tag in INLINE:
            if tag == "a":
                self._in_link = max(0, self._in_link - 1)
                self._host = None
                self._after_link = True
            elif tag == "b" or tag == "strong":
                self._in_strong = max(0, self._in_strong - 1)
        elif tag not in APART:
            if self._pieces and (tag not in CELLS or self._length > CELL_BOUND):
                self._flush()
            if len(self._open) > 1:
                self.page.ends[self._open.pop()] = len(self.page.texts)
            if tag == "pre":
                self._in_pre = max(0, self._in_pre - 1)

    def _keep(self, tag: str) -> None:
        """Put away the text of the <title> or the JSON-LD that ends."""
        text = "".join(self._kept or ())
        if tag == "title":
            self.page.title = self.page.title or " ".join(text.split())
        elif tag == "script":
            self.page.data.append(text)
        self._kept = None

    def data(self, data: str) -> None:
        if self._skip:
            if self._kept is not None:
                self._kept.append(data)
            return
        self._after_link = False
        if data.isspace() and not self._in_pre:
            if self._pieces:  # white space only parts what stands before and after it
                self._pieces.append(" ")
            return
        length = len(data.strip())
        self._pieces.append(data if self._in_pre else data.replace("\n", " "))
        self._length += length
        if self._in_link:
            self._linked += length
            if self._host is not None:
                self._host[1] += length
        if self._in_strong:
            self._strong += length

    def _flush(self) -> None:
        """End the block that is being read; a blank line that breaks make in it ends a block too."""
        text = "".join(self._pieces)
        page = self.page
        owner = self._open[-1]
        if self._in_pre:
            lines = [text.strip("\n").rstrip()]
            kind = CODE
        else:
            lines, kind = _lines(text), PLAIN
            if page.tags[owner] in HEADINGS:
                kind = HEADING
            elif CELL_BREAK in text:
                kind = ROW
                lines = [line.strip(" |") for line in lines]
        length = max(1, sum(map(len, lines)))
        for line in lines:
            if line.strip():
                share = len(line) / length if len(lines) > 1 else 1
                page.texts.append(line)
                page.kinds.append(ITEM if self._item and kind == PLAIN else kind)
                page.owners.append(owner)
                page.linked.append(int(self._linked * share))
                page.links.append(int(self._links * share + 0.5))
                page.strong.append(int(self._strong * share))
                page.inner.append(self._inner)
                self._item = False
        self._pieces = []
        self._length = self._linked = self._links = self._strong = 0
        self._inner = ""
        self._after_link = False

    def close(self) -> Page:
        if self._pieces:
            self._flush()
        for element in self._open:
            self.page.ends[element] = len(self.page.texts)
        self._name()
        return self.page

    def _name(self) -> None:
        """Note the names of the elements that hold text, and whether they are hidden."""
        page = self.page
        for element in range(1, len(page.tags)):
            attributes = self._attributes[element]
            hidden, names = False, ""
            if page.ends[element] > page.starts[element]:
                hidden = page.hidden[page.parents[element]]
                if attributes:
                    names = " ".join([attributes[key] for key in NAMING if key in attributes])[:NAMES_BOUND]
                    hidden = hidden or _hides(attributes)
            page.names.append(names)
            page.hidden.append(hidden)


def _hides(attributes: Any) -> bool:
    style = attributes.get("style")
    return bool(style and HIDDEN.search(style)) or "hidden" in attributes or attributes.get("aria-hidden") == "true"


def _lines(text: str) -> list[str]:
    """Return the paragraphs of a run of text: breaks are line ends, two of them end a paragraph."""
    if "\n" not in text:
        return [" ".join(text.split())]
    paragraphs: list[list[str]] = [[]]
    for line in text.split("\n"):
        line = " ".join(line.split())
        if line:
            paragraphs[-1].append(line)
        elif paragraphs[-1]:
            paragraphs.append([])
    return ["\n".join(paragraph) for paragraph in paragraphs if paragraph]


def read_page(page: str) -> Page:
    """Return the blocks and elements of a page. What the parser cannot read gives a page without blocks.

    Raises ``TooDeepError`` where elements nest deeper than ``DEPTH_BOUND``.
    """
    parser = etree.HTMLParser(target=_Reader(), encoding="utf-8", huge_tree=True)
    try:
        read: Page = etree.fromstring(page.encode("utf-8", "replace"), parser)
    except etree.LxmlError:
        return Page()
    return read
