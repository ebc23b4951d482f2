"""How well the mixing law ranks runs that it has not seen: RegMix's published proxy runs over domains of The Pile.

    python benchmarks/mixing_law.py MIXTURES.csv LOSSES.csv

The files are those of github.com/sail-sg/regmix, data/: ``test_mixture_1B.csv`` with ``test_pile_loss_1B.csv`` (64 runs of models
of 1B parameters), say. They have a line for each run, in one order, and a first column ``index``.
"""

from __future__ import annotations

import argparse
import csv
import os
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as `pile weights` has it

import numpy as np

from pile.law import FOLDS, cross_validated, fit


def columns(path: Path) -> tuple[list[str], np.ndarray]:
    """Return the names and numbers of all columns but the first."""
    with open(path, newline="") as file:
        header, *rows = csv.reader(file)
    return header[1:], np.array([[float(cell) for cell in row[1:]] for row in rows])


def main() -> None:
    """Print the rank correlation of every loss in cross-validation, and the time that a fit takes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mixtures", type=Path)
    parser.add_argument("losses", type=Path)
    arguments = parser.parse_args()
    domains, shares = columns(arguments.mixtures)
    names, losses = columns(arguments.losses)
    shares /= shares.sum(axis=1, keepdims=True)
    began = time.perf_counter()
    fit(shares, losses)
    once = time.perf_counter() - began
    ranks = cross_validated(shares, losses)
    print(f"{len(shares)} runs, {len(domains)} domains, {len(names)} losses: {once:.2f} s a fit")
    for name, rank in zip(names, ranks, strict=True):
        print(f"{name:<50}{rank:.3f}")
    print(f"{f'mean of {FOLDS} folds':<50}{np.mean(ranks):.3f}")


if __name__ == "__main__":
    main()
