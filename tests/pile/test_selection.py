"""A build of pages that an index names: the same bytes however they came, and no page that is not accounted for."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
import zstandard

from pile import lock
from pile.errors import DataError
from pile.executor import LocalExecutor
from pile.fetch import Upstream
from pile.recipe import load
from tests.tiny_crawl import COLLINFO, CRAWL, FOLDER, Page, Place, cdx_line, response, write

HOSTS = ("www.tides.example", "tides.example", "deep.harbour.example", "harbour.example", "islands.example")
ARCHIVES = {
    f"CC-MAIN-0000{number}.warc.gz": [Page(f"https://{host}/{number}/{page}") for page in range(3) for host in HOSTS]
    for number in range(2)
}


@pytest.fixture
def places(tmp_path: Path) -> list[Place]:
    return write(tmp_path / "mirror", ARCHIVES)


def serve(server, mirror: Path) -> str:
    """Let the loopback server have what a mirror's folder has."""
    for path in mirror.rglob("*"):
        if path.is_file():
            server.files[f"/{path.relative_to(mirror)}"] = path.read_bytes()
    return server.url


def recipe(options: str, **table: str) -> str:
    more = "".join(f"{key} = {value}\n" for key, value in table.items())
    return (
        f'name = "chosen"\nseed = 1\n[output]\nshards = 2\n[sources.web]\nuse = "common_crawl"\n'
        f'options = {{ crawl = "{CRAWL}", {options} }}\n{more}'
    )


CHOSEN = 'domains = ["tides.example", "deep.harbour.example"]'


def documents(folder: Path) -> dict[str, dict[str, str]]:
    lines: list[dict[str, dict[str, str]]] = []
    for shard in sorted(folder.rglob("train/*.zst")):
        with zstandard.open(shard, "rt", encoding="utf-8") as file:
            lines += [json.loads(line) for line in file]
    return {line["meta"]["url"]: line for line in lines}


def test_chosen_pages_are_those_of_the_whole_archives(places, tmp_path, build):
    for name, options in (("whole", "files = 2"), ("chosen", CHOSEN)):
        build(recipe(options), out=tmp_path / name, work=tmp_path / f"work-{name}", mirror=tmp_path / "mirror")
        (tmp_path / "recipe.lock.json").unlink()
    whole, chosen = documents(tmp_path / "whole"), documents(tmp_path / "chosen")
    assert len(whole) == 30
    assert chosen == {url: line for url, line in whole.items() if "tides.example" in url or "deep." in url}


def test_the_same_bytes_from_a_folder_and_over_http_with_one_worker_and_two(
    server, places, tmp_path, build, build_into
):
    mirror = tmp_path / "mirror"
    build(recipe(CHOSEN), mirror=mirror)
    lock, sums = (tmp_path / "recipe.lock.json").read_bytes(), (tmp_path / "out/SHA256SUMS").read_bytes()
    serve(server, mirror)
    archive = f"/data.commoncrawl.org/{FOLDER}/CC-MAIN-00000.warc.gz"
    server.fail(archive, server.status(503, Retry_After="0"), server.short(100))
    server.fail(archive.replace("00000", "00001"), server.serving(ranged=False))
    (tmp_path / "recipe.lock.json").unlink()
    with LocalExecutor(1) as one:
        build(recipe(CHOSEN), one, out=tmp_path / "one", work=tmp_path / "work-one", mirror=server.url)
    assert (tmp_path / "one/SHA256SUMS").read_bytes() == sums
    assert (tmp_path / "recipe.lock.json").read_bytes() == lock
    asked = [fields.get("Range", "") for fields in server.asked(archive)]
    assert len(asked) == 3 and all(asked), "near pages come with one request"
    # The lock alone says what is fetched: no index is asked again.
    server.files = {path: body for path, body in server.files.items() if "index" not in path}
    build(recipe(CHOSEN), out=tmp_path / "two", work=tmp_path / "work-two", mirror=server.url)
    assert (tmp_path / "two/SHA256SUMS").read_bytes() == sums


def test_the_cdx_api_and_the_columnar_index_choose_the_same_inputs(server, places, tmp_path, build):
    build(recipe(CHOSEN), mirror=tmp_path / "mirror")
    lock = json.loads((tmp_path / "recipe.lock.json").read_bytes())
    serve(server, tmp_path / "mirror")
    fields = "url,filename,offset,length,status,mime,mime-detected,languages"
    for domain in ("tides.example", "deep.harbour.example"):
        query = f"/index.commoncrawl.org/{CRAWL}-index?url=*.{domain}&output=json&fl={fields}&filter==status:200"
        found = [one for one in places if domain in one.page.url]
        server.files[f"{query}&showNumPages=true"] = b'{"pages": 3, "pageSize": 5, "blocks": 11}'
        server.files[f"{query}&page=0"] = b"".join(map(cdx_line, found[:4]))
        server.files[f"{query}&page=2"] = b"".join(map(cdx_line, found[4:]))  # and page 1 is a 404
    (tmp_path / "recipe.lock.json").unlink()
    build(recipe(f'{CHOSEN}, index = "cdx"'), out=tmp_path / "cdx", mirror=server.url)
    assert (
        json.loads((tmp_path / "recipe.lock.json").read_bytes())["sources"]["web"]["inputs"]
        == lock["sources"]["web"]["inputs"]
    )


def test_a_page_that_is_another_than_the_index_says_is_a_counted_drop(places, tmp_path, build):
    path = tmp_path / "mirror/data.commoncrawl.org" / places[0].file
    content = path.read_bytes()
    first, second = places[:2]  # www.tides.example, tides.example
    moved = response(Page("https://www.tides.example/0/x"))
    end = second.offset + second.length
    broken = bytearray(content[second.offset : end])
    broken[len(broken) // 2] ^= 0xFF
    changed = (
        content[: first.offset] + moved + content[first.offset + len(moved) : second.offset] + broken + content[end:]
    )
    assert len(moved) == first.length and len(changed) == len(content)
    path.write_bytes(changed)
    built, _ = build(recipe(CHOSEN), mirror=tmp_path / "mirror")
    funnel = built.manifest.sources["web"].funnel["extract"]
    assert (funnel["in"], funnel["out"]) == (18, 16)
    assert funnel["drops"] == {"index_mismatch": 1, "malformed_record": 1}


def test_an_archive_that_has_become_shorter_stops_the_build_by_name(places, tmp_path, build):
    path = tmp_path / "mirror/data.commoncrawl.org" / places[0].file
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(
        DataError, match=r"CC-MAIN-00000\.warc\.gz .*it has 2000 bytes, but the lock names parts up to byte"
    ):
        build(recipe(CHOSEN), mirror=tmp_path / "mirror")


def test_a_block_stops_the_build_and_is_not_asked_about_again(server, places, tmp_path, build):
    serve(server, tmp_path / "mirror")
    for number in range(2):
        server.fail(f"/data.commoncrawl.org/{FOLDER}/CC-MAIN-0000{number}.warc.gz", server.status(403, b"blocked"))
    with pytest.raises(DataError, match="403"):
        build(recipe(CHOSEN), mirror=server.url)


def test_a_changed_selection_fetches_other_bytes_and_the_same_one_none(places, tmp_path, build):
    mirror = tmp_path / "mirror"
    build(recipe(CHOSEN), mirror=mirror)
    _, again = build(recipe(CHOSEN), mirror=mirror)
    assert (again.stages["fetch"].done, again.stages["fetch"].reused) == (0, 1)
    (tmp_path / "recipe.lock.json").unlink()
    built, other = build(recipe('domains = ["islands.example"]'), mirror=mirror)
    assert other.stages["fetch"].done == 1
    assert {url.split("/")[2] for url in documents(tmp_path / "out")} == {"islands.example"}
    assert built.manifest.sources["web"].documents == 6


def test_a_list_of_domains_is_pinned_and_a_changed_one_is_seen(places, tmp_path, build):
    listed = tmp_path / "mine.txt"
    listed.write_text("# my harbours\nTides.example\n\ndeep.harbour.example  # only this host\n")
    text = recipe('domain_list = "mine.txt"')
    built, _ = build(text, mirror=tmp_path / "mirror")
    assert built.manifest.sources["web"].documents == 18
    lock = json.loads((tmp_path / "recipe.lock.json").read_bytes())["sources"]["web"]
    assert lock["inputs"][0]["url"] == "mine.txt" and lock["inputs"][0]["checksum"].startswith("sha256:")
    listed.write_text("islands.example\n")
    with pytest.raises(DataError, match=r"mine\.txt.*restore the file, or lock again"):
        build(text, mirror=tmp_path / "mirror")


def test_wet_and_news_are_formats_of_the_same_source(tmp_path, build):
    texts = ["\n".join([f"The tide table gives the hour and the height for port {n}."] * 20).encode() for n in range(4)]
    data = tmp_path / "mirror/data.commoncrawl.org/crawl-data"
    wet = b"".join(
        [
            gzip.compress(
                b"WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: https://tides.example/%d\r\n"
                b"WARC-Date: 2026-07-10T07:05:34Z\r\nWARC-Record-ID: <urn:uuid:%d>\r\nContent-Length: %d\r\n\r\n"
                % (n, n, len(text))
                + text
                + b"\r\n\r\n"
            )
            for n, text in enumerate(texts)
        ]
    )
    news = Page("https://paper.example/today")
    zipped = response(news, gzip.compress(news.html), Content_Encoding="gzip")
    files = {
        f"{CRAWL}/wet.paths.gz": gzip.compress(b"crawl-data/a.warc.wet.gz\n"),
        "a.warc.wet.gz": wet,
        "CC-NEWS/2026/08/warc.paths.gz": gzip.compress(b"crawl-data/CC-NEWS/2026/08/n.warc.gz\n"),
        "CC-NEWS/2026/08/n.warc.gz": zipped,
    }
    for name, content in files.items():
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_bytes(content)
    (tmp_path / "mirror/index.commoncrawl.org").mkdir()
    (tmp_path / "mirror/index.commoncrawl.org/collinfo.json").write_bytes(COLLINFO)
    (data / "CC-NEWS/2026/07").mkdir()
    (data / "CC-NEWS/2026/07/warc.paths.gz").write_bytes(gzip.compress(b"crawl-data/old.warc.gz\n"))
    both = (
        'name = "both"\n[output]\nshards = 1\n'
        '[sources.wet]\nuse = "common_crawl"\noptions = { format = "wet" }\n'
        '[sources.news]\nuse = "common_crawl"\noptions = { crawl = "CC-NEWS-latest" }\n'
    )
    built, _ = build(both, mirror=tmp_path / "mirror")
    assert built.manifest.sources["wet"].documents == 4
    assert built.manifest.sources["wet"].pinned["format"] == "wet"
    assert built.manifest.sources["wet"].pinned["crawl"] == CRAWL
    assert built.manifest.sources["news"].pinned["crawl"] == "CC-NEWS-2026-08"
    assert "High water of the harbour" in documents(tmp_path / "out")["https://paper.example/today"]["text"]


PLUGIN = """
import msgspec
from pile.document import Document, Input, Pin, Record

class Slice(msgspec.Struct, frozen=True):
    start: int
    version = 1
    libraries = ()
    choosing = frozenset({"start"})
    def pin(self, upstream):
        return Pin({"start": self.start}, [Input("https://slices.example/#always", 8, ranges=[f"a.txt {self.start}+8"])])
    def records(self, input, path):
        yield Record("one", path.read_text())
    def parse(self, record):
        return Document(id=record.name, text=record.data)
"""


def test_the_ranges_decide_what_is_fetched_whatever_the_input_is_called(test_plugins, tmp_path, build):
    (test_plugins / "slices_for_tests.py").write_text(PLUGIN)
    (tmp_path / "mirror/slices.example").mkdir(parents=True)
    (tmp_path / "mirror/slices.example/a.txt").write_text("the moonand the sea")
    text = 'name = "slices"\n[output]\nshards = 1\n[sources.one]\nuse = "slices_for_tests:Slice"\noptions = {{ start = {} }}\n'
    for start, words in ((0, "the moon"), (8, "and the"), (0, "the moon")):
        path = tmp_path / "recipe.toml"
        path.write_text(text.format(start))
        recipe = load(path)
        with Upstream(mirror=str(tmp_path / "mirror")) as upstream:
            lock.write(recipe, lock.make(recipe, upstream, lock.read(recipe)))
        build(path, mirror=tmp_path / "mirror")
        with zstandard.open(tmp_path / "out/train/00.jsonl.zst", "rt") as file:
            assert json.loads(file.read())["text"] == words
