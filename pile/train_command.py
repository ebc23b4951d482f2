"""``pile train KIND``: a classifier from a person's own texts, with a report of what it gets right and wrong."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from pile.commands import app
from pile.errors import RequestError
from pile.plugins import resolve


@app.command()
def train(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="What to train: spam or quality.")],
    positive: Annotated[
        list[str],
        typer.Option(help="JSON Lines or text of what it is to find: spam, or good text. May be given again."),
    ],
    negative: Annotated[
        list[str], typer.Option(help="The same of everything else: clean text, or raw crawl. May be given again.")
    ],
    out: Annotated[Path, typer.Option(help="The model file; the report goes beside it as JSON.")],
    text_field: Annotated[str, typer.Option(help="Field of a line that holds its text.")] = "text",
) -> None:
    """Train a classifier for a filter's `model` option: the same files give the same bytes. Quoted patterns name many files."""
    from pile import training_files
    from pile.training import Training, table

    fit: Training = resolve("training", kind)
    positives = training_files.found(positive, "--positive")
    negatives = training_files.found(negative, "--negative")
    if twice := sorted(set(positives) & set(negatives)):
        raise RequestError(f"{twice[0]} is given as --positive and as --negative: leave it out of one of them")
    beside = out.with_name(f"{out.name}.json")
    for written in (out, beside):
        if written.is_dir() or written in (*positives, *negatives):
            raise RequestError(f"--out {out}: {written} is there and is no model; name another file")
    out.parent.mkdir(parents=True, exist_ok=True)

    report = fit(
        chain(
            training_files.examples(positives, True, text_field), training_files.examples(negatives, False, text_field)
        ),
        out,
    )
    beside.write_bytes(msgspec.json.format(msgspec.json.encode(report, order="deterministic")) + b"\n")
    print(table(report))
    print(f"wrote {out} and {beside}")
