"""Progress: a bar per stage on a terminal, and the count of what was done and what was reused."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
from tqdm import tqdm

if TYPE_CHECKING:
    from pile.runner import Result


class StageCount(msgspec.Struct):
    """Tasks of one stage in this run; seconds on the wall, and documents and bytes that went in, of those it did."""

    done: int = 0
    reused: int = 0
    documents: int = 0
    bytes: int = 0
    seconds: float = 0.0


class Progress:
    """Shows stages as they run and counts their tasks; ``quiet`` None means: unless standard error is a terminal."""

    def __init__(self, quiet: bool | None = None) -> None:
        self.quiet = not sys.stderr.isatty() if quiet is None else quiet
        self.stages: dict[str, StageCount] = {}

    def bar(self, name: str, total: int | None, unit: str) -> tqdm[Any]:
        """Return a bar; ``unit`` "B" is shown in powers of 1024."""
        large = unit == "B"
        return tqdm(
            desc=name, total=total, unit=unit, unit_scale=large, unit_divisor=1024, disable=self.quiet, leave=False
        )

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Callable[[Result], None]]:
        """Show a stage's bar while the context lasts; give what to call with each of its results."""
        count = self.stages.setdefault(name, StageCount())
        began = time.perf_counter()

        def finished(result: Result) -> None:
            if result.reused:
                count.reused += 1
            else:
                count.done += 1
                count.documents += int(result.facts.get("in", 0))
                count.bytes += result.task.size
            elapsed = time.perf_counter() - began
            rate = tqdm.format_sizeof(count.bytes / elapsed, "B/s", 1024)
            bar.set_postfix_str(f"{count.documents / elapsed:,.0f} documents/s, {rate}", refresh=False)
            bar.update()

        with self.bar(name, total, "task") as bar:
            yield finished
        count.seconds += time.perf_counter() - began

    def summary(self) -> str:
        """Return one line on what this run did: ``extract 3 done, 2 reused; ...``."""
        parts = []
        for name, count in self.stages.items():
            reused = f", {count.reused} reused" if count.reused else ""
            parts.append(f"{name} {count.done} done{reused}")
        return "; ".join(parts)

    @property
    def done(self) -> int:
        """Tasks of all stages that this run did."""
        return sum(count.done for count in self.stages.values())
