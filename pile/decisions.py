"""Decisions: what deduplication says of every candidate document of a part, and how later stages read it.

The ``dedup`` stage writes them (the ``dedup`` package, by name); the mixture, the report and ``pile inspect`` read them.
Its facts hold in ``ids`` the sha256 over the candidates' ids in order, each followed by a newline: whoever joins
decisions to documents can tell whether they are about the same ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pile.stage import Work

STAGE = "dedup"
DECISIONS = "decisions.npy"  #: one DECISION for each candidate, in order of its row

#: Reasons by number; 0 is for what is kept.
DEDUP_REASONS = ("", "exact_duplicate", "near_duplicate", "same_url")
KEPT, EXACT_DUPLICATE, NEAR_DUPLICATE, SAME_URL = range(4)

DECISION = np.dtype(
    [
        ("row", "<i8"),  # in the part's documents
        ("reason", "u1"),  # index into DEDUP_REASONS
        ("cluster", "<u8"),  # xxh3_64 of the id of the cluster's most preferred document, its own when it is alone
        ("size", "<u4"),  # documents in the cluster, kept and removed
        ("sources", "<u2"),  # distinct sources in the cluster
        ("winner_part", "<i4"),  # the kept document on whose account it was removed: index into the parts, -1 when kept
        ("winner_row", "<i8"),  # and its row, -1 when kept
        ("jaccard", "<f4"),  # of the two sets of shingles; 1 for an exact duplicate, 0 when kept or of the same address
    ]
)


def decisions(work: Work, key: str) -> npt.NDArray[Any]:
    """Return a part's DECISION array, read only, by the key of its ``dedup`` result; raises ``WorkError`` when it is damaged."""
    found: npt.NDArray[Any] = np.load(work.file(STAGE, key, DECISIONS), mmap_mode="r")
    return found
