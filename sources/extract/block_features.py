"""What a page's blocks look like, as numbers for a learnt model: one row for each block, in the page's order.

Counts are exact and divisions are the only other arithmetic, so that the same page gives the same bits on every machine.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sources.extract.block_names import Ints, name_columns
from sources.extract.block_page import HEADINGS, Page

Floats = NDArray[np.float32]

#: Tags by how likely their text is the page's own, so that a threshold between them means something.
TAG_ORDER = tuple(
    re.findall(
        r"\S+",
        "nav noscript button footer menu form aside header label legend fieldset option select address page html body "
        "ul ol dl li tr td th tbody table thead center div section dt dd h6 h5 h4 summary details figcaption figure "
        "caption h3 h2 h1 main hgroup article pre blockquote p ",
    )
)
TAG_CODES = {tag: code for code, tag in enumerate(TAG_ORDER)}
OTHER_TAG = TAG_CODES["div"]
#: Frequent short words of some languages: prose has them, labels do not.
STOP_WORDS = frozenset(
    re.findall(
        r"\S+",
        "the of and to a in is that for it on with as was are be this by have from or at not you we they his her an "
        "but which their has were can will if your i der die und das ist nicht ein eine zu den mit von auf für im dem "
        "sich auch es als le la les des et un une est que dans pour qui sur pas au il en du el los las del se por con "
        "una no su di che per non sono si o os um uma não com para het een van dat met op zijn och att det som på är "
        "av ",
    )
)
#: Ancestors whose share of the page is looked at, the block's own element first.
LEVELS = 6
#: Column of a block's words.
WORDS = 2
SENTENCE_END = re.compile(r"[.!?。！？…][\"'”’)]?(?:\s|$)")
DIGITS = re.compile(r"\d")


class Counts:
    """What is counted in the blocks of a page: 64-bit integers, one for each block."""

    def __init__(self, page: Page) -> None:
        rows = []
        seen = Counter(page.texts)
        for text in page.texts:
            words = text.lower().split()
            rows.append(
                (
                    len(words),
                    len(text),
                    sum(map(STOP_WORDS.__contains__, words)),
                    text.count(",") + text.count(";") + text.count("，") + text.count("、"),
                    len(SENTENCE_END.findall(text)),
                    len(DIGITS.findall(text)),
                    text.count("\n") + 1,
                    text.count("|") + text.count("»") + text.count("›") + text.count("·"),
                    seen[text],
                    text[:1].isupper(),
                    text[-1:] in '.!?:…。”"',
                )
            )
        self.table: Ints = np.array(rows, dtype=np.int64).reshape(len(rows), 11)
        self.words = self.table[:, 0]
        self.characters = self.table[:, 1]


def _ratio(part: Any, whole: Any) -> Floats:
    """Return part / whole, the part itself where the whole is less than 1."""
    part, whole = np.asarray(part, dtype=np.float32), np.asarray(whole, dtype=np.float32)
    ratio: Floats = np.divide(part, np.maximum(whole, np.float32(1)), dtype=np.float32)
    return ratio


def features(page: Page, weights: Mapping[str, int]) -> Floats:
    """Return the numbers of a page's blocks, one row each. ``weights`` are what names of elements are worth."""
    counts = Counts(page)
    owners = np.array(page.owners, dtype=np.int64)
    parents = np.array(page.parents, dtype=np.int64)
    columns: list[Any] = _own(page, counts)
    chain = [owners]
    for _ in range(LEVELS - 1):
        chain.append(parents[chain[-1]])
    columns += name_columns(page, chain, weights)
    columns += _containers(page, counts, chain)
    columns += _neighbours(counts, np.array(page.linked, dtype=np.int64), columns[0])
    columns += _whole(page, counts)
    table = np.empty((len(columns), len(owners)), dtype=np.float32)
    for position, column in enumerate(columns):
        table[position] = column
    return table.T


def _own(page: Page, counts: Counts) -> list[Any]:
    """Return what a block is by itself, and where."""
    table = counts.table
    words, characters = counts.words, counts.characters
    n = len(words)
    index = np.arange(n)
    before = np.cumsum(words) - words
    codes = np.array([TAG_CODES.get(tag, OTHER_TAG) for tag in page.tags])
    owners = np.array(page.owners, dtype=np.int64)
    total = int(words.sum())
    title = page.title.lower()
    in_title = [len(text) > 3 and text.lower() in title for text in page.texts]
    return [
        codes[owners], page.kinds, words, characters, _ratio(characters, words), _ratio(table[:, 2], words), table[:, 2],
        table[:, 3], _ratio(table[:, 3], words), table[:, 4], _ratio(table[:, 5], characters), table[:, 6], table[:, 7],
        table[:, 8], table[:, 9], table[:, 10], page.links, _ratio(page.linked, characters), _ratio(page.strong, characters),
        index, _ratio(index, n), n - index, _ratio(before, total), in_title, np.array(page.hidden)[owners],
    ]  # fmt: skip


def _containers(page: Page, counts: Counts, chain: list[Ints]) -> list[Any]:
    """Return how much of the page the elements around a block hold, and what."""
    starts = np.array(page.starts, dtype=np.int64)
    ends = np.array(page.ends, dtype=np.int64)
    table = counts.table
    codes = np.array([TAG_CODES.get(tag, OTHER_TAG) for tag in page.tags])
    owners = chain[0]
    own = codes[owners]
    in_paragraphs = np.where(own == TAG_CODES["p"], counts.words, 0)
    in_headings = np.isin(own, [TAG_CODES[tag] for tag in HEADINGS])
    per_block = np.stack(
        [counts.words, counts.characters, page.linked, table[:, 2], table[:, 4], in_paragraphs, in_headings], axis=1
    )
    running = np.zeros((len(owners) + 1, per_block.shape[1]), dtype=np.int64)
    np.cumsum(per_block, axis=0, out=running[1:])
    held = running[ends] - running[starts]
    signatures: Mapping[tuple[str, str], int] = Counter(zip(page.tags, page.names, strict=True))
    repeats = np.array([signatures[key] for key in zip(page.tags, page.names, strict=True)])
    children = np.bincount(np.array(page.parents), minlength=len(starts))
    index = np.arange(len(owners))
    total = running[-1, 0]
    columns: list[Any] = []
    for depth, level in enumerate(chain):
        inside = held[level]
        size = ends[level] - starts[level]
        columns += [_ratio(inside[:, 0], total), inside[:, 0], _ratio(inside[:, 2], inside[:, 1]), _ratio(inside[:, 0], size),
                    _ratio(inside[:, 3], inside[:, 0]), _ratio(inside[:, 5], inside[:, 0]), size, repeats[level]]  # fmt: skip
        if depth:
            columns += [codes[level], children[level], _ratio(index - starts[level], size), _ratio(inside[:, 4], size),
                        _ratio(inside[:, 6], size)]  # fmt: skip
    return columns


def _neighbours(counts: Counts, linked: Ints, codes: Ints) -> list[Any]:
    """Return what stands before and after a block."""
    table = counts.table
    columns: list[Any] = []
    link_share = _ratio(linked, counts.characters)
    stop_share = _ratio(table[:, 2], counts.words)
    for column in (counts.words, link_share, stop_share, codes, table[:, 4]):
        padded = np.full(len(codes) + 4, -1, dtype=np.float32)
        padded[2:-2] = column
        columns += [padded[:-4], padded[1:-3], padded[3:-1], padded[4:]]
    running = np.concatenate([[0], np.cumsum(counts.words)])
    linked_running = np.concatenate([[0], np.cumsum(linked)])
    n = len(codes)
    index = np.arange(n)
    for reach in (4, 12):
        low, high = np.maximum(index - reach, 0), np.minimum(index + reach + 1, n)
        columns += [_ratio(running[high] - running[low], high - low),
                    _ratio(linked_running[high] - linked_running[low], 6 * (running[high] - running[low]))]  # fmt: skip
    return columns


#: What the properties of a page say about its kind.
KINDS = (
    r"og:type article|\"(?:news|blog)?(?:article|posting)\"",
    r"og:type (?:og:)?product|\"product\"|woocommerce|shopify",
    r"og:type website",
    r"forum|discourse|xenforo|vbulletin|phpbb|/threads?/|/t/|discussionforumposting|qapage|question",
    r"docusaurus|sphinx|mkdocs|gitbook|/docs?/|documentation|techarticle|/reference|/guide",
    r"collectionpage|itemlist|/collections?/|/category|/shop|productlist",
    r"\"service\"|localbusiness|/services?/|/solutions?",
    r"/blog|/news|/\d{4}/\d\d/|/articles?/",
)
_KINDS = [re.compile(pattern) for pattern in KINDS]
#: The last columns are what is said of the whole page, the kinds first.
WHOLE = len(KINDS) + 12
#: Columns that say that a page is an article.
ARTICLE_KINDS = (-WHOLE, -WHOLE + 7)
#: Columns that say that a page is a product, a forum, a collection or a service.
OTHER_KINDS = (-WHOLE + 1, -WHOLE + 3, -WHOLE + 5, -WHOLE + 6)
TYPE = re.compile(r"\"@type\"\s*:\s*\[?\s*(\"[^\"]{1,60}\")")


def _whole(page: Page, counts: Counts) -> list[Any]:
    """Return what is the same for all blocks of a page."""
    types = " ".join(found for data in page.data for found in TYPE.findall(data))
    hints = f"{page.typing} {types}".lower()
    n = len(counts.words)
    tags = Counter(page.tags)
    words = int(counts.words.sum())
    prose = int(counts.words[counts.table[:, 4] >= 2].sum())
    values: list[float] = [1.0 if pattern.search(hints) else 0.0 for pattern in _KINDS]
    values += [n, words, tags["article"], tags["p"], tags["h1"], tags["li"], tags["main"], len(page.title), tags["pre"]]
    values += [float(np.float32(sum(page.linked)) / np.float32(max(1, int(counts.characters.sum()))))]
    values += [float(np.float32(prose) / np.float32(max(1, words))), int(counts.words.max(initial=0))]
    return [np.full(n, value, dtype=np.float32) for value in values]
