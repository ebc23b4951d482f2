"""The whole web job by datatrove: WARC to text, English, repetition, quality, near-duplicates, zstd JSON Lines.

    python datatrove_web.py WARC_FOLDER OUT MODEL [--workers N]

Runs in datatrove's own environment (requirements-datatrove.txt); ../web_job.py starts it. Every option is datatrove 0.10's own
default, but for two. ``deduplicate=False``: with it trafilatura remembers earlier pages and cuts them out of later ones. And
the language filter reads its model from the file MODEL instead of downloading lid.176.bin: lid.176.ftz, the same model,
compressed by its authors, which pile uses too.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import (
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.extractors import Trafilatura
from datatrove.pipeline.filters import GopherQualityFilter, GopherRepetitionFilter, LanguageFilter
from datatrove.pipeline.readers import JsonlReader, WarcReader
from datatrove.pipeline.writers import JsonlWriter

#: datatrove's and FineWeb's own: 14 bands of 8 hashes, word 5-grams.
MINHASH = MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8)


def stages(warcs: str, out: str, model: str) -> dict[str, tuple[list[object], int | None]]:
    """Return each stage's pipeline and its number of tasks, None for as many as there are workers."""
    english = LanguageFilter("en")
    english.model.MODEL_URL = model
    kept, signatures, buckets, removed = (f"{out}/{name}" for name in ("kept", "signatures", "buckets", "removed"))
    return {
        "text": (
            [
                WarcReader(warcs, glob_pattern="**/*.warc.gz"),
                Trafilatura(deduplicate=False),
                english,
                GopherRepetitionFilter(),
                GopherQualityFilter(),
                JsonlWriter(kept, compression="zstd"),
            ],
            None,
        ),
        "signatures": ([JsonlReader(kept), MinhashDedupSignature(signatures, MINHASH)], None),
        "buckets": ([MinhashDedupBuckets(signatures, buckets, config=MINHASH)], MINHASH.num_buckets),
        "clusters": ([MinhashDedupCluster(buckets, removed, config=MINHASH)], 1),
        "filter": (
            [JsonlReader(kept), MinhashDedupFilter(removed), JsonlWriter(f"{out}/corpus", compression="zstd")],
            None,
        ),
    }


def timed_out(out: Path) -> int:
    """Return how many pages the extractor's bound of one second cost."""
    steps = json.loads((out / "logs/text/stats.json").read_text())
    found = next(step["stats"] for step in steps if "Trafilatura" in step["name"]).get("timeout", 0)
    return found if isinstance(found, int) else int(found["total"])


def run(warcs: str, out: Path, model: str, workers: int) -> dict[str, object]:
    """Run all stages; return their seconds, and the pages that timed out."""
    seconds = {}
    for name, (pipeline, tasks) in stages(warcs, str(out), model).items():
        began = time.perf_counter()
        tasks = tasks or workers
        LocalPipelineExecutor(
            pipeline, tasks=tasks, workers=min(tasks, workers), logging_dir=f"{out}/logs/{name}"
        ).run()
        seconds[name] = round(time.perf_counter() - began, 2)
    return {"seconds": seconds, "timed_out": timed_out(out)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("warcs")
    parser.add_argument("out", type=Path)
    parser.add_argument("model")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    print(json.dumps(run(arguments.warcs, arguments.out, arguments.model, arguments.workers)))
