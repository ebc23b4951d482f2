"""What many documents say is said once: by the most preferred, whole, and nothing else is lost."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dedup import minhash, repeats, units
from dedup.minhash import Minhash
from pile.cuts import STAGE, Cut, passages, without
from pile.errors import RequestError
from pile.executor import LocalExecutor
from pile.runner import run

NOTICE = "We use cookies, small files, so that this page remembers you when you come back."
PARAGRAPHS = {"of": "paragraphs"}


def texts_after(
    corpus: Any, parts: list[Any], *kinds: dict[str, Any], run: Any = None, **options: Any
) -> dict[str, str]:
    """Return what is left of each document that stays, by id; "" where nothing is."""
    removed = {id for id, d in corpus.decided(parts, **options).items() if d["reason"]}
    wanted = msgspec.convert({"repeats": list(kinds), **options}, Minhash)
    found = wanted.run(parts, 1, corpus.work, run or corpus.run)
    left = {}
    for part, (_, facts) in zip(parts, found, strict=True):
        cut = dict(passages(corpus.work, Cut(STAGE, facts["cuts"])))
        for row, document in enumerate(corpus.documents(part)):
            if document.id not in removed:
                left[document.id] = without(document.text, cut.get(row, []))
    return left


def page(prose: Any, *more: str) -> str:
    return "\n\n".join([prose.text(30), prose.text(20), *more, prose.text(25)])


def test_a_paragraph_of_many_documents_stays_in_the_preferred_one_only(corpus: Any, prose: Any) -> None:
    plain = page(prose)
    books = corpus.part("books", [("none", plain), ("one", page(prose, NOTICE))])
    noisy = [(f"{n}", page(prose, NOTICE.upper() if n % 2 else NOTICE, "Short.")) for n in range(5)]
    web = corpus.part("web", noisy, rank=1)
    left = texts_after(corpus, [books, web], PARAGRAPHS)
    assert [id for id, text in left.items() if NOTICE.lower() in text.lower()] == ["books:one"]
    assert left["books:none"] == plain
    for id, text in noisy:
        assert left[f"web:{id}"] == re.sub(rf"{NOTICE}\n\n", "", text, flags=re.IGNORECASE)
    facts = corpus.facts["cut"]
    assert sorted(f["touched"] for f in facts) == [0, 5]
    assert all(f["in"] == f["out"] for f in facts)


def test_two_documents_may_quote_each_other_unless_the_recipe_says_otherwise(corpus: Any, prose: Any) -> None:
    part = corpus.part("s", [("a", page(prose, NOTICE)), ("b", page(prose, NOTICE))])
    assert sum(NOTICE in text for text in texts_after(corpus, [part], PARAGRAPHS).values()) == 2
    assert sum(NOTICE in text for text in texts_after(corpus, [part], {**PARAGRAPHS, "documents": 2}).values()) == 1


def test_lines_go_with_their_ends_and_leave_paragraphs_whole(corpus: Any, prose: Any) -> None:
    texts = [(f"{n}", f"{prose.text(20)}\n{NOTICE}\n{prose.text(20)}") for n in range(4)]
    left = texts_after(corpus, [corpus.part("s", texts)], {"of": "lines"})
    kept = [id for id, text in left.items() if NOTICE in text]
    assert len(kept) == 1
    for id, text in texts:
        assert f"s:{id}" in kept or left[f"s:{id}"] == text.replace(f"{NOTICE}\n", "")


def test_a_document_of_nothing_but_repeats_is_a_counted_drop(corpus: Any, prose: Any) -> None:
    texts = [("whole", page(prose, NOTICE)), ("second", page(prose, NOTICE)), ("empty", f"{NOTICE}\n\n{NOTICE}")]
    left = texts_after(corpus, [corpus.part("s", texts)], PARAGRAPHS)
    assert left["s:empty"] == ""
    assert [(f["in"], f["out"], f["drops"]) for f in corpus.facts["cut"]] == [(3, 2, {"repeated_text": 1})]


def test_documents_that_deduplication_removed_make_no_repeat(corpus: Any, prose: Any) -> None:
    text = page(prose, NOTICE)
    part = corpus.part("s", [("a", text), ("b", text), ("c", text), ("d", page(prose, NOTICE))])
    left = texts_after(corpus, [part], PARAGRAPHS)
    assert len(left) == 2
    assert all(NOTICE in text for text in left.values())


def test_only_the_named_sources_are_looked_at(corpus: Any, prose: Any) -> None:
    books = corpus.part("books", [(f"{n}", page(prose, NOTICE)) for n in range(3)])
    web = corpus.part("web", [(f"{n}", page(prose, NOTICE)) for n in range(3)], rank=1)
    left = texts_after(corpus, [books, web], {**PARAGRAPHS, "sources": ["web"]})
    assert sum(NOTICE in text for id, text in left.items() if id.startswith("books")) == 3
    assert sum(NOTICE in text for id, text in left.items() if id.startswith("web")) == 1
    with pytest.raises(RequestError, match="no source 'wed' in the recipe: it has books, web"):
        texts_after(corpus, [books, web], {**PARAGRAPHS, "sources": ["wed"]})


@pytest.mark.parametrize("space", [" ", ""], ids=["words", "no spaces"])
def test_a_long_substring_goes_wherever_it_stands_and_nothing_else(corpus: Any, prose: Any, space: str) -> None:
    def text(words: int) -> str:
        if space:
            return str(prose.text(words))
        return "".join(chr(prose.random.randrange(0x4E00, 0x9000)) for _ in range(3 * words))

    shared = text(60)
    texts = [(f"{n}", space.join([text(10 + n), shared, text(12)])) for n in range(4)]
    texts.append(("free", text(80)))
    left = texts_after(corpus, [corpus.part("s", texts)], {"of": "substrings", "characters": 60})
    [keeper] = [id for id, text in left.items() if shared in text]
    for id, text_before in texts:
        if f"s:{id}" != keeper:
            before, _, after = text_before.partition(shared)
            found = left[f"s:{id}"]
            assert found.startswith(before)
            assert found.endswith(after)
            assert len(found) - len(before) - len(after) < 20  # a last word may stay


def kept_by_brute_force(texts: dict[str, str], least: int, words: int) -> dict[str, str]:
    """Return the texts without every paragraph that ``least`` documents have, but in the longest of them."""
    cut = {id: text.split("\n\n") for id, text in texts.items()}
    for paragraph in {p for paragraphs in cut.values() for p in paragraphs if len(p.split()) >= words}:
        having = [id for id, paragraphs in cut.items() if paragraph in texts[id].split("\n\n")]
        if len(having) >= least:
            best = min(having, key=lambda id: (-len(texts[id]), id))
            for id in having:
                if id != best:
                    cut[id] = [p for p in cut[id] if p != paragraph]
    return {id: "\n\n".join(paragraphs) for id, paragraphs in cut.items()}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**9), st.integers(2, 4))
def test_what_is_cut_is_what_brute_force_finds(corpus: Any, seed: int, least: int) -> None:
    random_ = random.Random(seed)
    stock = [" ".join(random_.choices("abcdefghijklmnopqrstuvwxyz", k=random_.randint(2, 9))) for _ in range(12)]
    texts = {f"s:{n}": "\n\n".join(random_.choices(stock, k=random_.randint(1, 7))) for n in range(9)}
    part = corpus.part("s", [(id.partition(":")[2], text) for id, text in texts.items()])
    left = texts_after(corpus, [part], {**PARAGRAPHS, "documents": least, "words": 4}, near=False)
    staying = {id: texts[id] for id in left}
    assert left == kept_by_brute_force(staying, least, 4)


def test_bounds_on_memory_partitions_and_processes_decide_nothing(
    corpus: Any, prose: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shared = [prose.text(60) for _ in range(4)]
    texts = [(f"{n}", page(prose, *prose.random.sample(shared, 2))) for n in range(40)]
    parts = [corpus.part("one", texts[:15]), corpus.part("two", texts[15:], rank=1)]
    kinds = [{**PARAGRAPHS, "documents": 2}, {"of": "substrings", "characters": 100}]
    expected = texts_after(corpus, parts, *kinds)
    assert sum(len(text) for text in expected.values()) < sum(len(text) for _, text in texts) - 5_000
    for module, name, value in [
        (minhash, "PARTITION_DOCUMENTS", 9),
        (minhash, "ENTRY_BYTES", 2**20 // 40),
        (units, "RUN_UNITS", 50),
        (units, "SLICE_UNITS", 11),
        (repeats, "PIECE_BYTES", 300),
        (repeats, "PIECE", 90),
    ]:
        monkeypatch.setattr(module, name, value)
    corpus.copy_to(tmp_path / "other")
    assert texts_after(corpus, parts, *kinds, partitions=3) == expected
    corpus.copy_to(tmp_path / "pool")
    with LocalExecutor(2) as executor:

        def on_pool(stage: str, tasks: list[Any]) -> list[Any]:
            found = {result.task.base: result for result in run(tasks, corpus.work, executor)}
            return [found[task.base] for task in tasks]

        assert texts_after(corpus, parts, *kinds, run=on_pool) == expected


def test_another_source_is_hashed_alone(corpus: Any, prose: Any) -> None:
    first = corpus.part("first", [(f"{n}", page(prose, NOTICE)) for n in range(4)])
    second = corpus.part("second", [(f"{n}", page(prose, NOTICE)) for n in range(4)], rank=1)
    texts_after(corpus, [first], PARAGRAPHS)
    corpus.stages = {}
    wanted = msgspec.convert({"repeats": [PARAGRAPHS]}, Minhash)
    wanted.run([first, second], 1, corpus.work, corpus.run)
    assert corpus.stages["units"] == 1
    wanted = msgspec.convert({"repeats": [{**PARAGRAPHS, "documents": 5}]}, Minhash)
    corpus.stages = {}
    wanted.run([first, second], 1, corpus.work, corpus.run)
    assert corpus.stages["units"] == 0


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"of": "sentences"}, "sentences"),
        ({"of": "lines", "documents": 1}, "documents must be at least 2, not 1"),
        ({"of": "substrings", "characters": 5}, "characters must be at least 20, not 5"),
        ({"of": "lines", "word": 3}, "word"),
    ],
)
def test_wrong_repeats_are_refused_in_one_line(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=says):
        msgspec.convert({"repeats": [wrong]}, Minhash)
