"""The main text of a page by a learnt choice among its blocks of text.

``block_page`` cuts the page, ``block_features`` describes the blocks, ``block_model`` scores them; here those are chosen that
give the best expected word F1, and written.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sources.extract.block_counts import Ints
from sources.extract.block_features import ARTICLE_KINDS, OTHER_KINDS, WORDS, features
from sources.extract.block_model import CERTAIN, Model, load
from sources.extract.block_page import DEPTH_BOUND, TooDeepError, read_page
from sources.extract.page import HEADING, ITEM, ROW, Page
from sources.extract.page_signals import page_signals

#: Expected word F1 from which the choice in an article is sure; in other pages it always is, since trafilatura does worse there.
#: On WCXB's articles trafilatura does as well below it; on those of ../shared/data/html-gold/scrapinghub, which are older than
#: what the model has seen, it does better.
SURE = 0.83
#: Most blocks of a page that is read; each takes 2.5 KB while it is judged. The most in ../shared/data/html-gold is 2,641.
BLOCK_BOUND = 30_000
#: Words of the mean block that is kept, from which a page is prose and not cards or a list.
PROSE = 12
#: Blocks after a heading of which one must be kept.
HEADING_REACH = 2
#: Deepest JSON-LD that is searched for a description.
DATA_DEPTH = 6
#: Markup in a description.
TAG = re.compile(r"<[^<>]{0,500}>")


class Chosen(NamedTuple):
    """A page's main text, and whether the model was sure of it and why: where not, a slower extractor may know better."""

    text: str
    sure: bool
    why: str
    signals: dict[str, float] | None = None


def choose(page: str, url: str | None = None) -> Chosen:
    """Return the main text of a page, "" when it has none, and whether the model is sure of it.

    ``signals`` are those of ``page_signals``, for which ``url`` says where the page was.

    Blocks are a blank line apart, items and rows have a line each. The same page always gives the same text. Never fails; the
    caller bounds the page's size.
    """
    try:
        read = read_page(page)
    except TooDeepError:
        return Chosen("", True, f"nested deeper than {DEPTH_BOUND}")
    return chosen(read, load())._replace(signals=page_signals(read, url))


def chosen(page: Page, model: Model) -> Chosen:
    """Return the main text of a page that is read, by a model."""
    if len(page.texts) > BLOCK_BOUND:
        return Chosen("", True, f"over {BLOCK_BOUND} blocks of text")
    if not page.texts:
        return _described(page, "no block of text")
    rows = features(page, model.meanings)
    words = rows[:, WORDS].astype(np.int64)
    keep, expected = select(model.probabilities(rows), words)
    if not keep.any():
        return _described(page, "no block is main text")
    prose = int(words[keep].sum()) >= PROSE * int(keep.sum())
    article = bool(rows[0, list(ARTICLE_KINDS)].any()) and not rows[0, list(OTHER_KINDS)].any()
    if prose:
        keep = without_last_headings(page, keep)
    sure = expected >= SURE or not article
    if not sure:
        return Chosen(
            render(page, keep), sure, f"an article of which word F1 {expected:.2f} is expected, under {SURE:g}"
        )
    why = (
        f"{'an' if article else 'no'} article, {int(keep.sum())} of {len(keep)} blocks, word F1 {expected:.2f} expected"
    )
    return Chosen(render(page, keep), sure, why)


def _described(page: Page, why: str) -> Chosen:
    """Return what JSON-LD says of a page that says nothing itself."""
    text = description(page)
    return Chosen(text, True, f"{why}, {'the description in' if text else 'and no description in'} JSON-LD")


def select(probabilities: Ints, words: Ints) -> tuple[NDArray[np.bool_], float]:
    """Return the choice of blocks with the greatest expected word F1, some number of the likeliest, and that F1.

    2 E[right words] / (chosen words + E[main words]) is what is maximised; among equal choices the smallest is taken.
    """
    order = np.argsort(-probabilities, kind="stable")
    right = np.cumsum((probabilities * words)[order])
    keep = np.zeros(len(order), dtype=bool)
    if not len(order) or not right[-1]:
        return keep, 0.0
    expected = 2 * right / (np.cumsum(words[order]) * CERTAIN + right[-1])
    best = int(np.argmax(expected))
    keep[order[: best + 1]] = True
    return keep, float(expected[best])


def without_last_headings(page: Page, keep: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return a choice of blocks without the headings of what is left out ("Read more", before links)."""
    keep = keep.copy()
    for block in np.flatnonzero(keep)[::-1].tolist():
        if page.kinds[block] == HEADING and not keep[block + 1 : block + 1 + HEADING_REACH].any():
            keep[block] = False
    return keep


def render(page: Page, keep: NDArray[np.bool_]) -> str:
    """Return the text of the kept blocks. Items and rows that follow each other are lines of one paragraph."""
    pieces: list[str] = []
    last = -1
    previous = -1
    for block in np.flatnonzero(keep).tolist():
        kind = page.kinds[block]
        text = page.texts[block]
        if pieces:
            together = kind == last and kind in (ITEM, ROW) and block == previous + 1
            pieces.append("\n" if together else "\n\n")
        pieces.append(f"- {text}" if kind == ITEM else text)
        last, previous = kind, block
    return "".join(pieces)


def description(page: Page) -> str:
    """Return the longest description in a page's JSON-LD (https://schema.org/description), "" without one."""
    found: list[str] = []
    for data in page.data:
        try:
            _descriptions(json.loads(data, strict=False), found, DATA_DEPTH)
        except (ValueError, RecursionError):
            continue
    return " ".join(TAG.sub(" ", max(found, key=len)).split()) if found else ""


def _descriptions(value: object, found: list[str], depth: int) -> None:
    if not depth:
        return
    if isinstance(value, dict):
        for key in ("articleBody", "description"):
            if isinstance(value.get(key), str):
                found.append(value[key])
        for inner in value.values():
            _descriptions(inner, found, depth - 1)
    elif isinstance(value, list):
        for inner in value:
            _descriptions(inner, found, depth - 1)
