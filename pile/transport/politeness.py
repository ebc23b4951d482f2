"""How hard a host may be asked, how long a failing one is waited for, and when to give up.

What one thread learns of a host (503, Retry-After) holds for all threads that ask it.
"""

from __future__ import annotations

import datetime
import email.utils
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import msgspec

from pile.errors import FetchError

if TYPE_CHECKING:
    import httpx
    from tenacity import RetryCallState

#: Connections to one host at a time, where nothing else is said: enough to fill a line, and half of the eight that the
#: most patient of hosts advise as the most.
CONNECTIONS = 4
#: A wait of so many seconds is told to the person, who would otherwise see a build that stands still.
LONG_WAIT = 30.0
#: Answers that ask for another try: RFC 9110's 408, RFC 6585's 429. All of 5xx does too.
TRY_AGAIN = frozenset({408, 429})
#: Answers that mean "you, and all of you, ask too fast".
SLOW_DOWN = frozenset({429, 503})

logger = logging.getLogger(__name__)

Result = TypeVar("Result")


class Patience(msgspec.Struct, frozen=True):
    """When a download waits and when it gives up; times are in seconds, amounts in bytes.

    By default a host that stops answering is waited for about 45 minutes, and one that never answered half a minute.
    """

    attempts: int = 16  #: failures in a row; any worthwhile progress begins the count again
    first_attempts: int = 6  #: failures in a row with a host that never answered: its name may be wrong
    backoff: float = 1.0  #: before the second attempt, doubled before each further one
    longest_backoff: float = 300.0
    jitter: float = 1.0  #: up to so much is added to each wait, so that many clients do not come back at once
    longest_retry_after: float = 3600.0  #: a host that asks for more is left alone
    connect_timeout: float = 30.0
    read_timeout: float = 60.0  #: without a single byte
    stall_window: float = 60.0  #: a connection must bring ``stall_bytes`` in each window of this length,
    stall_bytes: int = 64 << 10  #: about 1 KiB/s: slower lines exist, but none on which a corpus can be built
    worthwhile: int = 64 << 10  #: so much more of a file than ever before is progress


class TransientError(Exception):
    """A failure that another attempt may mend."""

    def __init__(self, cause: str, *, retry_after: float = 0.0, slow_down: bool = False) -> None:
        super().__init__(cause)
        self.retry_after = retry_after
        self.slow_down = slow_down


class Host:
    """One host as all threads of a build share it: its connections, and the moment before which it is not asked.

    ``interval`` is the least time in seconds from the beginning of one request to that of the next.
    """

    def __init__(
        self, connections: int, interval: float, pause: Callable[[float], None], clock: Callable[[], float]
    ) -> None:
        self._interval = interval
        self._slots = threading.BoundedSemaphore(connections)
        self._pause = pause
        self._clock = clock
        self._lock = threading.Lock()
        self._opens = self._next = clock()
        self.answered = False

    @contextmanager
    def connection(self) -> Iterator[None]:
        """Hold one of the host's connections, once the host wants to be asked again."""
        with self._slots:
            with self._lock:
                now = self._clock()
                begin = max(now, self._opens, self._next)
                self._next = begin + self._interval
            self._pause(begin - now)
            yield

    def rest(self, seconds: float) -> None:
        """Let no thread ask this host for so long."""
        with self._lock:
            self._opens = max(self._opens, self._clock() + seconds)


class Politeness:
    """All hosts of a build, and the one retry rule for them."""

    def __init__(
        self,
        patience: Patience,
        connections: Mapping[str, int],
        intervals: Mapping[str, float],
        sleep: Callable[[float], object] | None,
        clock: Callable[[], float],
    ) -> None:
        self.patience = patience
        self.clock = clock
        self._connections = connections
        self._intervals = intervals
        self._stopped = threading.Event()
        self._sleep = sleep or self._stopped.wait
        self._hosts: dict[str, Host] = {}
        self._lock = threading.Lock()

    def host(self, name: str) -> Host:
        """Return the one object that stands for a host in this build."""
        with self._lock:
            if name not in self._hosts:
                connections, interval = self._connections.get(name, CONNECTIONS), self._intervals.get(name, 0.0)
                self._hosts[name] = Host(connections, interval, self.pause, self.clock)
            return self._hosts[name]

    def pause(self, seconds: float) -> None:
        """Let so many seconds pass; raises ``FetchError`` when the build is stopped meanwhile."""
        if seconds > 0:
            self._sleep(seconds)
        self.go_on()

    def go_on(self) -> None:
        """Raise ``FetchError`` when the build is stopped."""
        if self._stopped.is_set():
            raise FetchError("the build is stopped; run the same command again: what has come is kept")

    def paced(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield all chunks of an answer; a connection that only drips is broken off with ``TransientError``."""
        begin, received = self.clock(), 0
        for chunk in chunks:
            yield chunk
            self.go_on()
            received += len(chunk)
            if (now := self.clock()) - begin >= self.patience.stall_window:
                if received < self.patience.stall_bytes:
                    raise TransientError(f"only {received} bytes came in {now - begin:.0f} s")
                begin, received = now, 0

    def stop(self) -> None:
        """End all waiting: nobody is to sit out a pause of minutes after Ctrl-C."""
        self._stopped.set()

    def persist(
        self, label: str, host: Host, attempt: Callable[[], Result], got_further: Callable[[], bool] = lambda: False
    ) -> Result:
        """Return what ``attempt`` returns, trying again after each ``TransientError`` for as long as patience lasts.

        ``got_further`` is asked after each failure; when it says yes the count of failures begins again. Raises
        ``FetchError`` in the end.
        """
        # Late, as httpx is: a build that reads a mirror in a folder asks nobody twice.
        from tenacity import Retrying, retry_if_exception_type
        from tenacity.wait import wait_exponential, wait_random

        patience = self.patience
        backoff = wait_exponential(patience.backoff, patience.longest_backoff) + wait_random(0, patience.jitter)

        def reset(state: RetryCallState) -> None:
            if got_further():
                state.attempt_number = 1

        def stop(state: RetryCallState) -> bool:
            return state.attempt_number >= (patience.attempts if host.answered else patience.first_attempts)

        def wait(state: RetryCallState) -> float:
            return max(backoff(state), _transient(state).retry_after)

        def announce(state: RetryCallState) -> None:
            error = _transient(state)
            if state.upcoming_sleep >= LONG_WAIT:
                logger.warning("%s: %s: trying again in %.0f s", label, error, state.upcoming_sleep)
            if error.slow_down:
                # This thread waits anyway; the others wait with it.
                host.rest(state.upcoming_sleep)

        retrying = Retrying(
            retry=retry_if_exception_type(TransientError),
            after=reset,
            stop=stop,
            wait=wait,
            sleep=self.pause,
            before_sleep=announce,
            reraise=True,
        )
        try:
            return retrying(attempt)
        except TransientError as error:
            failures = retrying.statistics["attempt_number"]
            raise FetchError(
                f"{label}: {error}, after {failures} attempts; check the network and the address, then run the same "
                "command again: what has come is kept"
            ) from error


def retry_after(response: httpx.Response) -> float:
    """Return for how many seconds the host asks to be left alone, 0 when it does not say.

    RFC 9110, 10.2.3: seconds, or a date.
    """
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        until = _date(value)
        # The host's own clock, where it shows it: ours may differ.
        now = _date(response.headers["date"]) if "date" in response.headers else datetime.datetime.now(datetime.UTC)
    except ValueError:
        return 0.0
    return max(0.0, (until - now).total_seconds())


def _date(value: str) -> datetime.datetime:
    date = email.utils.parsedate_to_datetime(value)
    return date if date.tzinfo else date.replace(tzinfo=datetime.UTC)


def _transient(state: RetryCallState) -> TransientError:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, TransientError)  # nothing else is retried
    return error
