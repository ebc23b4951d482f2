"""Word F1 and pages a second of main_text and of its peers, on pages whose main text people have marked.

    python benchmarks/html_extraction.py [--gold DIR] [--sample N] [--seed S]

Prints Markdown tables: WCXB's development pages, overall and by type of page; trafilatura's own and scrapinghub's pages,
each by its own project's score. All run in this process, page by page in turn, so that what else the machine does slows all
alike; a rate is pages a second of CPU time. The versions are those of constraints.txt. WCXB is also what the router in
main_text was made on: for a figure on unseen pages see the cross-validation of its training.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import logging
import platform
import random
import re
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import trafilatura
import zstandard
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.encoding import bytes_to_str, detect_encoding

from sources.extract.html import main_text

ROOT = Path(__file__).resolve().parents[1]
#: zstd's window of the WCXB file (its ORIGIN.txt).
WINDOW = 1 << 27
#: Words of a shingle in scrapinghub's score.
SHINGLE = 4
#: A page before the clock starts: models and modules are loaded.
WARM_UP = (
    "<html><body><article><h1>One</h1>"
    + "<p>Some words that are a paragraph, no more.</p>" * 20
    + "</article></body></html>"
)


class Page(NamedTuple):
    """One page, and what its text should be: ``gold`` has main_content, or snippets to find (with) and to miss (without)."""

    html: bytes | str
    url: str
    gold: dict[str, Any]


class Result(NamedTuple):
    """What one extractor made of a set of pages: its texts in order, and the CPU seconds it took."""

    texts: list[str]
    seconds: float


Extractor = Callable[[bytes | str, str], str]


def _main_text(html: bytes | str, url: str) -> str:
    return main_text(html, url=url)


def _trafilatura(html: bytes | str, url: str, *, fast: bool) -> str:
    return trafilatura.extract(html, url=url, fast=fast, include_comments=False, deduplicate=False) or ""


def _resiliparse(html: bytes | str, url: str) -> str:
    page = bytes_to_str(html, detect_encoding(html)) if isinstance(html, bytes) else html
    return str(extract_plain_text(page, main_content=True, alt_texts=False))


def extractors() -> dict[str, Extractor]:
    """Return what is compared, by the name it has in the tables; the second is the measure of the others' speed."""
    slow = f"trafilatura {version('trafilatura')}"
    return {
        "pile main_text": _main_text,
        f"{slow} standard": partial(_trafilatura, fast=False),
        f"{slow} fast": partial(_trafilatura, fast=True),
        f"resiliparse {version('resiliparse')} main content": _resiliparse,
    }


def tokens(text: str) -> list[str]:
    """Return the words of a text as WCXB and scrapinghub cut them."""
    return re.findall(r"\w+", text)


def word_scores(text: str, gold: str) -> tuple[float, float, float]:
    """Return F1, precision and recall of a text's bag of lower-case words, as WCXB's evaluate.py defines them.

    Nothing where nothing should be is right: 1.
    """
    found, wanted = Counter(tokens(text.lower())), Counter(tokens(gold.lower()))
    if not found or not wanted:
        return (1.0, 1.0, 1.0) if not found and not wanted else (0.0, 0.0, 0.0)
    shared = (found & wanted).total()
    precision, recall = shared / found.total(), shared / wanted.total()
    return (_harmonic(precision, recall), precision, recall)


def _harmonic(one: float, other: float) -> float:
    return 2 * one * other / (one + other) if one + other else 0.0


def snippet_scores(texts: Sequence[str], pages: Sequence[Page]) -> tuple[float, float, float]:
    """Return F1, precision and recall over all snippets of a set, as trafilatura's evaluation counts them (eval_common.py)."""
    found = wrong = missed = 0
    for text, page in zip(texts, pages, strict=True):
        folded = " ".join(text.split())
        wanted = [" ".join(snippet.split()) in folded for snippet in page.gold["with"]]
        found += sum(wanted)
        missed += len(wanted) - sum(wanted)
        wrong += sum(" ".join(snippet.split()) in folded for snippet in page.gold["without"])
    precision, recall = found / max(1, found + wrong), found / max(1, found + missed)
    return (_harmonic(precision, recall), precision, recall)


def shingle_scores(texts: Sequence[str], pages: Sequence[Page]) -> tuple[float, float, float]:
    """Return F1 of the mean precision and the mean recall of word 4-grams, as scrapinghub's evaluate.py defines them."""
    precisions, recalls = [], []
    for text, page in zip(texts, pages, strict=True):
        found, wanted = _shingles(text), _shingles(page.gold["main_content"])
        shared = (found & wanted).total()
        if found:
            precisions.append(shared / found.total())
        if wanted:
            recalls.append(shared / wanted.total())
    precision, recall = statistics.mean(precisions or [0.0]), statistics.mean(recalls or [0.0])
    return (_harmonic(precision, recall), precision, recall)


def _shingles(text: str) -> Counter[tuple[str, ...]]:
    words = tokens(text)
    return Counter(tuple(words[i : i + SHINGLE]) for i in range(max(1, len(words) - SHINGLE + 1)) if words)


def mean_word_scores(texts: Sequence[str], pages: Sequence[Page]) -> tuple[float, float, float]:
    """Return the means over pages of ``word_scores``."""
    scores = [word_scores(text, page.gold["main_content"]) for text, page in zip(texts, pages, strict=True)]
    return tuple(map(statistics.mean, zip(*scores, strict=True)))  # type: ignore[return-value]


def wcxb(folder: Path) -> list[Page]:
    """Return WCXB's development pages."""
    reader = zstandard.ZstdDecompressor(max_window_size=WINDOW)
    with open(folder / "wcxb/wcxb-dev.jsonl.zst", "rb") as file:
        lines = io.TextIOWrapper(reader.stream_reader(file), encoding="utf-8")
        rows = [json.loads(line) for line in lines]
    return [Page(row.pop("html"), row["url"], {**row, "main_content": row["main_content"] or ""}) for row in rows]


def stored(folder: Path) -> list[Page]:
    """Return the pages of a folder with gold.jsonl.gz and html/; they are bytes, in whatever charset they were."""
    with gzip.open(folder / "gold.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [Page(gzip.decompress((folder / f"html/{row['id']}.html.gz").read_bytes()), row["url"], row) for row in rows]


def measure(pages: Sequence[Page], compared: dict[str, Extractor]) -> dict[str, Result]:
    """Extract each page with each extractor in turn; another one begins on each page."""
    texts: dict[str, list[str]] = {name: [] for name in compared}
    seconds = dict.fromkeys(compared, 0.0)
    order = list(compared.items())
    for extract in compared.values():
        extract(WARM_UP, "https://example.org/")
    for number, page in enumerate(pages):
        start = number % len(order)
        for name, extract in order[start:] + order[:start]:
            began = time.process_time()
            text = extract(page.html, page.url)
            seconds[name] += time.process_time() - began
            texts[name].append(text)
    return {name: Result(texts[name], seconds[name]) for name in compared}


def table(
    pages: Sequence[Page], results: dict[str, Result], score: Callable[..., tuple[float, float, float]]
) -> list[str]:
    """Return the lines of the table of one set."""
    lines = ["| extractor | F1 | P | R | pages/s | against standard |", "|---|--:|--:|--:|--:|--:|"]
    standard = list(results.values())[1].seconds
    for name, result in results.items():
        scores = " | ".join(f"{value:.3f}" for value in score(result.texts, pages))
        lines.append(f"| {name} | {scores} | {len(pages) / result.seconds:,.1f} | {standard / result.seconds:.1f}x |")
    return lines


def types_table(pages: Sequence[Page], results: dict[str, Result]) -> list[str]:
    """Return the lines of the table of word F1 by type of page."""
    count = Counter(page.gold["page_type"] for page in pages)
    types = [name for name, _ in sorted(count.items(), key=lambda item: (-item[1], item[0]))]
    lines = ["| extractor | " + " | ".join(f"{name} ({count[name]})" for name in types) + " |"]
    lines.append("|---|" + "--:|" * len(types))
    for name, result in results.items():
        cells = []
        for wanted in types:
            chosen = [
                (text, page) for text, page in zip(result.texts, pages, strict=True) if page.gold["page_type"] == wanted
            ]
            cells.append(f"{mean_word_scores(*zip(*chosen, strict=True))[0]:.3f}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def sampled(pages: list[Page], size: int | None, seed: int) -> list[Page]:
    """Return ``size`` of the pages in their order, drawn by ``seed``; all of them without a size."""
    if size is None or size >= len(pages):
        return pages
    return [pages[i] for i in sorted(random.Random(seed).sample(range(len(pages)), size))]


def report(folder: Path, size: int | None, seed: int) -> Iterable[str]:
    """Yield the lines of all tables, each as soon as it is measured."""
    compared = extractors()
    yield f"Python {platform.python_version()}, one process, CPU time."
    pages = sampled(wcxb(folder), size, seed)
    results = measure(pages, compared)
    yield from ("", f"WCXB, development split, {len(pages)} pages: mean word F1", "")
    yield from table(pages, results, mean_word_scores)
    yield from ("", "The same, word F1 by type of page", "")
    yield from types_table(pages, results)
    for name, score, told in (
        ("trafilatura", snippet_scores, "snippets found and avoided"),
        ("scrapinghub", shingle_scores, "word 4-grams"),
    ):
        pages = sampled(stored(folder / name), size, seed)
        yield from ("", f"{name}, {len(pages)} pages: {told}", "")
        yield from table(pages, measure(pages, compared), score)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gold", type=Path, default=ROOT.parent / "shared/data/html-gold")
    parser.add_argument("--sample", type=int, metavar="N", help="pages of each set (default: all)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    for line in report(arguments.gold, arguments.sample, arguments.seed):
        print(line, flush=True)
