"""Packs the originals in ``upstream/`` into ``mirror/``, laid out and compressed as the real upstreams serve them.

    python tests/data/make_mirror.py            write mirror/ anew
    python tests/data/make_mirror.py --check    exit 1, naming the files, when mirror/ is not what upstream/ makes

The bytes are the same on every run: no clock, no owner, no locale goes in. They do depend on the deflate library:
classic zlib wrote the mirror that is checked in; another one (zlib-ng) packs the same content into other bytes.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import zlib
from pathlib import Path

import pack_papers
import pack_web
import pack_wiki
from packing import Files

MIRROR = Path(__file__).parent / "mirror"


def main(arguments: list[str]) -> int:
    """Write the mirror, or with ``--check`` compare it; returns the exit status."""
    if arguments not in ([], ["--check"]):
        print(f"make_mirror.py: unknown arguments {' '.join(arguments)!r}: give none, or --check", file=sys.stderr)
        return 2
    if arguments:
        return _check()
    shutil.rmtree(MIRROR, ignore_errors=True)
    print(f"{write(MIRROR):,} bytes in {MIRROR}")
    return 0


def write(folder: Path) -> int:
    """Write every file of the mirror below ``folder``; returns their size in bytes."""
    files: Files = pack_web.pack() | pack_wiki.pack() | pack_papers.pack_pubmed() | pack_papers.pack_arxiv()
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return sum(len(content) for content in files.values())


def _check() -> int:
    """Return 1 and name the files when the mirror differs from what the originals make now."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        fresh, stored = _tree(Path(folder)), _tree(MIRROR)
    differing = sorted(name for name in fresh.keys() | stored.keys() if fresh.get(name) != stored.get(name))
    for name in differing:
        print(f"mirror/{name} is not what upstream/ makes: run python tests/data/make_mirror.py", file=sys.stderr)
    if differing and "ng" in zlib.ZLIB_RUNTIME_VERSION:
        print(f"this Python's zlib is {zlib.ZLIB_RUNTIME_VERSION}: expect other bytes than zlib's", file=sys.stderr)
    return 1 if differing else 0


def _tree(folder: Path) -> Files:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
