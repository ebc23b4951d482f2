"""Near-duplicates of JSON Lines by datatrove's four stages: signatures, buckets, clusters, filter.

    python datatrove_dedup.py FOLDER OUT [--workers N]

Runs in datatrove's own environment (requirements-datatrove.txt); ../dedup_scale.py starts it. Prints JSON: the wall seconds
of each stage, and the counts of the last. Options are datatrove's and FineWeb's own: 14 bands of 8 hashes, word 5-grams.
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
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter

MINHASH = MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8)


def run(folder: str, out: Path, workers: int) -> dict[str, object]:
    """Run the stages; return their seconds."""
    signatures, buckets, removed = (f"{out}/{name}" for name in ("signatures", "buckets", "removed"))
    stages = {
        "signatures": ([JsonlReader(folder), MinhashDedupSignature(signatures, MINHASH)], workers),
        "buckets": ([MinhashDedupBuckets(signatures, buckets, config=MINHASH)], MINHASH.num_buckets),
        "clusters": ([MinhashDedupCluster(buckets, removed, config=MINHASH)], 1),
        "filter": (
            [JsonlReader(folder), MinhashDedupFilter(removed), JsonlWriter(f"{out}/corpus", compression="zstd")],
            workers,
        ),
    }
    seconds = {}
    for name, (pipeline, tasks) in stages.items():
        began = time.perf_counter()
        LocalPipelineExecutor(
            pipeline, tasks=tasks, workers=min(tasks, workers), logging_dir=f"{out}/logs/{name}"
        ).run()
        seconds[name] = round(time.perf_counter() - began, 2)
    steps = json.loads((out / "logs/filter/stats.json").read_text())
    filtered = next(step["stats"] for step in steps if "MINHASH" in step["name"].upper())
    return {"seconds": seconds, "filter": filtered}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("out", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    print(json.dumps(run(arguments.folder, arguments.out, arguments.workers)))
