"""The command line: a contract (docs: README). Exit status 0 done, 1 the data is wrong, 2 the request is wrong."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from pile import lock as locking
from pile import score_tables
from pile.errors import PileError
from pile.lock import Lock
from pile.manifest import read as read_manifest
from pile.plugins import Kind, names, resolve
from pile.progress import Progress
from pile.recipe import Output, Recipe, check_plugins, load, modules, read
from pile.stage import Work
from pile.storage import Storage

if TYPE_CHECKING:  # else late, as in some commands below: `pile weights` needs neither
    from pile.executor import Executor
    from pile.fetch import Upstream

app = typer.Typer(
    help="Rebuild text corpora from their upstreams to verified shards: the same recipe gives the same bytes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

#: What workers need of the kernel.
STAGES = (
    "pile.runner",
    "pile.extract",
    "pile.judge",
    "pile.score",
    "pile.settle",
    "pile.gather",
    "pile.examples",
    "pile.seal",
)

RecipePath = Annotated[Path, typer.Argument(metavar="RECIPE", help="The recipe, a .toml file.")]
Out = Annotated[str | None, typer.Option(help="Folder or fsspec URL of the corpus. [default: build/<name>]")]
WorkUrl = Annotated[str, typer.Option("--work", help="Folder or fsspec URL of what the stages store.")]
Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILES...", help="JSON Lines, plain or compressed, the preferred first. A quoted pattern counts as one."
    ),
]
Workers = Annotated[int | None, typer.Option(min=1, help="Processes. [default: one per core]")]
Ray = Annotated[str | None, typer.Option(metavar="[ADDRESS]", help="Run on Ray: here, or on the cluster at ADDRESS.")]
Mirror = Annotated[str | None, typer.Option(help="Folder or http URL that every upstream is read from.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


@contextmanager
def upstream_for(recipe: Recipe, mirror: str | None, progress: Progress) -> Iterator[Upstream]:
    """Open the door to every upstream, with what the sources of the recipe ask for in politeness, and a bar of bytes."""
    from pile.fetch import Upstream

    advice: dict[str, str] = {}
    connections: dict[str, int] = {}
    intervals: dict[str, float] = {}
    for table in recipe.sources.values():
        source = resolve("source", table.use)
        advice |= getattr(source, "advice", {})
        connections |= getattr(source, "connections", {})
        intervals |= getattr(source, "intervals", {})
    with progress.bar("download", None, "B") as bar:

        def written(count: int) -> None:
            bar.update(count)

        door = Upstream(
            mirror=mirror,
            base=recipe.folder,
            advice=advice,
            connections=connections,
            intervals=intervals,
            progress=written,
        )
        with door:
            yield door


@app.command()
def build(
    recipe: RecipePath,
    out: Out = None,
    work: WorkUrl = ".pile",
    workers: Workers = None,
    ray: Ray = None,
    mirror: Mirror = None,
) -> None:
    """Build a corpus: lock, fetch, extract, judge, deduplicate, mix, seal. Run it again to go on where it stopped."""
    loaded = read(recipe)
    store = Storage(f"build/{loaded.name}" if out is None else out)
    executor = _executor(loaded, workers, ray)
    check_plugins(loaded)
    _build(loaded, store, Work(work), executor, mirror)


@app.command()
def dedup(
    files: Files,
    out: Annotated[str, typer.Option(help="Folder or fsspec URL of what stays.")],
    threshold: Annotated[
        float, typer.Option(help="Jaccard coefficient of word 5-grams that makes two texts one.")
    ] = 0.8,
    text_field: Annotated[str, typer.Option(help="Field of a line that holds its text.")] = "text",
    verify: Annotated[bool, typer.Option(help="Compare the texts of each proposed pair.")] = True,
    repeats: Annotated[
        list[str] | None,
        typer.Option(
            help="Also cut what many texts that stay say: paragraphs, lines or substrings; may be given again."
        ),
    ] = None,
    shards: Annotated[int, typer.Option(min=1, help="Files that what stays is written to.")] = 1,
    work: WorkUrl = ".pile",
    workers: Workers = None,
    ray: Ray = None,
) -> None:
    """Remove near-duplicates from any JSON Lines. Name more files later, and only their texts are read."""
    from pile.files import recipe_of

    place = Work(work)
    options = {"threshold": threshold, "verify": verify, "repeats": [{"of": kind} for kind in repeats or ()]}
    loaded = recipe_of(files, text_field, options, Output(shards=shards), place.storage)
    with upstream_for(loaded, None, Progress()) as upstream:
        made = locking.make(loaded, upstream, _former(loaded))
    loaded.lock_path.parent.mkdir(parents=True, exist_ok=True)
    locking.write(loaded, made)
    _build(loaded, Storage(out), place, _executor(loaded, workers, ray), None)


def _executor(loaded: Recipe, workers: int | None, ray: str | None) -> Executor:
    from pile.executor import LocalExecutor, RayExecutor

    if ray is not None:
        return RayExecutor(workers, ray or None)
    return LocalExecutor(workers, (*STAGES, *modules(loaded)))


def _build(loaded: Recipe, store: Storage, work: Work, executor: Executor, mirror: str | None) -> None:
    # Late for what it takes: meanwhile the workers' modules are imported, too.
    from pile.build import Build
    from pile.report import summary

    progress = Progress()
    try:
        with upstream_for(loaded, mirror, progress) as upstream, executor:
            built = Build(loaded, store, work, upstream, executor, progress).build()
    except KeyboardInterrupt:
        print("interrupted: the same command goes on where this one stopped", file=sys.stderr)
        raise typer.Exit(130) from None
    print(summary(built.manifest))
    print()
    print(progress.summary())
    if built.fresh:
        print(f"built {store.url}")
    else:
        print(f"nothing to do: {store.url} is complete and up to date (`pile verify` reads every byte of it)")
    print(built.manifest.fingerprint)


@app.command()
def lock(recipe: RecipePath, mirror: Mirror = None) -> None:
    """Pin every input of a recipe: address, size and checksum go to RECIPE.lock.json."""
    loaded = load(recipe)
    with upstream_for(loaded, mirror, Progress()) as upstream:
        made = locking.make(loaded, upstream, _former(loaded))
    locking.write(loaded, made)
    for name, source in made.sources.items():
        print(f"{name}: {len(source.inputs)} inputs, {json.dumps(source.pinned)}")
    if made.benchmarks:
        print(f"[decontamination]: {len(made.benchmarks)} benchmarks")
    print(f"wrote {loaded.lock_path}")


def _former(recipe: Recipe) -> Lock | None:
    """Return the lock that is there, when it can be read: a new one keeps its quarantine."""
    try:
        return locking.read(recipe)
    except PileError:
        return None


@app.command()
def plan(recipe: RecipePath, work: WorkUrl = ".pile", mirror: Mirror = None) -> None:
    """Show what a build would run and how many bytes it would fetch."""
    from pile.plan import plan as planned

    loaded = load(recipe)
    pinned = locking.read(loaded)
    if pinned is None:
        with upstream_for(loaded, mirror, Progress()) as upstream:
            pinned = locking.make(loaded, upstream)
        print(f"(no lock yet: `pile lock {recipe}` would pin this)")
    locking.check(loaded, pinned)
    print(planned(loaded, pinned, Work(work)))


@app.command()
def verify(
    directory: Annotated[str, typer.Argument(metavar="DIR")],
    content: Annotated[
        bool, typer.Option("--content", help="Also decompress every shard, and compare its text.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check every byte of a finished corpus: 0 intact, 1 not, with every fault by name."""
    from pile.verify import verify as verified

    corpus = Storage(directory)
    bar = Progress().bar("verify", None, "B")
    with bar:
        finding = verified(corpus, bar.update, content)
    if as_json:
        print(msgspec.json.encode({"intact": finding.intact, **msgspec.to_builtins(finding)}).decode())
    else:
        for fault in finding.faults:
            print(f"{fault.file}: {fault.fault}: {fault.detail}")
        if finding.intact:
            print(f"intact: {finding.files} files, {finding.documents:,} documents, {finding.bytes:,} bytes in shards")
            print(finding.fingerprint)
        else:
            print(f"not intact: {len(finding.faults)} faults in {finding.corpus}")
    raise typer.Exit(0 if finding.intact else 1)


@app.command()
def inspect(
    directory: Annotated[str, typer.Argument(metavar="DIR")],
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only this reason; 'kept' for what was kept.")] = None,
    count: Annotated[int, typer.Option(min=1, help="Examples to show.")] = 10,
    width: Annotated[int, typer.Option(min=0, help="Characters of each text to show.")] = 400,
    scores: Annotated[
        str | None, typer.Option(metavar="FILTER", help="Instead: what each threshold of a filter's scores would keep.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what a corpus kept and dropped, and why: counts, and examples of one --source or --reason."""
    from pile import inspect as inspecting

    corpus = Storage(directory)
    if scores is not None:
        for table in score_tables.read(corpus, source, scores):
            print(msgspec.json.encode(table).decode() if as_json else "\n".join(score_tables.show(table)))
        return
    found = inspecting.examples(corpus, source, reason)
    if as_json:
        for example in found[:count]:
            print(msgspec.json.encode(example).decode())
        return
    for name, stage, why, number in inspecting.counts(read_manifest(corpus), source):
        if reason in (None, why):
            print(f"{name:<20}{stage:<10}{why:<32}{number:>12,}")
    if source is None and reason is None:
        print("\nexamples: name a --source or a --reason")
        return
    for example in found[:count]:
        print()
        print(inspecting.show(example, width))


@app.command()
def sources() -> None:
    """List what can be named in a recipe, with its options."""
    kinds: list[tuple[Kind, str]] = [("source", "sources"), ("filter", "filters"), ("dedup", "deduplication")]
    for kind, title in kinds:
        print(f"{title}:")
        for name in names(kind):
            made = resolve(kind, name)
            text = (made.__doc__ or import_module(made.__module__).__doc__ or "").strip().splitlines()[0]
            print(f"  {name:<20}{text}")
            for field in msgspec.structs.fields(made):
                default = "required" if field.required else f"{_default(field)!r}"
                print(f"      {field.name} = {default}")


def _default(field: msgspec.structs.FieldInfo) -> object:
    return field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
