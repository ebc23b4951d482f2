"""``pile weights``: the mixture of a recipe, and new epochs for it, in seconds and without reading a document."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from pile.commands import Json, Out, RecipePath, app
from pile.errors import RequestError
from pile.manifest import read_if_there
from pile.recipe import read
from pile.storage import Storage
from pile.weights import components, mixture, table


@app.command()
def weights(
    recipe: RecipePath,
    out: Out = None,
    as_json: Json = False,
    scheme: Annotated[
        str | None, typer.Option(help="Compute new epochs: epochs, proportional, temperature, unimax or law.")
    ] = None,
    budget: Annotated[
        str | None, typer.Option(help="What to reach: 300GB, 1.2TiB, 1e6docs. [default: the present effective size]")
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
    found = components(loaded, read_if_there(Storage(out or f"build/{loaded.name}")))
    if scheme is None:
        if write or extrapolate or any(option is not None for option in (budget, max_epochs, tau, runs)):
            raise RequestError("new epochs need a --scheme: epochs, proportional, temperature, unimax or law")
        rows = mixture(found)
        print(json.dumps(rows) if as_json else table(rows))
        return
    # Late: the plain table needs none of this, and is asked for most.
    from pile.proposal import Wish, propose
    from pile.rewrite import difference, rewritten
    from pile.rewrite import write as write_recipe

    proposal = propose(found, Wish(scheme, budget, tau, max_epochs, runs, extrapolate))
    before, after = rewritten(recipe, {one.place: proposal.epochs[one.name] for one in found})
    rows = mixture(found, proposal.epochs)
    print(json.dumps(rows) if as_json else table(rows))
    # JSON on standard output is JSON alone.
    aside = sys.stderr if as_json else sys.stdout
    for note in proposal.notes:
        print(note, file=aside)
    print(difference(recipe, before, after) or f"{recipe} has these epochs already", file=aside)
    if write and before != after:
        write_recipe(recipe, after)
        print(f"wrote {recipe}: `pile build {recipe}` mixes and seals again, and does nothing else", file=aside)
    elif before != after:
        print(f"(nothing is written: --write puts these epochs into {recipe})", file=aside)
