"""Documents that hold questions of a benchmark are found whatever was done to them, and nothing else is."""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pile import benchmark_hits, benchmarks, decontaminate
from pile.benchmarks import GRAM_WORDS
from pile.errors import RecipeError, RequestError
from pile.shards import read_lines

LETTERS = "abcdefghijklmnopqrstuvwxyz"


@pytest.fixture
def words() -> list[str]:
    chance = random.Random(7)
    return ["".join(chance.choices(LETTERS, k=chance.randint(3, 9))) for _ in range(4_000)]


class Texts:
    """Invented prose from one seed."""

    def __init__(self, words: list[str]) -> None:
        self.words, self.chance = words, random.Random(3)

    def prose(self, count: int) -> str:
        return " ".join(self.chance.choices(self.words, k=count))

    def page(self, *inside: str) -> str:
        return "\n\n".join([self.prose(60), *inside, self.prose(70)])


@pytest.fixture
def texts(words: list[str]) -> Texts:
    return Texts(words)


Corpus = Callable[..., tuple[list[dict[str, Any]], Any]]


@pytest.fixture
def corpus(tmp_path: Path, build: Any) -> Corpus:
    """Build a corpus of these pages with these options; return its lines by document and its manifest."""

    def make(pages: list[str], **options: Any) -> tuple[list[dict[str, Any]], Any]:
        lines = (json.dumps({"id": f"{n}", "text": page}) for n, page in enumerate(pages))
        (tmp_path / "pages.jsonl").write_text("\n".join(lines) + "\n")
        table = "\n".join(f"{name} = {json.dumps(value)}" for name, value in options.items())
        recipe = tmp_path / "recipe.toml"
        recipe.write_text(
            'name = "t"\n[sources.s]\nuse = "local"\noptions = { paths = ["pages.jsonl"] }\n[decontamination]\n' + table
        )
        recipe.with_suffix(".lock.json").unlink(missing_ok=True)
        built, _ = build(recipe)
        found = [json.loads(line) for line in read_lines(tmp_path / "out/train/00.jsonl.zst")]
        return sorted(found, key=lambda row: int(row["meta"]["id"].partition(":")[2])), built.manifest

    return make


def write(path: Path, questions: list[str]) -> None:
    content = "".join(json.dumps({"question": question, "answer": "No."}) + "\n" for question in questions)
    path.write_bytes(gzip.compress(content.encode()) if path.suffix == ".gz" else content.encode())


def ids(lines: list[dict[str, Any]]) -> list[str]:
    return [line["meta"]["id"].partition(":")[2] for line in lines]


CHANGES: list[Callable[[str], str]] = [
    lambda question: question,
    lambda question: question.upper(),
    lambda question: "\n".join(re.findall(r"(?:\S+\s*){1,5}", question)),
    lambda question: re.sub(r"\d+", "77", question),
    lambda question: re.sub(r"\w+$", "otherwise", question),
]


@pytest.mark.parametrize("change", CHANGES, ids=["whole", "re-cased", "re-wrapped", "numbers", "last word"])
def test_a_question_is_found_in_the_midst_of_a_page(
    tmp_path: Path, corpus: Corpus, texts: Texts, change: Callable[[str], str]
) -> None:
    questions = [f"{texts.prose(9)} {n} times, {texts.prose(12)}" for n in range(5)]
    write(tmp_path / "exam.jsonl.gz", questions)
    pages = [texts.page(), texts.page(change(questions[3])), texts.page(), change(questions[0])]
    lines, manifest = corpus(pages, benchmarks=["*.jsonl.gz"])
    assert ids(lines) == ["0", "2"]
    assert lines[0]["text"] == pages[0]
    assert manifest.sources["s"].funnel["decontaminate"] == {"in": 4, "out": 2, "drops": {"contaminated": 2}}
    [exam] = manifest.benchmarks
    assert (exam.name, exam.items, exam.found, exam.documents) == ("exam.jsonl.gz", 5, 2, 2)


def test_phrases_of_the_benchmark_or_the_corpus_say_nothing(tmp_path: Path, corpus: Corpus, texts: Texts) -> None:
    phrase, notice = texts.prose(12), texts.prose(12)
    write(tmp_path / "exam.jsonl", [f"{phrase} {texts.prose(9)}" for _ in range(6)] + [notice])
    pages = [texts.page(phrase), *(texts.page(notice) for _ in range(benchmark_hits.COMMON_DOCUMENTS + 1))]
    lines, manifest = corpus(pages, benchmarks=["exam.jsonl"])
    assert len(lines) == len(pages)
    assert manifest.benchmarks[0].found == 0


def test_one_gram_of_a_longer_question_is_not_enough(tmp_path: Path, corpus: Corpus, texts: Texts) -> None:
    long, short = texts.prose(30), texts.prose(GRAM_WORDS)
    write(tmp_path / "exam.jsonl", [long, short, texts.prose(GRAM_WORDS - 1)])
    some = " ".join(long.split()[:GRAM_WORDS])
    lines, manifest = corpus([texts.page(some), texts.page(short)], benchmarks=["exam.jsonl"])
    assert ids(lines) == ["0"]
    assert manifest.benchmarks[0].too_short == 1


def test_marked_documents_stay_and_say_of_which_benchmark(tmp_path: Path, corpus: Corpus, texts: Texts) -> None:
    question = texts.prose(20)
    write(tmp_path / "exam.jsonl", [question])
    pages = [texts.page(), texts.page(question)]
    lines, manifest = corpus(pages, benchmarks=["exam.jsonl"], action="mark")
    assert [line["text"] for line in lines] == pages
    assert [line["meta"].get("contaminated") for line in lines] == [None, ["exam.jsonl"]]
    assert manifest.benchmarks[0].documents == 1


def test_cutting_takes_the_paragraph_and_leaves_the_page(tmp_path: Path, corpus: Corpus, texts: Texts) -> None:
    question = texts.prose(20)
    write(tmp_path / "exam.jsonl", [question])
    before, after = texts.prose(60), texts.prose(70)
    pages = [
        f"{before}\n\nQ: {question}?\n\n{after}",
        f"Q: {question}\n\nShort.",
        "\n\n".join([after, question, "Too short."]),
    ]
    lines, manifest = corpus(pages, benchmarks=["exam.jsonl"], action="cut")
    assert [line["text"] for line in lines] == [f"{before}\n\n{after}", after]
    assert manifest.sources["s"].funnel["decontaminate"]["drops"] == {"contaminated": 1}


def test_a_page_cut_into_very_many_pieces_goes(texts: Texts) -> None:
    pieces = [texts.prose(60) for _ in range(decontaminate.MOST_PIECES + 1)]
    question = texts.prose(10)
    text = f"\n\n{question}\n\n".join(pieces)
    places = [60 * n + 10 * (n - 1) for n in range(1, len(pieces))]
    assert decontaminate.cut_around(text, places) == decontaminate.WHOLE
    kept = decontaminate.cut_around("\n\n".join([pieces[0], question, pieces[1]]), [60])
    assert [text[start:end] for start, end in kept] == [f"{question}\n\n"]


def test_another_action_reads_no_text_again(tmp_path: Path, corpus: Corpus, texts: Texts) -> None:
    question = texts.prose(20)
    write(tmp_path / "exam.jsonl", [question])
    pages = [texts.page(), texts.page(question)]
    corpus(pages, benchmarks=["exam.jsonl"])
    before = set((tmp_path / "work/hits").iterdir())
    corpus(pages, benchmarks=["exam.jsonl"], action="mark")
    assert set((tmp_path / "work/hits").iterdir()) == before
    write(tmp_path / "exam.jsonl", [texts.prose(20)])
    lines, _ = corpus(pages, benchmarks=["exam.jsonl"])
    assert len(lines) == 2  # a changed file is another benchmark


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.jsonl", b"", "no text in it"),
        ("blank.txt", b"\n \n", "no text in it"),
        ("huge.txt", b"x" * (benchmarks.LONGEST_LINE + 1), "item 1 has a line of 1,000,001 characters; write one"),
        ("broken.jsonl", b'{"question": "What?"}\n{"question', "line 2: .*mend or remove that line"),
        ("broken.jsonl.gz", gzip.compress(b"text" * 99)[:20], "cannot be read"),
        ("bytes.txt", b"\xff\xfe\x00", "cannot be read"),
    ],
)
def test_a_benchmark_that_cannot_be_used_is_named_with_the_remedy(
    tmp_path: Path, corpus: Corpus, texts: Texts, name: str, content: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RequestError, match=f"benchmark .*{name}.*{says}"):
        corpus([texts.page()], benchmarks=[name])
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").rglob("*.zst"))


def test_a_missing_file_and_wrong_keys_are_told(tmp_path: Path, corpus: Corpus, texts: Texts) -> None:
    with pytest.raises(RecipeError, match=r"'exam\*\.jsonl' matches no file"):
        corpus([texts.page()], benchmarks=["exam*.jsonl"])
    with pytest.raises(RecipeError, match="no file is named"):
        corpus([texts.page()], benchmarks=[])
    with pytest.raises(RecipeError, match="action"):
        corpus([texts.page()], benchmarks=["x"], action="burn")
    with pytest.raises(RecipeError, match="benchmark"):
        corpus([texts.page()], benchmark=["x"])
