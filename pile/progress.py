"""Progress: a bar per stage on a terminal, and the count of what was done and what was reused."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import msgspec
from tqdm import tqdm

from pile.runner import Result


class StageCount(msgspec.Struct):
    """Tasks of one stage in this run."""

    done: int = 0
    reused: int = 0


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

    def stage(self, name: str, total: int | None) -> tuple[tqdm[Any], Callable[[Result], None]]:
        """Return a bar of tasks that also shows documents and bytes a second, and what to call with each result."""
        count = self.stages.setdefault(name, StageCount())
        bar = self.bar(name, total, "task")
        seen = {"documents": 0, "bytes": 0}

        def finished(result: Result) -> None:
            if result.reused:
                count.reused += 1
            else:
                count.done += 1
                seen["documents"] += int(result.facts.get("in", 0))
                seen["bytes"] += result.task.size
            elapsed = float(bar.format_dict["elapsed"] or 0) or 1e-9
            speed = (
                f"{seen['documents'] / elapsed:.0f} documents/s, {tqdm.format_sizeof(seen['bytes'] / elapsed, 'B/s')}"
            )
            bar.set_postfix_str(speed, refresh=False)
            bar.update()

        return bar, finished

    def say(self, text: str) -> None:
        """Write a line to standard error, above the bars."""
        tqdm.write(text, file=sys.stderr)

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
