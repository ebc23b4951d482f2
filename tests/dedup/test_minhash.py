"""Who stays and who goes, against brute force, and that nothing but the documents decides it."""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path
from typing import Any

import pytest
import xxhash

from dedup import match, minhash, rematch, sign, signed, verify
from dedup.signature import band_hashes, digests, jaccard, sets_of, shingle_batch
from pile.decisions import DECISIONS
from pile.executor import LocalExecutor
from pile.parts import candidates
from pile.runner import run
from pile.text import normalise, spaced
from pile.words import word_hashes

BANDS, ROWS = 14, 8


def texts_of(corpus: Any, parts: list[Any]) -> dict[str, tuple[int, str]]:
    """Return rank and text of each candidate, by id."""
    return {d.id: (part.rank, d.text) for part in parts for _, d in candidates(corpus.work, part)}


def preference(texts: dict[str, tuple[int, str]], id: str) -> tuple[int, int, str]:
    rank, text = texts[id]
    return rank, -len(text), id


def brute_force(texts: dict[str, tuple[int, str]]) -> tuple[dict[str, Any], dict[str, set[int]]]:
    """Return each document's set of shingles and its band hashes."""
    normal = [spaced(text) for _, text in texts.values()]
    sets = dict(zip(texts, sets_of(normal), strict=True))
    bands = {}
    for id, text in zip(texts, normal, strict=True):
        grams, starts = shingle_batch(*word_hashes([text]))
        full = len(grams) > 0
        bands[id] = set(band_hashes(digests(grams, starts, BANDS * ROWS), BANDS, ROWS)[0].tolist()) if full else set()
    return sets, bands


def test_every_removal_is_near_a_preferred_document_that_stays(corpus: Any, sample: list[Any]) -> None:
    texts = texts_of(corpus, sample)
    sets, _ = brute_force(texts)
    decided = corpus.decided(sample)
    assert decided.keys() == texts.keys()
    removed = {id: decision for id, decision in decided.items() if decision["reason"]}
    assert {decision["reason"] for decision in removed.values()} == {"exact_duplicate", "near_duplicate"}
    for id, decision in removed.items():
        winner = decision["winner"]
        assert not decided[winner]["reason"]
        assert preference(texts, winner) < preference(texts, id)
        if decision["reason"] == "exact_duplicate":
            assert normalise(texts[id][1]) == normalise(texts[winner][1])
            assert decision["jaccard"] == 1
        else:
            assert decision["jaccard"] == pytest.approx(jaccard(sets[id], sets[winner]))
            assert decision["jaccard"] >= 0.8 - 1e-6


def test_no_two_that_stay_are_proposed_and_near(corpus: Any, sample: list[Any]) -> None:
    texts = texts_of(corpus, sample)
    sets, bands = brute_force(texts)
    kept = corpus.kept(sample)
    for one, other in itertools.combinations(sorted(kept), 2):
        assert not bands[one] & bands[other] or jaccard(sets[one], sets[other]) < 0.8
        normal = normalise(texts[one][1])
        assert not normal or normal != normalise(texts[other][1])


def test_clusters_are_the_components_of_all_exact_and_near_pairs(corpus: Any, sample: list[Any]) -> None:
    texts = texts_of(corpus, sample)
    sets, bands = brute_force(texts)
    cluster = {id: {id} for id in texts}
    for one, other in itertools.combinations(texts, 2):
        a, b = (normalise(texts[id][1]) or texts[id][1] for id in (one, other))
        if a == b or (bands[one] & bands[other] and jaccard(sets[one], sets[other]) >= 0.8):
            union = cluster[one] | cluster[other]
            for id in union:
                cluster[id] = union
    decided = corpus.decided(sample)
    for id, members in cluster.items():
        best = min(members, key=lambda member: preference(texts, member))
        assert decided[id]["cluster"] == xxhash.xxh3_64_intdigest(best.encode())
        assert decided[id]["size"] == len(members)
        assert decided[id]["sources"] == len({member.split(":")[0] for member in members})
    assert max(len(members) for members in cluster.values()) > 3


def test_counts_add_up_and_ids_are_those_of_the_candidates(corpus: Any, sample: list[Any]) -> None:
    for part, (_, facts) in zip(sample, corpus.dedup(sample), strict=True):
        ids = [document.id for _, document in candidates(corpus.work, part)]
        assert facts["in"] == len(ids) == facts["kept"] + sum(facts["drops"].values())
        assert facts["ids"] == hashlib.sha256("".join(f"{id}\n" for id in ids).encode()).hexdigest()
        assert facts["verified"]


def test_bounds_on_memory_and_partitions_decide_nothing(
    corpus: Any, sample: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    expected = corpus.decided(sample)
    for module, name, value in [
        (minhash, "PARTITION_DOCUMENTS", 20),
        (minhash, "ENTRY_BYTES", 2**20 // 300),
        (sign, "RUN_DOCUMENTS", 17),
        (sign, "SLICE_DOCUMENTS", 5),
        (sign, "PIECE_BYTES", 1_250),
        (signed, "MOST_IDS", 7),
        (verify, "PAIRS_PER_TASK", 23),
        (verify, "PIECE_BYTES", 900),
        (verify, "MOST_OPEN", 1),
        (verify, "MOST_HASHES", 40),
    ]:
        monkeypatch.setattr(module, name, value)
    corpus.copy_to(tmp_path / "other")
    assert corpus.decided(sample, partitions=5) == expected
    assert corpus.stages["exact"] == corpus.stages["match"] == 5
    assert corpus.stages["verify"] > 3


def test_the_order_of_parts_decides_nothing(corpus: Any, sample: list[Any]) -> None:
    expected = corpus.decided(sample)
    assert corpus.decided(sample[::-1]) == expected
    assert corpus.decided([sample[1], sample[0], sample[2]]) == expected


def test_a_pool_of_processes_decides_the_same(corpus: Any, sample: list[Any], tmp_path: Path) -> None:
    expected = [key for key, _ in corpus.dedup(sample)]
    serial = {name: corpus.work.storage.read(name) for name in corpus.work.storage.names("dedup")}
    corpus.copy_to(tmp_path / "other")
    with LocalExecutor(2) as executor:

        def on_pool(stage: str, tasks: list[Any]) -> list[Any]:
            found = {result.task.base: result for result in run(tasks, corpus.work, executor)}
            return [found[task.base] for task in tasks]

        assert [key for key, _ in corpus.dedup(sample, run=on_pool)] == expected
    assert {name: corpus.work.storage.read(name) for name in corpus.work.storage.names("dedup")} == serial


def test_shared_storage_decides_the_same(
    corpus: Any, shared_corpus: Any, sample: list[Any], prose: Any, three_parts: Any
) -> None:
    expected = corpus.dedup(sample)
    prose.__init__(20261101)  # the same texts again
    assert shared_corpus.dedup(three_parts(shared_corpus, prose)) == expected
    for key, _ in expected:
        name = f"dedup/{key}/{DECISIONS}"
        assert shared_corpus.work.storage.read(name) == corpus.work.storage.read(name) is not None


def test_of_a_large_family_stays_what_all_its_pairs_would_leave(corpus: Any, prose: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(match, "FIRST_WIDTH", match.Width(small=4, leaders=2, neighbours=1))
    page = prose.text(130)
    part = corpus.part("s", [(f"{i:03}", prose.edited(page, 1 + i % 2)) for i in range(120)])
    texts = texts_of(corpus, [part])
    sets, bands = brute_force(texts)
    expected: list[str] = []
    for id in sorted(texts, key=lambda id: preference(texts, id)):
        if not any(bands[id] & bands[stays] and jaccard(sets[id], sets[stays]) >= 0.8 for stays in expected):
            expected.append(id)
    assert 3 < len(expected) < 110
    assert corpus.kept([part]) == set(expected)
    monkeypatch.setattr(rematch, "ROUNDS", 0)
    assert len(corpus.kept([part])) > len(expected)  # what the first look alone leaves
