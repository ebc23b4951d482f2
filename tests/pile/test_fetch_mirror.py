"""Every upstream can be read from a mirror, and a person's own files are read where they are."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pile.document import Input
from pile.errors import ChecksumError, FetchError, NotTheFileError, RecipeError, RequestError

BODY = b"some words of a file\n" * 50


def put(path: Path, body: bytes = BODY) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return path


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://data.example.org/a/b.txt", "data.example.org/a/b.txt"),
        ("http://Data.Example.org:8080/b.txt", "data.example.org:8080/b.txt"),
        ("https://data.example.org/a%20b/c%2Bd.txt", "data.example.org/a b/c+d.txt"),
        ("https://data.example.org/list?page=2", "data.example.org/list?page=2"),
        ("https://data.example.org/a/b.txt#part", "data.example.org/a/b.txt"),
        ("https://data.example.org/pub/", "data.example.org/pub/index.html"),
        ("https://data.example.org", "data.example.org/index.html"),
        ("s3://bucket/src/a%20b.txt", "bucket/src/a%20b.txt"),
        ("s3://bucket/src/", "bucket/src/index.html"),
    ],
)
def test_a_folder_holds_every_upstream_under_its_host_and_is_used_in_place(make_upstream, tmp_path, url, place):
    path = put(tmp_path / "mirror" / place)
    upstream = make_upstream(mirror=str(tmp_path / "mirror"))
    assert upstream.read(url) == BODY
    assert upstream.size(url) == len(BODY)
    got = upstream.download(Input(url, len(BODY)), tmp_path / "folder")
    assert (got.path, got.sha256) == (str(path), hashlib.sha256(BODY).hexdigest())
    assert not (tmp_path / "folder").exists()


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://data.example.org/a%20b/c.txt", "data.example.org/a%20b/c.txt"),
        ("https://data.example.org/list?page=2", "data.example.org/list?page=2"),
        ("https://data.example.org/pub/", "data.example.org/pub/index.html"),
        ("s3://bucket/src/a b.txt", "bucket/src/a%20b.txt"),
    ],
)
@pytest.mark.parametrize("slash", ["", "/"])
def test_an_http_mirror_holds_every_upstream_under_its_host(server, make_upstream, tmp_path, url, place, slash):
    server.files[f"/lab/{place}"] = BODY
    upstream = make_upstream(mirror=f"{server.url}/lab{slash}")
    assert upstream.read(url) == BODY
    assert upstream.size(url) == len(BODY)
    got = upstream.download(Input(url), tmp_path)
    assert Path(got.path).read_bytes() == BODY


def test_what_a_mirror_lacks_is_named_with_the_upstream_and_the_place(server, make_upstream, tmp_path, clear):
    url = "https://data.example.org/a/b.txt"
    (tmp_path / "mirror" / "data.example.org" / "a" / "b.txt").mkdir(parents=True)
    for action in ("read", "size"):
        with pytest.raises(FetchError) as caught:
            getattr(make_upstream(mirror=str(tmp_path / "mirror")), action)(url)
        clear(caught.value, url, str(tmp_path / "mirror/data.example.org/a/b.txt"), "without --mirror")
    with pytest.raises(FetchError) as caught:
        make_upstream(mirror=server.url).read(url)
    clear(caught.value, url, f"{server.url}/data.example.org/a/b.txt", "404")


@pytest.mark.parametrize(
    "url",
    [
        "https://data.example.org/../../secret.txt",
        "https://data.example.org/a/%2e%2e/%2e%2e/secret.txt",
        "https://data.example.org/..%2f..%2fsecret.txt",
        "https://../secret.txt",
        "s3://../secret.txt",
        "s3://bucket/../../secret.txt",
        "https:///secret.txt",
        "https://data.example.org/secret.txt%00",
    ],
)
def test_nothing_outside_a_mirror_can_be_named(server, make_upstream, tmp_path, url, clear):
    put(tmp_path / "secret.txt")
    put(tmp_path / "mirror" / "data.example.org" / "a" / "b.txt")
    for mirror in (str(tmp_path / "mirror"), server.url):
        with pytest.raises(FetchError) as caught:
            make_upstream(mirror=mirror).read(url)
        clear(caught.value, url)
    assert server.requests == []


@pytest.mark.parametrize("mirror", ["nowhere", "s3://bucket/mirror"])
def test_a_mirror_that_is_not_there_is_a_wrong_request(make_upstream, mirror, clear):
    with pytest.raises(RequestError) as caught:
        make_upstream(mirror=mirror)
    clear(caught.value, f"--mirror {mirror}", "folder")


def test_own_files_are_used_in_place_and_verified(make_upstream, tmp_path, clear):
    path = put(tmp_path / "own" / "a.jsonl")
    counted: list[int] = []
    upstream = make_upstream(base=tmp_path, mirror=str(tmp_path), progress=counted.append)
    for name in ("own/a.jsonl", str(path)):
        got = upstream.download(Input(name, checksum="md5:" + hashlib.md5(BODY).hexdigest()), tmp_path / "folder")
        assert (Path(got.path), got.size) == (path, len(BODY))
    assert sum(counted) == 2 * len(BODY)
    assert upstream.read("own/a.jsonl") == BODY
    for wrong in ({"size": 3}, {"checksum": "sha256:" + "0" * 64}):
        with pytest.raises(ChecksumError) as caught:
            upstream.download(Input("own/a.jsonl", **wrong), tmp_path / "folder")
        clear(caught.value, "own/a.jsonl", str(path), "pinned")
        assert "pinned" in upstream.download(Input("own/a.jsonl", **wrong), tmp_path / "folder", "keep").damage
    with pytest.raises(FetchError) as caught:
        upstream.download(Input("own/b.jsonl"), tmp_path / "folder")
    clear(caught.value, "own/b.jsonl", str(tmp_path))


def test_a_local_file_that_is_not_what_its_name_says_is_refused(make_upstream, tmp_path):
    put(tmp_path / "a.jsonl.gz", b"<html>moved</html>")
    with pytest.raises(NotTheFileError, match="moved"):
        make_upstream(base=tmp_path).download(Input("a.jsonl.gz"), tmp_path / "folder")


@pytest.mark.parametrize("checksum", ["crc32:00", "md5:", "abc"])
def test_a_checksum_of_unknown_kind_is_refused(make_upstream, tmp_path, checksum):
    put(tmp_path / "a.txt")
    with pytest.raises(ChecksumError, match="pinned checksum"):
        make_upstream(base=tmp_path).download(Input("a.txt", checksum=checksum), tmp_path)


def test_own_files_are_found_by_patterns_sorted_and_once(make_upstream, tmp_path):
    for name in ("b.jsonl", "a.jsonl", "deep/er/c.jsonl", "odd[1].jsonl", "other.txt"):
        put(tmp_path / "own" / name)
    upstream = make_upstream(base=tmp_path / "own")
    everything = ["a.jsonl", "b.jsonl", "deep/er/c.jsonl", "odd[1].jsonl"]
    assert upstream.find(["**/*.jsonl", "b.jsonl"]) == everything
    assert upstream.find(["odd[1].jsonl"]) == ["odd[1].jsonl"]
    assert upstream.find(["../own/o*.txt"]) == ["../own/other.txt"]
    assert upstream.find([str(tmp_path / "own" / "[ab].jsonl")]) == [str(tmp_path / f"own/{x}.jsonl") for x in "ab"]


@pytest.mark.parametrize("pattern", ["*.parquet", "deep", "missing.jsonl"])
def test_a_pattern_without_files_is_an_error_of_the_recipe(make_upstream, tmp_path, pattern, clear):
    put(tmp_path / "deep" / "a.jsonl")
    with pytest.raises(RecipeError) as caught:
        make_upstream(base=tmp_path).find(["deep/*.jsonl", pattern])
    clear(caught.value, repr(pattern), str(tmp_path))
