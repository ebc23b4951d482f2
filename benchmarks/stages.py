"""Time a build stage by stage, with documents a second and the peak memory of all its processes together.

    python benchmarks/stages.py [RECIPE] [--mirror DIR] [--workers N]

Prints a Markdown table. The default is manifests/mini.toml on ../shared/mirror with 2 workers, in fresh folders.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from pile.build import Build
from pile.commands import upstream_for
from pile.executor import LocalExecutor
from pile.progress import Progress
from pile.recipe import load
from pile.stage import Work
from pile.storage import Storage

ROOT = Path(__file__).resolve().parents[1]
#: Seconds between two looks at memory.
SAMPLE_SECONDS = 0.2


class Measured(Progress):
    """Progress that also knows which stage runs, and the most memory seen while it did."""

    def __init__(self) -> None:
        super().__init__(quiet=True)
        self.current = ""
        self.peaks: dict[str, int] = {}
        self.looking = 0.0  #: CPU seconds that looking at memory took, no part of what is measured

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Any]:
        self.current = name
        with super().stage(name, total) as finished:
            yield finished

    def watch(self, stop: threading.Event) -> None:
        """Look at the memory of this process and all below it until told to stop."""
        process = psutil.Process()
        while not stop.wait(SAMPLE_SECONDS):
            total = 0
            for one in [process, *process.children(recursive=True)]:
                try:
                    total += one.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            self.peaks[self.current] = max(total, self.peaks.get(self.current, 0))
            self.looking = time.thread_time()


def measure(recipe: Path, mirror: str, workers: int) -> None:
    """Build in fresh folders and print the table."""
    with tempfile.TemporaryDirectory(prefix="pile-benchmark-") as folder:
        loaded = load(Path(shutil.copy(recipe, folder)))
        progress, stop = Measured(), threading.Event()
        watcher = threading.Thread(target=progress.watch, args=(stop,), daemon=True)
        watcher.start()
        began = time.perf_counter()
        with upstream_for(loaded, mirror, progress) as upstream, LocalExecutor(workers) as executor:
            out, work = Storage(f"{folder}/out"), Work(f"{folder}/work")
            Build(loaded, out, work, upstream, executor, progress).build()
        whole = time.perf_counter() - began
        stop.set()
        watcher.join()
    print(f"{recipe.name}, {workers} workers: {whole:.1f} s\n")
    print("| stage | tasks | documents in | seconds | documents/s | peak memory, all processes |")
    print("|---|--:|--:|--:|--:|--:|")
    for name, count in progress.stages.items():
        if not count.seconds:
            continue
        rate = f"{count.documents / count.seconds:,.0f}" if count.documents else ""
        documents = f"{count.documents:,}" if count.documents else ""
        peak = f"{progress.peaks[name] / 2**20:,.0f} MiB" if name in progress.peaks else ""
        print(f"| {name} | {count.done} | {documents} | {count.seconds:.2f} | {rate} | {peak} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", nargs="?", type=Path, default=ROOT / "manifests/mini.toml")
    parser.add_argument("--mirror", default=str(ROOT.parent / "shared/mirror"))
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    measure(arguments.recipe, arguments.mirror, arguments.workers)
