"""Time and memory of `pile dedup` on several numbers of generated documents, on the fewest beside datatrove and text-dedup.

    python benchmarks/dedup_scale.py [DOCUMENTS ...] [--peer] [--workers N] [--files N] [--folder DIR]

The documents are those of planted.py: 650 words, half with near-duplicates at Jaccard .5 to 1, one cluster of a twentieth.
Each run is a process of its own in fresh folders: reading, verification, writing and sealing are all in it. Wall seconds are
what a person waits, CPU seconds (user and system, of all processes) what others on the machine change least; memory is the most
that all processes had together (proportional set size). Prints Markdown tables, the fit of CPU seconds to n log n, and with
--peer the others' on the same files in the same run.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

import psutil
from peers.environment import PEERS, ensure_environment
from peers.environment import version as peer_version
from planted import Planted, write

ROOT = Path(__file__).resolve().parents[1]
#: Seconds between two looks at memory.
SAMPLE_SECONDS = 0.5


class Cost(NamedTuple):
    """What one command took: seconds on the wall, CPU seconds, bytes of memory at the most, and what it printed."""

    wall: float
    cpu: float
    peak: int
    output: str


def measured(command: list[str]) -> Cost:
    """Run a command; raises ``CalledProcessError`` when it fails."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HF_DATASETS_OFFLINE": "1"},
        cwd=ROOT,
    )
    peaks, cpu, stop = [0], dict[int, float](), threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, peaks, cpu, stop), daemon=True)
    watcher.start()
    output = process.communicate()[0]
    stop.set()
    watcher.join()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Cost(time.perf_counter() - began, sum(cpu.values()), max(peaks), output)


def _watch(pid: int, peaks: list[int], cpu: dict[int, float], stop: threading.Event) -> None:
    """Note memory of all processes together, and CPU seconds of each: nobody waits for the children of a fork server."""
    while not stop.wait(SAMPLE_SECONDS):
        total = 0
        try:
            for one in [root := psutil.Process(pid), *root.children(recursive=True)]:
                total += one.memory_full_info().pss
                cpu[one.pid] = sum(one.cpu_times()[:2])
        except psutil.NoSuchProcess:
            continue
        peaks.append(total)


def pile(files: list[Path], folder: Path, workers: int) -> Cost:
    """Run ``pile dedup`` in fresh folders; its output says what every stage took."""
    command = [sys.executable, "-c", "from pile.cli import main; main()", "dedup", *map(str, files)]
    command += ["--out", f"{folder}/out", "--work", f"{folder}/work", "--workers", str(workers)]
    cost = measured([*command, "--shards", str(len(files))])  # as many files as came in, as datatrove writes them
    shutil.rmtree(folder)
    return cost


def datatrove(files: list[Path], folder: Path, workers: int) -> Cost:
    """Run datatrove's four stages in its own environment."""
    python = ensure_environment("datatrove")
    script = str(PEERS / "datatrove_dedup.py")
    cost = measured([str(python), script, str(files[0].parent), str(folder), "--workers", str(workers)])
    shutil.rmtree(folder)
    return cost


def text_dedup(files: list[Path], folder: Path, workers: int) -> Cost:
    """Run text-dedup's MinHash, with the same bands and shingles and its faster hash, in its own environment."""
    python = ensure_environment("text-dedup")
    command = [str(python), "-m", "text_dedup.minhash", "--path", "json", "--data_files", f"{files[0].parent}/*.jsonl"]
    command += ["--split", "train", "--cache_dir", f"{folder}/cache", "--output", f"{folder}/out", "--column", "text"]
    command += ["--hash_func", "xxh3", "--num_perm", "112", "--b", "14", "--r", "8", "--ngram", "5"]
    command += ["--threshold", "0.8", "--num_proc", str(workers)]
    cost = measured(command)
    shutil.rmtree(folder)
    return cost


def fit(points: list[tuple[int, float]]) -> tuple[float, float, float]:
    """Return a and b of seconds = a + b n log2 n by least squares, and the largest relative error."""
    x = [n * math.log2(n) for n, _ in points]
    y = [seconds for _, seconds in points]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    b = sum((p - mean_x) * (q - mean_y) for p, q in zip(x, y, strict=True)) / sum((p - mean_x) ** 2 for p in x)
    a = mean_y - b * mean_x
    return a, b, max(abs(a + b * p - q) / q for p, q in zip(x, y, strict=True))


def main(sizes: list[int], peer: bool, workers: int, files: int, folder: Path) -> None:
    """Print the tables."""
    rows, points = [], []
    for size in sorted(sizes):
        paths = write(folder / f"documents-{size}", Planted(size), files)
        cost = pile(paths, folder / "run", workers)
        points.append((size, cost.cpu))
        rows.append(("pile", size, cost))
        if peer and size == min(sizes):
            other = datatrove(paths, folder / "peer", workers)
            rows.append((f"datatrove {peer_version(ensure_environment('datatrove'), 'datatrove')}", size, other))
            print(json.loads(other.output.splitlines()[-1])["seconds"], "\n")
            other = text_dedup(paths, folder / "peer", workers)
            name = f"text-dedup {peer_version(ensure_environment('text-dedup'), 'text-dedup')}, which does not verify"
            rows.append((name, size, other))
        shutil.rmtree(paths[0].parent)
    print(f"{workers} workers, {files} files, load of the machine at the end {os.getloadavg()[0]:.1f}\n")
    print("| tool | documents | wall, s | CPU, s | CPU, ms a document | peak memory |")
    print("|---|--:|--:|--:|--:|--:|")
    for name, size, cost in rows:
        each = cost.cpu / size * 1e3
        print(f"| {name} | {size:,} | {cost.wall:,.1f} | {cost.cpu:,.1f} | {each:.2f} | {cost.peak / 2**20:,.0f} MiB |")
    if len(points) > 2:
        a, b, error = fit(points)
        print(f"\nCPU seconds = {a:.1f} + {b:.3e} n log2 n; no point is further from it than {error:.1%}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents", type=int, nargs="*", default=[12_500, 25_000, 50_000])
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pile-benchmark-") as temporary:
        place = arguments.folder or Path(temporary)
        main(arguments.documents, arguments.peer, arguments.workers, arguments.files, place)
