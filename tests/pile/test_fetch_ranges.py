"""Parts of files come whole and in order, with few requests, from an upstream, a mirror or a folder, or not at all."""

from __future__ import annotations

import hashlib
import random
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pile import ranges
from pile.document import Input
from pile.errors import ChecksumError, FetchError, NoSuchFileError, NotTheFileError
from pile.fetch import Fetched, Upstream
from pile.ranges import Range
from pile.transport.ranged import NEAR

FILE = random.Random(1).randbytes(NEAR * 3)
FAR = NEAR + 1000


def parts(base: str, *wanted: tuple[str, int, int], **more: str) -> Input:
    found = [Range(f"{base}/{name}", offset, length) for name, offset, length in wanted]
    return Input(f"{base}/#some", sum(length for *_, length in wanted), ranges=ranges.write(f"{base}/", found), **more)


def content(got: Fetched) -> bytes:
    return Path(got.path).read_bytes()


def test_near_parts_come_with_one_request_and_far_ones_alone(server, make_upstream, tmp_path):
    server.files["/a.bin"], server.files["/b.bin"] = FILE, FILE[::-1]
    wanted = parts(server.url, ("a.bin", 10, 5), ("a.bin", 40, 20), ("a.bin", 60 + FAR, 7), ("b.bin", 3, 4))
    got = make_upstream().download(wanted, tmp_path)
    assert content(got) == FILE[10:15] + FILE[40:60] + FILE[60 + FAR :][:7] + FILE[::-1][3:7]
    assert (got.size, got.sha256) == (36, hashlib.sha256(content(got)).hexdigest())
    assert [fields["Range"] for *_, fields in server.requests] == [
        "bytes=10-59",
        f"bytes={60 + FAR}-{60 + FAR + 6}",
        "bytes=3-6",
    ]
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [Path(got.path).name]


def test_a_server_without_ranges_is_asked_once_for_a_file_and_left_with_the_last_part(server, make_upstream, tmp_path):
    server.files["/a.bin"] = FILE
    server.fail("/a.bin", server.serving(ranged=False))
    got = make_upstream().download(parts(server.url, ("a.bin", 10, 5), ("a.bin", 10 + FAR, 5)), tmp_path)
    assert content(got) == FILE[10:15] + FILE[10 + FAR :][:5]
    assert len(server.requests) == 1


@pytest.mark.parametrize("mirror", ["folder", "http"])
def test_a_mirror_gives_the_same_bytes(server, make_upstream, tmp_path, mirror):
    (tmp_path / "mirror/data.example").mkdir(parents=True)
    (tmp_path / "mirror/data.example/a.bin").write_bytes(FILE)
    server.files["/data.example/a.bin"] = FILE
    counted: list[int] = []
    upstream = make_upstream(
        mirror=str(tmp_path / "mirror") if mirror == "folder" else server.url, progress=counted.append
    )
    wanted = parts("https://data.example", ("a.bin", 5, 6), ("a.bin", 0, 2))
    got = upstream.download(wanted, tmp_path / "folder")
    assert content(got) == FILE[5:11] + FILE[:2]
    assert sum(counted) == 8
    assert upstream.read_range("https://data.example/a.bin", 7, 100) == FILE[7:107]


def test_a_busy_host_is_waited_for_and_nothing_comes_twice(server, make_upstream, seconds, tmp_path):
    server.files["/a.bin"] = FILE
    busy = server.status(503, b"<Error><Code>SlowDown</Code></Error>", Retry_After="7")
    server.fail("/a.bin", server.serving(), busy, busy)
    got = make_upstream().download(parts(server.url, ("a.bin", 1, 2), ("a.bin", FAR + 3, 4)), tmp_path)
    assert content(got) == FILE[1:3] + FILE[FAR + 3 :][:4]
    assert [fields["Range"] for fields in server.asked("/a.bin")] == ["bytes=1-2", *[f"bytes={FAR + 3}-{FAR + 6}"] * 3]
    assert sum(seconds.slept) == 14


def test_a_host_that_blocks_is_not_asked_again(server, make_upstream, tmp_path, clear):
    server.files["/a.bin"] = server.files["/b.bin"] = FILE
    server.fail("/a.bin", server.status(403, b"blocked"))
    upstream = make_upstream(advice={server.host: "blocked for asking too fast: wait some hours, then run again"})
    wanted = [parts(server.url, (name, 1, 2)) for name in ("a.bin", "b.bin")]
    for one in wanted:
        with pytest.raises(FetchError) as caught:
            upstream.download(one, tmp_path)
        clear(caught.value, "403", "wait some hours")
    assert len(server.requests) == 1


def test_an_answer_that_is_cut_goes_on_at_the_byte_where_it_broke_off(server, make_upstream, tmp_path):
    server.files["/a.bin"] = FILE
    server.fail("/a.bin", server.short(50), server.reset(20))
    got = make_upstream().download(parts(server.url, ("a.bin", 100, 40), ("a.bin", 145, 100)), tmp_path)
    assert content(got) == FILE[100:140] + FILE[145:245]
    asked = [int(re.findall(r"\d+", fields["Range"])[0]) for fields in server.asked("/a.bin")]
    assert asked[:2] == [100, 150]
    assert asked == sorted(asked)


def test_an_interrupted_download_goes_on_in_the_next_run(server, make_upstream, tmp_path):
    server.files["/a.bin"], server.files["/b.bin"] = FILE, FILE
    server.fail("/b.bin", server.status(401))
    wanted = parts(server.url, ("a.bin", 100, 40), ("b.bin", 7, 9))
    with pytest.raises(FetchError, match="401"):
        make_upstream().download(wanted, tmp_path)
    assert content(make_upstream().download(wanted, tmp_path)) == FILE[100:140] + FILE[7:16]
    assert len(server.asked("/a.bin")) == 1


def test_many_parts_come_over_one_connection(server, make_upstream, tmp_path):
    server.files["/a.bin"] = FILE * 20
    clients = set()

    def serve(handler):
        clients.add(handler.client_address)
        handler.serve()

    server.fail("/a.bin", *[serve] * 10)
    wanted = parts(server.url, *(("a.bin", number * FAR * 2, 1000) for number in range(10)))
    assert make_upstream().download(wanted, tmp_path).size == 10_000
    assert (len(clients), len(server.requests)) == (1, 10)


def test_what_is_left_of_other_parts_is_not_gone_on_with(server, make_upstream, tmp_path):
    server.files["/a.bin"] = server.files["/b.bin"] = FILE
    server.fail("/b.bin", server.status(401))
    with pytest.raises(FetchError, match="401"):
        make_upstream().download(parts(server.url, ("a.bin", 100, 40), ("b.bin", 7, 9)), tmp_path)
    got = make_upstream().download(parts(server.url, ("a.bin", 300, 50)), tmp_path)
    assert content(got) == FILE[300:350]


@pytest.mark.parametrize("content_range", ["bytes 0-4/900", "bytes 10-99/900", "bytes 10-13/900", "items 1", ""])
def test_another_part_than_was_asked_for_is_never_taken(server, make_upstream, tmp_path, clear, content_range):
    server.files["/a.bin"] = FILE
    wrong = server.status(206, FILE[:5], Content_Range=content_range)
    server.fail("/a.bin", wrong)
    assert content(make_upstream().download(parts(server.url, ("a.bin", 10, 5)), tmp_path)) == FILE[10:15]
    server.fail("/a.bin", wrong, wrong)
    with pytest.raises(FetchError) as caught:
        make_upstream(patience={"attempts": 2}).download(parts(server.url, ("a.bin", 11, 5)), tmp_path / "other")
    clear(caught.value, f"{server.url}/a.bin: bytes 11-15 were asked for")


@pytest.mark.parametrize("offset", [len(FILE) - 3, len(FILE), len(FILE) + 50])
@pytest.mark.parametrize("how", ["ranged", "whole", "folder"])
def test_parts_that_a_file_does_not_have_are_no_transient_failure(
    server, make_upstream, tmp_path, clear, seconds, offset, how
):
    (tmp_path / "mirror/data.example").mkdir(parents=True)
    (tmp_path / "mirror/data.example/a.bin").write_bytes(FILE)
    server.files["/data.example/a.bin"] = FILE
    if how == "whole":
        server.fail("/data.example/a.bin", server.serving(ranged=False))
    upstream = make_upstream(mirror=str(tmp_path / "mirror") if how == "folder" else server.url)
    with pytest.raises(FetchError) as caught:
        upstream.download(parts("https://data.example", ("a.bin", offset, 5)), tmp_path / "folder")
    clear(caught.value, "https://data.example/a.bin", f"{len(FILE)} bytes", str(offset + 5), "lock again")
    assert seconds.slept == []


def test_bytes_that_are_not_the_pinned_ones_stop_the_build_or_are_marked(server, make_upstream, tmp_path, clear):
    server.files["/a.bin"] = FILE
    wanted = parts(server.url, ("a.bin", 1, 2), checksum="sha256:" + "0" * 64)
    with pytest.raises(ChecksumError) as caught:
        make_upstream().download(wanted, tmp_path)
    clear(caught.value, server.url, "pinned", "lock again")
    assert len(server.requests) == 2
    assert "pinned" in make_upstream().download(wanted, tmp_path, "keep").damage


def test_an_error_page_instead_of_the_whole_file_is_known_for_one(server, make_upstream, tmp_path):
    server.files["/a.warc.gz"] = b"<html><body>Sign in to this network</body></html>"
    server.fail("/a.warc.gz", server.serving(ranged=False))
    with pytest.raises(NotTheFileError, match="Sign in"):
        make_upstream().download(parts(server.url, ("a.warc.gz", 1, 2)), tmp_path)


@pytest.mark.parametrize("line", ["a.bin", "a.bin 1+0", "a.bin 1-2", "a.bin 1+2 ", "", "a.bin  1+2"])
def test_a_line_of_the_lock_that_names_no_parts_is_refused(server, make_upstream, tmp_path, clear, line):
    with pytest.raises(FetchError) as caught:
        make_upstream().download(Input(f"{server.url}/#x", ranges=[line]), tmp_path)
    clear(caught.value, "lock again")
    assert server.requests == []


def test_what_is_not_there_is_told_from_what_cannot_be_had(server, make_upstream, tmp_path):
    server.fail("/a.bin", server.status(410), server.status(401))
    with pytest.raises(NoSuchFileError):
        make_upstream().read(f"{server.url}/a.bin")
    with pytest.raises(FetchError) as caught:
        make_upstream().read(f"{server.url}/a.bin")
    assert not isinstance(caught.value, NoSuchFileError)
    with pytest.raises(NoSuchFileError):
        make_upstream(mirror=str(tmp_path)).download(
            parts("https://data.example", ("a.bin", 1, 2)), tmp_path / "folder"
        )


def test_requests_to_a_host_begin_at_its_interval(server, make_upstream, seconds, tmp_path):
    server.files["/a.bin"] = FILE
    upstream = make_upstream(intervals={server.host: 0.5})
    upstream.download(parts(server.url, ("a.bin", 1, 2), ("a.bin", FAR + 3, 4)), tmp_path)
    upstream.read(f"{server.url.replace('127.0.0.1', 'localhost')}/a.bin")
    upstream.read_range(f"{server.url}/a.bin", 5, 6)
    assert seconds.slept == [0.5, 0.5]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    wanted=st.lists(
        st.tuples(st.sampled_from(["a.bin", "b.bin"]), st.integers(0, len(FILE) - 1), st.integers(1, 400)),
        min_size=1,
        max_size=8,
    ),
    cuts=st.lists(st.integers(0, 500), max_size=3),
    ranged=st.booleans(),
)
def test_any_parts_in_any_order_come_as_they_are_whatever_breaks_off(server, tmp_path_factory, wanted, cuts, ranged):
    wanted = [(name, offset, min(length, len(FILE) - offset)) for name, offset, length in wanted]
    server.files["/a.bin"], server.files["/b.bin"] = FILE, FILE[::-1]
    server.faults.clear()
    server.fail("/a.bin", *(server.short(cut, ranged=ranged) for cut in cuts))
    with Upstream(sleep=lambda _: None) as upstream:
        got = upstream.download(parts(server.url, *wanted), tmp_path_factory.mktemp("parts"))
    assert content(got) == b"".join(
        server.files[f"/{name}"][offset : offset + length] for name, offset, length in wanted
    )
