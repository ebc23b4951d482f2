"""A page as its blocks of text and the elements that they are in, in the order of the page."""

from __future__ import annotations

HEADINGS = frozenset(["h1", "h2", "h3", "h4", "h5", "h6"])
#: What a block is when it is written.
PLAIN, HEADING, ITEM, ROW, CODE = range(5)


class Page:
    """A page's blocks and elements. Element 0 is the page itself; each element names the one that it is in."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.kinds: list[int] = []
        self.owners: list[int] = []  # of each block: its innermost element
        self.linked: list[int] = []  # of each block: characters within links
        self.links: list[int] = []  # of each block: how many links
        self.strong: list[int] = []  # of each block: characters within <b> and <strong>
        self.inner: list[str] = []  # of each block: names of the first element within its line
        self.parents: list[int] = [0]
        self.tags: list[str] = ["page"]
        self.names: list[str] = [""]  # of each element that holds text, else ""
        self.hidden: list[bool] = [False]  # the same
        self.starts: list[int] = [0]  # of each element: its first block
        self.ends: list[int] = [0]  # and the one after its last
        self.title = ""
        self.typing = ""
        self.data: list[str] = []  # the page's JSON-LD
        self.keywords = 0  # terms that the head lists for search engines
        self.hosts: dict[str, list[int]] = {}  # of each host in a whole address: links to it, and their characters
