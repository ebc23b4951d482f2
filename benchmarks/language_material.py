"""Labelled sentences for benchmarks/language.py and train_language.py, and words with their frequencies from lingua's models.

The sentences are the three sets of ../shared/data/lang (its ORIGIN.txt says whose they are). The words come from the n-gram
statistics in the wheel of lingua-language-detector 1.3.5 (Apache-2.0), counted by its author on a million sentences a language of
the Wortschatz corpora of Leipzig University, which are not the sentences that he tests with.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brotli
import msgspec
import numpy as np

from filters.language_codes import iso_code_of_label

Row = tuple[str, str]

LINGUA_WHEEL = "lingua_language_detector-1.3.5-py3-none-any.whl"
LINGUA_SHA256 = "7254696753c4ee8ce127190cfb985d8b4621690d355c55b278c883f5bb5e152b"
_ORDERS = ("uni", "bi", "tri", "quadri", "five")
#: Languages whose script makes lingua's n-grams of letters needless, or useless where vowel signs are no letters.
_WITHOUT_WORDS = frozenset(
    ["am", "ar", "bn", "el", "gu", "he", "hi", "hy", "ja", "ka", "ko", "mr", "pa", "ta", "te", "th", "ur", "zh"]
)
#: Letters of a language's corpus per occurrence below which a word is left out: about 50 occurrences.
_RARE = 5e-7
_LONGEST = 20
#: Words of a made-up sentence, least and most.
_WORDS = (6, 21)

#: Declarations under another language's code: 068 is Walloon under that of French, the other Vietnamese in Han characters.
_MISLABELLED = frozenset({"068", "vie_han"})


def lingua(folder: Path) -> list[Row]:
    """Return lingua's test sentences: ``(code, sentence)`` in 79 languages."""
    return _pairs(folder / "lingua-sentences.tsv.gz")


def eld(folder: Path) -> list[Row]:
    """Return ELD's test lines: 60 languages, Norwegian as "no"."""
    return _pairs(folder / "eld-big-sample.tsv.gz")


def udhr(folder: Path) -> list[Row]:
    """Return the paragraphs of the Declaration of Human Rights in all languages that have a code."""
    with gzip.open(folder / "udhr-paragraphs.tsv.gz", "rt", encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines][1:]
    return [(iso_code_of_label(f"{row[1]}_"), row[4]) for row in rows if row[1] != "und" and row[0] not in _MISLABELLED]


def part(text: str, parts: int, purpose: str = "") -> int:
    """Return which of so many parts a text falls into, by its hash."""
    digest = hashlib.sha256((purpose + text).encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:8], "big") % parts


def words(wheel: Path, cache: Path) -> dict[str, list[tuple[str, float]]]:
    """Return for each language its words with their frequency, the most frequent first; kept in ``cache`` once computed."""
    if not cache.exists():
        if hashlib.sha256(wheel.read_bytes()).hexdigest() != LINGUA_SHA256:
            raise SystemExit(f"{wheel} is not {LINGUA_WHEEL}: pip download --no-deps lingua-language-detector==1.3.5")
        with zipfile.ZipFile(wheel) as archive:
            codes = sorted({name.split("/")[2] for name in archive.namelist() if "/language-models/" in name})
            found = {code: _words(_counts(archive, code)) for code in codes if code not in _WITHOUT_WORDS}
        cache.write_bytes(msgspec.msgpack.encode(found))
    return msgspec.msgpack.decode(cache.read_bytes(), type=dict[str, list[tuple[str, float]]])


def sentences(vocabulary: list[tuple[str, float]], number: int, random: np.random.Generator) -> Iterator[str]:
    """Yield sentences made of words drawn by their frequency."""
    names = [word for word, _ in vocabulary]
    reached = np.cumsum([frequency for _, frequency in vocabulary])
    for _ in range(number):
        draws = random.random(int(random.integers(_WORDS[0], _WORDS[1] + 1))) * reached[-1]
        yield " ".join(names[min(place, len(names) - 1)] for place in np.searchsorted(reached, draws))


def _pairs(path: Path) -> list[Row]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [(code, text) for code, text in (line.rstrip("\n").split("\t", 1) for line in lines)]


def _counts(archive: zipfile.ZipFile, code: str) -> list[dict[str, float]]:
    """Return how often each n-gram of letters stands in a language, as a share of all letters, for n from 1 to 5.

    lingua stores for each n-gram the share of its beginning's occurrences that it makes up, as a fraction.
    """
    counts: list[dict[str, float]] = []
    for order in _ORDERS:
        fractions = json.loads(brotli.decompress(archive.read(f"lingua/language-models/{code}/{order}grams.json.br")))
        shares: dict[str, float] = {}
        for fraction, ngrams in fractions["ngrams"].items():
            above, below = fraction.split("/")
            for ngram in ngrams.split(" "):
                before = counts[-1].get(ngram[:-1], 0.0) if counts else 1.0
                shares[ngram] = before * (int(above) / int(below))
        counts.append(shares)
    return counts


def _words(counts: list[dict[str, float]]) -> list[tuple[str, float]]:
    """Return the words whose n-grams these are.

    What an n-gram occurs more often than all its extensions to the left together, it occurs at a word's beginning; to the right,
    at a word's end. Words of up to three letters follow exactly, longer ones by a chain of five letters.
    """
    begins = [_without(counts[n], ((ngram[1:], share) for ngram, share in counts[n + 1].items())) for n in range(4)]
    found: dict[str, float] = defaultdict(float)
    for n in range(3):
        whole = _without(begins[n], ((ngram[:-1], share) for ngram, share in begins[n + 1].items() if share > 0))
        for word, share in whole.items():
            if share > _RARE:
                found[word] += share
    _longer(begins[3], counts[3], counts[4], found)
    usable = [(word, share) for word, share in found.items() if "\ufffd" not in word]
    return sorted(usable, key=lambda pair: (-pair[1], pair[0]))


def _longer(
    begins: dict[str, float], fours: dict[str, float], fives: dict[str, float], found: dict[str, float]
) -> None:
    """Add the words of four letters and more that are not rare."""
    nexts: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for ngram, share in fives.items():
        nexts[ngram[:-1]].append((ngram[-1], share / fours[ngram[:-1]]))
    ends = {four: max(0.0, 1 - sum(share for _, share in following)) for four, following in nexts.items()}
    open_words: list[tuple[str, Any]] = [(four, share) for four, share in begins.items() if share > _RARE]
    while open_words:
        word, share = open_words.pop()
        ended = share * ends.get(word[-4:], 1.0)
        if ended > _RARE:
            found[word] += ended
        if len(word) < _LONGEST:
            open_words += [(word + c, share * p) for c, p in nexts.get(word[-4:], ()) if share * p > _RARE]


def _without(counts: dict[str, float], parts: Iterator[tuple[str, float]]) -> dict[str, float]:
    """Return counts less those of the parts that extend them."""
    left = dict(counts)
    for name, share in parts:
        if name in left:
            left[name] -= share
    return left
