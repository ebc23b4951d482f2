"""A build does only what is not done yet, loses nothing, and says what it did."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import zstandard

from pile.build import Built
from pile.errors import CorpusError, DataError, LockError, RequestError, WorkError
from pile.progress import Progress
from pile.shards import read_lines
from pile.storage import Storage
from pile.verify import verify

RECIPE = """
name = "toy"
seed = 3
[output]
shards = 2
splits = { validation = 0.05, test = 0.05 }
[sources.one]
use = "local"
epochs = 1.5
options = { paths = ["one-*.jsonl"] }
filters = [{ use = "length", min_words = 5 }]
[sources.two]
use = "local"
options = { paths = ["two.jsonl"] }
[dedup]
threshold = 0.8
"""

#: Every stage that a whole build runs.
STAGES = {"fetch", "extract", "judge", "settle", "spread", "gather", "sample", "examples", "seal"}


def write(path: Path, start: int, count: int) -> None:
    words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu"]
    lines = []
    for n in range(start, start + count):
        text = " ".join(f"{words[(n * k) % 12]}{n * 31 % (k + 7)}x{n}" for k in range(1, 40))
        lines.append(json.dumps({"id": str(n), "text": text if n % 10 else "too short"}))
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    write(tmp_path / "one-a.jsonl", 0, 60)
    write(tmp_path / "one-b.jsonl", 60, 60)
    write(tmp_path / "two.jsonl", 30, 60)  # half of it is in one-a.jsonl, too
    return tmp_path


def did(progress: Progress) -> dict[str, int]:
    """Return the tasks that a run did, by stage."""
    return {name: count.done for name, count in progress.stages.items() if count.done}


def balanced(built: Built) -> bool:
    for record in built.manifest.sources.values():
        before = None
        for facts in record.funnel.values():
            assert facts["in"] == facts["out"] + sum(facts["drops"].values())
            assert before in (None, facts["in"])
            before = facts["out"]
    return True


def documents(out: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for path in sorted(out.rglob("*.jsonl.zst"))
        if path.name[0] != "e"
        for line in read_lines(path)
    ]


def test_documents_in_are_documents_out_and_drops(files: Path, build) -> None:  # type: ignore[no-untyped-def]
    built, _ = build(RECIPE)
    assert balanced(built)
    one, two = built.manifest.sources["one"], built.manifest.sources["two"]
    assert one.funnel["judge"]["drops"] == {"short": 12}
    assert two.funnel["dedup"]["drops"]["exact_duplicate"] >= 27  # the first source of the recipe is preferred
    assert set(one.funnel["dedup"]["drops"]) <= {"near_duplicate"}
    written = documents(files / "out")
    assert len(written) == sum(shard.documents for shard in built.manifest.shards)
    assert {line["meta"]["id"] for line in written} <= {f"one:{n}" for n in range(120)} | {
        f"two:{n}" for n in range(30, 90)
    }


def test_the_manifest_knows_how_many_bytes_the_texts_have(files: Path, build) -> None:  # type: ignore[no-untyped-def]
    texts = ['a "quoted" \\ word', "tab\tline\nü€𝄞", "\x01\x1f\x7f/u0041\\u0041", "one\r\ntwo\0"]
    (files / "two.jsonl").write_text("".join(json.dumps({"id": text, "text": text}) + "\n" for text in texts))
    built, _ = build(RECIPE.replace("[dedup]\nthreshold = 0.8", ""))
    written = [line["text"] for line in documents(files / "out") if line["meta"]["id"].startswith("two:")]
    assert sorted(written) == sorted([*texts[:3], "one\ntwo"])
    assert built.manifest.sources["two"].text_bytes == sum(len(text.encode()) for text in written)


def test_a_second_run_does_nothing_and_says_so(files: Path, build) -> None:  # type: ignore[no-untyped-def]
    first, _ = build(RECIPE)
    second, progress = build(RECIPE)
    assert not second.fresh
    assert did(progress) == {}
    assert second.manifest == first.manifest


def test_changed_epochs_run_only_mix_and_seal(files: Path, build) -> None:  # type: ignore[no-untyped-def]
    build(RECIPE)
    built, progress = build(RECIPE.replace("epochs = 1.5", "epochs = 2.5"))
    assert set(did(progress)) == {"spread", "gather", "seal"}
    assert did(progress)["spread"] == 2  # the other source's part is dealt out already
    assert built.manifest.sources["one"].lines["train"] > 200


def test_a_remix_gives_the_same_bytes_as_a_build_from_scratch(files: Path, build, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    build(RECIPE)
    again, _ = build(RECIPE.replace("epochs = 1.5", "epochs = 0.7"))
    scratch, _ = build(RECIPE.replace("epochs = 1.5", "epochs = 0.7"), out=tmp_path / "out2", work=tmp_path / "work2")
    assert again.manifest == scratch.manifest


def test_a_changed_threshold_judges_stored_text_again(files: Path, build) -> None:  # type: ignore[no-untyped-def]
    build(RECIPE)
    _, progress = build(RECIPE.replace("min_words = 5", "min_words = 6"))
    assert "extract" not in did(progress)
    assert did(progress)["judge"] == 2


def test_an_added_source_extracts_only_itself(files: Path, build) -> None:  # type: ignore[no-untyped-def]
    build(RECIPE)
    write(files / "three.jsonl", 500, 20)
    more = RECIPE.replace("[dedup]", '[sources.three]\nuse = "local"\noptions = { paths = ["three.jsonl"] }\n[dedup]')
    with pytest.raises(LockError, match="'three' is not in it; run `pile lock"):
        build(more)
    (files / "recipe.lock.json").unlink()
    _, progress = build(more)
    assert {stage: did(progress)[stage] for stage in ("fetch", "extract", "judge", "sign")} == dict.fromkeys(
        ("fetch", "extract", "judge", "sign"), 1
    )


def test_a_file_that_changed_since_it_was_locked_stops_the_build(files: Path, build) -> None:  # type: ignore[no-untyped-def]
    build(RECIPE)
    write(files / "two.jsonl", 31, 60)
    with pytest.raises(DataError, match=r"two\.jsonl") as caught:
        build(RECIPE)
    assert "\n" not in str(caught.value)


def test_a_damaged_input_stops_the_build_after_all_others_are_done(files: Path, build) -> None:  # type: ignore[no-untyped-def]
    whole = gzip.compress((files / "one-a.jsonl").read_bytes())
    (files / "one-a.jsonl").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"one-a\.jsonl") as caught:
        build(RECIPE)
    assert "on_damage" in str(caught.value)
    assert not (files / "out" / "SHA256SUMS").exists()
    built, progress = build(RECIPE.replace('use = "local"', 'use = "local"\non_damage = "keep"', 1))
    assert "extract" not in did(progress)  # what was readable is stored already
    assert balanced(built)
    assert any("one-a.jsonl" in damage for damage in built.manifest.sources["one"].damaged)


def test_more_shards_than_documents_is_refused(files: Path, build) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(CorpusError, match=r"lower .output. shards"):
        build(RECIPE.replace("shards = 2", "shards = 5000"))


def test_another_corpus_leaves_no_file_of_the_former_in_its_folder(files: Path, build) -> None:  # type: ignore[no-untyped-def]
    build(RECIPE.replace("shards = 2", "shards = 5"))
    (files / "out" / "NOTES.txt").write_text("mine")
    build(RECIPE)
    names = {path.name for path in (files / "out" / "train").iterdir()}
    assert names == {"00.jsonl.zst", "01.jsonl.zst"}
    assert (files / "out" / "NOTES.txt").exists()


def test_validation_and_test_share_no_document_with_train(files: Path, build) -> None:  # type: ignore[no-untyped-def]
    build(RECIPE)
    ids = {
        name: {json.loads(line)["meta"]["id"] for line in read_lines(files / "out" / f"{name}.jsonl.zst")}
        for name in ("validation", "test", "train/00", "train/01")
    }
    assert ids["validation"] and ids["test"]
    assert not ids["validation"] & ids["test"]
    assert not (ids["validation"] | ids["test"]) & (ids["train/00"] | ids["train/01"])


ONE = 'name = "toy"\n[sources.one]\nuse = "local"\noptions = { paths = ["one.jsonl"] }\n'


def lines(path: Path, *documents: dict[str, Any]) -> None:
    path.write_text("".join(json.dumps(document) + "\n" for document in documents))


def test_a_folder_of_something_else_is_refused_and_left_alone(tmp_path: Path, build) -> None:  # type: ignore[no-untyped-def]
    lines(tmp_path / "one.jsonl", {"id": "a", "text": "some text"})
    (tmp_path / "out/tmp").mkdir(parents=True)
    (tmp_path / "out/tmp/mine").write_text("mine")
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "out/SHA256SUMS").write_text(f"{'0' * 64}  tmp/mine\n{'0' * 64}  ../precious\n")
    with pytest.raises(RequestError, match="choose another --out"):
        build(ONE)
    assert (tmp_path / "out/tmp/mine").exists() and (tmp_path / "precious").exists()
    assert (tmp_path / "out/SHA256SUMS").exists()


@pytest.mark.parametrize("damage", ["shard cut", "manifest cut", "sums gone", "killed while unsealing"])
def test_building_again_mends_a_damaged_corpus(files: Path, build, damage: str) -> None:  # type: ignore[no-untyped-def]
    whole, _ = build(RECIPE.replace("shards = 2", "shards = 4"))
    out = files / "out"
    if damage == "shard cut":
        (out / "train/01.jsonl.zst").write_bytes(b"")
    elif damage == "manifest cut":
        (out / "manifest.json").write_bytes((out / "manifest.json").read_bytes()[:200])
    elif damage == "sums gone":
        (out / "SHA256SUMS").unlink()
    else:
        (out / "SHA256SUMS").unlink()
        (out / "train/03.jsonl.zst").unlink()
    shards = "shards = 2" if damage == "killed while unsealing" else "shards = 4"
    mended, progress = build(RECIPE.replace("shards = 2", shards))
    assert mended.fresh
    assert "extract" not in did(progress)
    assert verify(Storage(str(out))).intact
    if shards == "shards = 4":
        assert mended.manifest == whole.manifest


def test_a_split_that_nothing_fell_into_is_an_empty_file_that_reads(tmp_path: Path, build) -> None:  # type: ignore[no-untyped-def]
    lines(tmp_path / "one.jsonl", *({"id": n, "text": f"document {n}"} for n in range(5)))
    build(ONE + "[output]\nsplits = { test = 0.00001 }\n")
    assert list(read_lines(tmp_path / "out/test.jsonl.zst")) == []
    assert zstandard.ZstdDecompressor().decompress((tmp_path / "out/test.jsonl.zst").read_bytes()) == b""
    assert verify(Storage(str(tmp_path / "out"))).intact


def test_a_newest_version_without_text_takes_the_older_text_away(tmp_path: Path, build) -> None:  # type: ignore[no-untyped-def]
    lines(tmp_path / "one.jsonl", {"id": "a", "text": "first"}, {"id": "b", "text": "other"}, {"id": "a", "text": " "})
    built, _ = build(ONE)
    assert built.manifest.sources["one"].funnel["settle"]["drops"] == {"superseded": 1}
    assert [json.loads(line)["meta"]["id"] for line in read_lines(tmp_path / "out/train/00.jsonl.zst")] == ["one:b"]


def test_without_deduplication_copies_stay_on_one_side_of_the_splits(tmp_path: Path, build) -> None:  # type: ignore[no-untyped-def]
    lines(tmp_path / "one.jsonl", *({"id": n, "text": f"Text number {chr(97 + n % 26)}."} for n in range(260)))
    build(ONE + "[output]\nsplits = { test = 0.3 }\n")
    texts = [
        {json.loads(line)["text"] for line in read_lines(tmp_path / "out" / name)}
        for name in ("train/00.jsonl.zst", "test.jsonl.zst")
    ]
    assert texts[1]
    assert not texts[0] & texts[1]


def test_sources_may_share_an_input(tmp_path: Path, build) -> None:  # type: ignore[no-untyped-def]
    lines(tmp_path / "one.jsonl", {"id": "a", "text": "some text"})
    tables = "".join(f'[sources.s{n}]\nuse = "local"\noptions = {{ paths = ["one.jsonl"] }}\n' for n in range(8))
    built, _ = build(f'name = "toy"\n{tables}[dedup]\n')
    assert [record.documents for record in built.manifest.sources.values()] == [1, 0, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("file", ["extract/*/documents.jsonl.zst", "dedup/*/decisions.npy", "judge/*/facts.json"])
def test_a_stored_result_that_a_disk_changed_is_named_and_never_used(files: Path, build, file: str) -> None:  # type: ignore[no-untyped-def]
    build(RECIPE)
    for path in (files / "work").glob(file):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    with pytest.raises(WorkError, match=r"damaged.*delete"):
        build(RECIPE.replace("seed = 3", "seed = 4"))


def test_work_may_not_lie_in_the_corpus(files: Path, build) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(RequestError, match="lies in --out"):
        build(RECIPE, out=files / "x", work=files / "x/work")
