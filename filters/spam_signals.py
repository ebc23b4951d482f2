"""The signals of spam that a bag of words does not see, measured on what ``spam_text`` reads of a text.

Each is 0 where nothing is odd and grows with what is; texts of a few words have none of those that only length makes odd.
"""

from __future__ import annotations

import re
from collections import Counter
from math import log2
from threading import local

import zstandard

from filters.spam_lexicon import found
from filters.spam_text import ADDRESS, LINK, Reading

#: Trades of the lexicon, whose phrases are added up; what all of them say to urge is a signal by itself.
TRADES = ("gambling", "pharma", "adult", "money", "goods", "promotion")
#: Signals in the order in which models hold them.
SIGNALS = (
    "lexicon",
    "urging",
    "links",
    "phones",
    "figures",
    "money_signs",
    "exclamation",
    "capitals",
    "compression",
    "top_term",
    "repeated_terms",
    "few_words",
)

#: Bytes below which compression and repetition say nothing.
LONG = 400
#: Compressed size over size, by zstd at level 1, of ordinary prose of ``LONG`` bytes, and what doubling the length takes off:
#: read off the Wikipedia articles of ../shared/mirror, of which 1 in 100 is 0.1 below that line.
RATIO, RATIO_DOUBLING = 0.70, 0.065
#: Shortest word that counts as a term.
TERM = 4
#: Share of all words that the most frequent term has in prose about something, at most; the five most frequent together.
TOP, TOP_FIVE = 0.04, 0.12
#: Times that each of the five must stand there.
TIMES = 4
#: Share of letters that are capitals in prose with names and headings, at most.
CAPITALS = 0.12

_UPPER = bytes(range(ord("A"), ord("Z") + 1))
_LETTERS = _UPPER + _UPPER.lower()
#: A number to call, with its parts apart or not, in plain words.
_PHONE = re.compile(r"\b0{2,5}(?:(?: 0{2,4}){2,3}|0{5,9})\b")
_CODE = re.compile(r"\b0{5,6}\b")
_OWN = local()


def signals(reading: Reading) -> dict[str, float]:
    """Return the signals of a text by name, in the order of ``SIGNALS``."""
    feature = reading.feature
    words = feature.split()
    count = max(1, len(words))
    different = set(words)
    hits = found(feature, different)
    per_hundred = 100 / max(count, 40)
    figures = "000" in feature
    phones = len(_PHONE.findall(feature)) + len(_CODE.findall(feature)) if figures else 0
    links = words.count(LINK) + words.count(ADDRESS) if "_" in feature else 0
    top, repeated = _repetition(words, different) if len(reading.piece) >= LONG else (0.0, 0.0)
    return {
        "lexicon": log2(1 + per_hundred * sum(len(hits.get(family, ())) for family in TRADES)),
        "urging": log2(1 + per_hundred * len(hits.get("urging", ()))),
        "links": log2(1 + links * per_hundred),
        "phones": log2(1 + phones * per_hundred),
        "figures": feature.count("00") / count if figures else 0.0,
        "money_signs": log2(1 + per_hundred * (feature.count("$") + feature.count("£") + feature.count("€"))),
        "exclamation": log2(1 + per_hundred * feature.count("!")),
        "capitals": _capitals(reading.piece),
        "compression": _compression(reading.piece),
        "top_term": top,
        "repeated_terms": repeated,
        "few_words": 1 / (1 + count / 10),
    }


def families(reading: Reading) -> dict[str, list[str]]:
    """Return the phrases of the lexicon that a text holds, by family, for people to see."""
    return found(reading.feature, set(reading.feature.split()))


def _capitals(piece: bytes) -> float:
    letters = len(piece) - len(piece.translate(None, _LETTERS))
    upper = len(piece) - len(piece.translate(None, _UPPER))
    return max(0.0, upper / letters - CAPITALS) if letters >= 20 else 0.0


def _compression(piece: bytes) -> float:
    """Return by how much a text is more compressible than prose of its length."""
    if len(piece) < LONG:
        return 0.0
    if not hasattr(_OWN, "zstd"):
        _OWN.zstd = zstandard.ZstdCompressor(level=1, write_checksum=False, write_content_size=False)
    ratio = len(_OWN.zstd.compress(piece)) / len(piece)
    return max(0.0, RATIO - RATIO_DOUBLING * log2(len(piece) / LONG) - ratio)


def _repetition(words: list[str], different: set[str]) -> tuple[float, float]:
    """Return by how much the top term's share, and that of the five most frequent terms, are above prose's."""
    if len(different) > 0.75 * len(words):  # then no word stands there often
        return 0.0, 0.0
    counts = Counter(words)
    terms = sorted((times for word, times in counts.items() if times >= TIMES and len(word) >= TERM), reverse=True)
    if not terms:
        return 0.0, 0.0
    return max(0.0, terms[0] / len(words) - TOP), max(0.0, sum(terms[:5]) / len(words) - TOP_FIVE)
