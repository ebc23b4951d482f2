"""What a person looks at: funnels and mixture, for a terminal and as the corpus's report.md."""

from __future__ import annotations

from pile.funnel import STAGES
from pile.manifest import Manifest, SourceRecord
from pile.units import size


def funnel_table(source: str, record: SourceRecord) -> list[str]:
    """Return the lines of one source's funnel: what came in, every drop with its reason, what went out."""
    lines = [f"{source} ({record.use}, {record.inputs} inputs, {_epochs(record)} epochs)"]
    first = next(iter(record.funnel.values()))
    lines.append(f"  {'records':<50}{first['in']:>10,}")
    for stage in STAGES:
        facts = record.funnel.get(stage)
        if facts is None:
            continue
        for reason, count in sorted(facts["drops"].items(), key=lambda item: (-item[1], item[0])):
            lines.append(f"    - {stage + ': ' + reason:<46}{count:>10,}")
        if facts.get("checked"):
            lines.append(
                f"      (not verified: of {facts['checked']:,} looked at, verification would spare {facts['spared']:,})"
            )
        if facts.get("touched"):
            lines.append(
                f"      (of {facts['touched']:,} that stay, {facts['characters']:,} characters that others say, too)"
            )
        lines.append(f"  {_NAMES[stage]:<50}{facts['out']:>10,}")
    written = ", ".join(f"{split} {count:,}" for split, count in record.lines.items()) or "none"
    lines.append(f"  written: {written}")
    return lines


def _epochs(record: SourceRecord) -> str:
    """Return the epochs of a source; with buckets it has several."""
    return "bucketed" if record.buckets else f"{record.epochs:g}"


#: What is left after each stage, as the table calls it.
_NAMES = {
    "extract": "= documents",
    "judge": "= worth keeping",
    "settle": "= latest versions",
    "dedup": "= distinct",
    "cut": "= with text of their own",
    "decontaminate": "= without benchmarks",
    "mix": "= in the corpus",
}


def summary(manifest: Manifest) -> str:
    """Return all funnels, as the end of a build shows them."""
    blocks = ["\n".join(funnel_table(name, record)) for name, record in manifest.sources.items()]
    return "\n\n".join(blocks)


def report(manifest: Manifest) -> str:
    """Return report.md: the mixture, the funnels, damage and quarantine, and how to check the corpus."""
    lines = [f"# {manifest.name}", "", f"Fingerprint `{manifest.fingerprint}`", "", "## Mixture", ""]
    lines += ["| component | documents | size | epochs | effective size | share |", "|---|--:|--:|--:|--:|--:|"]
    total = sum(sum(r.effective_bytes.values()) for r in manifest.sources.values()) or 1
    for name, r in manifest.sources.items():
        effective = sum(r.effective_bytes.values())
        lines.append(
            f"| {name} | {r.documents:,} | {size(r.text_bytes)} | {_epochs(r)} | {size(effective)} | {effective / total:.2%} |"
        )
    lines += ["", "## Funnel", "", "```", summary(manifest), "```", "", "## Shards", ""]
    lines += ["| shard | documents | size | text |", "|---|--:|--:|--:|"]
    lines += [f"| {s.name} | {s.documents:,} | {size(s.bytes)} | {size(s.content_bytes)} |" for s in manifest.shards]
    if manifest.benchmarks:
        lines += ["", "## Benchmarks that were looked for", ""]
        lines += ["| benchmark | items | too short to be found | found | in documents |", "|---|--:|--:|--:|--:|"]
        lines += [
            f"| {b.name} | {b.items:,} | {b.too_short:,} | {b.found:,} | {b.documents:,} |" for b in manifest.benchmarks
        ]
        lines += ["", "`pile inspect DIR --reason contaminated` shows them."]
    if manifest.models:
        lines += ["", "## Models trained in this build", ""]
        lines += ["| source | filter | positives | negatives | sha256 |", "|---|---|--:|--:|---|"]
        lines += [
            f"| {m.source} | {m.filter} | {m.positives:,} | {m.negatives:,} | `{m.sha256}` |" for m in manifest.models
        ]
    damaged = [f"- {name}: {damage}" for name, r in manifest.sources.items() for damage in r.damaged]
    if damaged:
        lines += ["", "## Damaged inputs, kept as far as they could be read", "", *damaged]
    held = [f"- {id}: {cause}" for r in manifest.sources.values() for id, cause in r.quarantined.items()]
    if held:
        lines += ["", "## Records in quarantine", "", *held]
    lines += ["", "Check it with `pile verify DIR`, or with `sha256sum -c SHA256SUMS` in its folder.", ""]
    return "\n".join(lines)
