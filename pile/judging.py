"""Judging, the flow: what filters are trained on, what they measure, what they find in it all, and what they decide.

Reading ``judged`` top to bottom is reading how a document is judged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from pile import judge, lessons, score, score_tables, survey
from pile.downloads import Downloads
from pile.errors import RecipeError
from pile.extract import Side
from pile.manifest import Model
from pile.parts import Part
from pile.plugins import Downloading, Surveyor, Trained
from pile.recipe import FilterTable, Recipe
from pile.runner import Result
from pile.score_tables import ScoreTable
from pile.stage import Task, Work

Run = Callable[[str, list[Task]], list[Result]]
#: What was fetched for filters, by source and by place of the filter.
Files = dict[str, dict[int, Side]]


class Judging(msgspec.Struct, frozen=True):
    """What judging gives: each part's result, keys of the ``score`` stage ("" where there are no filters), and models."""

    parts: list[Part]
    results: list[Result]
    scores: list[str]
    models: list[Model]


def fetched(recipe: Recipe, downloads: Downloads, work: Work) -> Files:
    """Fetch what filters judge with; raises ``FetchError``, ``PluginError`` or ``RecipeError`` for what a filter cannot use."""
    found: Files = {}
    for name, table in recipe.sources.items():
        for place, filter in enumerate(table.filter_tables()):
            made = filter.make()
            if isinstance(made, Downloading) and (wanted := made.wanted):
                side = downloads.side_input(wanted)
                try:
                    with work.storage.scratch() as scratch, work.reading(scratch):
                        made.with_file(side.file(work).path)
                except ValueError as error:
                    raise RecipeError(f"source {name!r}, filter {filter.use!r}: {error}") from error
                found.setdefault(name, {})[place] = side
    return found


def judged(recipe: Recipe, parts: list[Part], files: Files, run: Run) -> Judging:
    """Ask each source's filters about its documents."""
    filters = {name: table.filter_tables() for name, table in recipe.sources.items()}
    keys, models = _trained(recipe, parts, filters, run)
    scored = [part for part in parts if filters[part.source]]
    tasks = [
        score.task(part, filters[part.source], keys.get(part.source, {}), files.get(part.source, {})) for part in scored
    ]
    results = run(score.STAGE, tasks) if tasks else []
    scores = {(part.source, part.place): result.key for part, result in zip(scored, results, strict=True)}
    by_part = [scores.get((part.source, part.place), "") for part in parts]
    surveys = _surveyed(parts, by_part, filters, run)
    tasks = [
        judge.task(part, filters[part.source], key, surveys.get(part.source, {}))
        for part, key in zip(parts, by_part, strict=True)
    ]
    return Judging(parts, run(judge.STAGE, tasks), by_part, models)


def tables_of(recipe: Recipe, judging: Judging, work: Work) -> list[ScoreTable]:
    """Return the score tables of every source; call it where files of the work folder can be read."""
    tables = []
    for name, table in recipe.sources.items():
        keys = [key for part, key in zip(judging.parts, judging.scores, strict=True) if part.source == name and key]
        if keys:
            tables += score_tables.tables_of(name, [f.use for f in table.filter_tables()], score.sample_of(work, keys))
    return tables


def _trained(
    recipe: Recipe, parts: list[Part], filters: dict[str, list[FilterTable]], run: Run
) -> tuple[dict[str, dict[int, str]], list[Model]]:
    """Return the keys of the models by source and by place of the filter, and what is known of them."""
    wanted = []
    for name, tables in filters.items():
        for place, table in enumerate(tables):
            made = table.make()
            if isinstance(made, Trained) and made.positives:
                wanted.append((name, place, table, made.positives))
    tasks = []
    for name, place, table, positives in wanted:
        kinds = [[part for part in parts if part.source in kind] for kind in (positives, [name])]
        good, raw = (
            [r.key for r in run(lessons.LESSON, [lessons.lesson_task(part, table, recipe.seed) for part in kind])]
            for kind in kinds
        )
        tasks.append(lessons.train_task(table, good, raw, f"{name}: {table.use}, filter {place + 1}"))
    results = run(lessons.STAGE, tasks) if tasks else []
    keys: dict[str, dict[int, str]] = {}
    models = []
    for (name, place, table, _), result in zip(wanted, results, strict=True):
        keys.setdefault(name, {})[place] = result.key
        known = {field: result.facts[field] for field in ("sha256", "positives", "negatives", "report")}
        models.append(Model(name, table.use, **known))
    return keys, models


def _surveyed(
    parts: list[Part], scores: list[str], filters: dict[str, list[FilterTable]], run: Run
) -> dict[str, dict[int, dict[str, Any]]]:
    """Return what filters found in the scores of their sources, by source and by place of the filter."""
    wanted = []
    for name, tables in filters.items():
        keys = [key for part, key in zip(parts, scores, strict=True) if part.source == name]
        for place, table in enumerate(tables):
            made = table.make()
            if isinstance(made, Surveyor) and made.surveys:
                wanted.append((name, place, survey.task(table, place, keys, f"{name}: {table.use}")))
    results = run(survey.STAGE, [task for *_, task in wanted]) if wanted else []
    found: dict[str, dict[int, dict[str, Any]]] = {}
    for (name, place, _), result in zip(wanted, results, strict=True):
        found.setdefault(name, {})[place] = result.facts["found"]
    return found
