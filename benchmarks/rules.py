"""The rule filters against datatrove's: decisions on the same texts, rule by rule, and documents a second on one core.

    python benchmarks/rules.py [--shared DIR] [--corpus DIR] [--each N] [--timed N] [--peer-python PYTHON] [--differing FILE]

Texts are up to N of each kind in SHARED/data (gold main texts of pages, extractions of one page by several tools, human quality
judgements, mails with their headers, manuals, speeches, sentences of 79 languages) and of each source of a finished corpus,
cut at 10,000 characters. Speed is user CPU time on English texts of 5,000 characters, all five filters on each: what they measure
and what they decide. datatrove 0.10.1 does both in an environment of its own, which is made first when there is none; it takes
the tokens of a text once for all of its filters, too.

pile is asked for datatrove's reading of the paper where the paper leaves it open (``symbols_as_words``). What still differs is
counted, and --differing writes it down for each text.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import os
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import zstandard
from peers.environment import PEERS, ensure_environment
from peers.environment import version as peer_version

from filters.c4 import C4
from filters.figures import take_ahead
from filters.fineweb import FineWeb
from filters.fineweb2 import FineWeb2
from filters.gopher import STOP_WORDS, GopherQuality, GopherRepetition
from filters.rules import Rules
from pile.corpus import Corpus
from pile.document import Document

ROOT = Path(__file__).resolve().parents[1]
FILTERS: dict[str, Rules] = {
    "gopher_repetition": GopherRepetition(),
    "gopher_quality": GopherQuality(symbols_as_words=True),
    "c4": C4(),
    "fineweb": FineWeb(),
    "fineweb2": FineWeb2(stop_words=STOP_WORDS),
}
#: datatrove's reasons by the names of pile's rules; all that are not here have the same name but for the prefix.
SAME = {
    "gopher_short_doc": "word_count",
    "gopher_long_doc": "word_count",
    "gopher_below_avg_threshold": "mean_word_length",
    "gopher_above_avg_threshold": "mean_word_length",
    "gopher_too_many_hashes": "symbol_ratio",
    "gopher_too_many_ellipsis": "symbol_ratio",
    "gopher_too_many_bullets": "bullet_lines",
    "gopher_too_many_end_ellipsis": "ellipsis_lines",
    "gopher_below_alpha_threshold": "alphabetic_words",
    "gopher_enough_stop_words": "stop_words",
    "dup_para_frac": "duplicate_paragraphs",
    "dup_para_char_frac": "duplicate_paragraph_characters",
    "dup_line_frac": "duplicate_lines",
    "dup_line_char_frac": "duplicate_line_characters",
    **{f"duplicated_{size}_n_grams": f"duplicate_{size}_gram" for size in range(5, 11)},
    "too_few_sentences": "sentences",
    "line_punct_ratio": "line_punctuation",
    "short_line_ratio": "short_lines",
    "char_dup_ratio": "duplicate_characters",
    "list_ratio": "newlines",
}
#: Characters of a text that is compared, and of one that is timed.
LONGEST = 10_000
TIMED = 5_000
#: Sentences of one language that make a text, and of those in a line.
SENTENCES, IN_A_LINE = 40, 5
ENGLISH = ("wcxb", "extraction", "union", "dclm")


def texts(shared: Path, corpus: Path | None, each: int) -> dict[str, str]:
    """Return texts by an id that begins with their kind."""
    data = shared / "data"
    kinds: dict[str, Iterator[str]] = {
        "wcxb": (row["main_content"] for row in rows(data / "html-gold/wcxb/wcxb-dev.jsonl.zst")),
        "scrapinghub": (row["main_content"] for row in rows(data / "html-gold/scrapinghub/gold.jsonl.gz")),
        "newspaper4k": (row["main_content"] for row in rows(data / "html-gold/newspaper4k/gold.jsonl.gz")),
        "extraction": (row["text"] for row in rows(data / "dedup-gold/extractions.jsonl.gz")),
        "manual": (row["text"] for row in rows(data / "dedup-gold/manual-versions.jsonl.gz")),
        "dclm": (row["text"] for row in rows(data / "spam/dclm-human-quality.jsonl.gz")),
        "mail": (row["raw"] for row in rows(data / "spam/spamassassin.jsonl.gz")),
        "union": (row["text"] for row in rows(data / "other/state-of-the-union.jsonl.gz")),
        "sentences": sentences(data / "lang/lingua-sentences.tsv.gz"),
    }
    if corpus:
        sources: dict[str, list[str]] = {}
        for document in Corpus(str(corpus)).iterate():
            sources.setdefault(document["meta"]["pile_set_name"], []).append(document["text"])
        kinds.update({source: iter(some) for source, some in sources.items()})
    found = {}
    for kind, some in kinds.items():
        for number, text in enumerate(islice(filter(None, some), each)):
            found[f"{kind}/{number}"] = text[:LONGEST]
    return found


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of JSON Lines, gzip or zstd."""
    if path.suffix == ".zst":
        with open(path, "rb") as stored:
            reader = zstandard.ZstdDecompressor().stream_reader(stored, read_across_frames=True)
            yield from map(json.loads, io.TextIOWrapper(reader, encoding="utf-8"))
    else:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def sentences(path: Path) -> Iterator[str]:
    """Yield texts of some sentences in one language each."""
    languages: dict[str, list[str]] = {}
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            code, _, sentence = line.rstrip("\n").partition("\t")
            languages.setdefault(code, []).append(sentence)
    for found in languages.values():
        yield "\n".join(" ".join(found[at : at + IN_A_LINE]) for at in range(0, SENTENCES, IN_A_LINE))


def reason(name: str, text: str) -> str:
    """Return the rule that drops a text, "" for kept."""
    return FILTERS[name].judge(Document("", text)).reason.removeprefix(f"{FILTERS[name].family}_")


def ask_peer(python: Path, found: dict[str, str]) -> tuple[float, dict[str, dict[str, str]]]:
    """Return datatrove's user CPU seconds, and the rules by which it drops texts."""
    with tempfile.TemporaryDirectory(prefix="rules-") as folder:
        asked, answered = Path(folder, "texts.jsonl"), Path(folder, "verdicts.jsonl")
        asked.write_text("".join(json.dumps({"id": id, "text": text}) + "\n" for id, text in found.items()))
        done = subprocess.run(
            [python, PEERS / "datatrove_rules.py", asked, answered],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "HF_HOME": folder},
        )
        answers = map(json.loads, answered.read_text().splitlines())
        verdicts = {row["id"]: {name: SAME.get(why, why) for name, why in row["reasons"].items()} for row in answers}
    return float(done.stdout), verdicts


def table(mine: dict[str, dict[str, str]], theirs: dict[str, dict[str, str]]) -> Iterator[str]:
    """Yield the lines of the table: by filter, then by rule."""
    yield "| filter | rule | both drop | only pile | only datatrove | same decision |"
    yield "|---|---|--:|--:|--:|--:|"
    for name in FILTERS:
        same = sum((not mine[id][name]) == (not theirs[id][name]) for id in mine)
        yield f"| `{name}` | | | | | {same:,} of {len(mine):,} ({same / len(mine):.2%}) |"
        rules = Counter(verdicts[id][name] for verdicts in (mine, theirs) for id in mine)
        for rule in sorted(filter(None, rules)):
            both = sum(mine[id][name] == rule == theirs[id][name] for id in mine)
            ours = sum(mine[id][name] == rule and not theirs[id][name] for id in mine)
            other = sum(theirs[id][name] == rule and not mine[id][name] for id in mine)
            yield f"| | {rule} | {both:,} | {ours:,} | {other:,} | |"


def speed(documents: list[Document], ahead: bool) -> float:
    """Return the user CPU seconds of all five filters on all documents, one by one or with what they share taken ahead."""
    for name in FILTERS:
        reason(name, documents[0].text)  # loads the tables of characters
    began = os.times().user
    if ahead:
        take_ahead([document.text for document in documents])
    for document in documents:
        for filter in FILTERS.values():
            filter.decide(filter.measure(document))
    return os.times().user - began


def compare(shared: Path, corpus: Path | None, each: int, timed: int, python: Path, differing: Path | None) -> None:
    """Ask both, and print both tables."""
    found = texts(shared, corpus, each)
    mine = {id: {name: reason(name, text) for name in FILTERS} for id, text in found.items()}
    _, theirs = ask_peer(python, found)
    print("\n".join(table(mine, theirs)))
    if differing:
        with open(differing, "w", encoding="utf-8") as file:
            for id in mine:
                for name in FILTERS:
                    if (not mine[id][name]) != (not theirs[id][name]):
                        print(id, name, mine[id][name] or "kept", theirs[id][name] or "kept", sep="\t", file=file)
    english = [text[:TIMED] for id, text in found.items() if id.split("/")[0] in ENGLISH and len(text) >= TIMED]
    spread = english[:: max(len(english) // timed, 1)][:timed]
    documents = [Document(str(number), text) for number, text in enumerate(spread)]
    alone, together = speed(documents, ahead=False), speed(documents, ahead=True)
    peer_seconds, _ = ask_peer(python, {str(number): text for number, text in enumerate(spread)})
    print(
        f"\n{len(spread)} English texts of {TIMED:,} characters, all five filters, user CPU time; load {os.getloadavg()[0]:.1f}\n"
    )
    print("| | documents/s | ms a document |\n|---|--:|--:|")
    for name, spent in (
        ("pile, texts taken together", together),
        ("pile, one by one", alone),
        (f"datatrove {peer_version(python, 'datatrove')}", peer_seconds),
    ):
        print(f"| {name} | {len(spread) / spent:,.0f} | {1000 * spent / len(spread):.2f} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--corpus", type=Path, help="a finished corpus, whose sources are compared too")
    parser.add_argument("--each", type=int, default=300, help="texts of each kind (default: 300)")
    parser.add_argument("--timed", type=int, default=400, help="texts that are timed (default: 400)")
    parser.add_argument("--peer-python", type=Path, help="a Python that has datatrove (default: .venv-peers/datatrove)")
    parser.add_argument("--differing", type=Path, help="a file for the ids of what is decided differently")
    arguments = parser.parse_args()
    peer = arguments.peer_python or ensure_environment("datatrove")
    shared = arguments.shared.resolve()
    compare(shared, arguments.corpus, arguments.each, arguments.timed, peer, arguments.differing)
