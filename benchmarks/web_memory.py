"""The memory of one worker on a long web archive: its peak on 1 GB of pages, and what 100,000 pages leave behind.

    python benchmarks/web_memory.py [--pages N] [--size BYTES] [--only long|many] [--folder DIR]

Both archives are generated and not kept: invented pages, each with names, addresses and words of its own, so that whatever
remembers something of a page has something to remember. Each goes through the extract stage of ``common_crawl`` in a worker of
the build's own executor. Members are stored, not packed, so that 1 GB of file is not 6 GB of markup.

RSS is looked at by psutil while the worker works; VmHWM is the kernel's own peak of the same. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import functools
import os
import re
import struct
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from pile.document import Input
from pile.executor import LocalExecutor
from pile.extract import Extraction, task
from pile.stage import Task, Work

#: Seconds between two looks at memory, and between two lines of progress.
SAMPLE_SECONDS, PROGRESS_SECONDS = 0.1, 30.0
#: What the bars are: peak, and growth after the first pages.
PEAK_BOUND, WARM_PAGES, GROWTH_BOUND = 600 << 20, 10_000, 0.10
#: Sizes of a long archive's pages, in bytes, in turn; the greatest is just below what Common Crawl cuts.
SIZES = (20_000, 40_000, 60_000, 150_000, 300_000, 30_000, 80_000, 1_000_000, 25_000, 200_000, 50_000, 5_000_000)
#: One page in so many is of the kind that the blocks are unsure of, which goes to trafilatura as well.
UNSURE = 49
#: In one place of so many, an archive has the worst that there is, and the worst page has so many paragraphs.
WORST, CROWD = 400, 299_000
#: A page of this many bytes is what a small one has.
SMALL = 1_500

PROSE = (
    "the harbour and a lamp of old stone keeper evening ships tide wind water boat rope sail north that which morning weather "
    "light market children river bridge winter snow garden apples bread kitchen letters road hill forest mill"
)
WORDS = PROSE.split()


def sentence(seed: int) -> str:
    """Return a sentence of 12 words; the same for the same seed."""
    picked = [WORDS[(seed * 7919 + k * k * 104_729 + k * seed) % len(WORDS)] for k in range(12)]
    return f"{' '.join(picked).capitalize()} {seed}."


PARAGRAPHS = [" ".join(sentence(seed * 5 + k) for k in range(5)) for seed in range(997)]


def page(number: int, size: int) -> bytes:
    """Return an invented page of about ``size`` bytes; names, addresses and some words are no other page's."""
    own = f"{number * 2_654_435_761 % (1 << 32):08x}"
    letters = own.translate(str.maketrans("0123456789", "ghijklmnop"))
    is_unsure = number % UNSURE == 0
    article = '<meta property="og:type" content="article">' if is_unsure else ""
    head = (
        f'<!DOCTYPE html><html lang="en"><head><title>Page {own}</title><link rel=canonical href="https://{own}.example/">'
        f'<meta name=date content="20{number % 25:02d}-0{number % 9 + 1}-1{number % 10}">{article}</head>'
        f'<body class="t-{letters}">'
        f'<nav><a href="https://{own}.example/a">Home</a> <a href="/{own}">Shop</a></nav>'
        + (f"<main><h1>Of {own}</h1>" if not is_unsure else "<main>")
    )
    parts, length = [head], len(head)
    for row in range(size):
        if length > size:
            break
        text = PARAGRAPHS[(number * 31 + row * 17) % len(PARAGRAPHS)]
        part = (
            f"{text}<br>\n"
            if is_unsure
            else f'<div class="p-{letters}-{row}"><p id=x{row}-{own}>{text} <a href="/{own}/{row}">{letters}</a></p></div>\n'
        )
        parts.append(part)
        length += len(part)
    parts.append(f"</main><footer><x-{letters}>Copyright {own}</x-{letters}></footer></body></html>")
    return "".join(parts).encode()


def capture(number: int, body: bytes, more: str = "") -> bytes:
    """Return a response record with its HTTP head."""
    http = f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n{more}\r\n".encode() + body
    head = (
        "WARC/1.0\r\nWARC-Type: response\r\nWARC-Date: 2026-07-10T07:05:34Z\r\n"
        f"WARC-Record-ID: <urn:uuid:00000000-0000-0000-0000-{number:012d}>\r\n"
        f"Content-Type: application/http; msgtype=response\r\nWARC-Target-URI: https://{number}.example/\r\n"
        f"Content-Length: {len(http)}\r\n\r\n"
    )
    return head.encode() + http + b"\r\n\r\n"


def member(record: bytes) -> bytes:
    """Return a record as a gzip member whose blocks are stored (RFC 1951, 3.2.4)."""
    blocks = [record[at : at + 65_535] for at in range(0, len(record), 65_535)]
    stored = b"".join(
        struct.pack("<BHH", at == len(blocks) - 1, len(block), len(block) ^ 0xFFFF) + block
        for at, block in enumerate(blocks)
    )
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + stored + struct.pack("<II", zlib.crc32(record), len(record) & 0xFFFFFFFF)


def many(pages: int) -> Iterator[bytes]:
    """Yield the members of an archive of small pages."""
    for number in range(pages):
        yield member(capture(number, page(number, SMALL)))


def long(size: int) -> Iterator[bytes]:
    """Yield the members of an archive of ``size`` bytes: pages of all sizes, and now and then the worst that there are."""
    number = written = 0
    while written < size:
        records = (
            worst(number)
            if number % WORST == WORST // 4
            else [capture(number, page(number, SIZES[number % len(SIZES)]))]
        )
        for record in records:
            part = member(record)
            yield part
            written += len(part)
        number += len(records)


def worst(number: int) -> list[bytes]:
    """Return a payload that inflates to a gigabyte, a record of 80 MB, and a page just below the bound on tags."""
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(1024)), packer.flush()])
    crowd = b"<html><body>" + b"<p>some words of it" * CROWD
    return [
        capture(number, bomb, "Content-Encoding: gzip\r\n"),
        capture(number + 1, bytes(80 << 20)),
        capture(number + 2, crowd),
    ]


class Looks:
    """What was seen of a worker: RSS at its first ``WARM_PAGES``th record and at the last, the greatest, and VmHWM."""

    def __init__(self, journal: Path, label: str) -> None:
        self.warm = self.last = self.greatest = self.kernel = self.number = 0
        self._journal, self._label = journal, label

    def watch(self, stop: threading.Event) -> None:
        """Look at the worker, a child of this process's server, until told to stop."""
        told = began = time.monotonic()
        while not stop.wait(SAMPLE_SECONDS):
            number = self._record()
            for child in psutil.Process().children(recursive=True):
                try:
                    if child.ppid() == os.getpid() or "forkserver" not in " ".join(child.cmdline()):
                        continue  # the server that workers are forked from
                    seen = child.memory_info().rss
                    peak = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{child.pid}/status").read_text())
                except (psutil.NoSuchProcess, psutil.ZombieProcess, OSError):
                    continue
                if number != self.number or not self.last:  # not while the worker takes its leave
                    self.last = seen
                self.greatest, self.kernel = max(self.greatest, seen), int(peak[1]) << 10 if peak else self.kernel
                if number >= WARM_PAGES and not self.warm:
                    self.warm = self.last
            self.number = number
            if time.monotonic() - told > PROGRESS_SECONDS:
                told = time.monotonic()
                print(f"{self._label}: {told - began:.0f} s, record {number:,}, RSS {mib(self.last)}", flush=True)

    def _record(self) -> int:
        """Return the number in the name of the record that the worker has in hand."""
        try:
            return int(self._journal.read_text()[-12:])
        except (OSError, ValueError):
            return self.number


class Run(NamedTuple):
    """What one archive gave."""

    label: str
    size: int
    facts: dict[str, Any]
    seconds: float
    looks: Looks


def perform(one: Task, work: Work, journal: Path) -> dict[str, Any]:
    """Do the task as the build's runner does (in the worker)."""
    return work.perform(one, journal)[1]


def run(folder: Path, label: str, members: Iterator[bytes]) -> Run:
    """Write an archive and send it through one worker."""
    path = folder / f"{label}.warc.gz"
    with open(path, "wb") as file:
        for part in members:
            file.write(part)
    work, looks, stop = Work(f"{folder}/work"), Looks(folder / "journal", label), threading.Event()
    extraction = Extraction("web", "common_crawl", {"crawl": "CC-MAIN-2026-30"}, Input(path.name), label, str(path))
    watcher = threading.Thread(target=looks.watch, args=(stop,), daemon=True)
    watcher.start()
    began = time.perf_counter()
    with LocalExecutor(1) as executor:
        doing = functools.partial(perform, work=work, journal=folder / "journal")
        ((_, facts),) = executor.map(doing, [task(extraction, {}, path.stat().st_size)])
    seconds = time.perf_counter() - began
    stop.set()
    watcher.join()
    if not isinstance(facts, dict):
        raise facts
    size = path.stat().st_size
    path.unlink()
    return Run(label, size, facts, seconds, looks)


def mib(size: int) -> str:
    return f"{size / 2**20:,.0f} MiB" if size else ""


def row(done: Run) -> str:
    """Return a run's line of the table."""
    looks, facts = done.looks, done.facts
    growth = f"{looks.last / looks.warm - 1:+.1%}" if looks.warm else ""
    drops = ", ".join(f"{count:,} {reason}" for reason, count in facts["drops"].items())
    return (
        f"| {done.label} | {mib(done.size)} | {facts['in']:,} | {facts['out']:,} | {drops} | {done.seconds:,.0f} "
        f"| {mib(looks.warm)} | {mib(looks.last)} | {growth} | {mib(looks.greatest)} | {mib(looks.kernel)} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=100_000, help="small pages of the archive of many")
    parser.add_argument("--size", type=int, default=1_000_000_000, help="bytes of the long archive")
    parser.add_argument("--only", choices=["long", "many"])
    parser.add_argument("--folder", help="where to work; a temporary folder when left out")
    arguments = parser.parse_args()
    archives = {"long": lambda: long(arguments.size), "many": lambda: many(arguments.pages)}
    done = []
    for label, members in archives.items():
        if arguments.only in (None, label):
            with tempfile.TemporaryDirectory(prefix="pile-memory-", dir=arguments.folder) as folder:
                done.append(run(Path(folder), label, members()))
    print(
        "| archive | size | records | documents | drops | seconds | RSS after 10,000 | RSS at the end | growth | "
        "greatest RSS seen | VmHWM |"
    )
    print("|---|--:|--:|--:|---|--:|--:|--:|--:|--:|--:|")
    for one in done:
        print(row(one))


if __name__ == "__main__":
    main()
