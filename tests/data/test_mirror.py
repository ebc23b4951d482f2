"""The tiny upstream is what its originals make, and is sound in its upstreams' own terms."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import json
import re
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from warcio.archiveiterator import ArchiveIterator

DATA = Path(__file__).parent
MIRROR = DATA / "mirror"


@pytest.mark.skipif(
    "ng" in zlib.ZLIB_RUNTIME_VERSION, reason="the mirror was packed by zlib; zlib-ng gives other bytes"
)
def test_the_mirror_is_what_the_originals_make() -> None:
    check = subprocess.run([sys.executable, DATA / "make_mirror.py", "--check"], capture_output=True, text=True)
    assert check.returncode == 0, check.stderr


def members(content: bytes) -> Iterator[bytes]:
    """Yield the gzip members of a file, each still compressed."""
    while content:
        inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        inflate.decompress(content)
        assert inflate.eof
        yield content[: len(content) - len(inflate.unused_data)]
        content = inflate.unused_data


@pytest.mark.parametrize("path", sorted(MIRROR.rglob("*.warc.gz")), ids=lambda path: path.stem[-10:-5])
def test_every_gzip_member_is_one_record_whose_digests_agree_save_the_one_that_is_garbled(path: Path) -> None:
    kinds = []
    for member in members(path.read_bytes()):
        if not gzip.decompress(member).startswith(b"WARC/"):
            kinds.append("response")
            continue
        for record in ArchiveIterator(io.BytesIO(member), check_digests="raise"):
            record.content_stream().read()
            kinds.append(record.rec_type)
    assert kinds == ["warcinfo"] + ["request", "response", "metadata"] * (len(kinds) // 3)


def test_dumpstatus_has_the_right_sums_and_the_index_points_at_whole_streams() -> None:
    [status] = MIRROR.rglob("dumpstatus.json")
    files = json.loads(status.read_text())["jobs"]["articlesmultistreamdump"]["files"]
    for name, facts in files.items():
        content = (status.parent / name).read_bytes()
        assert (facts["size"], facts["sha1"]) == (len(content), hashlib.sha1(content).hexdigest())
    [dump, index] = [(status.parent / name).read_bytes() for name in files]
    lines = [line.split(":", 2) for line in bz2.decompress(index).decode().splitlines()]
    for offset, _, title in lines:
        stream = bz2.BZ2Decompressor().decompress(dump[int(offset) :]).decode()
        assert f"<title>{title}</title>" in stream
    assert len(ElementTree.fromstring(bz2.decompress(dump)).findall("{*}page")) == len(lines) == 15


def test_pubmed_files_have_their_md5_beside_them_and_stand_in_the_index() -> None:
    files = sorted(MIRROR.rglob("pubmed*.xml.gz"))
    index = (files[0].parent / "index.html").read_text()
    for path in files:
        stated = re.search(r"= ([0-9a-f]{32})$", path.with_name(f"{path.name}.md5").read_text().strip())
        assert stated and stated[1] == hashlib.md5(path.read_bytes()).hexdigest()
        assert f'href="{path.name}"' in index
