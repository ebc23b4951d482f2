"""``pile weights``: the mixture of a recipe, and new epochs for it, in seconds and without reading a document."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from pile.commands import Json, Out, RecipePath, app
from pile.errors import RequestError
from pile.manifest import read_if_there
from pile.proposal import Wish, propose
from pile.recipe import read
from pile.schemes import SCHEMES
from pile.storage import Storage
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
        str | None, typer.Option(help="What to reach: 300GB, 1.2TiB, 1e6docs. Without it, the effective size stays.")
    ] = None,
    max_epochs: Annotated[
        float | None, typer.Option(help="Most epochs of any source; a source's own max_epochs may be less.")
    ] = None,
    tau: Annotated[float | None, typer.Option(help="Of temperature: shares are sizes to the power 1/TAU.")] = None,
    runs: Annotated[Path | None, typer.Option(help="Of law: CSV of mixtures and losses, a row per proxy run.")] = None,
    extrapolate: Annotated[bool, typer.Option("--extrapolate", help="Of law: allow shares that no run had.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Put the new epochs into the recipe.")] = False,
) -> None:
    """Show the mixture as the last build measured it, compute new epochs for a budget, put them into the recipe."""
    loaded = read(recipe)
    manifest = read_if_there(Storage(out or f"build/{loaded.name}"))
    found = components(loaded, manifest)
    # JSON on standard output is JSON alone.
    aside = sys.stderr if as_json else sys.stdout
    if scheme is not None:
        _propose(recipe, found, Wish(scheme, budget, tau, max_epochs, runs, extrapolate), write, as_json, aside)
    elif write or extrapolate or any(option is not None for option in (budget, max_epochs, tau, runs)):
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


def _propose(recipe: Path, found: list[Component], wish: Wish, write: bool, as_json: bool, aside: TextIO) -> None:
    """Print what a scheme proposes and what it changes in the recipe; write it where that is asked for."""
    from pile import rewrite  # late: the plain table, which is asked for most, needs no tomlkit

    proposal = propose(found, wish)
    before, after = rewrite.rewritten(recipe, {one.place: proposal.epochs[one.name] for one in found})
    _print(mixture(found, proposal.epochs), as_json)
    for note in proposal.notes:
        print(note, file=aside)
    print(rewrite.difference(recipe, before, after) or f"{recipe} has these epochs already", file=aside)
    if write and before != after:
        rewrite.write(recipe, after)
        print(f"wrote {recipe}", file=aside)
    elif before != after:
        print(f"(nothing is written: --write puts these epochs into {recipe})", file=aside)
