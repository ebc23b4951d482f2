"""Where the bytes of an upstream address are asked for: at the upstream, in a mirror, or in a person's own folder.

A mirror keeps ``https://HOST/PATH`` as ``M/HOST/PATH`` and ``s3://BUCKET/KEY`` as ``M/BUCKET/KEY``.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import msgspec

from pile.errors import FetchError, RequestError

#: What stands in a mirror for an address that ends in "/": the listing that a web server would show there.
INDEX = "index.html"


class Address(msgspec.Struct, frozen=True):
    """One upstream address and the one place to ask for its bytes: ``path``, ``bucket`` and ``key``, or ``url``."""

    name: str  #: the upstream's own address, as the lock has it
    filename: str  #: what its file is called in a folder
    path: Path | None = None  #: a file of this machine
    url: str = ""  #: an http(s) address
    bucket: str = ""  #: S3: a request to it is signed
    key: str = ""

    @property
    def host(self) -> str:
        """Return what politeness is counted by: ``HOST`` or ``HOST:PORT``, or ``s3://BUCKET``."""
        return f"s3://{self.bucket}" if self.bucket else urlsplit(self.url).netloc.rpartition("@")[2].lower()

    @property
    def label(self) -> str:
        """Return how messages call it: the upstream's address, with the mirror's where bytes come from there."""
        return self.name if not self.url or self.url == self.name else f"{self.name} (from {self.url})"


class Mirror:
    """The door that every upstream address goes through; raises ``RequestError`` for a mirror that is not there."""

    def __init__(self, mirror: str | None, base: Path) -> None:
        self._base = base
        self._url = ""
        self._folder: Path | None = None
        if mirror is None:
            return
        if mirror.startswith(("http://", "https://")):
            self._url = mirror.rstrip("/")
            return
        self._folder = Path(mirror)
        if "://" in mirror or not self._folder.is_dir():
            raise RequestError(f"--mirror {mirror}: no such folder; name a folder or an http(s) URL")

    def locate(self, name: str) -> Address:
        """Return where the bytes of ``name`` are asked for; raises ``FetchError`` for an address that cannot be."""
        scheme, mark, rest = name.partition("://")
        if not mark:
            return Address(name, Path(name).name, path=self._base / name)
        if scheme == "s3":
            bucket, _, key = rest.partition("/")
            # A key is no URL: a "%" or "?" in it stands for itself. In a URL it is quoted.
            return self._behind(Address(name, "", bucket=bucket, key=key), [bucket, *key.split("/")], quote(rest))
        if scheme not in ("http", "https"):
            raise FetchError(f"{name}: unknown scheme {scheme!r}; an address is https://, http://, s3:// or a path")
        try:
            parts = urlsplit(name)
            parts.port  # noqa: B018 (raises ValueError)
        except ValueError as error:
            raise FetchError(f"{name}: not an address: {error}; correct it") from error
        host = parts.netloc.rpartition("@")[2].lower()
        path = parts.path.removeprefix("/")
        query = f"?{parts.query}" if parts.query else ""
        here = Address(name, "", url=name.partition("#")[0])
        return self._behind(here, [host, *unquote(path).split("/")], f"{host}/{path}", query)

    def _behind(self, upstream: Address, steps: list[str], path: str, query: str = "") -> Address:
        """Return the place in the mirror for ``upstream``, which is ``steps`` in a folder and ``path`` in a URL."""
        if not steps[0] or any(step in (".", "..") or "\0" in step for step in steps):
            raise FetchError(f"{upstream.name}: not a plain address (no host, or '..' in its path); correct it")
        filename = steps[-1] or INDEX
        if self._folder is not None:
            return Address(upstream.name, filename, path=self._folder.joinpath(*steps[:-1], filename + query))
        if self._url:
            index = INDEX if path.endswith("/") else ""
            return Address(upstream.name, filename, url=f"{self._url}/{path}{index}{query}")
        return msgspec.structs.replace(upstream, filename=filename)
