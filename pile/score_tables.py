"""Score tables: what share of a source's documents any threshold of a score would keep, from a sample of its documents."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import msgspec

from pile.errors import CorpusError, RequestError
from pile.storage import Storage

FILE = "scores.json"
#: Steps from the least to the greatest score of the sample, by share of the documents.
STEPS = 100
#: Shares below a threshold, in percent, that a person is shown: the ends closely, since thresholds lie there.
SHOWN = (0, 1, 2, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 98, 99, 100)
#: Characters of a bar that stands for all documents.
BAR = 40


class ScoreTable(msgspec.Struct, frozen=True):
    """One score of one filter: by how many documents it is known, and its value at each hundredth of them, ascending."""

    source: str
    filter: str
    score: str
    documents: int
    quantiles: list[float]


def tables_of(source: str, filters: list[str], sample: list[list[dict[str, Any]]]) -> list[ScoreTable]:
    """Return a table for every score that is a number; ``sample`` has for each document what each filter measured."""
    values: dict[tuple[str, str], list[float]] = {}
    for scores in sample:
        for name, found in zip(filters, scores, strict=False):  # a document in quarantine has none
            for score, value in found.items():
                if isinstance(value, int | float) and math.isfinite(value):
                    values.setdefault((name, score), []).append(value)
    return [
        ScoreTable(source, name, score, len(found), _quantiles(sorted(found)))
        for (name, score), found in values.items()
    ]


def _quantiles(ordered: list[float]) -> list[float]:
    return [ordered[round(step * (len(ordered) - 1) / STEPS)] for step in range(STEPS + 1)]


def encode(tables: list[ScoreTable]) -> bytes:
    """Return the file's content."""
    return msgspec.json.encode(tables)


def read(corpus: Storage, source: str | None, filter: str | None) -> list[ScoreTable]:
    """Return a corpus's tables, of one source and one filter or of all; raises ``RequestError`` naming the choices."""
    content = corpus.read(FILE)
    if content is None:
        raise CorpusError(f"no {FILE} in {corpus.url}: not a corpus, or not whole; build again")
    try:
        tables = msgspec.json.decode(content, type=list[ScoreTable])
    except msgspec.DecodeError as error:
        raise CorpusError(f"{corpus.url}/{FILE} is damaged: {error}; build again") from error
    for kind, wanted, known in (
        ("source", source, {table.source for table in tables}),
        ("filter", filter, {table.filter for table in tables}),
    ):
        if wanted is not None and wanted not in known:
            raise RequestError(
                f"no scores of {kind} {wanted!r} in {corpus.url}: it has {', '.join(sorted(known)) or 'none at all'}"
            )
    return [table for table in tables if source in (None, table.source) and filter in (None, table.filter)]


def show(table: ScoreTable) -> Iterator[str]:
    """Yield a table's lines: thresholds, the share of the documents that are at or above each, and a bar for it."""
    yield f"{table.source}  {table.filter}.{table.score}  ({table.documents:,} documents drawn)"
    yield f"  {'threshold':>12}  {'at least it':>11}  {'below it':>8}"
    for value in dict.fromkeys(table.quantiles[share] for share in SHOWN):
        at_least = sum(other >= value for other in table.quantiles) / len(table.quantiles)
        yield f"  {value:>12.6g}  {at_least:>11.0%}  {1 - at_least:>8.0%}  {'█' * round(BAR * at_least)}"
