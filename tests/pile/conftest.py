"""A loopback web server that does wrong on request, and the time that passes without anyone waiting for it."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pile.fetch import Patience, Upstream


class Handler(BaseHTTPRequestHandler):
    """Serves ``server.files`` as a good upstream does, unless a fault is due for the path."""

    protocol_version = "HTTP/1.1"
    server: FaultyServer

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.server.requests.append((self.command, self.path, dict(self.headers.items())))
        faults = self.server.faults.get(self.path, [])
        if faults:
            faults.pop(0)(self)
        else:
            self.serve()

    do_HEAD = do_GET

    def serve(self, *, most: int | None = None, ranged: bool = True, headers: dict[str, str] | None = None) -> None:
        """Answer with the file, or the range of it that is asked for; announce all and send ``most`` bytes."""
        body = self.server.files.get(self.path)
        if body is None:
            return self.answer(404, b"nothing here")
        etag = self.server.etags.get(self.path, '"first"')
        fields = {"Accept-Ranges": "bytes", "ETag": etag, **(headers or {})}
        start, end = 0, len(body)
        asked = self.headers.get("Range", "")
        if asked and ranged and self.headers.get("If-Range", etag) == etag:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, end = int(first), min(int(last) + 1 if last else len(body), len(body))
            if start >= len(body):
                return self.answer(416, b"", {**fields, "Content-Range": f"bytes */{len(body)}"})
            fields = {"Content-Range": f"bytes {start}-{end - 1}/{len(body)}", **fields}
        return self.answer(206 if "Content-Range" in fields else 200, body[start:end], fields, most)

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None, most: int | None = None) -> None:
        """Send an answer; a header whose value is "" is left out."""
        self.send_response(status)
        fields = {"Content-Length": str(len(body)), **(headers or {})}
        for name, value in fields.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[:most])
        if most is not None or not fields["Content-Length"]:
            self.close_connection = True

    def reset(self) -> None:
        """Break the connection with a TCP reset."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # The connection's two file objects hold the socket open.
        self.rfile.close()
        self.wfile.close()
        self.connection.close()
        self.close_connection = True


Fault = Callable[[Handler], None]


class FaultyServer(ThreadingHTTPServer):
    """``files`` by path; ``fail`` says what happens at the next requests for a path, one after the other."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server_address[1]}"
        self.url = f"http://{self.host}"
        self.files: dict[str, bytes] = {}
        self.etags: dict[str, str] = {}
        self.faults: dict[str, list[Fault]] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []

    def handle_error(self, *_: object) -> None:
        """A client that goes away is part of every test here."""

    def fail(self, path: str, *faults: Fault) -> None:
        self.faults.setdefault(path, []).extend(faults)

    def asked(self, path: str) -> list[dict[str, str]]:
        """Return the headers of all requests for a path."""
        return [headers for _, found, headers in self.requests if found == path]

    def short(self, size: int, **options: Any) -> Fault:
        """Announce all, send so many bytes, close."""
        return lambda handler: handler.serve(most=size, **options)

    def reset(self, size: int) -> Fault:
        """Announce all, send so many bytes, reset the connection."""

        def fault(handler: Handler) -> None:
            handler.serve(most=size)
            handler.reset()

        return fault

    def status(self, status: int, body: bytes = b"", **headers: str) -> Fault:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return lambda handler: handler.answer(status, body, fields)

    def serving(self, **options: Any) -> Fault:
        """Serve in an unusual way: ``ranged=False``, other ``headers``."""
        return lambda handler: handler.serve(**options)

    def drip(self, byte: bytes = b"x") -> Fault:
        """Announce all, and send byte by byte until the client has had enough."""

        def fault(handler: Handler) -> None:
            handler.serve(most=0)
            while True:
                handler.wfile.write(byte)

        return fault

    def silence(self) -> Fault:
        """Announce all and send nothing, until the client goes away."""

        def fault(handler: Handler) -> None:
            handler.serve(most=0)
            handler.connection.recv(1)

        return fault


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Seconds:
    """Time that passes only when someone sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self.now += seconds

    def clock(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def make_upstream(seconds: Seconds, tmp_path: Path) -> Iterator[Callable[..., Upstream]]:
    """Give an ``Upstream`` that never really sleeps and counts every byte as progress."""
    made: list[Upstream] = []

    def make(*, patience: dict[str, Any] | None = None, **options: Any) -> Upstream:
        settings = {"worthwhile": 1, "jitter": 0.0, "connect_timeout": 5.0, "read_timeout": 5.0, **(patience or {})}
        options = {"sleep": seconds.sleep, "clock": seconds.clock, "scratch": tmp_path / "scratch", **options}
        made.append(Upstream(patience=Patience(**settings), **options))
        return made[-1]

    yield make
    for upstream in made:
        upstream.close()


@pytest.fixture
def clear() -> Callable[..., str]:
    """Give the check that an error is for a person: one line that names the address and says what to do next."""

    def check(error: BaseException, *words: str) -> str:
        message = str(error)
        assert "\n" not in message
        assert len(message) < 400
        for word in words:
            assert word in message, message
        assert ";" in message or ": set " in message or "run again" in message, f"no next step: {message}"
        return message

    return check
