"""A fetched batch of chosen pages: each member is the page that the index names, or a drop that says what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from pile.document import Drop, Record
from pile.errors import DamagedInputError
from pile.fetch import Upstream
from sources import crawl_index
from sources.common_crawl import CommonCrawl
from sources.members import members
from sources.records import begins
from sources.warc import capture, read
from tests.tiny_crawl import CRAWL, FOLDER, PAGES, record, response


def batch(tmp_path: Path, *members: tuple[str, bytes]) -> list[Record | Drop]:
    """Read a batch whose index names these addresses where these bytes are."""
    pages, at = [], 0
    for url, content in members:
        pages.append(crawl_index.Page(url, f"{FOLDER}/a.warc.gz", at, len(content)))
        at += len(content)
    (input,) = crawl_index.batches(pages, CRAWL)
    path = tmp_path / "parts"
    path.write_bytes(b"".join(content for _, content in members))
    return list(CommonCrawl(crawl=CRAWL).records(input, path))


GOOD = PAGES[0]


@pytest.mark.parametrize(
    ("content", "reason", "detail"),
    [
        (response(PAGES[1]), "index_mismatch", "the record is of https://alps.example/2, the index names another page"),
        (record("request", GOOD.url, b"GET / HTTP/1.1\r\n\r\n"), "index_mismatch", "no response is there"),
        (b"", "index_mismatch", ""),
        (response(GOOD)[:-9], "malformed_record", "ends inside of a gzip member"),
        (response(GOOD)[:-8] + bytes(8), "malformed_record", "gzip"),
        (response(GOOD)[7:], "malformed_record", "gzip"),
        (b"<html>Access denied</html>", "malformed_record", "gzip"),
    ],
)
def test_a_member_that_is_not_the_page_of_the_index_says_nothing_of_the_others(
    tmp_path: Path, content: bytes, reason: str, detail: str
) -> None:
    content = content or record("metadata", GOOD.url, b"fetchTimeMs: 1\r\n")
    items = batch(tmp_path, (PAGES[8].url, response(PAGES[8])), (GOOD.url, content), (PAGES[9].url, response(PAGES[9])))
    assert [item.data.capture.url for item in items if isinstance(item, Record)] == [PAGES[8].url, PAGES[9].url]
    (drop,) = (item for item in items if isinstance(item, Drop))
    assert drop.reason == reason
    assert (
        drop.detail.startswith(f"a.warc.gz:{len(response(PAGES[8]))}: {len(content)} bytes: ") and detail in drop.detail
    )


def test_a_batch_that_is_cut_is_damaged_after_its_last_page(tmp_path: Path) -> None:
    pages = [
        crawl_index.Page(page.url, f"{FOLDER}/a.warc.gz", n * 9999, len(response(page)))
        for n, page in enumerate(PAGES[:2])
    ]
    (input,) = crawl_index.batches(pages, CRAWL)
    path = tmp_path / "parts"
    path.write_bytes(response(PAGES[0]) + response(PAGES[1])[:-1])
    items = CommonCrawl(crawl=CRAWL).records(input, path)
    assert isinstance(next(items), Record)
    with pytest.raises(DamagedInputError, match="ends before its pages do"):
        next(items)


def test_pages_of_a_real_crawl_are_the_same_ones_by_one(shared: Path, tmp_path: Path) -> None:
    whole, pages = {}, []
    for path in sorted((shared / "mirror/data.commoncrawl.org" / f"crawl-data/{CRAWL}").rglob("*.warc.gz"))[:1]:
        file = str(path.relative_to(shared / "mirror/data.commoncrawl.org"))
        found = [(one.offset, list(read([one], path.name, capture))) for one in members(path, begins)]
        for (offset, items), end in zip(found, [*(at for at, _ in found[1:]), path.stat().st_size], strict=True):
            whole |= {item.id: item for item in items}
            pages += [crawl_index.Page(item.url, file, offset, end - offset) for item in items]
    assert len(whole) > 500
    chosen = pages[::3]
    fetched = {}
    with Upstream(mirror=str(shared / "mirror")) as upstream:
        for number, input in enumerate(crawl_index.batches(chosen, CRAWL)):
            got = upstream.download(input, tmp_path / str(number))
            for record in CommonCrawl(crawl=CRAWL).records(input, Path(got.path)):
                assert isinstance(record, Record) or whole[record.id].url == record.url, record
                fetched[record.name if isinstance(record, Record) else record.id] = record
    assert len(fetched) == len(chosen)
    read_on = {name: record.data.capture for name, record in fetched.items() if isinstance(record, Record)}
    assert len(read_on) > len(chosen) / 2
    assert all(one.response == whole[name].response and one.url == whole[name].url for name, one in read_on.items())
