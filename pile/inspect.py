"""Inspecting: the examples that a corpus keeps of what it holds and of what was dropped, and why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pile.errors import CorpusError, RequestError
from pile.example import Example
from pile.manifest import EXAMPLES, Manifest, read
from pile.shards import read_structs
from pile.storage import Storage


def examples(corpus: Storage, source: str | None, reason: str | None) -> list[Example]:
    """Return the examples of one source and reason, or of all; of a filter's reason those first that took most text away.

    Raises ``RequestError`` naming the choices.
    """
    manifest = read(corpus)
    if source is not None and source not in manifest.sources:
        raise RequestError(f"no source {source!r} in {corpus.url}: it has {', '.join(manifest.sources)}")
    if corpus.read(EXAMPLES) is None:
        raise CorpusError(f"no {EXAMPLES} in {corpus.url}: build again, or copy the whole folder")
    with TemporaryDirectory(prefix="pile-") as folder:
        every = list(read_structs(Example, corpus.local(EXAMPLES, Path(folder))))
    mine = [example for example in every if source in (None, example.source)]
    if reason is not None and reason not in {example.reason for example in mine}:
        reasons = sorted({example.reason for example in mine})
        raise RequestError(f"nothing was dropped for {reason!r} there: the reasons are {', '.join(reasons)}")
    found = [example for example in mine if reason in (None, example.reason)]
    if reason is not None and all(example.stage == "judge" for example in found):
        found.sort(
            key=lambda example: (-example.characters, example.id)
        )  # what a filter takes most text with comes first
    return found


def counts(manifest: Manifest, source: str | None) -> Iterator[tuple[str, str, str, int]]:
    """Yield ``(source, stage, reason, documents)`` of all that was kept and dropped."""
    for name, record in manifest.sources.items():
        if source not in (None, name):
            continue
        for stage, facts in record.funnel.items():
            for reason, count in facts["drops"].items():
                yield name, stage, reason, count
        yield name, "mix", "kept", list(record.funnel.values())[-1]["out"]


def show(example: Example, width: int) -> str:
    """Return an example as a person reads it; ``width`` is how many characters of the text are shown."""
    lines = [f"── {example.id}  [{example.stage}: {example.reason}]"]
    scores = _deciding(example)
    facts: list[tuple[str, Any]] = [("url", example.url), ("why", example.detail), *example.facts.items()]
    lines += [f"   {name}: {_readable(value)}" for name, value in facts if value]
    lines += [f"   {name}: {', '.join(_score(*score) for score in found.items())}" for name, found in scores.items()]
    if example.instead_id:
        lines.append(f"   kept instead: {example.instead_id}  (Jaccard {example.jaccard:.3f})")
    if example.difference:
        lines.append(f"   [-only there-] {{+only here+}}: {example.difference}")
    if example.text:
        lines += [f"   text: {example.characters:,} characters", *_indented(example.text, width, example.characters)]
    if example.instead_text:
        lines += ["   ── kept instead:", *_indented(example.instead_text, width, example.characters)]
    return "\n".join(lines)


def _readable(value: Any) -> str:
    """Return a fact in words: ``{"bytes": 52311, "charset": "utf-8"}`` as "52,311 bytes, utf-8"."""
    if isinstance(value, dict):
        return ", ".join(f"{part:,} {name}" if isinstance(part, int) else str(part) for name, part in value.items())
    return f"{value:,}" if isinstance(value, int) else str(value)


def _score(name: str, value: Any) -> str:
    return value if isinstance(value, str) else f"{name} {value}"


def _deciding(example: Example) -> dict[str, Any]:
    """Return the scores of the filter that said no; of a kept document only what it is taken to be written in."""
    if example.stage == "judge" and example.scores:
        return {name: example.scores[name] for name in list(example.scores)[-1:]}
    return {name: scores for name, scores in example.scores.items() if name == "language"}


def _indented(text: str, width: int, characters: int) -> list[str]:
    shown = text[:width]
    rest = " …" if characters > len(shown) else ""
    return [f"   | {line}".rstrip() for line in (shown.rstrip() + rest).splitlines()]
