"""What is done again when sources or options change, and what wrong options and damaged results are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from dedup import sign
from dedup.minhash import Minhash
from pile.decisions import DECISIONS, STAGE, decisions
from pile.errors import WorkError


def test_nothing_is_decided_where_there_is_nothing(corpus: Any) -> None:
    assert corpus.dedup([]) == []
    empty = corpus.part("empty", [])
    gone = corpus.part("gone", [("x", "text")], dropped=[0])
    for parts in ([empty], [empty, gone]):
        assert [facts["in"] for _, facts in corpus.dedup(parts)] == [0] * len(parts)
    one = corpus.part("one", [("x", "a text of more than five words")])
    assert corpus.kept([empty, one, gone]) == {"one:x"}


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


def test_a_higher_threshold_reads_no_text(corpus: Any, sample: list[Any]) -> None:
    at_default = corpus.kept(sample)
    assert len(corpus.kept(sample, threshold=0.95)) > len(at_default)
    done = {stage for stage, count in corpus.stages.items() if count}
    assert done == {"resolve", "dedup"}


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
