"""Who stays of a few documents, on whose account the others go, and what the options change."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from dedup import match, signed


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


def test_what_killed_a_worker_is_kept_and_compared_by_its_raw_text(corpus: Any, prose: Any) -> None:
    text = prose.text(50)
    part = corpus.part("s", [("a", text), ("b", text.upper()), ("c", prose.text(50))])

    def without_b(stage: str, tasks: list[Any]) -> list[Any]:
        if stage == "sign":
            tasks = [msgspec.structs.replace(task, quarantined={"s:b": "killed"}) for task in tasks]
        return corpus.run(stage, tasks)

    [(_, facts)] = corpus.dedup([part], run=without_b)
    assert (facts["in"], facts["kept"]) == (3, 3)
