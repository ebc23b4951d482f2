"""zstd JSON Lines: what is written is read, by us and by any other reader; damage is an error."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from pile.errors import WorkError
from pile.shards import FrameWriter, read_lines, read_structs, write_lines

LINES = st.lists(st.binary(max_size=200).map(lambda b: b.replace(b"\n", b" ")), max_size=40)


@settings(max_examples=60)
@given(lines=LINES, cuts=st.sets(st.integers(0, 40)))
def test_lines_come_back_as_written_wherever_frames_are_cut(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], cuts: set[int]
) -> None:
    path = tmp_path_factory.mktemp("shard") / "x.zst"
    with FrameWriter(path) as writer:
        for number, line in enumerate(lines):
            if number in cuts:
                writer.cut()
            writer.write(line)
        digests = writer.close()
    assert list(read_lines(path)) == lines
    content = b"".join(line + b"\n" for line in lines)
    assert digests.documents == len(lines)
    assert (digests.content_bytes, digests.content_sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert (digests.bytes, digests.sha256) == (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())


def test_the_same_lines_give_the_same_bytes(tmp_path: Path) -> None:
    lines = [f"line {n} ".encode() * 50 for n in range(5000)]
    one, two = write_lines(tmp_path / "a", lines), write_lines(tmp_path / "b", lines)
    assert one == two
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_frames_are_independent_and_files_of_frames_concatenate(tmp_path: Path) -> None:
    lines = [b"x" * 1000 for _ in range(3000)]
    write_lines(tmp_path / "a", lines)
    write_lines(tmp_path / "b", [b"last"])
    joined = tmp_path / "joined"
    joined.write_bytes((tmp_path / "a").read_bytes() + (tmp_path / "b").read_bytes())
    assert list(read_lines(joined)) == [*lines, b"last"]
    first = zstandard.get_frame_parameters((tmp_path / "a").read_bytes())
    assert first.has_checksum
    assert 0 < first.content_size < 3_000_000


@given(
    values=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=20),
    cuts=st.lists(st.integers(0, 300), max_size=8),
    ended=st.booleans(),
)
def test_structs_are_read_wherever_frames_end(
    tmp_path_factory: pytest.TempPathFactory, values: list[str], cuts: list[int], ended: bool
) -> None:
    content = b"\n".join(map(msgspec.json.encode, values)) + (b"\n" if ended and values else b"")
    bounds = sorted({0, *(min(cut, len(content)) for cut in cuts), len(content)})
    path = tmp_path_factory.mktemp("structs") / "x.zst"
    path.write_bytes(b"".join(zstandard.compress(content[start:end]) for start, end in pairwise(bounds)))
    assert list(read_structs(str, path)) == values
    assert [msgspec.json.decode(line) for line in read_lines(path)] == values


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.99])
def test_a_file_cut_short_is_an_error_not_an_end(tmp_path: Path, keep: float) -> None:
    path = tmp_path / "x.zst"
    write_lines(path, [hashlib.sha256(str(n).encode()).hexdigest().encode() for n in range(50_000)])
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(WorkError, match=r"x\.zst"):
        list(read_lines(path))


def test_a_flipped_bit_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.zst"
    write_lines(path, [hashlib.sha256(str(n).encode()).hexdigest().encode() for n in range(2000)])
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    with pytest.raises(WorkError, match="damaged"):
        list(read_lines(path))
