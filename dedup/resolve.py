"""The resolve stage: from verified pairs to who stays, and the decide stage: each part's decisions.

A document goes only when a preferred document that stays is near enough to it: no chains. One task sees all pairs that
count; it holds about 100 bytes for each document that has a duplicate, and nothing for the others.
"""

from __future__ import annotations

from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from dedup.components import components
from dedup.exact import all_copies
from dedup.pair import FIRST, SECOND, read_numbers
from dedup.runs import save
from dedup.signed import Numbers, Signed, Tables
from dedup.verify import JACCARD, VERIFY
from pile.decisions import DECISION, EXACT_DUPLICATE, KEPT, NEAR_DUPLICATE, SAME_URL
from pile.stage import Task, Watch, Work, make_key

STAGE = "resolve"
VERSION = 4
AFFECTED = "affected.npy"  #: DECISION of every document that is not alone, by part, then row
GONE = "gone.npy"  #: int64 numbers of near-duplicates that go (not of copies), ascending,
WINNERS = "winners.npy"  #: and of the documents on whose account they go

Coefficients = npt.NDArray[np.float64]
#: Pairs read, or walked as Python numbers, at a time.
STRETCH = 1_000_000


class Proposed(msgspec.Struct, frozen=True):
    """One result of the ``pair`` stage, and what verification says of it.

    ``verified`` are the keys of the ``verify`` stage with the pairs ``[start, end]`` of each; None when pairs are not
    verified: then each counts as at the threshold.
    """

    pair: str
    pairs: int
    verified: list[tuple[str, int, int]] | None


class Resolution(msgspec.Struct, frozen=True):
    """What the stage's one task works on."""

    signed: Signed
    urls: list[str]  #: keys of the ``exact`` stage, by address
    exact: list[str]  #: and by text
    proposed: list[Proposed]
    threshold: float


class Near(msgspec.Struct, frozen=True):
    """Pairs of documents at the threshold or above, and their coefficients."""

    first: Numbers
    second: Numbers
    jaccard: Coefficients


def task(call: Resolution, version: int) -> Task:
    """Return the stage's task; ``version`` is that of the whole deduplication."""
    base = make_key(STAGE, VERSION, [version, msgspec.to_builtins(call)], ("numpy", "xxhash"))
    return Task(STAGE, base, resolve, call, "all parts")


def resolve(call: Resolution, folder: Path, watch: Watch, work: Work) -> dict[str, Any]:
    """Do the task: write the decisions on documents that are not alone, and for each part ``[start, end, digest]`` of them."""
    tables = Tables(work, call.signed)
    copies, originals = all_copies(work, call.exact)
    others, pages = all_copies(work, call.urls)
    if len(copies):  # of two of one address, the one that stays may be a copy of a third
        place = np.minimum(np.searchsorted(copies, pages), len(copies) - 1)
        pages = np.where(copies[place] == pages, originals[place], pages)
    near = _near(call, work)
    nodes = np.unique(np.concatenate([near.first, near.second, originals, pages]))
    members = np.concatenate([nodes, copies, others])
    node = np.searchsorted(nodes, np.concatenate([nodes, originals, pages]))  # of each member: its own, its original's
    decided = np.zeros(len(members), DECISION)
    decided["row"] = tables.column(members, "row")
    reasons = np.repeat([KEPT, EXACT_DUPLICATE, SAME_URL], [len(nodes), len(copies), len(others)])
    gone, winners = _removals(tables, nodes, near, node, reasons, decided)
    save(folder / GONE, gone)
    save(folder / WINNERS, winners)
    _clusters(tables, nodes, near, members, node, decided)
    order = np.argsort(members)
    save(folder / AFFECTED, decided[order])
    bounds = np.searchsorted(members[order], call.signed.starts()).tolist()
    affected = {}
    for part, (start, end) in enumerate(pairwise(bounds)):
        if start < end:
            affected[str(part)] = [start, end, sha256(decided[order[start:end]].tobytes()).hexdigest()[:40]]
    pairs = sum(proposed.pairs for proposed in call.proposed)
    return {"pairs": pairs, "near_pairs": len(near.first), "affected": affected}


def _removals(
    tables: Tables, nodes: Numbers, near: Near, node: Numbers, reasons: npt.NDArray[Any], decided: npt.NDArray[Any]
) -> tuple[Numbers, Numbers]:
    """Fill in who goes, on whose account, and how near the two are; return the nodes that go, ascending, and for whom.

    ``reasons`` say of each member why it goes whatever its node does, or ``KEPT``.
    """
    winner, jaccard = survivors(tables, nodes, near)
    gone = (winner[node] >= 0) & (reasons != SAME_URL)
    # A copy of what goes itself goes on account of the document that stays: their shingles are the original's.
    decided["reason"] = np.where(gone, NEAR_DUPLICATE, reasons)
    decided["jaccard"] = np.where(gone, jaccard[node], reasons == EXACT_DUPLICATE)
    decided["winner_part"] = decided["winner_row"] = -1
    removed = np.flatnonzero(decided["reason"] != KEPT)
    stays = np.where(winner[node] >= 0, winner[node], nodes[node])[removed]
    decided["winner_part"][removed] = tables.parts(stays)
    decided["winner_row"][removed] = tables.column(stays, "row")
    return nodes[winner >= 0], winner[winner >= 0]


def _near(call: Resolution, work: Work) -> Near:
    """Return the pairs that count."""
    firsts, seconds, found = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0, np.float64)]
    for proposed in call.proposed:
        stretches = proposed.verified
        if stretches is None:
            stretches = [("", s, min(s + STRETCH, proposed.pairs)) for s in range(0, proposed.pairs, STRETCH)]
        for key, start, end in stretches:
            jaccard = np.load(work.file(VERIFY, key, JACCARD)) if key else np.full(end - start, call.threshold)
            enough = jaccard >= call.threshold
            firsts.append(read_numbers(work, proposed.pair, FIRST, start, end)[enough])
            seconds.append(read_numbers(work, proposed.pair, SECOND, start, end)[enough])
            found.append(jaccard[enough])
    return Near(np.concatenate(firsts), np.concatenate(seconds), np.concatenate(found))


def survivors(tables: Tables, nodes: Numbers, near: Near) -> tuple[Numbers, Coefficients]:
    """Return for each node the document on whose account it goes (-1 when it stays), and their coefficient.

    In order of preference: a document goes when a preferred one that stays is near it; of several, the most preferred.
    """
    winner, jaccard = np.full(len(nodes), -1, np.int64), np.zeros(len(nodes))
    paired = np.unique(np.concatenate([near.first, near.second]))
    preferred = tables.by_preference(paired, np.zeros_like(paired))
    place = np.empty(len(paired), np.int64)  # in the order of preference, by place in ``paired``
    place[np.searchsorted(paired, preferred)] = np.arange(len(paired))
    one, other = (place[np.searchsorted(paired, side)] for side in (near.first, near.second))
    better, worse = np.minimum(one, other), np.maximum(one, other)
    order = np.lexsort((better, worse))
    stays, by = bytearray(b"\x01" * len(paired)), np.full(len(paired), -1, np.int64)
    for start in range(0, len(order), STRETCH):
        edges = order[start : start + STRETCH]
        walk = zip(edges.tolist(), better[edges].tolist(), worse[edges].tolist(), strict=True)
        for edge, high, low in walk:  # all edges to a document come before those that ask whether it stays
            if stays[high] and stays[low]:
                stays[low] = 0
                by[low] = edge
    gone = np.flatnonzero(by >= 0)
    node = np.searchsorted(nodes, preferred[gone])
    winner[node] = preferred[better[by[gone]]]
    jaccard[node] = near.jaccard[by[gone]]
    return winner, jaccard


def _clusters(
    tables: Tables, nodes: Numbers, near: Near, members: Numbers, node: Numbers, decided: npt.NDArray[Any]
) -> None:
    """Fill in cluster, size and sources: connected components over all exact and near pairs."""
    if not len(nodes):
        return
    component = components(len(nodes), np.searchsorted(nodes, near.first), np.searchsorted(nodes, near.second))
    count = int(component.max()) + 1
    of_member = component[node]
    # Originals are preferred to their copies, so a cluster's most preferred document is a node.
    best = tables.most_preferred(nodes, component)
    decided["cluster"] = tables.column(best, "id_hash")[of_member]
    decided["size"] = np.bincount(of_member, minlength=count)[of_member]
    sources = tables.sources(members)
    spread = int(sources.max()) + 1
    pairs = np.unique(of_member * spread + sources)
    decided["sources"] = np.bincount(pairs // spread, minlength=count)[of_member]
