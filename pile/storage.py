"""Folders by path or by fsspec URL: whole files in, whole files out, and a sidecar that is written last.

On a local disk a commit is write, fsync, rename; on shared storage (``s3://...``) it is upload, then the sidecar.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pile.errors import DataError, RequestError

#: Private folder of a local storage for what is not finished; nobody else's files bear this name.
SCRATCH = ".pile-scratch"


class Storage:
    """A folder that holds whole, finished files; ``url`` is a local path or an fsspec URL."""

    def __init__(self, url: str) -> None:
        if not url.strip():
            raise RequestError("an empty folder name: name a folder, or an fsspec URL such as s3://BUCKET/x")
        self.url = url.removeprefix("file://").rstrip("/") or "/"
        self.is_local = "://" not in self.url
        if self.is_local:
            self.url = str(Path(self.url).absolute())
            if self.path.exists() and not self.path.is_dir():
                raise RequestError(f"{self.url} is a file: name a folder")
        self._remote: Any = None

    def __reduce__(self) -> tuple[type[Storage], tuple[str]]:
        return (Storage, (self.url,))

    @property
    def path(self) -> Path:
        """The folder on this machine; only for local storage."""
        return Path(self.url)

    @property
    def _fs(self) -> Any:
        if self._remote is None:
            import fsspec  # late, as below: it takes longer to import than all of the kernel, and local folders need none

            try:
                # Listings are not cached: other machines write here too.
                self._remote, _ = fsspec.url_to_fs(self.url, use_listings_cache=False)
            except (ValueError, ImportError) as error:
                raise RequestError(
                    f"{self.url}: {error}; name a folder or an fsspec URL such as s3://BUCKET/x"
                ) from error
        return self._remote

    def _name(self, name: str) -> str:
        return f"{self.url}/{name}"

    def read(self, name: str) -> bytes | None:
        """Return the content of a file, or None where there is none."""
        try:
            return (self.path / name).read_bytes() if self.is_local else self._read_remote(name)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def read_range(self, name: str, offset: int, size: int) -> bytes:
        """Return ``size`` bytes of a file from ``offset`` on, fewer where it ends before; raises ``OSError`` without it."""
        if not self.is_local:
            return self._read_remote(name, start=offset, end=offset + size)
        with open(self.path / name, "rb", buffering=0) as file:
            return os.pread(file.fileno(), size, offset)

    def _read_remote(self, name: str, **part: int) -> bytes:
        from botocore.exceptions import BotoCoreError

        try:
            return bytes(self._fs.cat_file(self._name(name), **part))
        except BotoCoreError as error:
            raise DataError(f"{self.url}: {error}; check credentials, region and address of the storage") from error

    def sizes(self, folder: str = "") -> dict[str, int]:
        """Return name and size in bytes of every file below ``folder``, names relative to this storage and sorted."""
        root = self._name(folder).rstrip("/")
        if self.is_local:
            files = (p for p in Path(root).rglob("*") if p.is_file())
            return dict(sorted((str(p.relative_to(self.path)), p.stat().st_size) for p in files))
        bare = self._fs._strip_protocol(self.url)
        return dict(sorted((n[len(bare) + 1 :], int(f["size"])) for n, f in self._fs.find(root, detail=True).items()))

    def names(self, folder: str = "") -> list[str]:
        """Return the names of all files below ``folder``, relative to this storage, sorted."""
        return list(self.sizes(folder))

    def local(self, name: str, scratch: Path) -> Path:
        """Return a path on this machine with the file's content; a remote file is brought into ``scratch``."""
        if self.is_local:
            return self.path / name
        target = scratch / name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            self._fs.get_file(self._name(name), str(target))
        return target

    def write(self, name: str, content: bytes) -> None:
        """Write a file so that it is there whole or not at all."""
        if not self.is_local:
            self._fs.pipe_file(self._name(name), content)
            return
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.{os.getpid()}.part")
        with open(partial, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
        sync_folder(target.parent)

    def put_folder(self, folder: Path, name: str, sidecar: str) -> None:
        """Make the files of a local folder this storage's ``name``; ``sidecar``, one of them, comes last."""
        files = sorted(p for p in folder.iterdir() if p.is_file())
        if not self.is_local:
            for file in sorted(files, key=lambda p: p.name == sidecar):
                self._fs.put_file(str(file), self._name(f"{name}/{file.name}"))
            return
        for file in files:
            sync_file(file)
        sync_folder(folder)
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            shutil.rmtree(target)
        folder.rename(target)
        sync_folder(target.parent)

    def put_file(self, file: Path, name: str) -> None:
        """Make a local file this storage's ``name``: renamed where it can be, else uploaded."""
        if not self.is_local:
            self._fs.put_file(str(file), self._name(name))
            return
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        sync_file(file)
        try:
            file.replace(target)
        except OSError:  # another file system
            partial = target.with_name(f".{target.name}.{os.getpid()}.part")
            shutil.copyfile(file, partial)
            sync_file(partial)
            partial.replace(target)
            file.unlink()
        sync_folder(target.parent)

    def clear_scratch(self) -> None:
        """Remove what builds left unfinished on local storage; only the one build that works there may ask for it."""
        if self.is_local:
            shutil.rmtree(self.path / SCRATCH, ignore_errors=True)

    def delete(self, name: str) -> None:
        """Remove a file or a folder with all below it, if it is there; ``name`` must lie inside this storage."""
        if not name or name.startswith("/") or ".." in Path(name).parts:
            raise DataError(f"{name!r} does not lie in {self.url}: nothing was deleted")
        if not self.is_local:
            if self._fs.exists(self._name(name)):
                self._fs.rm(self._name(name), recursive=True)
            return
        target = self.path / name
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Hold a local folder for one build, and clear what killed ones left in scratch; raises ``RequestError`` if held."""
        if not self.is_local:
            yield
            return
        self.path.mkdir(parents=True, exist_ok=True)
        with open(self.path / ".pile-claim", "w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RequestError(
                    f"another build works in {self.url}: wait for it, or choose another --work"
                ) from None
            self.clear_scratch()
            yield

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Give a private folder on this machine, on the same file system where storage is local; removed at the end."""
        parent = self.path / SCRATCH if self.is_local else Path(tempfile.gettempdir())
        try:
            parent.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(prefix="pile-", dir=parent))
        except OSError as error:
            raise DataError(
                f"cannot write in {parent}: {error.strerror or error}; make room or choose another folder"
            ) from error
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def sync_file(path: Path) -> None:
    """Bring a file's content to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Bring a folder's entries (a rename, say) to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
