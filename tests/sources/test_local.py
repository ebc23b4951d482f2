"""Local: JSON Lines in every dress, its bad lines named, and the documents that its good lines become."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from pile.document import Document, Drop, Input, Pin, Record
from pile.errors import DamagedInputError, NotTheFileError, RecipeError
from sources.local import Local

FILE = "data/moss.jsonl"

COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.ZstdCompressor().compress,
}


def read(tmp_path: Path, content: bytes | str, url: str = FILE, **options: Any) -> list[Document | Drop]:
    path = tmp_path / "fetched"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    source = Local(paths=["data/*"], **options)
    return [item if isinstance(item, Drop) else source.parse(item) for item in source.records(Input(url), path)]


def one(tmp_path: Path, line: dict[str, Any] | str, **options: Any) -> Any:
    (made,) = read(tmp_path, line if isinstance(line, str) else json.dumps(line), **options)
    return made


# --- pin


class Folder:
    """A reader over the person's own files."""

    def __init__(self, files: dict[str, int]) -> None:
        self.files = files

    def read(self, url: str) -> bytes:
        raise AssertionError("a local file may be larger than memory")

    def find(self, patterns: list[str]) -> list[str]:
        if not self.files:
            raise RecipeError(f"{patterns} matches nothing")
        return sorted(self.files)

    def size(self, url: str) -> int | None:
        return self.files[url]


def test_every_matching_file_is_pinned_with_its_size_and_not_read() -> None:
    pin = Local(paths=["data/*"], license="mine").pin(Folder({"data/b.jsonl": 2, "data/a.jsonl.zst": 1}))
    options = {"paths": ["data/*"], "text_field": "text", "id_field": "id", "license": "mine", "strict": False}
    assert pin == Pin(options, [Input("data/a.jsonl.zst", 1), Input("data/b.jsonl", 2)])


def test_paths_that_match_nothing_are_an_error() -> None:
    with pytest.raises(RecipeError):
        Local(paths=["data/*"]).pin(Folder({}))
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"paths": []}, Local)


# --- compression

LINES = "".join(json.dumps({"id": f"r{n}", "text": f"Roof {n} has moss."}) + "\n" for n in range(50)).encode()


def texts(made: list[Document | Drop]) -> list[str]:
    assert all(isinstance(d, Document) for d in made)
    return [d.text for d in made if isinstance(d, Document)]


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_members_streams_and_frames_are_read_to_the_last(tmp_path: Path, kind: str) -> None:
    compress = COMPRESSORS[kind]
    for cut in (1, len(LINES) // 2, len(LINES)):
        content = compress(LINES[:cut]) + compress(b"") + compress(LINES[cut:])
        assert len(texts(read(tmp_path, content, url="no-suffix"))) == 50


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_a_file_that_ends_early_gives_its_whole_lines_then_damage(tmp_path: Path, kind: str) -> None:
    lines = [json.dumps({"text": f"{n} {n * 7919 % 10007} {n * n}" * 9}) + "\n" for n in range(3000)]
    content = COMPRESSORS[kind]("".join(lines[:1500]).encode()) + COMPRESSORS[kind]("".join(lines[1500:]).encode())
    path = tmp_path / "fetched"
    path.write_bytes(content[: len(content) * 9 // 10])
    found: list[Record | Drop] = []
    with pytest.raises(DamagedInputError) as caught:
        for record in Local(paths=["x"]).records(Input(FILE), path):
            found.append(record)
    assert len(found) >= 1500 and all(isinstance(record, Record) for record in found)
    assert caught.value.offset == len(content) * 9 // 10


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_a_damaged_or_foreign_second_member_is_damage(tmp_path: Path, kind: str) -> None:
    whole = COMPRESSORS[kind](LINES)
    for second in (b"not a member at all", whole[: len(whole) // 2] + b"\xff" * 40 + whole[len(whole) // 2 :]):
        with pytest.raises(DamagedInputError):
            read(tmp_path, whole + second)


@pytest.mark.parametrize("kind", ["gz", "xz"])
def test_padding_after_a_member_is_allowed(tmp_path: Path, kind: str) -> None:
    assert len(read(tmp_path, COMPRESSORS[kind](LINES) + b"\0" * 512)) == 50


def test_zstd_with_a_long_window_and_skippable_frames_is_read(tmp_path: Path) -> None:
    # By hand, since a compressor would take the memory: window of 2**30, then one raw block that is the last.
    block = (len(LINES) << 3 | 1).to_bytes(3, "little")
    frame = b"\x28\xb5\x2f\xfd" + bytes([0, 20 << 3]) + block + LINES
    skippable = b"\x5a\x2a\x4d\x18" + (3).to_bytes(4, "little") + b"hey"
    assert len(read(tmp_path, skippable + frame + skippable + frame)) == 100


@pytest.mark.parametrize("url", ["a.jsonl.gz", "a.jsonl.zst"])
def test_an_empty_file_that_promises_compression_is_damage(tmp_path: Path, url: str) -> None:
    with pytest.raises(DamagedInputError):
        read(tmp_path, b"", url=url)
    assert read(tmp_path, b"", url="a.jsonl") == []


@pytest.mark.parametrize(
    ("magic", "kind"), [(b"PAR1", "Parquet"), (b"PK\x03\x04", "zip"), (b"7z\xbc\xaf\x27\x1c", "7z")]
)
def test_what_is_not_json_lines_is_named(tmp_path: Path, magic: bytes, kind: str) -> None:
    with pytest.raises(NotTheFileError, match=rf"a\.bin is .*{kind}"):
        read(tmp_path, magic + b"\0" * 100, url="a.bin")


# --- lines


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"moss", "json"),
        (b'{"text": "cut', "json"),
        (b'{"text": "a"} {"text": "b"}', "json"),
        (b'{"text": "\xff\xfe"}', "utf-8"),
        (b'["text", "moss"]', "not an object"),
        (b'"moss"', "not an object"),
        (b"null", "not an object"),
        (b'{"title": "moss"}', "no field 'text'"),
        (b'{"text": null}', "no field 'text'"),
        (b'{"text": 5}', "'text' is not text"),
        (b'{"text": "deep", "x": ' + b"[" * 300 + b"]" * 300 + b"}", "nested deeper"),
        (b"[" * 100_000, "nested deeper"),
        (b'{"text": "long", "x": ' + b"9" * 5000 + b"}", "json"),
    ],
)
def test_a_bad_line_is_malformed_named_by_file_and_line_and_the_rest_goes_on(
    tmp_path: Path, line: bytes, why: str
) -> None:
    before, bad, after = read(tmp_path, b'{"text": "one"}\n\n' + line + b'\n{"text": "four"}')
    assert isinstance(bad, Drop)
    assert (bad.id, bad.reason) == (f"{FILE}:3", "malformed_record")
    assert bad.detail.startswith("line 3: ") and why in bad.detail
    assert [(d.id, d.text) for d in (before, after) if isinstance(d, Document)] == [
        (f"{FILE}:1", "one"),
        (f"{FILE}:4", "four"),
    ]


def test_blank_lines_and_a_byte_order_mark_are_no_records(tmp_path: Path) -> None:
    made = read(tmp_path, b'\xef\xbb\xbf{"text": "one"}\r\n  \r\n\n{"text": "four"}\r\n\n')
    assert [d.id for d in made] == [f"{FILE}:1", f"{FILE}:4"]


def test_halves_of_surrogate_pairs_become_replacement_characters(tmp_path: Path) -> None:
    made = one(tmp_path, '{"text": "a\\ud800b \\ud83c\\udf31", "k\\udc00": "\\udfff"}')
    assert made.text == "a\ufffdb 🌱"
    assert made.meta == {"k\ufffd": "\ufffd"}
    msgspec.json.encode(made)


def test_nan_as_python_writes_it_is_read(tmp_path: Path) -> None:
    made = one(tmp_path, '{"text": "moss", "score": NaN}')
    assert made.text == "moss" and b'"score":null' in msgspec.json.encode(made)


def test_a_text_of_white_space_is_empty(tmp_path: Path) -> None:
    assert one(tmp_path, {"text": " \n", "id": "a"}) == Drop("a", "empty", "line 1", withdraws=True)


def test_a_line_far_longer_than_a_chunk_is_read(tmp_path: Path) -> None:
    text = "moss " * 400_000
    made = read(tmp_path, json.dumps({"text": text}) + '\n{"text": "next"}\n')
    assert texts(made) == [text, "next"]


# --- fields


def test_an_id_is_text_or_a_whole_number_else_file_and_line(tmp_path: Path) -> None:
    ids = ["a/b", 7, None, "", True, 1.5, ["x"]]
    made = read(tmp_path, "\n".join(json.dumps({"text": "moss", "id": i}) for i in ids))
    assert [d.id for d in made] == ["a/b", "7", *(f"{FILE}:{line}" for line in range(3, 8))]


def test_the_piles_own_shards_are_read(tmp_path: Path) -> None:
    made = one(tmp_path, {"text": "moss", "meta": {"pile_set_name": "Moss-CC", "language": "en"}})
    assert made == Document(f"{FILE}:1", "moss", meta={"original_pile_set_name": "Moss-CC", "language": "en"})


def test_fields_may_be_dotted_paths_and_do_not_come_twice(tmp_path: Path) -> None:
    line = {"doc": {"body": "moss", "lang": "en"}, "meta": {"id": "m1", "n": 1}, "id": "outer"}
    made = one(tmp_path, line, text_field="doc.body", id_field="meta.id")
    assert made == Document("m1", "moss", meta={"n": 1, "doc": {"lang": "en"}, "original_id": "outer"})


def test_a_key_with_a_dot_is_taken_before_a_path(tmp_path: Path) -> None:
    assert one(tmp_path, {"a.b": "literal", "a": {"b": "nested"}}, text_field="a.b").text == "literal"


def test_url_licence_and_date_go_to_their_places_and_the_rest_to_meta(tmp_path: Path) -> None:
    fields = {"url": "https://moss.example/", "license": "CC0-1.0", "created": "2020-05-01", "score": 0.5}
    expected = Document("a", "moss", "", "https://moss.example/", "CC0-1.0", "2020-05-01", {"score": 0.5})
    assert one(tmp_path, {"id": "a", "text": "moss", **fields}, license="mine") == expected
    assert one(tmp_path, {"id": "a", "text": "moss", "meta": fields}, license="mine") == expected


def test_the_options_licence_is_for_lines_without_one(tmp_path: Path) -> None:
    assert one(tmp_path, {"text": "moss"}, license="mine").license == "mine"
    made = one(tmp_path, {"text": "moss", "license": ["a", "b"]}, license="mine")
    assert (made.license, made.meta) == ("mine", {"original_license": ["a", "b"]})


@pytest.mark.parametrize(
    ("fields", "created"),
    [
        ({"date": "2020"}, "2020"),
        ({"date": "2020-05"}, "2020-05"),
        ({"created": "long ago", "date": "2020-05-01T10:00:00Z"}, "2020-05-01T10:00:00Z"),
        ({"date": "May 1st"}, ""),
        ({"created": 1588327200}, ""),
    ],
)
def test_only_an_iso_date_is_a_date(tmp_path: Path, fields: dict[str, Any], created: str) -> None:
    made = one(tmp_path, {"text": "moss", **fields})
    assert made.created == created
    assert made.meta == {key: value for key, value in fields.items() if value != created}


def test_a_lines_own_field_wins_over_its_meta_object(tmp_path: Path) -> None:
    assert one(tmp_path, {"text": "moss", "n": 1, "meta": {"n": 2, "m": 3}}).meta == {"n": 1, "m": 3}
    assert one(tmp_path, {"text": "moss", "meta": "words"}).meta == {"meta": "words"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    line=JSON | st.fixed_dictionaries({"text": JSON}, optional={"id": JSON, "meta": JSON, "url": JSON, "date": JSON})
)
def test_any_json_line_is_one_document_or_one_drop_and_can_be_written(
    tmp_path_factory: pytest.TempPathFactory, line: Any
) -> None:
    (made,) = read(tmp_path_factory.mktemp("any"), json.dumps(line))
    assert made.id
    assert msgspec.json.decode(msgspec.json.encode(made))


@given(content=st.binary(max_size=300))
def test_any_bytes_are_lines_or_a_named_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    try:
        made = read(tmp_path_factory.mktemp("any"), content)
    except (DamagedInputError, NotTheFileError):
        return
    assert len(made) <= content.count(b"\n") + 1
