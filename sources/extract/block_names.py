"""What the elements around a page's blocks are called, and what their names mean.

A small lexicon says it by rule, and ``blocks.model`` by what such elements held on the pages that it was trained on.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from sources.extract.block_counts import Ints, ints
from sources.extract.page import Page

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
#: Stems of names by what they mean, each meaning a feature: the element's own, one of the three nearest, any that it is in.
#: "^" is where a part of a name begins, "$" where it ends.
LEXICON: tuple[tuple[str, str], ...] = (
    ("comment", "comment disqus respond reply"),
    ("post", "^post thread message topic answer question"),
    ("content", "content entry ^body prose markdown richtext rich-text rte wysiwyg ^text"),
    ("article", "article story blog"),
    ("product", "product description detail spec feature"),
    ("side", "sidebar ^side widget rail aside complementary"),
    ("related", "relat recommend similar also more- trending popular latest recent upsell"),
    ("share", "share social follow twitter facebook"),
    ("nav", "nav menu breadcrumb crumb pagina pager tab$ tabs$ toc toolbar"),
    ("foot", "foot copyright legal bottom"),
    ("head", "header masthead topbar top-bar banner"),
    ("promo", "promo ^ad$ ^ads$ advert sponsor cta newsletter subscri signup sign-up offer"),
    ("modal", "modal popup cookie consent gdpr overlay dialog drawer login search alert notice"),
    (
        "meta",
        "meta author byline date ^time ^tag$ ^tags$ categor caption credit user profile avatar vote signature rating price",
    ),
    ("list", "list grid card item tile carousel slider swiper gallery collection"),
    ("review", "review testimonial faq accordion quote"),
    ("main", "^main primary single container wrapper"),
    ("hero", "hero title heading intro lead summary excerpt teaser"),
)
BITS = len(LEXICON) + len(MARKS) + 1
_STEMS = [(stem, 1 << bit) for bit, (_, stems) in enumerate(LEXICON) for stem in stems.split(" ")]


def _stem_pattern() -> re.Pattern[str]:
    """Return a pattern that finds, at every place in a name, the longest stem that is there."""
    by_letter: dict[str, list[str]] = {}
    for stem in sorted({stem for stem, _ in _STEMS}, key=lambda stem: (-len(stem.strip("^$")), stem)):
        bare = stem.strip("^$")
        end = "(?![a-z])" if stem.endswith("$") else ""
        start = "(?<![a-z].)" if stem.startswith("^") else ""
        by_letter.setdefault(bare[0], []).append(f"{start}{bare[1:]}{end}")
    # One branch for each letter: which of them can match is seen from the first character.
    branches = [f"{letter}(?:{'|'.join(rest)})" for letter, rest in sorted(by_letter.items())]
    return re.compile(f"(?=({'|'.join(branches)}))")


_STEM = _stem_pattern()
#: What a stem that was found means: also what the shorter ones that it begins with do.
_STEM_BITS = {
    found: functools.reduce(int.__or__, (bit for stem, bit in _STEMS if found.startswith(stem.strip("^$"))))
    for found in {stem.strip("^$") for stem, _ in _STEMS}
}
_TAG_BITS = {tag: 1 << (len(LEXICON) + position) for position, tag in enumerate(MARKS)}
TOKEN = re.compile(r"[a-z]{2,}(?:-[a-z]{2,})*")
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
#: Elements whose meaning is remembered. They hardly ever come back on another page.
ELEMENTS_MEMORY = 1 << 12
#: Names whose meaning is remembered: some 3 MB.
NAMES_MEMORY = 1 << 13
#: Most names of an element that are looked up.
TOKEN_BOUND = 24


def name_tokens(tag: str, names: str) -> list[str]:
    """Return what an element is called: its tag, its names and the parts of these, each once, in their order."""
    found = [token for name in _split(names) for token in _parts(name)]
    return list(dict.fromkeys(["<" + tag, *found]))


def _split(names: str) -> list[str]:
    """Return an element's names in lower case, their parts joined by "-"."""
    if not names.islower():
        names = CAMEL.sub("-", names).lower()
    return TOKEN.findall(names.replace("_", "-"))[:TOKEN_BOUND]


def _parts(name: str) -> list[str]:
    """Return a name, and what it is made of when that is more than one word."""
    return [name, *name.split("-")] if "-" in name else [name]


def _bits(token: str) -> int:
    """Return which meanings of the lexicon a token has, a bit for each."""
    bits = 0
    for stem in _STEM.findall(token):
        bits |= _STEM_BITS[stem]
    return bits


class Meaning(NamedTuple):
    """What an element's names mean: bits of the lexicon, and their worth: the sum, the least and the greatest."""

    bits: int
    worth: int
    least: int
    greatest: int


class Meanings:
    """The meanings of names, by the lexicon and by what each of them is worth.

    It remembers what it looked up last, which saves time and changes nothing.
    """

    def __init__(self, worth: Mapping[str, int]) -> None:
        self._worth = worth
        self.of = functools.lru_cache(ELEMENTS_MEMORY)(self._of)
        self._named = functools.lru_cache(NAMES_MEMORY)(self._learn)

    def _of(self, tag: str, names: str) -> Meaning:
        """Return what an element with a tag and names means."""
        bits = 0
        found: dict[str, int] = {}
        for name in ("<" + tag, *_split(names)):
            own, worth = self._named(name)
            bits |= own
            if worth:
                found |= worth
        if not found:
            return Meaning(bits, 0, 0, 0)
        worths = found.values()
        return Meaning(bits, sum(worths), min(worths), max(worths))

    def _learn(self, name: str) -> tuple[int, dict[str, int]]:
        """Return the bits and the worth of one name, or of a tag with "<" before it."""
        bits = _TAG_BITS.get(name[1:], 0) if name.startswith("<") else _bits(name)
        return bits, {part: self._worth[part] for part in _parts(name) if part in self._worth}


def name_columns(page: Page, chain: list[Ints], meanings: Meanings) -> Ints:
    """Return what the names of a block's elements mean, by the lexicon and by what was learnt."""
    masks, worths, every, sums, lows, highs, depths = table = [[0] * len(page.tags) for _ in range(7)]
    of, parents = meanings.of, page.parents
    for element, (tag, names, start, end) in enumerate(zip(page.tags, page.names, page.starts, page.ends, strict=True)):
        if end > start and element:  # what holds no text means nothing
            bits, worth, least, greatest = of(tag, names)
            parent = parents[element]
            masks[element], worths[element] = bits, worth
            every[element] = every[parent] | bits
            sums[element] = sums[parent] + worth
            lows[element] = least if least < lows[parent] else lows[parent]
            highs[element] = greatest if greatest > highs[parent] else highs[parent]
            depths[element] = depths[parent] + 1
    mask, value, within, *along = map(ints, table)
    own = chain[0]
    near = mask[own] | mask[chain[1]] | mask[chain[2]]
    bit = np.arange(BITS - 1)[:, None]
    inner = {names: of("span", names).worth if names else 0 for names in set(page.inner)}
    worths_seen = [column[own] for column in along] + [value[level] for level in chain[:4]]
    worths_seen.append(ints([inner[names] for names in page.inner]))
    return np.concatenate([(near >> bit) & 1, (within[own] >> bit) & 1, np.stack(worths_seen)])
