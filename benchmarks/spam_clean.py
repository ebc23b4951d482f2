"""Text that is no spam, by source and in pieces of about a page: curated sources, gold texts of web pages, other languages."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import sys
from collections import defaultdict
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

import zstandard
from spam_mail import Sample, lines, page_text

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from pile.document import Document, Input, Record
from sources.arxiv import Arxiv
from sources.pubmed import Pubmed
from sources.wikipedia import Wikipedia

#: Characters of a piece: what a document of a web crawl has.
PIECE = 3_000
#: Most pieces of one book or paper.
MOST = 40
#: Sentences of one language that go in, and how many of them make up a text.
SENTENCES, TOGETHER = 120, (1, 2, 6)


#: Of five clean groups (hosts, articles, books) so many are trained on: with all of them fastText ranks mail worse, and
#: what is left is judged by the shipped model as text that it has never seen.
TRAINED, OF = 2, 5


def trained_on(sample):
    """Return whether a clean sample is trained on; its whole group is, or is not."""
    return hashlib.sha256(sample.group.encode()).digest()[0] % OF < TRAINED


def pieces(text, most=MOST):
    """Yield up to ``most`` stretches of a text, evenly spread, cut between lines or words."""
    count = max(1, len(text) // PIECE)
    for number in range(0, count, max(1, -(-count // most))):
        start = number * PIECE
        if start:
            start = text.find(" ", start) + 1
        yield text[start : start + PIECE].strip()


def clean(shared: Path):
    """Yield samples of every clean source that may be trained on; ``group`` is the host, article, paper or book."""
    data = shared / "data"
    yield from _wcxb(data / "html-gold/wcxb/wcxb-dev.jsonl.zst")
    yield from _source(
        Wikipedia(), next((shared / "mirror/dumps.wikimedia.org").rglob("*multistream.xml.bz2")), "wikipedia", 12
    )
    yield from _source(Pubmed(), next((shared / "mirror/ftp.ncbi.nlm.nih.gov").rglob("pubmed*.xml.gz")), "pubmed", 1)
    yield from _source(Arxiv(), next((shared / "mirror/arxiv/src").glob("*.tar")), "arxiv", MOST)
    for path in sorted((data / "pmc").rglob("*.xml*")):
        yield from _xml(path, "pmc", 8)
    for path in sorted((data / "other/uspto").iterdir()):
        yield from _xml(path, "uspto", MOST)
    for path in sorted((data / "other/shakespeare").iterdir()):
        yield from _xml(path, "shakespeare", MOST)
    yield from _posts(data / "other/stackexchange/beer-posts.xml.gz")
    for path in sorted((data / "other/ubuntu-irc").iterdir()):
        yield from _cut(unpacked(path), path.name, "irc", 12)
    for number, line in enumerate(lines(data / "other/state-of-the-union.jsonl.gz")):
        yield from _cut(json.loads(line)["text"], str(number), "speeches", 4)
    yield from _cut(unpacked(data / "other/gutenberg/moby-dick.txt.gz"), "moby-dick", "gutenberg", 100)
    yield from _languages(data / "lang")


def unseen(shared: Path):
    """Yield samples of web pages' gold texts that are only tested on, as their origin asks."""
    gold = shared / "data/html-gold"
    for name in ("scrapinghub", "newspaper4k"):
        for line in lines(gold / name / "gold.jsonl.gz"):
            row = json.loads(line)
            yield Sample(row["main_content"], 0, host(row["url"]), name)
    for path in sorted((gold / "readability").glob("*/expected.html.gz")):
        yield Sample(page_text(unpacked(path)), 0, path.parent.name, "readability")
    rows = [line.rstrip("\n").split("\t") for line in lines(shared / "data/warc/built-shared.manifest.tsv")]
    origin = {row[0]: row[rows[0].index("origin")] for row in rows[1:]}
    for line in lines(shared / "data/warc/built-shared.gold.jsonl.gz"):
        row = json.loads(line)
        if row.get("main_content") and not origin[row["record_id"]].startswith("wcxb/"):  # those are trained on
            yield Sample(row["main_content"], 0, row["record_id"], "warc-gold")


def judged(shared: Path):
    """Yield the web texts that people judged as good (``good``) or not (``poor``); nobody said which are spam."""
    for number, line in enumerate(lines(shared / "data/spam/dclm-human-quality.jsonl.gz")):
        row = json.loads(line)
        yield Sample(row["text"], 0, str(number), "dclm-good" if row["majority_label"] else "dclm-poor")


def unpacked(path):
    """Return a gzip file's text, with line ends as Python reads them."""
    with gzip.open(path, "rt", errors="replace") as file:
        return file.read()


def host(url):
    return urlsplit(url or "").netloc.lower().split(":")[0].removeprefix("www.")


def _cut(text, group, source, most):
    for piece in pieces(text, most):
        if piece:
            yield Sample(piece, 0, f"{source}:{group}", source)


def wcxb_rows(path):
    with open(path, "rb") as file:
        reader = zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(file)
        for line in io.TextIOWrapper(reader, encoding="utf-8"):
            yield json.loads(line)


def _wcxb(path):
    for row in wcxb_rows(path):
        if row["main_content"]:
            yield from _cut(row["main_content"], host(row["url"]), f"wcxb-{row['page_type']}", 3)


def _source(source, path, name, most):
    for record in source.records(Input(url=f"https://upstream/{path.name}"), path):
        found = source.parse(record) if isinstance(record, Record) else record
        if isinstance(found, Document):
            yield from _cut(found.text, found.id, name, most)


def _xml(path, source, most):
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    if b"<" not in data[:200]:
        text = data.decode("utf-8", "replace")
    else:
        try:
            text = " ".join(" ".join(ElementTree.fromstring(data).itertext()).split())
        except ElementTree.ParseError:  # SGML, or entities of a DTD that is not there
            text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>|&\w+;", " ", data.decode("utf-8", "replace")))
    yield from _cut(text, path.name, source, most)


def _posts(path):
    for row in ElementTree.fromstring(gzip.decompress(path.read_bytes())):
        text = page_text(row.get("Body", ""))
        if text:
            yield Sample(text, 0, f"stackexchange:{row.get('ParentId') or row.get('Id')}", "stackexchange")


def _languages(folder):
    """Yield sentences of each language, alone and several together, so that a language by itself says nothing."""
    for name, column in (("lingua-sentences.tsv.gz", 1), ("udhr-paragraphs.tsv.gz", 4)):
        texts = defaultdict(list)
        for line in lines(folder / name):
            cells = line.rstrip("\n").split("\t")
            if cells[0] != "code" and len(texts[cells[0]]) < (SENTENCES if column == 1 else 12):
                texts[cells[0]].append(cells[column])
        for language, found in texts.items():
            place = turn = 0
            while place < len(found):
                size = TOGETHER[turn % len(TOGETHER)]
                yield Sample("\n".join(found[place : place + size]), 0, f"language:{language}", "languages")
                place, turn = place + size, turn + 1
