"""``pile weights``: the mixture of a recipe, and new epochs for it, in seconds and without reading a document."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from pile.commands import Json, Mirror, Out, RecipePath, app
from pile.errors import RequestError
from pile.manifest import read_if_there
from pile.proposal import Wish, propose
from pile.recipe import read
from pile.schemes import SCHEMES
from pile.storage import Storage
from pile.units import amount
from pile.weights import Component, components, mixture, outdated, table


@app.command()
def weights(
    recipe: RecipePath,
    out: Out = None,
    as_json: Json = False,
    scheme: Annotated[
        str | None, typer.Option(help="Compute new epochs: epochs, proportional, temperature, unimax or law.")
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(help="What to reach: 300GB, 1.2TiB, 1e6docs, 300B tokens. Without it, the effective size stays."),
    ] = None,
    max_epochs: Annotated[
        float | None, typer.Option(help="Most epochs of any source; a source's own max_epochs may be less.")
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(help="Of a budget in tokens: a tokenizer.json, or OWNER/NAME[@REVISION] of huggingface.co."),
    ] = None,
    tau: Annotated[float | None, typer.Option(help="Of temperature: shares are sizes to the power 1/TAU.")] = None,
    runs: Annotated[Path | None, typer.Option(help="Of law: CSV of mixtures and losses, a row per proxy run.")] = None,
    extrapolate: Annotated[bool, typer.Option("--extrapolate", help="Of law: allow shares that no run had.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Put the new epochs into the recipe.")] = False,
    mirror: Mirror = None,
) -> None:
    """Show the mixture as the last build measured it, compute new epochs for a budget, put them into the recipe."""
    loaded = read(recipe)
    corpus = Storage(out or f"build/{loaded.name}")
    manifest = read_if_there(corpus)
    found = components(loaded, manifest)
    # JSON on standard output is JSON alone.
    aside = sys.stderr if as_json else sys.stdout
    if scheme is not None:
        found, notes = _counted(found, budget, tokenizer, corpus, loaded.folder, mirror)
        wish = Wish(scheme, budget, tau, max_epochs, runs, extrapolate)
        _propose(recipe, found, wish, notes, write, as_json, aside)
    elif write or extrapolate or any(option is not None for option in (budget, max_epochs, tau, runs, tokenizer)):
        raise RequestError(f"new epochs need a --scheme: one of {', '.join(SCHEMES)}")
    else:
        _print(mixture(found), as_json)
    for name in outdated(loaded, manifest):
        print(
            f"(the size of {name} is of a build with other options, filters, [dedup] or [decontamination]: build to measure it)",
            file=aside,
        )


def _print(rows: list[dict[str, Any]], as_json: bool) -> None:
    print(json.dumps(rows) if as_json else table(rows))


def _counted(
    found: list[Component], budget: str | None, tokenizer: str | None, corpus: Storage, folder: Path, mirror: str | None
) -> tuple[list[Component], list[str]]:
    """Return the components with their tokens where the budget is in tokens, and how these were measured."""
    if budget is None or amount(budget)[1] != "tokens":
        if tokenizer is not None:
            raise RequestError(
                "--tokenizer says something to a --budget in tokens only, such as 300B tokens: take it out"
            )
        return found, []
    if tokenizer is None:
        raise RequestError(
            f"--budget {budget!r} needs a --tokenizer: a tokenizer.json, or OWNER/NAME as on huggingface.co"
        )
    unbuilt = [one.name for one in found if not one.measured]
    if unbuilt:
        raise RequestError(
            f"tokens are counted in a finished corpus, and {corpus.url} has none of {', '.join(unbuilt)}: run `pile build` "
            "first (--out says where it went), or give --budget in bytes"
        )
    from pile import tokens  # late, as below
    from pile.corpus import Corpus
    from pile.fetch import Upstream

    with Upstream(mirror=mirror, base=folder) as upstream:
        return tokens.measured(found, Corpus(corpus), tokens.load(tokenizer, upstream))


def _propose(
    recipe: Path, found: list[Component], wish: Wish, notes: list[str], write: bool, as_json: bool, aside: TextIO
) -> None:
    """Print what a scheme proposes and what it changes in the recipe; write it where that is asked for."""
    from pile import rewrite  # late: the plain table, which is asked for most, needs no tomlkit

    proposal = propose(found, wish)
    before, after = rewrite.rewritten(recipe, {one.place: proposal.epochs[one.name] for one in found})
    _print(mixture(found, proposal.epochs), as_json)
    for note in [*notes, *proposal.notes]:
        print(note, file=aside)
    print(rewrite.difference(recipe, before, after) or f"{recipe} has these epochs already", file=aside)
    if write and before != after:
        rewrite.write(recipe, after)
        print(f"wrote {recipe}", file=aside)
    elif before != after:
        print(f"(nothing is written: --write puts these epochs into {recipe})", file=aside)
