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

from sources.extract.block_counts import Counts, Ints, ints
from sources.extract.block_names import Meanings, name_columns
from sources.extract.page import HEADINGS, Page

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
#: Ancestors whose share of the page is looked at, the block's own element first.
LEVELS = 6
#: Columns of an element that are looked at of the block's own, too.
OF_OWN = 8
#: Column of a block's words.
WORDS = 2


def codes_of(page: Page) -> Ints:
    """Return the place of each element's tag in ``TAG_ORDER``."""
    return ints([TAG_CODES.get(tag, OTHER_TAG) for tag in page.tags])


def _ratio(part: Any, whole: Any) -> Floats:
    """Return part / whole, the part itself where the whole is less than 1."""
    part, whole = np.asarray(part, dtype=np.float32), np.asarray(whole, dtype=np.float32)
    ratio: Floats = np.divide(part, np.maximum(whole, np.float32(1)), dtype=np.float32)
    return ratio


def features(page: Page, meanings: Meanings) -> Floats:
    """Return the numbers of a page's blocks, one row each. ``meanings`` are those of elements' names."""
    counts = Counts(page.texts)
    parents = ints(page.parents)
    chain = [ints(page.owners)]
    for _ in range(LEVELS - 1):
        chain.append(parents[chain[-1]])
    codes = codes_of(page)
    groups: list[Any] = [
        _table(_own(page, counts, codes)),
        name_columns(page, chain, meanings),
        _containers(page, counts, chain, codes),
        _table(_neighbours(counts, ints(page.linked), codes[chain[0]])),
        _whole(page, counts),
    ]
    return np.concatenate(groups, dtype=np.float32).T


def _table(columns: list[Any]) -> Floats:
    table = np.empty((len(columns), len(columns[0])), dtype=np.float32)
    for position, column in enumerate(columns):
        table[position] = column
    return table


def _own(page: Page, counts: Counts, codes: Ints) -> list[Any]:
    """Return what a block is by itself, and where."""
    words, characters = counts.words, counts.characters
    n = len(words)
    index = np.arange(n)
    before = np.cumsum(words) - words
    owners = ints(page.owners)
    total = int(words.sum())
    title = page.title.lower()
    in_title = [len(text) > 3 and text.lower() in title for text in page.texts]
    return [
        codes[owners], page.kinds, words, characters, _ratio(characters, words), _ratio(counts.stop_words, words),
        counts.stop_words, counts.pauses, _ratio(counts.pauses, words), counts.sentences, _ratio(counts.digits, characters),
        counts.lines, counts.bars, counts.repeats, counts.capital, counts.ended,
        page.links, _ratio(page.linked, characters), _ratio(page.strong, characters),
        index, _ratio(index, n), n - index, _ratio(before, total), in_title, ints(page.hidden)[owners],
    ]  # fmt: skip


def _containers(page: Page, counts: Counts, chain: list[Ints], codes: Ints) -> Floats:
    """Return how much of the page the elements around a block hold, and what."""
    starts = ints(page.starts)
    ends = ints(page.ends)
    owners = chain[0]
    own = codes[owners]
    in_paragraphs = np.where(own == TAG_CODES["p"], counts.words, 0)
    in_headings = np.isin(own, [TAG_CODES[tag] for tag in HEADINGS])
    per_block: list[Any] = [
        counts.words,
        counts.characters,
        page.linked,
        counts.stop_words,
        counts.sentences,
        in_paragraphs,
        in_headings,
    ]
    running = np.zeros((len(per_block), len(owners) + 1), dtype=np.int64)
    np.cumsum(np.stack(per_block), axis=1, out=running[:, 1:])
    words, characters, linked, stop_words, sentences, paragraphs, headings = running[:, ends] - running[:, starts]
    signatures: Mapping[tuple[str, str], int] = Counter(zip(page.tags, page.names, strict=True))
    repeats = ints(map(signatures.__getitem__, zip(page.tags, page.names, strict=True)))
    children = np.bincount(ints(page.parents), minlength=len(starts))
    size = ends - starts
    columns = [_ratio(words, running[0, -1]), words, _ratio(linked, characters), _ratio(words, size),
               _ratio(stop_words, words), _ratio(paragraphs, words), size, repeats,
               codes, children, _ratio(sentences, size), _ratio(headings, size)]  # fmt: skip
    elements = _table(columns)
    seen = [elements[:OF_OWN, owners]]
    index = np.arange(len(owners))
    for level in chain[1:]:
        place = _ratio(index - starts[level], size[level])
        seen += [elements[: OF_OWN + 2, level], place[None], elements[OF_OWN + 2 :, level]]
    return np.concatenate(seen)


def _neighbours(counts: Counts, linked: Ints, codes: Ints) -> list[Any]:
    """Return what stands before and after a block."""
    columns: list[Any] = []
    link_share = _ratio(linked, counts.characters)
    stop_share = _ratio(counts.stop_words, counts.words)
    for column in (counts.words, link_share, stop_share, codes, counts.sentences):
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


def _whole(page: Page, counts: Counts) -> Floats:
    """Return what is the same for all blocks of a page."""
    types = " ".join(found for data in page.data for found in TYPE.findall(data))
    hints = f"{page.typing} {types}".lower()
    n = len(counts.words)
    tags = Counter(page.tags)
    words = int(counts.words.sum())
    prose = int(counts.words[counts.sentences >= 2].sum())
    values: list[float] = [1.0 if pattern.search(hints) else 0.0 for pattern in _KINDS]
    values += [n, words, tags["article"], tags["p"], tags["h1"], tags["li"], tags["main"], len(page.title), tags["pre"]]
    values += [float(np.float32(sum(page.linked)) / np.float32(max(1, int(counts.characters.sum()))))]
    values += [float(np.float32(prose) / np.float32(max(1, words))), int(counts.words.max(initial=0))]
    return np.repeat(np.array(values, dtype=np.float32)[:, None], n, axis=1)
