"""A download goes on where it broke off, and only where the upstream's file is still the same one."""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pile.document import Input
from pile.errors import FetchError

OLD = b"an older file " * 300
NEW = b"a newer file! " * 300


@pytest.fixture
def interrupted(server, make_upstream, tmp_path):
    """Leave 1,000 bytes of OLD behind, as a killed build does; return the address and the folder."""
    server.files["/b.bin"] = OLD
    server.fail("/b.bin", server.short(1000), server.status(404))
    with pytest.raises(FetchError):
        make_upstream().download(Input(f"{server.url}/b.bin"), tmp_path / "folder")
    assert (tmp_path / "folder" / "b.bin.part").stat().st_size == 1000
    server.requests.clear()
    return f"{server.url}/b.bin", tmp_path / "folder"


def assert_downloaded(upstream, interrupted, body):
    """Nothing is pinned: no checksum mends what a wrong resumption breaks."""
    url, folder = interrupted
    got = upstream.download(Input(url), folder)
    assert Path(got.path).read_bytes() == body
    assert got.sha256 == hashlib.sha256(body).hexdigest()
    assert [path.name for path in folder.iterdir()] == ["b.bin"]


def test_a_later_run_goes_on_and_counts_and_hashes_what_was_there(server, make_upstream, interrupted):
    counted: list[int] = []
    assert_downloaded(make_upstream(progress=counted.append), interrupted, OLD)
    (headers,) = server.asked("/b.bin")
    assert (headers["Range"], headers["If-Range"]) == ("bytes=1000-", '"first"')
    assert sum(counted) == len(OLD)


def test_a_file_that_changed_is_fetched_from_its_start(server, make_upstream, interrupted):
    server.files["/b.bin"], server.etags["/b.bin"] = NEW, '"second"'
    assert_downloaded(make_upstream(), interrupted, NEW)
    assert len(server.requests) == 1


def test_a_changed_file_is_noticed_where_the_host_ignores_if_range(server, make_upstream, interrupted):
    server.files["/b.bin"] = NEW
    part = {"Content-Range": f"bytes 1000-{len(NEW) - 1}/{len(NEW)}"}
    server.fail("/b.bin", lambda handler: handler.answer(206, NEW[1000:], {**part, "ETag": '"second"'}))
    assert_downloaded(make_upstream(), interrupted, NEW)


def test_a_file_of_another_length_is_noticed_where_the_host_ignores_if_range(server, make_upstream, interrupted):
    newer = server.files["/b.bin"] = NEW + b"and longer"
    part = {"Content-Range": f"bytes 1000-{len(newer) - 1}/{len(newer)}"}
    server.fail("/b.bin", lambda handler: handler.answer(206, newer[1000:], part))
    assert_downloaded(make_upstream(), interrupted, newer)


def test_a_file_that_changes_between_two_attempts_is_never_mixed(server, make_upstream, tmp_path):
    server.files["/b.bin"] = OLD
    server.fail("/b.bin", server.reset(1000))

    def change(handler):
        server.files["/b.bin"], server.etags["/b.bin"] = NEW, '"second"'
        handler.serve(most=2000)

    server.fail("/b.bin", change)
    got = make_upstream().download(Input(f"{server.url}/b.bin"), tmp_path)
    assert Path(got.path).read_bytes() == NEW


def test_a_200_to_a_range_request_starts_again(server, make_upstream, interrupted):
    server.fail("/b.bin", server.serving(ranged=False))
    assert_downloaded(make_upstream(), interrupted, OLD)


@pytest.mark.parametrize("answer", ["", "bytes 999-4199/4200", "bytes */4200", "bytes 1000-4199/4201", "lines 1-2/3"])
def test_a_206_that_does_not_fit_starts_again(server, make_upstream, interrupted, answer):
    server.fail("/b.bin", lambda handler: handler.answer(206, OLD[1000:], {"Content-Range": answer}))
    assert_downloaded(make_upstream(), interrupted, OLD)
    assert "Range" not in server.asked("/b.bin")[1]


def test_a_416_means_complete_when_all_is_there(server, make_upstream, tmp_path):
    server.files["/b.bin"] = OLD
    # No length and a broken end: only the next answer tells that all came.
    chunked = {"Transfer-Encoding": "chunked", "Content-Length": ""}
    body = f"{len(OLD):x}\r\n".encode() + OLD + b"\r\n"

    def chunks_without_end(handler):
        handler.answer(200, body, {**chunked, "ETag": '"first"'}, most=len(body))

    server.fail("/b.bin", chunks_without_end)
    got = make_upstream().download(Input(f"{server.url}/b.bin"), tmp_path)
    assert Path(got.path).read_bytes() == OLD
    assert [headers.get("Range") for headers in server.asked("/b.bin")] == [None, f"bytes={len(OLD)}-"]


def test_a_416_for_another_length_starts_again(server, make_upstream, interrupted):
    server.files["/b.bin"] = NEW[:700]
    assert_downloaded(make_upstream(), interrupted, NEW[:700])


def test_a_weak_etag_is_no_ground_to_go_on(server, make_upstream, tmp_path):
    server.files["/b.bin"], server.etags["/b.bin"] = OLD, 'W/"first"'
    date = {"Last-Modified": "Sat, 21 Nov 2026 08:00:00 GMT"}
    server.fail("/b.bin", server.short(1000, headers=date))
    got = make_upstream().download(Input(f"{server.url}/b.bin"), tmp_path)
    assert Path(got.path).read_bytes() == OLD
    assert "Range" not in server.asked("/b.bin")[1]


def test_a_date_is_ground_to_go_on_where_there_is_no_etag(server, make_upstream, tmp_path):
    server.files["/b.bin"], server.etags["/b.bin"] = OLD, ""
    date = "Sat, 21 Nov 2026 08:00:00 GMT"
    server.fail("/b.bin", server.short(1000, headers={"Last-Modified": date}))
    got = make_upstream().download(Input(f"{server.url}/b.bin"), tmp_path)
    assert Path(got.path).read_bytes() == OLD
    assert server.asked("/b.bin")[1]["If-Range"] == date


@pytest.mark.parametrize("record", [None, b"", b"{", b'{"url":"http://elsewhere/b.bin","etag":"\\"first\\""}'])
def test_bytes_of_unknown_origin_are_not_gone_on_from(server, make_upstream, interrupted, record):
    _, folder = interrupted
    path = folder / "b.bin.part.json"
    path.unlink()
    if record is not None:
        path.write_bytes(record)
    assert_downloaded(make_upstream(), interrupted, OLD)
    assert "Range" not in server.asked("/b.bin")[0]


def test_bytes_that_rotted_on_the_disk_are_fetched_again(server, make_upstream, interrupted):
    _, folder = interrupted
    (folder / "b.bin.part").write_bytes(b"?" * 1000)
    pinned = Input(f"{server.url}/b.bin", checksum="sha1:" + hashlib.sha1(OLD).hexdigest())
    assert Path(make_upstream().download(pinned, folder).path).read_bytes() == OLD


def test_a_host_that_sends_less_than_the_rest_is_asked_for_the_rest(server, make_upstream, interrupted):
    part = {"Content-Range": f"bytes 1000-1999/{len(OLD)}"}
    server.fail("/b.bin", lambda handler: handler.answer(206, OLD[1000:2000], part))
    assert_downloaded(make_upstream(), interrupted, OLD)
    assert server.asked("/b.bin")[1]["Range"] == "bytes=2000-"


examples = itertools.count()
faults = st.lists(st.tuples(st.sampled_from(["short", "reset", "status"]), st.integers(0, 400)), max_size=12)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=2000), faults=faults, ranged=st.booleans())
def test_any_split_of_a_body_into_failures_gives_the_same_bytes(server, make_upstream, tmp_path, body, faults, ranged):
    path = f"/{next(examples)}.bin"
    server.files[path] = body
    for kind, number in faults:
        server.fail(path, server.status(503) if kind == "status" else getattr(server, kind)(number))
    if not ranged:
        server.fail(path, server.serving(ranged=False))
    counted: list[int] = []
    folder = tmp_path / path[1:]
    got = make_upstream(progress=counted.append).download(Input(server.url + path, len(body)), folder)
    assert Path(got.path).read_bytes() == body
    assert got.sha256 == hashlib.sha256(body).hexdigest()
    assert sum(counted) == len(body)
    assert [found.name for found in folder.iterdir()] == [path[1:]]
