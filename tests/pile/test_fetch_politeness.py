"""No host is asked harder than it wants to be, whatever the number of threads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from importlib.metadata import version
from pathlib import Path

import pytest

from pile.document import Input
from pile.errors import FetchError

BODY = b"some words of a file\n" * 50
NOW = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)


@pytest.mark.parametrize("code", [429, 503])
def test_retry_after_in_seconds_is_obeyed(server, make_upstream, seconds, code):
    server.files["/b.txt"] = BODY
    server.fail("/b.txt", server.status(code, Retry_After="120"))
    assert make_upstream().read(f"{server.url}/b.txt") == BODY
    assert seconds.slept == [120]


def test_retry_after_as_a_date_is_obeyed_by_the_hosts_own_clock(server, make_upstream, seconds):
    server.files["/b.txt"] = BODY
    until = format_datetime(NOW + timedelta(seconds=90), usegmt=True)

    def busy(handler):
        handler.send_response_only(503)
        for name, value in (
            ("Date", format_datetime(NOW, usegmt=True)),
            ("Retry-After", until),
            ("Content-Length", "0"),
        ):
            handler.send_header(name, value)
        handler.end_headers()

    server.fail("/b.txt", busy)
    assert make_upstream().read(f"{server.url}/b.txt") == BODY
    assert seconds.slept == [90]


@pytest.mark.parametrize("value", ["soon", "-5", "0", "Fri, 13 Nov 1998 00:00:00 GMT"])
def test_a_retry_after_that_says_nothing_leaves_the_back_off(server, make_upstream, seconds, value):
    server.files["/b.txt"] = BODY
    server.fail("/b.txt", server.status(503, Retry_After=value))
    assert make_upstream().read(f"{server.url}/b.txt") == BODY
    assert seconds.slept == [1]


def test_a_host_that_asks_for_more_than_an_hour_is_left_alone(server, make_upstream, seconds, clear):
    server.fail("/b.txt", server.status(503, Retry_After="86400"))
    with pytest.raises(FetchError) as caught:
        make_upstream().read(f"{server.url}/b.txt")
    clear(caught.value, f"{server.url}/b.txt: 503", "86400 s")
    assert seconds.slept == []


def test_waits_double_up_to_a_longest_one_with_some_jitter(server, make_upstream, seconds):
    server.files["/b.txt"] = BODY
    server.fail("/b.txt", *[server.status(500)] * 6)
    patience = {"backoff": 2.0, "longest_backoff": 20.0, "jitter": 0.5}
    assert make_upstream(patience=patience).read(f"{server.url}/b.txt") == BODY
    assert seconds.slept != [2, 4, 8, 16, 20, 20]
    for slept, least in zip(seconds.slept, [2, 4, 8, 16, 20, 20], strict=True):
        assert least <= slept <= least + 0.5


@pytest.mark.parametrize("fields", [{"Retry_After": "40"}, {}])
def test_one_threads_503_slows_the_others_down_and_only_for_that_host(server, make_upstream, seconds, fields):
    server.files["/a.txt"] = server.files["/b.txt"] = BODY
    server.fail("/a.txt", server.status(503, **fields))
    asked_at: dict[str, float] = {}
    waiting = threading.Event()

    def sleep(duration):
        if waiting.is_set():
            return seconds.sleep(duration)
        waiting.set()
        # The first thread waits, no time has passed, and others want something.
        for host, name in (("another host", "localhost"), ("the same host", "127.0.0.1")):
            with ThreadPoolExecutor(1) as pool:
                url = server.url.replace("127.0.0.1", name)
                assert pool.submit(upstream.read, f"{url}/b.txt").result() == BODY
            asked_at[host] = seconds.now
        return None

    upstream = make_upstream(sleep=sleep)
    assert upstream.read(f"{server.url}/a.txt") == BODY
    assert asked_at == {"another host": 0, "the same host": 40 if fields else 1}


def test_a_thread_that_gives_up_leaves_its_hosts_wish_to_the_others(server, make_upstream, seconds):
    server.files["/b.txt"] = BODY
    server.fail("/a.txt", server.status(503, Retry_After="40"))
    upstream = make_upstream(patience={"attempts": 1})
    with pytest.raises(FetchError):
        upstream.read(f"{server.url}/a.txt")
    assert upstream.read(f"{server.url}/b.txt") == BODY
    assert seconds.slept == [40]


@pytest.mark.parametrize("limit", [None, 2])
def test_connections_to_a_host_are_limited_and_used(server, make_upstream, tmp_path, limit):
    most = limit or 4
    lock, together = threading.Lock(), threading.Barrier(most)
    active, seen = 0, []

    def counted(handler):
        nonlocal active
        with lock:
            active += 1
            seen.append(active)
        together.wait(timeout=20)  # passes only when as many requests are under way as may be
        with lock:
            active -= 1
        handler.serve()

    names = [f"/{number}.txt" for number in range(most * 3)]
    for name in names:
        server.files[name] = BODY
        server.fail(name, counted)
    upstream = make_upstream(connections={server.host: limit} if limit else {}, patience={"read_timeout": 30.0})
    with ThreadPoolExecutor(len(names)) as pool:
        got = pool.map(lambda name: upstream.download(Input(server.url + name), tmp_path), names)
        assert all(Path(found.path).read_bytes() == BODY for found in got)
    assert max(seen) == most


def test_requests_say_who_asks_and_whom_to_write_to(server, make_upstream, monkeypatch):
    server.files["/b.txt"] = BODY
    monkeypatch.delenv("PILE_CONTACT", raising=False)
    make_upstream().read(f"{server.url}/b.txt")
    monkeypatch.setenv("PILE_CONTACT", "lab@example.org")
    make_upstream().read(f"{server.url}/b.txt")
    assert [headers["User-Agent"] for headers in server.asked("/b.txt")] == [
        f"pile/{version('pile')} (+corpus builder)",
        f"pile/{version('pile')} (+corpus builder; contact: lab@example.org)",
    ]


def test_a_size_is_asked_for_without_the_body(server, make_upstream):
    server.files["/b.txt"] = BODY
    server.fail("/b.txt", server.status(503))
    assert make_upstream().size(f"{server.url}/b.txt") == len(BODY)
    assert {method for method, *_ in server.requests} == {"HEAD"}


def test_a_size_that_a_host_does_not_say_is_unknown(server, make_upstream):
    server.fail("/a.txt", server.status(405))
    server.fail("/b.txt", server.status(200, Content_Length=""))
    assert make_upstream().size(f"{server.url}/a.txt") is None
    assert make_upstream().size(f"{server.url}/b.txt") is None
    with pytest.raises(FetchError, match="404"):
        make_upstream().size(f"{server.url}/c.txt")


def test_a_wait_that_a_person_would_notice_is_told(server, make_upstream, caplog):
    server.files["/b.txt"] = BODY
    server.fail("/b.txt", server.status(503), server.status(503, Retry_After="120"))
    with caplog.at_level("WARNING", "pile.transport.politeness"):
        make_upstream().read(f"{server.url}/b.txt")
    (record,) = caplog.records
    assert record.getMessage() == f"{server.url}/b.txt: 503 Service Unavailable: trying again in 120 s"
