"""Time text to signature: from str to band hashes, one core, beside datasketch's ``MinHash.bulk`` with the same shingles.

    python benchmarks/signatures.py [--documents N] [--rounds N]

The documents are 650 words each of real English (../shared/data/other/state-of-the-union.jsonl.gz) as it is written: a few
characters in some of them are not ASCII. datasketch is given the shingles of the normalised text, ready made as bytes: neither
normalising nor shingling counts against it. CPU time, each the best of several rounds, taken in turns. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from datasketch import MinHash

from dedup.signature import SHINGLE_WORDS, band_hashes, digests, shingle_batch
from pile.text import spaced
from pile.words import PIECE_BYTES, word_hashes

SHARED = Path(os.environ.get("PILE_SHARED", Path(__file__).resolve().parents[1].parent / "shared"))
BANDS, ROWS = 14, 8
WORDS = 650
#: Documents that datasketch is given: it takes a millisecond for each.
SLOW = 100


def documents(count: int) -> list[str]:
    """Return texts of 650 words with their punctuation, one after the other from the speeches."""
    with gzip.open(SHARED / "data/other/state-of-the-union.jsonl.gz", "rt") as lines:
        text = " ".join(json.loads(line)["text"] for line in lines)
    words = re.findall(r"\S+\s*", text)
    return ["".join(words[start : start + WORDS]) for start in range(0, len(words) - WORDS, WORDS)][:count]


def signatures(texts: list[str]) -> Any:
    """Return the band hashes of texts, in the batches that the sign stage makes."""
    found, batch, held = [], [], 0
    for text in [*texts, None]:
        words = spaced(text) if text is not None else b""
        if batch and (text is None or held + len(words) > PIECE_BYTES):
            grams, starts = shingle_batch(*word_hashes(batch))
            found.append(band_hashes(digests(grams, starts, BANDS * ROWS), BANDS, ROWS))
            batch, held = [], 0
        batch.append(words)
        held += len(words) + 1
    return np.concatenate(found)


def shingles(text: str) -> list[bytes]:
    """Return the same shingles as datasketch takes them."""
    words = spaced(text).split()
    return [b" ".join(words[start : start + SHINGLE_WORDS]) for start in range(len(words) - SHINGLE_WORDS + 1)]


def measure(texts: list[str], rounds: int) -> None:
    """Print the table."""
    ready = [shingles(text) for text in texts[:SLOW]]
    xxh32 = xxhash.xxh32_intdigest
    calls: dict[str, tuple[int, Callable[[], Any]]] = {
        "pile: str to band hashes": (len(texts), lambda: signatures(texts)),
        "of this: normalising": (len(texts), lambda: [spaced(text) for text in texts]),
        "datasketch bulk, shingles ready, its defaults (sha1)": (
            SLOW,
            lambda: MinHash.bulk(ready, num_perm=BANDS * ROWS),
        ),
        "datasketch bulk, shingles ready, xxh32": (
            SLOW,
            lambda: MinHash.bulk(ready, num_perm=BANDS * ROWS, hashfunc=xxh32),
        ),
        "datasketch bulk, shingles ready, xxh32, affine32": (
            SLOW,
            lambda: MinHash.bulk(ready, num_perm=BANDS * ROWS, hashfunc=xxh32, scheme="affine32"),
        ),
        "making the shingles for datasketch": (SLOW, lambda: [shingles(text) for text in texts[:SLOW]]),
    }
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(rounds):
        for name, (count, call) in calls.items():
            began = time.process_time()
            call()
            best[name] = min(best[name], (time.process_time() - began) / count)
    ours = next(iter(best.values()))
    ascii_share = sum(text.isascii() for text in texts) / len(texts)
    print(f"{len(texts)} documents of {WORDS} words, {ascii_share:.1%} ASCII; datasketch {version('datasketch')}\n")
    print("| | us a document | documents/s | pile is faster by |")
    print("|---|--:|--:|--:|")
    for name, seconds in best.items():
        print(f"| {name} | {seconds * 1e6:,.1f} | {1 / seconds:,.0f} | {seconds / ours:.1f}x |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=1_700)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    measure(documents(arguments.documents), arguments.rounds)
