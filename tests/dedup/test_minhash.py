"""Who stays and who goes, on whose account, and that nothing but the documents decides it."""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import xxhash

from dedup import match, minhash, rematch, sign, signed, verify
from dedup.minhash import Minhash
from dedup.signature import band_hashes, digests, jaccard, sets_of, shingle_batch
from dedup.words import word_hashes
from pile.decisions import DECISIONS, STAGE, decisions
from pile.errors import WorkError
from pile.executor import LocalExecutor
from pile.parts import candidates
from pile.runner import run
from pile.text import normalise, spaced

BANDS, ROWS = 14, 8


@pytest.fixture
def sample(corpus: Any, prose: Any) -> list[Any]:
    return three_parts(corpus, prose)


def three_parts(corpus: Any, prose: Any) -> list[Any]:
    """Three parts of two sources: originals, near and exact copies at many distances, short texts, rows that are out."""
    pages = [prose.text(60) for _ in range(60)]
    near = [prose.edited(pages[i % 60], i % 5) for i in range(150)]
    more = [prose.edited(near[i], i % 3) for i in range(100)]
    short = ["", "!?", "?!", "Thank you.", "thank you", "one two three four", "One, two; three: four"]
    texts = [*near, *short, *more[:20]]
    return [
        corpus.part("books", [(f"p{i}", text) for i, text in enumerate(pages)], dropped=[3], lost=[5]),
        corpus.part("web", [(f"n{i:03}", text) for i, text in enumerate(texts)], rank=1),
        corpus.part("web", [(f"m{i:03}", text) for i, text in enumerate(more[20:] + short)], rank=1, dropped=[0, 1]),
    ]


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
        (verify, "MOST_MAPPED", 1),
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


def test_shared_storage_decides_the_same(corpus: Any, shared_corpus: Any, sample: list[Any], prose: Any) -> None:
    expected = corpus.dedup(sample)
    prose.__init__(20261101)  # the same texts again
    assert shared_corpus.dedup(three_parts(shared_corpus, prose)) == expected
    for key, _ in expected:
        name = f"dedup/{key}/{DECISIONS}"
        assert shared_corpus.work.storage.read(name) == corpus.work.storage.read(name) is not None


def test_earlier_source_then_longer_text_then_smaller_id_is_preferred(corpus: Any, prose: Any) -> None:
    text = prose.text(80)
    first = corpus.part("zebra", [("z", text)], rank=0)
    others = [
        ("b", text.upper()),
        ("a", text),
        ("long", text + " ..."),
        ("longer but edited", prose.edited(text, 1) + " ......"),
    ]
    second = corpus.part("ant", others, rank=1)
    assert corpus.kept([second, first]) == {"zebra:z"}
    decided = corpus.decided([second])
    assert {id for id in decided if not decided[id]["reason"]} == {"ant:longer but edited"}
    assert corpus.kept([corpus.part("ant", others[:3], rank=1)]) == {"ant:long"}
    assert corpus.kept([corpus.part("ant", others[:2], rank=1)]) == {"ant:a"}


def chain(prose: Any) -> list[str]:
    """Return texts A, B, C: B is near both, A and C are not near one another."""
    a = prose.text(200).split()
    b, c = [*a], []
    for place in (10, 20, 30, 40):
        b[place] = "changed"
    c = [*b]
    for place in (110, 120, 130, 140):
        c[place] = "otherwise"
    return [" ".join(words) for words in (a, b, c)]


def test_a_chain_of_near_pairs_loses_only_what_is_near_a_survivor(corpus: Any, prose: Any) -> None:
    parts = [corpus.part(f"s{rank}", [("x", text)], rank=rank) for rank, text in enumerate(chain(prose))]
    decided = corpus.decided(parts, bands=40, rows=3)
    assert [d["reason"] for d in decided.values()] == ["", "near_duplicate", ""]
    assert decided["s1:x"]["winner"] == "s0:x"
    assert [d["size"] for d in decided.values()] == [3, 3, 3]
    assert [d["sources"] for d in decided.values()] == [3, 3, 3]
    assert len({d["cluster"] for d in decided.values()}) == 1


def test_a_copy_of_what_goes_goes_on_account_of_what_stays(corpus: Any, prose: Any) -> None:
    text = prose.text(100)
    edited = prose.edited(text, 1)
    first = corpus.part("first", [("kept", text)])
    second = corpus.part("second", [("a", edited), ("b", edited.upper())], rank=1)
    decided = corpus.decided([first, second])
    assert [d["winner"] for d in decided.values()] == ["", "first:kept", "first:kept"]
    assert decided["second:b"]["reason"] == "near_duplicate"
    assert decided["second:b"]["jaccard"] == decided["second:a"]["jaccard"] < 1


def test_texts_too_short_for_a_shingle_go_only_when_they_are_the_same(corpus: Any) -> None:
    texts = ["Thank you.", "thank  you", "Thanks you", "a b c d", "a b c", "!!!", "!!! ", "???", ""]
    part = corpus.part("short", [(str(place), text) for place, text in enumerate(texts)])
    decided = corpus.decided([part])
    assert [d["reason"] for d in decided.values()] == ["", "exact_duplicate", "", "", "", "exact_duplicate", "", "", ""]
    assert decided["short:5"]["winner"] == "short:6"


def test_without_near_only_exact_copies_go(corpus: Any, prose: Any) -> None:
    text = prose.text(80)
    part = corpus.part("s", [("a", text), ("b", text.upper()), ("c", prose.edited(text, 1))])
    assert corpus.kept([part], near=False) == {"s:a", "s:c"}
    assert set(corpus.stages) == {"sign", "exact", "resolve", "dedup"}


def test_of_one_address_the_preferred_text_is_looked_at_and_no_other(corpus: Any, prose: Any) -> None:
    page, copied = prose.text(80), prose.text(80)
    first = corpus.part("first", [("a", copied)], urls=["https://a.example/1"])
    texts = [
        ("old", prose.text(60)),
        ("new", page),
        ("near", prose.edited(page, 1)),
        ("copy", copied),
        ("older", "Short."),
    ]
    urls = [
        "http://www.B.example/x/",
        "https://b.example/x#top",
        "https://b.example/y",
        "https://c.example/",
        "c.example",
    ]
    second = corpus.part(
        "second", [*texts, ("none", "No address."), ("none either", "None.")], rank=1, urls=[*urls, "", ""]
    )
    decided = corpus.decided([first, second], url=True)
    reasons = {id.partition(":")[2]: (d["reason"], d["winner"]) for id, d in decided.items()}
    assert reasons == {
        "a": ("", ""),
        "old": ("same_url", "second:new"),
        "new": ("", ""),
        "near": ("near_duplicate", "second:new"),
        "copy": ("exact_duplicate", "first:a"),
        "older": ("same_url", "first:a"),
        "none": ("", ""),
        "none either": ("", ""),
    }
    assert decided["second:older"]["size"] == 3
    assert corpus.kept([first, second]) == {
        "first:a",
        *(f"second:{id}" for id in ("old", "new", "older", "none", "none either")),
    }


def test_rows_that_are_out_neither_remove_nor_appear(corpus: Any, prose: Any) -> None:
    text = prose.text(50)
    first = corpus.part("first", [("dropped", text), ("lost", text), ("other", prose.text(50))], dropped=[0], lost=[1])
    second = corpus.part("second", [("x", text)], rank=1)
    assert corpus.kept([first, second]) == {"first:other", "second:x"}


def test_identical_ids_are_two_documents(corpus: Any, prose: Any) -> None:
    text = prose.text(50)
    parts = [corpus.part("twin", [("same", text)]), corpus.part("twin", [("same", prose.text(50)), ("x", text + "!")])]
    found = corpus.dedup(parts)
    assert [facts["kept"] for _, facts in found] == [0, 2]
    again = [corpus.part("twin", [("same", text)]), corpus.part("twin", [("same", text), ("x", "other")])]
    assert [facts["kept"] for _, facts in corpus.dedup(again)] == [1, 1]


def test_nothing_is_decided_where_there_is_nothing(corpus: Any) -> None:
    assert corpus.dedup([]) == []
    empty = corpus.part("empty", [])
    gone = corpus.part("gone", [("x", "text")], dropped=[0])
    for parts in ([empty], [empty, gone]):
        assert [facts["in"] for _, facts in corpus.dedup(parts)] == [0] * len(parts)
    one = corpus.part("one", [("x", "a text of more than five words")])
    assert corpus.kept([empty, one, gone]) == {"one:x"}


def test_without_verification_every_proposed_pair_counts_and_the_facts_say_so(corpus: Any, prose: Any) -> None:
    texts = chain(prose)
    part = corpus.part("s", [(str(place), text) for place, text in enumerate(texts)])
    options = {"bands": 60, "rows": 1, "threshold": 0.9}
    assert len(corpus.kept([part], **options)) == 3
    decided = corpus.decided([part], verify=False, **options)
    assert sum(not d["reason"] for d in decided.values()) == 1
    assert {d["jaccard"] for d in decided.values() if d["reason"]} == {np.float32(0.9).item()}
    facts = corpus.dedup([part], verify=False, **options)[0][1]
    assert (facts["verified"], facts["checked"], facts["spared"]) == (False, 2, 2)


def test_a_threshold_of_one_removes_the_same_shingles_only(corpus: Any, prose: Any) -> None:
    text = prose.text(60)
    doubled = f"{text} {text} {text}"
    texts = [("a", doubled), ("b", f"{doubled} {text}"), ("c", prose.edited(doubled, 1))]
    assert corpus.kept([corpus.part("s", texts)], threshold=1.0) == {"s:b", "s:c"}


def test_another_source_signs_itself_alone_and_leaves_other_decisions_as_they_are(
    corpus: Any, sample: list[Any]
) -> None:
    before = corpus.dedup(sample)
    added = corpus.part("late", [("x", "words that are in no other document at all"), ("y", "short")], rank=2)
    after = corpus.dedup([*sample, added])
    assert corpus.stages["sign"] == 1
    assert corpus.stages["shingle"] == 0
    assert corpus.stages["dedup"] == 1
    assert after[: len(sample)] == before


def test_adding_and_removing_a_source_decides_what_a_first_build_would(
    corpus: Any, sample: list[Any], prose: Any, tmp_path: Path
) -> None:
    books, *web = sample
    texts = [document.text for document in corpus.documents(books)]
    late = corpus.part("late", [(f"{i}", prose.edited(text, i % 4)) for i, text in enumerate(texts[:40])], rank=0)
    web = [msgspec.structs.replace(part, rank=2) for part in web]
    first = msgspec.structs.replace(books, rank=1)
    removed, both = [late, *web], [late, first, *web]
    expected = []
    start = corpus.work.storage.path
    for number, parts in enumerate((both, removed)):
        corpus.copy_to(tmp_path / str(number))
        expected.append(corpus.decided(parts))
        corpus.work = type(corpus.work)(str(start))
    corpus.decided([first, *web])
    assert corpus.decided(both) == expected[0]
    assert corpus.stages["sign"] == 1
    assert corpus.decided(removed) == expected[1]
    assert corpus.stages["sign"] == 0
    assert sum(d["reason"] == "near_duplicate" for d in expected[0].values()) > 60


def test_another_threshold_reads_no_text(corpus: Any, sample: list[Any]) -> None:
    at_default = corpus.kept(sample)
    assert len(corpus.kept(sample, threshold=0.95)) > len(at_default)
    done = {stage for stage, count in corpus.stages.items() if count}
    assert done == {"resolve", "dedup"}


def test_many_copies_of_one_text_are_found_without_a_pair(corpus: Any, prose: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(signed, "MOST_IDS", 1_000)
    text = prose.text(20)
    part = corpus.part("s", [(f"{(i * 7919) % 10_000:05}", text) for i in range(10_000)])
    [(_, facts)] = corpus.dedup([part])
    assert facts["drops"] == {"exact_duplicate": 9_999, "near_duplicate": 0, "same_url": 0}
    assert corpus.facts["match"] == [{"pairs": 0, "runs": 0, "in_large_buckets": 0, "largest_bucket": 1}]
    assert corpus.kept([part]) == {"s:00000"}


def test_many_variants_of_one_page_cost_linear_work_and_one_stays(corpus: Any, prose: Any) -> None:
    page = prose.text(100)
    count = 1_500
    part = corpus.part("s", [(f"{i:05}", f"{page} visitor {prose.words[i]}") for i in range(count)])
    [(_, facts)] = corpus.dedup([part])
    assert facts["kept"] == 1
    assert corpus.facts["pair"][0]["pairs"] < count * (match.LEADERS + match.NEIGHBOURS) * 3


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


def test_what_killed_a_worker_is_kept_and_compared_by_its_raw_text(corpus: Any, prose: Any) -> None:
    text = prose.text(50)
    part = corpus.part("s", [("a", text), ("b", text.upper()), ("c", prose.text(50))])

    def without_b(stage: str, tasks: list[Any]) -> list[Any]:
        if stage == "sign":
            tasks = [msgspec.structs.replace(task, quarantined={"s:b": "killed"}) for task in tasks]
        return corpus.run(stage, tasks)

    [(_, facts)] = corpus.dedup([part], run=without_b)
    assert (facts["in"], facts["kept"]) == (3, 3)


def test_documents_that_are_not_the_signed_ones_stop_the_build(corpus: Any, prose: Any) -> None:
    text = prose.text(50)
    part = corpus.part("s", [("a", text), ("b", prose.edited(text, 1))])
    other = corpus.part("s", [("a", text), ("changed", text)])
    stages = []

    def swapped(stage: str, tasks: list[Any]) -> list[Any]:
        stages.append(stage)
        if stage == "shingle":
            call = msgspec.structs.replace(tasks[0].arguments, part=other)
            tasks = [msgspec.structs.replace(tasks[0], arguments=call)]
        return corpus.run(stage, tasks)

    with pytest.raises(WorkError, match="row 1 is s:changed but s:b was signed"):
        corpus.dedup([part], run=swapped)


@pytest.mark.parametrize(
    "options",
    [
        {"threshold": 0},
        {"threshold": 1.1},
        {"bands": 0},
        {"rows": 0},
        {"partitions": 0},
        {"memory": 0},
        {"bands": 100, "rows": 100},
    ],
)
def test_wrong_options_are_refused_in_one_line(options: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError, match=f"(?i){next(iter(options))}.*must be.*not"):
        msgspec.convert(options, Minhash)


def test_unknown_options_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="permutations"):
        msgspec.convert({"permutations": 128}, Minhash)


def test_the_key_of_a_signature_knows_only_what_decides_it(corpus: Any) -> None:
    part = corpus.part("s", [("a", "text")])
    key = sign.task(part, 14, 8).key
    assert sign.task(msgspec.structs.replace(part, rank=3, settle="another", label="x"), 14, 8).key == key
    changed = [{"extract": "x"}, {"judge": "x"}, {"lost": "x"}]
    others = [sign.task(msgspec.structs.replace(part, **change), 14, 8).key for change in changed]
    assert len({key, *others, sign.task(part, 14, 9).key, sign.task(part, 8, 14).key}) == 6


def test_damaged_decisions_name_the_file_and_what_to_do(corpus: Any) -> None:
    [(key, _)] = corpus.dedup([corpus.part("s", [("a", "text")])])
    name = f"{STAGE}/{key}/{DECISIONS}"
    corpus.work.storage.write(name, b"not an array")
    with pytest.raises(WorkError, match=f"{key}/{DECISIONS} is damaged or missing: delete"):
        decisions(corpus.work, key)
