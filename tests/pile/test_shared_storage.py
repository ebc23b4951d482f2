"""Work and output on shared storage: the same bytes as on a local disk, and a build that resumes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import botocore.session
import pytest
from moto.server import ThreadedMotoServer

from pile.corpus import Corpus
from pile.errors import CorpusError
from pile.executor import LocalExecutor
from pile.storage import Storage
from pile.verify import verify

RECIPE = """
name = "toy"
[output]
shards = 2
splits = { test = 0.1 }
[sources.one]
use = "local"
options = { paths = ["one.jsonl"] }
[sources.two]
use = "local"
options = { paths = ["two.jsonl"] }
[dedup]
"""


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An S3 bucket on the loopback, and an environment that leads every process to it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    botocore.session.Session().create_client("s3").create_bucket(Bucket="lab")
    yield "s3://lab"
    server.stop()


def test_a_build_on_shared_storage_gives_the_bytes_of_a_local_one(tmp_path: Path, build, bucket: str) -> None:  # type: ignore[no-untyped-def]
    for name, start in (("one", 0), ("two", 40)):
        lines = [
            json.dumps({"id": n, "text": f"document {n} says {n * n} and more " * 9}) for n in range(start, start + 60)
        ]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))
    local, _ = build(RECIPE)
    with LocalExecutor(2) as executor:
        shared, _ = build(RECIPE, executor=executor, out=f"{bucket}/corpora/toy", work=f"{bucket}/work")
        again, progress = build(RECIPE, executor=executor, out=f"{bucket}/corpora/toy", work=f"{bucket}/work")
    assert shared.manifest == local.manifest
    assert (again.fresh, progress.done) == (False, 0)
    corpus = Storage(f"{bucket}/corpora/toy")
    assert verify(corpus).intact
    here, there = Corpus(str(tmp_path / "out")), Corpus(f"{bucket}/corpora/toy")
    assert list(there) == list(here)
    assert there[0] == here[0]
    assert corpus.read("SHA256SUMS") == (tmp_path / "out" / "SHA256SUMS").read_bytes()
    corpus.write("train/00.jsonl.zst", b"overwritten")
    assert [fault.file for fault in verify(corpus).faults] == ["train/00.jsonl.zst"]
    corpus.delete("train/01.jsonl.zst")
    with pytest.raises(CorpusError, match=r"train/01\.jsonl\.zst is missing"):
        there[len(there) // 2 + 1]
    corpus.delete("frames.npy")
    with pytest.raises(CorpusError, match=r"no frames\.npy in s3://"):
        Corpus(f"{bucket}/corpora/toy")


def test_a_folder_in_use_by_another_build_is_refused(tmp_path: Path, build) -> None:  # type: ignore[no-untyped-def]
    from pile.errors import RequestError

    (tmp_path / "one.jsonl").write_text('{"text": "a"}\n')
    with Storage(str(tmp_path / "work")).claimed(), pytest.raises(RequestError, match="another build"):
        build('name = "toy"\n[sources.one]\nuse = "local"\noptions = { paths = ["one.jsonl"] }\n')
