"""What near-duplicate search finds and misses: by brute force on generated documents, and on the gold pairs.

    python benchmarks/dedup_quality.py [--documents N] [--words N] [--shared DIR]

The generated documents are those of planted.py, put through `pile dedup`. Brute force knows nothing of pile's kernel: shingles
are tuples of words, and the Jaccard coefficients of all pairs that share one come from a sparse matrix times itself. A pair
from .85 on is missed when both of it stay; a removal is wrong when no text that stays is at the threshold to it. The gold
pairs (SHARED/data/dedup-gold) are judged by whether a pair is proposed by its bands and verified, against the known coefficient.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from planted import Planted, write
from scipy.sparse import csr_array, triu

from dedup.minhash import Minhash
from dedup.signature import SHINGLE_WORDS, band_hashes, digests, jaccard, sets_of, shingle_batch
from pile.shards import read_lines
from pile.text import normalise, spaced
from pile.words import word_hashes

ROOT = Path(__file__).resolve().parents[1]
THRESHOLD, WANTED = 0.8, 0.85
GOLD_THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)


def all_pairs(texts: list[str]) -> tuple[Any, Any, Any]:
    """Return first, second and the Jaccard coefficient of all pairs of texts that share a shingle."""
    columns: dict[tuple[str, ...], int] = {}
    indices, starts = [], [0]
    for text in texts:
        words = normalise(text).split()
        grams = {tuple(words[i : i + SHINGLE_WORDS]) for i in range(len(words) - SHINGLE_WORDS + 1)}
        indices += [columns.setdefault(gram, len(columns)) for gram in grams]
        starts.append(len(indices))
    shape = (len(texts), len(columns))
    matrix = csr_array((np.ones(len(indices), np.int32), np.array(indices), np.array(starts)), shape=shape)
    sizes = np.diff(np.array(starts))
    shared = triu(matrix @ matrix.T, k=1).tocoo()
    first, second = shared.coords
    return first, second, shared.data / (sizes[first] + sizes[second] - shared.data)


def planted(documents: int, words: int, folder: Path) -> None:
    """Print recall and precision on generated documents."""
    paths = write(folder / "documents", made := Planted(documents, words), 4)
    command = [sys.executable, "-c", "from pile.cli import main; main()", "dedup", *map(str, paths)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(
        [*command, "--out", f"{folder}/out", "--work", f"{folder}/work"], check=True, env=environment, stdout=sys.stderr
    )
    stays = np.zeros(documents, bool)
    for shard in (folder / "out/train").iterdir():
        for line in read_lines(shard):
            stays[int(json.loads(line)["meta"]["original_id"][1:])] = True
    first, second, found = all_pairs([made.document(index)["text"] for index in range(documents)])
    near = found >= WANTED
    missed = near & stays[first] & stays[second]
    explained = stays.copy()
    close = found >= THRESHOLD
    explained[first[close & stays[second]]] = explained[second[close & stays[first]]] = True
    print(
        f"{documents:,} documents of {words} words, {len(found):,} pairs share a shingle, {near.sum():,} are at {WANTED} or above"
    )
    print(f"recall at {WANTED}: {1 - missed.sum() / near.sum():.4f} ({missed.sum():,} of these pairs stay both)")
    share = explained[~stays].mean()
    print(f"precision of removals at {THRESHOLD}: {share:.4f} ({(~stays).sum():,} removals)")


def gold(name: str, folder: Path) -> None:
    """Print F1 on one set of gold pairs, at several thresholds."""
    with gzip.open(folder / f"{name}.jsonl.gz", "rt") as lines:
        texts = {line["id"]: spaced(line["text"]) for line in map(json.loads, lines)}
    with gzip.open(folder / f"{name}-pairs.tsv.gz", "rt") as lines:
        rows = [
            (row["id_a"], row["id_b"], float(row["jaccard_word5"])) for row in csv.DictReader(lines, delimiter="\t")
        ]
    options = Minhash()
    bands = {}
    for id, text in texts.items():
        grams, starts = shingle_batch(*word_hashes([text]))
        full = (
            digests(grams, starts, options.bands * options.rows)
            if len(grams)
            else np.empty((0, options.bands * options.rows))
        )
        bands[id] = set(band_hashes(full, options.bands, options.rows).ravel().tolist()) if len(grams) else set()
    sets = dict(zip(texts, sets_of(list(texts.values())), strict=True))
    ours = np.array([jaccard(sets[a], sets[b]) if bands[a] & bands[b] else 0.0 for a, b, _ in rows])
    true = np.array([row[2] for row in rows])
    for threshold in GOLD_THRESHOLDS:
        said, is_so = ours >= threshold, true >= threshold
        right = int((said & is_so).sum())
        precision, recall = right / max(1, said.sum()), right / max(1, is_so.sum())
        f1 = 2 * precision * recall / (precision + recall) if right else 0.0
        print(f"| {name} | {threshold} | {is_so.sum():,} | {precision:.3f} | {recall:.3f} | {f1:.3f} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--words", type=int, default=200)
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("PILE_SHARED", ROOT.parent / "shared")))
    arguments = parser.parse_args()
    print("| gold pairs | threshold | pairs at it | precision | recall | F1 |\n|---|--:|--:|--:|--:|--:|")
    for name in ("extractions", "manual-versions"):
        gold(name, arguments.shared / "data/dedup-gold")
    print()
    with tempfile.TemporaryDirectory(prefix="pile-benchmark-") as temporary:
        planted(arguments.documents, arguments.words, Path(temporary))
