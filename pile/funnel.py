"""The funnel: for every source and stage, documents in = documents out + drops by reason, checked before anything is sealed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec

from pile.buckets import BucketRecord
from pile.errors import CorpusError
from pile.lock import Lock
from pile.manifest import SourceRecord
from pile.parts import Part
from pile.recipe import Recipe

#: The stages that drop documents, in order.
STAGES = ("extract", "judge", "settle", "dedup", "cut", "decontaminate", "mix")


class Columns(msgspec.Struct, frozen=True):
    """For every part, in one order: what extraction, judging, deduplication and decontamination say of it."""

    parts: list[Part]
    extracted: list[dict[str, Any]]
    judged: list[dict[str, Any]]
    decided: list[dict[str, Any]]
    cleared: list[dict[str, Any]]  #: empty where nothing was decontaminated


def records(recipe: Recipe, lock: Lock, columns: Columns, spreads: list[dict[str, Any]]) -> dict[str, SourceRecord]:
    """Return the manifest's record of every source; raises ``CorpusError`` if a document went missing anywhere."""
    made = {}
    for name, table in recipe.sources.items():
        mine = [place for place, part in enumerate(columns.parts) if part.source == name]
        mixed = [spreads[i] for i in mine]
        stages = {
            "extract": [columns.extracted[i] for i in mine],
            "judge": [columns.judged[i] for i in mine],
            "settle": [facts["funnel"] for facts in mixed],
            "dedup": [columns.decided[i] for i in mine] if recipe.dedup is not None else [],
            "cut": [cut for i in mine if (cut := columns.decided[i].get("cut"))],
            "decontaminate": [columns.cleared[i] for i in mine] if columns.cleared else [],
            "mix": mixed,
        }
        funnel = {stage: _sum(facts) for stage, facts in stages.items() if facts}
        _balance(name, funnel)
        locked = lock.sources[name]
        damaged = [
            f"{columns.parts[i].url} {_damage(columns.extracted[i])}" for i in mine if _damage(columns.extracted[i])
        ]
        made[name] = SourceRecord(
            table.use,
            locked.pinned,
            len(locked.inputs),
            table.epochs,
            funnel,
            sum(facts["in"] for facts in mixed),
            sum(facts["in_bytes"] for facts in mixed),
            _total(facts["lines"] for facts in mixed),
            _total(facts["text_bytes"] for facts in mixed),
            damaged,
            {q.id: q.cause for q in lock.quarantine if q.source == name},
            _buckets(
                [bucket.name for bucket in table.buckets], [facts["quality"] for facts in mixed if "quality" in facts]
            ),
        )
    return made


def _buckets(names: list[str], found: list[list[list[int]]]) -> list[BucketRecord]:
    """Return documents and bytes of every bucket over all parts."""
    places = enumerate([*names, ""]) if names else ()
    return [BucketRecord(name, *(sum(part[place][n] for part in found) for n in (0, 1))) for place, name in places]


def _damage(extracted: dict[str, Any]) -> str:
    return str(extracted.get("damage", ""))


def _sum(facts: list[dict[str, Any]]) -> dict[str, Any]:
    found = {
        "in": sum(f["in"] for f in facts),
        "out": sum(f["out"] for f in facts),
        "drops": _total(f["drops"] for f in facts),
    }
    found |= {name: sum(f[name] for f in facts) for name in ("touched", "characters") if all(name in f for f in facts)}
    if any("checked" in f for f in facts):  # pairs were not verified, but for a sample of the removals
        found |= {name: sum(f[name] for f in facts) for name in ("checked", "spared")}
    return found


def _total(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return {name: count for name, count in sorted(total.items()) if count}


def _balance(source: str, funnel: dict[str, dict[str, Any]]) -> None:
    before = None
    for stage, facts in funnel.items():
        dropped = sum(facts["drops"].values())
        if facts["in"] != facts["out"] + dropped or before not in (None, facts["in"]):
            raise CorpusError(
                f"{source}: {stage} had {facts['in']} documents in, {facts['out']} out and {dropped} drops, after {before} "
                "from the stage before: documents went missing, which is a fault of pile; nothing was sealed"
            )
        before = facts["out"]
