"""Every fault of an upstream ends in the right bytes or in one clear line."""

from __future__ import annotations

import errno
import gzip
import hashlib
import itertools
import os
import socket
from pathlib import Path

import pytest

from pile.document import Input
from pile.errors import ChecksumError, FetchError, NotTheFileError
from pile.fetch import Patience, Upstream

BODY = bytes(range(256)) * 40
GZIP = gzip.compress(BODY, mtime=0)
PAGE = b"<!DOCTYPE html>\n<html><head><title>Access paused</title></head><body>Too many visitors</body></html>"


def md5(body: bytes) -> str:
    return "md5:" + hashlib.md5(body).hexdigest()


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_sound_download_is_verified_counted_and_leaves_nothing_else(server, make_upstream, tmp_path):
    server.files["/a/b.bin"] = BODY
    counted: list[int] = []
    for algorithm in ("md5", "sha1", "sha256"):
        pinned = f"{algorithm}:{hashlib.new(algorithm, BODY).hexdigest().upper()}"
        upstream = make_upstream(progress=counted.append)
        got = upstream.download(Input(f"{server.url}/a/b.bin", len(BODY), pinned), tmp_path / algorithm)
        assert (got.size, got.sha256, got.damage) == (len(BODY), hashlib.sha256(BODY).hexdigest(), "")
        assert Path(got.path).read_bytes() == BODY
        assert leftovers(tmp_path / algorithm) == ["b.bin"]
    assert sum(counted) == 3 * len(BODY)


def test_a_download_that_is_there_already_is_not_asked_for_again(server, make_upstream, tmp_path):
    server.files["/b.bin"] = BODY
    wanted = Input(f"{server.url}/b.bin", checksum=md5(BODY))
    first = make_upstream().download(wanted, tmp_path)
    assert make_upstream().download(wanted, tmp_path) == first
    assert len(server.requests) == 1
    Path(first.path).write_bytes(BODY[:-1])
    counted: list[int] = []
    assert make_upstream(progress=counted.append).download(wanted, tmp_path) == first
    assert sum(counted) == len(BODY)


@pytest.mark.parametrize("fault", ["reset", "short"])
def test_a_connection_that_breaks_is_taken_up_where_it_broke(server, make_upstream, tmp_path, fault):
    server.files["/b.bin"] = BODY
    server.fail("/b.bin", getattr(server, fault)(4000), getattr(server, fault)(3000))
    got = make_upstream().download(Input(f"{server.url}/b.bin", len(BODY), md5(BODY)), tmp_path)
    assert Path(got.path).read_bytes() == BODY
    assert got.sha256 == hashlib.sha256(BODY).hexdigest()
    assert [headers.get("Range") for headers in server.asked("/b.bin")] == [None, "bytes=4000-", "bytes=7000-"]
    assert server.asked("/b.bin")[1]["If-Range"] == '"first"'


def test_a_body_without_length_that_ends_early_is_taken_up(server, make_upstream, tmp_path):
    server.files["/b.bin"] = BODY
    server.fail("/b.bin", server.short(5000, headers={"Content-Length": ""}))
    got = make_upstream().download(Input(f"{server.url}/b.bin", len(BODY)), tmp_path)
    assert Path(got.path).read_bytes() == BODY
    assert server.asked("/b.bin")[1]["Range"] == "bytes=5000-"


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="this system does not name open files")
def test_a_file_gets_its_name_when_it_is_on_the_disk(server, make_upstream, tmp_path, monkeypatch):
    server.files["/b.bin"] = BODY
    synced: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(
        os, "fsync", lambda file: synced.append((str(Path(f"/proc/self/fd/{file}").readlink()), leftovers(tmp_path)))
    )
    make_upstream().download(Input(f"{server.url}/b.bin"), tmp_path)
    part = ["b.bin.part", "b.bin.part.json"]
    assert synced == [(str(tmp_path / "b.bin.part"), part), (str(tmp_path), ["b.bin"])]


def test_a_line_that_breaks_many_times_succeeds_as_long_as_it_gets_further(server, make_upstream, tmp_path):
    server.files["/b.bin"] = BODY
    server.fail("/b.bin", *[server.reset(100)] * 60)
    got = make_upstream(patience={"attempts": 3}).download(Input(f"{server.url}/b.bin"), tmp_path)
    assert Path(got.path).read_bytes() == BODY


def test_a_line_that_never_gets_further_ends_clearly_and_keeps_what_came(server, make_upstream, tmp_path, clear):
    server.files["/b.bin"] = BODY
    server.fail("/b.bin", server.reset(100), *[server.reset(0)] * 4)
    with pytest.raises(FetchError) as caught:
        make_upstream(patience={"attempts": 3}).download(Input(f"{server.url}/b.bin"), tmp_path)
    clear(caught.value, f"{server.url}/b.bin", "attempts", "run the same command again")
    assert leftovers(tmp_path) == ["b.bin.part", "b.bin.part.json"]
    server.faults.clear()
    got = make_upstream().download(Input(f"{server.url}/b.bin"), tmp_path)
    assert Path(got.path).read_bytes() == BODY
    assert server.asked("/b.bin")[-1]["Range"] == "bytes=100-"


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_an_answer_that_asks_for_patience_is_waited_for(server, make_upstream, tmp_path, seconds, code):
    server.files["/b.bin"] = BODY
    server.fail("/b.bin", *[server.status(code)] * 4)
    got = make_upstream().download(Input(f"{server.url}/b.bin"), tmp_path)
    assert Path(got.path).read_bytes() == BODY
    assert seconds.slept == [1, 2, 4, 8]


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410, 418])
def test_an_answer_that_will_not_change_stops_at_once(server, make_upstream, tmp_path, seconds, clear, code):
    server.fail(
        "/b.bin", server.status(code, b"<Error><Code>AccessDenied</Code>\n<Message>Not yours</Message></Error>")
    )
    with pytest.raises(FetchError) as caught:
        make_upstream().download(Input(f"{server.url}/b.bin"), tmp_path)
    clear(caught.value, f"{server.url}/b.bin: {code}", "AccessDenied Not yours")
    assert len(server.requests) == 1
    assert seconds.slept == []
    assert leftovers(tmp_path) == []


def test_a_403_is_explained_by_the_advice_for_its_host(server, make_upstream, tmp_path, clear):
    server.fail("/b.bin", server.status(403))
    upstream = make_upstream(advice={server.host: "it blocks clients that ask too fast; wait an hour"})
    with pytest.raises(FetchError) as caught:
        upstream.download(Input(f"{server.url}/b.bin"), tmp_path)
    clear(caught.value, f"{server.url}/b.bin: 403", "it blocks clients that ask too fast; wait an hour")
    with pytest.raises(FetchError, match=r"not asked for, since .* 403") as caught:
        upstream.download(Input(f"{server.url}/another.bin"), tmp_path)
    assert len(server.requests) == 1


def test_a_host_that_is_not_there_ends_clearly(make_upstream, tmp_path, clear, seconds):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/b.bin"
        with pytest.raises(FetchError) as caught:
            make_upstream().download(Input(url), tmp_path)
    clear(caught.value, url, "refused", "check the network and the address")
    assert len(seconds.slept) < Patience().attempts // 2


def test_a_redirect_is_followed_and_a_circle_of_them_is_not(server, make_upstream, tmp_path, clear):
    server.files["/new.bin"] = BODY
    server.fail("/old.bin", server.status(301, Location="/new.bin"))
    got = make_upstream().download(Input(f"{server.url}/old.bin", checksum=md5(BODY)), tmp_path)
    assert Path(got.path).name == "old.bin"
    server.fail("/loop.bin", *[server.status(302, Location="/loop.bin")] * 20)
    with pytest.raises(FetchError) as caught:
        make_upstream().download(Input(f"{server.url}/loop.bin"), tmp_path)
    clear(caught.value, f"{server.url}/loop.bin", "redirects")


def test_a_wrong_checksum_is_tried_once_more_from_the_start(server, make_upstream, tmp_path):
    server.files["/b.bin"] = BODY
    server.fail("/b.bin", server.status(200, BODY[:-1] + b"?"))
    counted: list[int] = []
    upstream = make_upstream(progress=counted.append)
    got = upstream.download(Input(f"{server.url}/b.bin", checksum=md5(BODY)), tmp_path)
    assert Path(got.path).read_bytes() == BODY
    assert sum(counted) == len(BODY)
    assert "Range" not in server.asked("/b.bin")[1]


def test_a_checksum_that_stays_wrong_stops_and_names_both(server, make_upstream, tmp_path, clear):
    server.files["/b.bin"] = BODY
    with pytest.raises(ChecksumError) as caught:
        make_upstream().download(Input(f"{server.url}/b.bin", checksum=md5(b"else")), tmp_path)
    clear(caught.value, f"{server.url}/b.bin", md5(BODY)[4:], md5(b"else")[4:])
    assert leftovers(tmp_path) == []
    assert len(server.requests) == 2


def test_a_size_that_is_not_the_pinned_one_stops_before_the_body_is_fetched(server, make_upstream, tmp_path, clear):
    server.files["/b.bin"] = BODY
    with pytest.raises(ChecksumError) as caught:
        make_upstream().download(Input(f"{server.url}/b.bin", 5), tmp_path)
    clear(caught.value, f"{server.url}/b.bin", f"{len(BODY)} bytes, but 5 are pinned", "lock again")


@pytest.mark.parametrize("wanted", [{"checksum": md5(b"else")}, {"size": 5}])
def test_damage_is_kept_and_said_where_that_is_allowed(server, make_upstream, tmp_path, wanted):
    server.files["/b.bin"] = BODY
    got = make_upstream().download(Input(f"{server.url}/b.bin", **wanted), tmp_path, "keep")
    assert Path(got.path).read_bytes() == BODY
    assert "pinned" in got.damage


@pytest.mark.parametrize("name", ["x.warc.gz", "x.xml.bz2", "x.tar", "x.jsonl", "x.md5", "x.json", "x.xml"])
def test_an_error_page_with_status_200_is_not_the_file(server, make_upstream, tmp_path, clear, name):
    server.files[f"/{name}"] = b"\xef\xbb\xbf \n" + PAGE
    with pytest.raises(NotTheFileError) as caught:
        make_upstream().download(Input(f"{server.url}/{name}", 999), tmp_path)
    clear(caught.value, f"{server.url}/{name}", "Access paused Too many visitors")
    assert leftovers(tmp_path) == []
    with pytest.raises(NotTheFileError):
        make_upstream().read(f"{server.url}/{name}")


def test_an_error_of_s3_is_no_xml_file_but_xml_is(server, make_upstream):
    server.files["/e.xml"] = b'<?xml version="1.0"?>\n<Error><Code>NoSuchKey</Code></Error>'
    server.files["/x.xml"] = b'<?xml version="1.0"?>\n<!DOCTYPE Set SYSTEM "set.dtd">\n<Set/>'
    with pytest.raises(NotTheFileError, match="NoSuchKey"):
        make_upstream().read(f"{server.url}/e.xml")
    assert make_upstream().read(f"{server.url}/x.xml") == server.files["/x.xml"]


def test_a_page_is_welcome_where_a_page_is_promised(server, make_upstream):
    for path in ("/list/", "/list.html", "/list.html?page=2"):
        server.files[path] = PAGE
        assert make_upstream().read(server.url + path) == PAGE


def test_an_error_page_does_not_cost_the_bytes_that_are_there(server, make_upstream, tmp_path):
    server.files["/b.gz"] = GZIP
    server.fail("/b.gz", server.short(50), server.status(200, PAGE))
    with pytest.raises(NotTheFileError):
        make_upstream().download(Input(f"{server.url}/b.gz"), tmp_path)
    got = make_upstream().download(Input(f"{server.url}/b.gz"), tmp_path)
    assert Path(got.path).read_bytes() == GZIP
    assert server.asked("/b.gz")[-1]["Range"] == "bytes=50-"


@pytest.mark.parametrize("name", ["x.gz", "x.bz2", "x.7z", "x.zip", "x.zst", "x.xz", "x.parquet", "x.pdf", "x.tar"])
def test_another_kind_of_file_is_not_the_file(server, make_upstream, tmp_path, clear, name):
    for body in (b"plain words " * 100, b"w", b""):
        server.files[f"/{name}"] = body
        with pytest.raises(NotTheFileError) as caught:
            make_upstream().download(Input(f"{server.url}/{name}"), tmp_path)
        clear(caught.value, f"{server.url}/{name}", "another kind of file")


def test_a_parquet_file_without_its_end_is_not_the_file(server, make_upstream, tmp_path):
    server.files["/x.parquet"] = b"PAR1" + BODY + b"PAR1"
    make_upstream().download(Input(f"{server.url}/x.parquet"), tmp_path / "whole")
    server.files["/x.parquet"] = b"PAR1" + BODY
    with pytest.raises(NotTheFileError, match="the end"):
        make_upstream().download(Input(f"{server.url}/x.parquet"), tmp_path / "half")


def test_bytes_are_stored_as_they_come_and_never_decoded(server, make_upstream, tmp_path, clear):
    server.files["/b.gz"] = GZIP
    server.fail("/b.gz", server.serving(headers={"Content-Encoding": "gzip"}))
    got = make_upstream().download(Input(f"{server.url}/b.gz", len(GZIP)), tmp_path)
    assert Path(got.path).read_bytes() == GZIP
    assert server.asked("/b.gz")[0]["Accept-Encoding"] == "identity"
    server.fail("/b.json", server.status(200, GZIP, Content_Encoding="gzip"))
    with pytest.raises(NotTheFileError) as caught:
        make_upstream().download(Input(f"{server.url}/b.json"), tmp_path)
    clear(caught.value, f"{server.url}/b.json", "gzip")


def test_a_drip_is_broken_off_and_the_next_connection_goes_on(server, make_upstream, tmp_path):
    server.files["/b.bin"] = b"x" * 100_000
    server.fail("/b.bin", server.drip(), server.drip())
    ticks = itertools.count(0, 25)
    got = make_upstream(clock=lambda: float(next(ticks))).download(Input(f"{server.url}/b.bin"), tmp_path)
    assert got.size == 100_000
    assert len(server.requests) == 3


def test_a_drip_that_does_not_end_ends_clearly(server, make_upstream, tmp_path, clear):
    server.files["/b.bin"] = b"x" * 10_000_000
    server.fail("/b.bin", *[server.drip()] * 9)
    ticks = itertools.count(0, 25)
    patience = {"attempts": 4, "worthwhile": 1 << 20, "stall_bytes": 1 << 20}
    with pytest.raises(FetchError) as caught:
        make_upstream(patience=patience, clock=lambda: float(next(ticks))).download(
            Input(f"{server.url}/b.bin"), tmp_path
        )
    clear(caught.value, f"{server.url}/b.bin", "bytes came in")


def test_a_host_that_falls_silent_is_asked_again(server, make_upstream, tmp_path):
    server.files["/b.bin"] = BODY
    server.fail("/b.bin", server.silence())
    got = make_upstream(patience={"read_timeout": 0.05}).download(Input(f"{server.url}/b.bin"), tmp_path)
    assert Path(got.path).read_bytes() == BODY


def test_a_full_disk_is_said_in_one_line(server, make_upstream, tmp_path, clear):
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    server.files["/b.bin"] = BODY * 200
    (tmp_path / "b.bin.part").symlink_to("/dev/full")
    with pytest.raises(FetchError) as caught:
        make_upstream().download(Input(f"{server.url}/b.bin"), tmp_path)
    clear(caught.value, str(tmp_path), "disk is full", "free space")


def test_a_folder_that_cannot_be_written_is_said_in_one_line(server, make_upstream, tmp_path, clear):
    server.files["/b.bin"] = BODY
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FetchError) as caught:
        make_upstream().download(Input(f"{server.url}/b.bin"), tmp_path / "file")
    clear(caught.value, str(tmp_path / "file"), os.strerror(errno.EEXIST))


def test_a_file_too_large_to_be_read_whole_is_refused(server, make_upstream, monkeypatch, clear):
    monkeypatch.setattr("pile.fetch.READ_BOUND", 1000)
    server.files["/list.txt"] = b"x" * 1001
    with pytest.raises(FetchError) as caught:
        make_upstream().read(f"{server.url}/list.txt")
    clear(caught.value, f"{server.url}/list.txt", "too large")


def test_an_address_that_cannot_be_is_said_in_one_line(make_upstream, tmp_path, clear):
    for url in ("ftp://host/file", "https://", "http://[::bad/x", "http://h:99999/x"):
        with pytest.raises(FetchError) as caught:
            make_upstream().download(Input(url), tmp_path)
        clear(caught.value, url)


def test_a_stopped_build_does_not_sit_out_its_waits(server, tmp_path, clear):
    upstream = Upstream()
    server.fail("/b.bin", lambda handler: (upstream.close(), handler.answer(503, b"", {"Retry-After": "3000"})))
    with pytest.raises(FetchError) as caught:
        upstream.download(Input(f"{server.url}/b.bin"), tmp_path)
    clear(caught.value, "run the same command again")
