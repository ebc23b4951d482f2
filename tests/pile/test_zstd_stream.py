"""zstd streams: whatever frames a file has, its content is read, and a file cut short anywhere is an error."""

from __future__ import annotations

import io
import random

import pytest
import zstandard
from hypothesis import example, given
from hypothesis import strategies as st

from pile import zstd_stream
from pile.errors import WorkError
from pile.zstd_stream import content_of

NOISE = random.Random(5).randbytes(300_000)
#: Contents of every kind of block: none, raw, one repeated byte, compressed, and several in a frame.
CONTENTS = [b"", b"a", NOISE[:200], b"\0" * 200_000, b"to be or not " * 30, NOISE, NOISE[:70_000] * 3]


def sized(content: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(content)


def unsized(content: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_content_size=False).compress(content)


def skipped(content: bytes) -> bytes:
    return (0x184D2A57).to_bytes(4, "little") + len(content).to_bytes(4, "little") + content


FRAMES = st.lists(st.tuples(st.sampled_from([sized, unsized, skipped]), st.sampled_from(CONTENTS)), max_size=6)


def read(stored: bytes) -> bytes:
    return b"".join(content_of(io.BytesIO(stored), "x.zst"))


@pytest.mark.parametrize("most", [0, 1000, zstd_stream.MOST_STORED], ids=["piecewise", "some", "whole"])
@given(frames=FRAMES)
def test_all_frames_are_read_whole_or_by_pieces(most: int, frames: list[tuple[object, bytes]]) -> None:
    stored = b"".join(store(content) for store, content in frames)  # type: ignore[operator]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zstd_stream, "MOST_STORED", most)
        patch.setattr(zstd_stream, "READ_BYTES", 1009)
        assert read(stored) == b"".join(content for store, content in frames if store is not skipped)


@given(frames=FRAMES.filter(len), share=st.floats(0, 1, exclude_max=True))
@example(frames=[(sized, b"a")], share=0.5)
def test_a_file_that_ends_within_a_frame_is_an_error(frames: list[tuple[object, bytes]], share: float) -> None:
    *before, last = [store(content) for store, content in frames]  # type: ignore[operator]
    kept = 1 + int(share * (len(last) - 1))
    if kept == len(last):
        return
    with pytest.raises(WorkError, match=r"x\.zst is (cut short|damaged)"):
        read(b"".join(before) + last[:kept])


def test_a_frame_that_says_it_is_larger_than_memory_is_damaged() -> None:
    stored = bytearray(sized(NOISE))
    stored[8] = 0x7F  # of the size in its header
    with pytest.raises(WorkError, match=r"x\.zst is damaged"):
        read(bytes(stored))


def test_what_is_no_zstd_is_damaged() -> None:
    with pytest.raises(WorkError, match=r"x\.zst is damaged: no frame begins with 7b 22 74 65"):
        read(b'{"text": "plain"}\n')
