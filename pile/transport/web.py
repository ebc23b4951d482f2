"""One HTTP request: polite, signed where it must be, and its answer judged before anyone reads it.

What can be mended by asking again leaves as ``TransientError``, everything else as a ``FetchError`` for the person.
"""

from __future__ import annotations

import functools
import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version

import httpx

from pile.errors import FetchError, NoSuchFileError
from pile.transport.address import Address
from pile.transport.magic import words
from pile.transport.politeness import SLOW_DOWN, TRY_AGAIN, Politeness, TransientError, retry_after
from pile.transport.s3 import Signer

#: Redirects that are followed: upstreams need one or two (http to https, a renamed host).
REDIRECTS = 8
#: Bytes of an error's body that are read for its first words.
_QUOTED = 2048

#: Answers that say for sure that nothing is there (S3 answers 403 where it may not be listed).
ABSENT = frozenset({404, 410})

#: What a person can do about an answer that no further attempt will change.
_NEXT_STEP = {
    400: "the address or the request is wrong; correct the recipe's options",
    401: "it wants a login, which pile does not do; download it by hand and name the files in the recipe",
    403: "access is denied; check that it may be read from here, or wait an hour and use fewer connections",
    404: "no such file; check the recipe's options, and lock again when the upstream has changed",
    410: "it is gone; lock again to pin what the upstream has now",
}


class Web:
    """The HTTP client of a build; threads share it."""

    def __init__(self, politeness: Politeness, advice: Mapping[str, str]) -> None:
        patience = politeness.patience
        self.politeness = politeness
        self._advice = advice
        self._refusals: dict[str, str] = {}  # hosts that refused this client, and what was said of it
        self._signer = Signer()
        contact = os.environ.get("PILE_CONTACT", "").strip()
        whom = f"corpus builder; contact: {contact}" if contact else "corpus builder"
        self._client = httpx.Client(
            # Identity: the bytes are wanted as stored, and a Content-Length that counts them.
            headers={"User-Agent": f"pile/{version('pile')} (+{whom})", "Accept-Encoding": "identity"},
            timeout=httpx.Timeout(patience.read_timeout, connect=patience.connect_timeout, pool=None),
            # Connections are counted per host, by ``Host``.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
            max_redirects=REDIRECTS,
            verify=_certificates(),
        )

    def close(self) -> None:
        """Close all connections; a request that waits for its turn ends when politeness stops."""
        self._client.close()

    @contextmanager
    def ask(
        self, method: str, address: Address, headers: Mapping[str, str], accept: frozenset[int]
    ) -> Iterator[httpx.Response]:
        """Give the answer (200, 206 or one of ``accept``), its body still to be read, then close it.

        Raises ``TransientError`` or ``FetchError``, also for what goes wrong while the body is read.
        """
        if address.host in self._refusals:  # asking on would make it worse
            raise FetchError(f"{address.label}: not asked for, since {self._refusals[address.host]}")
        host = self.politeness.host(address.host)
        with host.connection(), _translated(address):
            url, signed = address.url, dict[str, str]()
            if address.bucket:
                url, signed = self._signer.sign(method, address.bucket, address.key)
            with self._client.stream(
                method,
                url,
                headers={**headers, **signed},
                # A signature holds for one host; S3 tells the right one in another way (see _judge).
                follow_redirects=not address.bucket,
            ) as response:
                host.answered = True
                self._judge(address, response, accept)
                yield response

    def _judge(self, address: Address, response: httpx.Response, accept: frozenset[int]) -> None:
        status = response.status_code
        if status in (200, 206) or status in accept:
            return
        what = f"{status} {response.reason_phrase}".strip()
        if status in TRY_AGAIN or status >= 500:
            pause = retry_after(response)
            if pause > self.politeness.patience.longest_retry_after:
                raise FetchError(f"{address.label}: {what}: it asks to come back in {pause:.0f} s; run again then")
            if status in SLOW_DOWN:
                # Also when this thread gives up: the others have yet to ask.
                self.politeness.host(address.host).rest(pause)
            raise TransientError(what, retry_after=pause, slow_down=status in SLOW_DOWN)
        region = response.headers.get("x-amz-bucket-region", "")
        if address.bucket and self._signer.learn(address.bucket, region):
            raise TransientError(f"{what}: the bucket is in {region}")
        said = words(_first_bytes(response))
        advice = self._advice.get(address.host, "") if status == 403 else ""
        if advice:
            self._refusals[address.host] = f"{address.host} answered {what}: {advice}"
        step = advice or _NEXT_STEP.get(status, "an answer that pile does not expect; check the address")
        kind = NoSuchFileError if status in ABSENT else FetchError
        raise kind(f"{address.label}: {what}: {step}{said and f' (it says: {said})'}")


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Return the authorities that are trusted, read once: it takes as long as a small download."""
    return httpx.create_ssl_context()


@contextmanager
def _translated(address: Address) -> Iterator[None]:
    """Turn what httpx raises into the two kinds of failure."""
    try:
        yield
    except httpx.TooManyRedirects as error:
        raise FetchError(f"{address.label}: more than {REDIRECTS} redirects, in a circle; check the address") from error
    except (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL) as error:
        raise FetchError(f"{address.label}: cannot be asked for: {error}; correct the address") from error
    except httpx.TimeoutException as error:
        raise TransientError("no answer, or no further byte, in time") from error
    except httpx.TransportError as error:
        if certificate := _certificate_fault(error):
            raise FetchError(
                f"{address.label}: its certificate is refused: {certificate}; where your own proxy signs it, set "
                "SSL_CERT_FILE"
            ) from error
        raise TransientError(" ".join(str(error).split()) or type(error).__name__) from error


def _certificate_fault(error: BaseException) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_message
        cause = cause.__cause__ or cause.__context__
    return ""


def _first_bytes(response: httpx.Response) -> bytes:
    """Return the beginning of an error's body, or what came of it: the error itself is what counts."""
    body = b""
    try:
        for chunk in response.iter_raw():
            body += chunk
            if len(body) >= _QUOTED:
                break
    except httpx.TransportError:
        pass
    return body[:_QUOTED]
