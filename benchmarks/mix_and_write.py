"""Time mixing and writing beside `zstd -3` alone, and `pile verify` beside sha256sum, on a generated corpus.

    python benchmarks/mix_and_write.py [--size BYTES ...] [--rounds N] [--shards N] [--workers N] [--memory MIB]
        [--equal documents|bytes] [--folder DIR] [--plot FILE.svg]

The corpus is JSON Lines of made-up words in 4 sources with epochs of .5 to 1.75. What is timed are the stages spread, gather and
seal of `pile build`, from extracted documents to sealed shards; then one zstd stream for each shard's text from a plain file, in
as many processes, and sha256sum of each file of the corpus, as many at a time. Each round does all of that anew; the tables have
the medians. CPU seconds are of all processes together: compare them where others use the machine. Prints Markdown tables, and for
several sizes, instead of verifying, how far CPU seconds are from a straight line, which --plot draws. A run takes about four
times --size on the disk.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import cache
from itertools import repeat
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import psutil
import zstandard
from stages import Measured
from straight_line import drawing, fit

from pile.build import Build
from pile.commands import STAGES, upstream_for
from pile.executor import LocalExecutor
from pile.recipe import Recipe, load, modules
from pile.stage import Work
from pile.storage import Storage
from pile.verify import verify

#: Epochs of the sources: their mean is 1, so that the corpus is as large as what was generated.
EPOCHS = (0.5, 0.75, 1.0, 1.75)
#: Files of each source: parts that the stages work on.
FILES = 6
#: Words that texts are made of, drawn as words of a language are: the n-th with a weight of 1 / (n + 3).
VOCABULARY = 50_000
MEAN_WORDS = 650
LETTERS = "etaoinshrdlucmfw"
#: Places of a table of words in which each has as many as it is frequent: a draw is then one look.
QUANTILES = 1 << 20
MIXING = ("spread", "gather", "seal")
#: What the two passes leave.
SPOOLED = ("work/spread", "work/gather")
#: Seconds that a worker sleeps as its first task, so that each of them gets one.
WARMING = 0.5
TOGETHER, ALONE = "mix and write", "zstd -3 alone"


def generate(folder: Path, size: int, workers: int) -> None:
    """Write about ``size`` bytes of text, the same on any machine."""
    with ProcessPoolExecutor(workers) as pool:
        list(pool.map(write_source, repeat(folder), range(len(EPOCHS)), repeat(size // len(EPOCHS) // FILES)))


@cache
def drawn_words() -> list[str]:
    """Return the word of each of the ``QUANTILES`` places."""
    chance = np.random.default_rng(1)
    letters = np.array(list(LETTERS))
    words = ["".join(chance.choice(letters, n)) for n in chance.integers(2, 10, VOCABULARY)]
    weights = np.cumsum(1 / (np.arange(VOCABULARY) + 3))
    places = np.searchsorted(weights, (np.arange(QUANTILES) + 0.5) / QUANTILES * weights[-1])
    return [words[place] for place in places.tolist()]


def write_source(folder: Path, source: int, size: int) -> None:
    """Write the files of a source, each with ``size`` bytes of text.

    A text begins at another place in each file: quick to make, and in the shuffled corpus too far apart for zstd to notice.
    """
    chance, words, number = np.random.default_rng([1, source]), drawn_words(), 0
    with ExitStack() as stack:
        files = [stack.enter_context(open(folder / f"s{source}-{part}.jsonl", "wb")) for part in range(FILES)]
        while size > 0:
            drawn = chance.integers(0, QUANTILES, int(chance.exponential(MEAN_WORDS)) + 1)
            text = " ".join(map(words.__getitem__, drawn.tolist())).encode()
            for part, file in enumerate(files):
                place = text.find(b" ", len(text) * part // FILES) + 1
                file.write(b'{"id": "%d-%d", "text": "%b %b"}\n' % (part, number, text[place:], text[:place]))
            size -= len(text)
            number += 1


def recipe(folder: Path, arguments: argparse.Namespace) -> Path:
    """Write the recipe and return where it is."""
    output = f'shards = {arguments.shards}\nmemory = {arguments.memory}\nequal = "{arguments.equal}"'
    tables = [
        f'[sources.s{n}]\nuse = "local"\nepochs = {epochs}\noptions = {{ paths = ["s{n}-*.jsonl"] }}'
        for n, epochs in enumerate(EPOCHS)
    ]
    path = folder / "generated.toml"
    splits = "splits = { validation = 0.001, test = 0.001 }"
    path.write_text("\n".join(['name = "generated"', "[output]", output, splits, *tables, "[dedup]", "near = false"]))
    return path


def compress(path: str) -> float:
    """Do what `zstd -3` does to one file; return the CPU seconds that it took."""
    began = time.process_time()
    with open(path, "rb") as source, open(f"{path}.zst", "wb") as target:
        zstandard.ZstdCompressor(level=3, write_checksum=True).copy_stream(source, target)
    spent = time.process_time() - began
    for done in (path, f"{path}.zst"):
        Path(done).unlink()
    return spent


def decompress(shard: Path, target: Path) -> int:
    """Write a shard's text to a plain file; return its bytes."""
    with open(shard, "rb") as source, open(target, "wb") as plain:
        reader = zstandard.ZstdDecompressor().stream_reader(source, read_across_frames=True)
        while chunk := reader.read(1 << 20):
            plain.write(chunk)
        return plain.tell()


class Counted(Measured):
    """Progress that also knows the CPU seconds of each stage, in all processes."""

    def __init__(self) -> None:
        super().__init__()
        self.processor: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Any]:
        with self._counted(name), super().stage(name, total) as finished:
            yield finished

    @contextmanager
    def bar(self, name: str, total: int | None, unit: str) -> Iterator[Any]:
        if name != "seal":
            with super().bar(name, total, unit) as bar:
                yield bar
            return
        self.current = name
        with self._counted(name), super().bar(name, total, unit) as bar:
            yield bar

    @contextmanager
    def _counted(self, name: str) -> Iterator[None]:
        before = self._spent()
        yield
        self.processor[name] = self._spent() - before

    def _spent(self) -> float:
        process = psutil.Process()
        times = [one.cpu_times() for one in [process, *process.children(recursive=True)]]
        return sum(one.user + one.system for one in times) - self.looking


def timed(function: Callable[[], Any]) -> float:
    """Return how many seconds a call takes."""
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def zstd_alone(shards: list[Path], folder: Path, workers: int) -> tuple[float, float, int]:
    """Return seconds, CPU seconds, and bytes of text."""
    plain = [folder / f"plain-{number}" for number in range(len(shards))]
    size = sum(decompress(shard, target) for shard, target in zip(shards, plain, strict=True))
    with ProcessPoolExecutor(workers) as pool:
        list(pool.map(abs, range(workers)))  # begun before the clock is
        spent: list[float] = []
        return timed(lambda: spent.extend(pool.map(compress, map(str, plain)))), sum(spent), size


def sha256sum(out: Path, workers: int) -> float:
    """Return seconds of sha256sum of every file."""
    files = sorted((path for path in out.rglob("*") if path.is_file()), key=lambda path: -path.stat().st_size)
    with ThreadPoolExecutor(workers) as pool:
        run = ["sha256sum"]
        return timed(
            lambda: list(pool.map(lambda path: subprocess.run([*run, path], capture_output=True, check=True), files))
        )


class Round(NamedTuple):
    """What one round took: wall and CPU seconds of each step, and the most memory of each stage, in bytes."""

    seconds: dict[str, tuple[float, float]]
    peaks: dict[str, int]


def clear(folder: Path, names: tuple[str, ...]) -> None:
    """Remove results."""
    for name in names:
        shutil.rmtree(folder / name, ignore_errors=True)


def mix(loaded: Recipe, folder: Path, workers: int) -> Round:
    """Build the corpus; the mixing is done anew where the stages before it are done already."""
    clear(folder, ("out", *SPOOLED))
    progress, stop = Counted(), threading.Event()
    watcher = threading.Thread(target=progress.watch, args=(stop,), daemon=True)
    watcher.start()
    out, work = Storage(str(folder / "out")), Work(str(folder / "work"))
    preload = (*STAGES, *modules(loaded))
    with upstream_for(loaded, None, progress) as upstream, LocalExecutor(workers, preload) as executor:
        # As the processes of zstd, workers are there before the clock runs.
        list(executor.map(time.sleep, [WARMING] * workers))
        Build(loaded, out, work, upstream, executor, progress).build()
    stop.set()
    watcher.join()
    spent = {name: (progress.stages[name].seconds, progress.processor[name]) for name in MIXING}
    spent[TOGETHER] = (sum(wall for wall, _ in spent.values()), sum(cpu for _, cpu in spent.values()))
    return Round(spent, {name: progress.peaks.get(name, 0) for name in MIXING})


def measure(size: float, arguments: argparse.Namespace, folder: Path) -> tuple[float, float, int]:
    """Measure one size and print it; return bytes of text in shards, CPU seconds and most memory of mixing."""
    generate(folder, int(size), arguments.workers)
    loaded, out = load(recipe(folder, arguments)), folder / "out"
    text, rounds = 0, []
    for _ in range(arguments.rounds):
        done = mix(loaded, folder, arguments.workers)
        clear(folder, SPOOLED)  # twice the text: its plain shards take the place on the disk
        zstd, zstd_cpu, text = zstd_alone(sorted(out.glob("train/*")), folder, arguments.workers)
        rounds.append(Round({**done.seconds, ALONE: (zstd, zstd_cpu)}, done.peaks))
    stored = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    run = f"{arguments.workers} workers, {arguments.rounds} rounds"
    print(f"\n{text / 1e9:.2f} GB of shard text, {stored / 1e9:.2f} GB stored, {run}\n")
    print(
        "| | seconds | MB/s of text | of zstd -3 alone | CPU seconds | of zstd -3 alone | peak memory, all processes |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|")
    for name in rounds[0].seconds:
        wall, cpu = (median(one.seconds[name][kind] for one in rounds) for kind in (0, 1))
        by_wall, by_cpu = (
            median(one.seconds[ALONE][kind] / one.seconds[name][kind] for one in rounds) for kind in (0, 1)
        )
        peak = max(one.peaks.get(name, 0) for one in rounds)
        rates = f"{wall:.2f} | {text / wall / 1e6:,.1f} | {by_wall:.0%} | {cpu:.2f} | {by_cpu:.0%}"
        print(f"| {name} | {rates} | {f'{peak / 2**20:,.0f} MiB' if peak else ''} |", flush=True)
    if len(arguments.size) == 1:
        verifying(out, stored, arguments.workers)
    cpu = median(one.seconds[TOGETHER][1] for one in rounds)
    return text, cpu, max(max(one.peaks.values()) for one in rounds)


def verifying(out: Path, stored: int, workers: int) -> None:
    """Time `pile verify` beside sha256sum, and print it."""
    verify(Storage(str(out)))  # all files are in the page cache for both
    sums, verified = sha256sum(out, workers), timed(lambda: verify(Storage(str(out))))
    content = timed(lambda: verify(Storage(str(out)), content=True))
    print("\n| | seconds | MB/s as stored | of sha256sum |\n|---|--:|--:|--:|")
    for name, spent in (("sha256sum", sums), ("pile verify", verified), ("pile verify --content", content)):
        print(f"| {name} | {spent:.2f} | {stored / spent / 1e6:,.0f} | {sums / spent:.0%} |")
    print(flush=True)


def linear(found: list[tuple[float, float, int]], plot: Path | None) -> None:
    """Print how CPU seconds grow with bytes, and draw it where that is asked for."""
    sizes, spent = [text / 1e9 for text, _, _ in found], [cpu for _, cpu, _ in found]
    line = fit(sizes, spent)
    print("\n| GB of text | CPU seconds | a GB | off the line | peak memory, all processes |\n|--:|--:|--:|--:|--:|")
    for size, cpu, (_, _, peak) in zip(sizes, spent, found, strict=True):
        off = cpu / (line.start + line.slope * size) - 1
        print(f"| {size:.2f} | {cpu:.1f} | {cpu / size:.1f} | {off:+.1%} | {peak / 2**20:,.0f} MiB |")
    print(
        f"\nCPU seconds = {line.start:.2f} + {line.slope:.2f} GB; no size is further from it than {line.farthest:.1%}"
    )
    if plot is not None:
        plot.write_text(drawing(sizes, spent, line, "GB of text in shards", "CPU seconds of mixing and writing"))


def main(arguments: argparse.Namespace) -> None:
    """Measure every size, in fresh folders."""
    found = []
    for size in arguments.size:
        with tempfile.TemporaryDirectory(prefix="pile-benchmark-", dir=arguments.folder) as name:
            found.append(measure(size, arguments, Path(name)))
        if len(found) > 2:
            linear(found, arguments.plot)  # each time: a long run may be ended early


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=float, nargs="+", default=[1e9])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--shards", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--memory", type=int, default=128)
    parser.add_argument("--equal", default="documents")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--plot", type=Path)
    main(parser.parse_args())
