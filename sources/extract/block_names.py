"""What the elements around a page's blocks are called, and what their names mean.

A small lexicon says it by rule, and ``blocks.model`` by what such elements held on the pages that it was trained on.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sources.extract.block_page import Page

Ints = NDArray[np.int64]

#: Elements that mark all that is in them.
MARKS = (
    "article",
    "main",
    "nav",
    "footer",
    "header",
    "aside",
    "form",
    "table",
    "li",
    "blockquote",
    "section",
    "noscript",
)
#: Parts of names by what they mean, each a feature: the element's own, one of the three nearest, any that it is in.
LEXICON: tuple[tuple[str, str], ...] = (
    ("comment", r"comment|disqus|respond|reply"),
    ("post", r"\bpost|thread|message|topic|answer|question"),
    ("content", r"content|entry|\bbody|prose|markdown|richtext|rich-text|rte|wysiwyg|\btext"),
    ("article", r"article|story|blog"),
    ("product", r"product|description|detail|spec|feature"),
    ("side", r"sidebar|\bside|widget|rail|aside|complementary"),
    ("related", r"relat|recommend|similar|also|more-|trending|popular|latest|recent|upsell"),
    ("share", r"share|social|follow|twitter|facebook"),
    ("nav", r"nav|menu|breadcrumb|crumb|pagina|pager|tabs?\b|toc|toolbar"),
    ("foot", r"foot|copyright|legal|bottom"),
    ("head", r"header|masthead|top-?bar|banner"),
    ("promo", r"promo|\bads?\b|advert|sponsor|cta|newsletter|subscri|signup|sign-up|offer"),
    ("modal", r"modal|popup|cookie|consent|gdpr|overlay|dialog|drawer|login|search|alert|notice"),
    (
        "meta",
        r"meta|author|byline|date|\btime|\btags?\b|categor|caption|credit|user|profile|avatar|vote|signature|rating|price",
    ),
    ("list", r"list|grid|card|item|tile|carousel|slider|swiper|gallery|collection"),
    ("review", r"review|testimonial|faq|accordion|quote"),
    ("main", r"\bmain|primary|single|container|wrapper"),
    ("hero", r"hero|title|heading|intro|lead|summary|excerpt|teaser"),
)
_PATTERNS = [re.compile(pattern) for _, pattern in LEXICON]
BITS = len(LEXICON) + len(MARKS) + 1
_ANY = re.compile("|".join(pattern for _, pattern in LEXICON))
_TAG_BITS = {tag: 1 << (len(LEXICON) + position) for position, tag in enumerate(MARKS)}
TOKEN = re.compile(r"[a-z]{2,}(?:-[a-z]{2,})*")
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
#: Most names of an element that are looked up.
TOKEN_BOUND = 24


def name_tokens(tag: str, names: str) -> list[str]:
    """Return what an element is called: its tag, its names and the parts of these, each once, in their order."""
    if not names:
        return ["<" + tag]
    tokens = ["<" + tag]
    for token in TOKEN.findall(CAMEL.sub("-", names).replace("_", "-").lower()):
        tokens.append(token)
        if "-" in token:
            tokens += token.split("-")
    return list(dict.fromkeys(tokens))[:TOKEN_BOUND]


@functools.lru_cache(maxsize=1 << 16)
def _bits(token: str) -> int:
    """Return which words of the lexicon a token has, a bit for each."""
    if not _ANY.search(token):
        return 0
    return sum(1 << bit for bit, pattern in enumerate(_PATTERNS) if pattern.search(token))


def _meaning(tag: str, names: str, weights: Mapping[str, int]) -> tuple[int, int, int, int]:
    """Return the bits of an element's names, and their worth: the sum, the least and the greatest."""
    tokens = name_tokens(tag, names)
    bits = _TAG_BITS.get(tag, 0)
    for token in tokens[1:]:
        bits |= _bits(token)
    found = [weights[token] for token in tokens if token in weights]
    return (bits, sum(found), min(found), max(found)) if found else (bits, 0, 0, 0)


def name_columns(page: Page, chain: list[Ints], weights: Mapping[str, int]) -> list[Any]:
    """Return what the names of a block's elements mean, by the lexicon and by what was learnt."""
    known: dict[tuple[str, str], tuple[int, int, int, int]] = {}
    meanings = [(0, 0, 0, 0)] * len(page.tags)
    for element, key in enumerate(zip(page.tags, page.names, strict=True)):
        if page.ends[element] > page.starts[element]:  # what holds no text means nothing
            found = known.get(key)
            if found is None:
                found = known[key] = _meaning(*key, weights)
            meanings[element] = found
    every, sums, lows, highs, depths = ([0] * len(meanings) for _ in range(5))
    every[0] = meanings[0][0]
    for element, parent in enumerate(page.parents):
        if element:
            bits, own, low, high = meanings[element]
            every[element] = every[parent] | bits
            sums[element] = sums[parent] + own
            lows[element] = min(low, lows[parent])
            highs[element] = max(high, highs[parent])
            depths[element] = depths[parent] + 1
    table = np.array(meanings, dtype=np.int64)
    mask, value = table[:, 0], table[:, 1]
    owner = chain[0]
    near = mask[chain[0]] | mask[chain[1]] | mask[chain[2]]
    bit = np.arange(BITS - 1)[:, None]
    scopes = [near, np.array(every, dtype=np.int64)[owner]]
    columns: list[Any] = [column for scope in scopes for column in (scope >> bit) & 1]
    inner = {names: _meaning("span", names, weights)[1] if names else 0 for names in set(page.inner)}
    columns += [np.array(array, dtype=np.int64)[owner] for array in (sums, lows, highs, depths)]
    columns += [value[level] for level in chain[:4]]
    columns += [np.array([inner[names] for names in page.inner], dtype=np.int64)]
    return columns
