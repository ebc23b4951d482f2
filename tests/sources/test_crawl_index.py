"""Pages that are chosen from an index: which ones, in what batches, and what is said where an index cannot be used."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pile import ranges
from pile.document import Input, Record
from pile.errors import FetchError, NoSuchFileError, RecipeError
from pile.fetch import Upstream
from sources import crawl_index
from sources.common_crawl import CommonCrawl
from sources.crawl_lists import ROOT
from tests.tiny_crawl import CRAWL, FOLDER, PAGES, TABLE, Page, Place, parquet, write


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("crawl")
    write(folder, {"CC-MAIN-00000.warc.gz": PAGES[::2], "CC-MAIN-00001.warc.gz": PAGES[1::2]})
    return folder


def chosen(mirror: Path, **options: Any) -> list[str]:
    """Return the last parts of the addresses that the ranges of the pinned inputs hold."""
    with Upstream(mirror=str(mirror)) as upstream:
        pin = CommonCrawl(crawl=CRAWL, **options).pin(upstream)
        assert msgspec.convert(pin.options, CommonCrawl).pin(upstream) == pin
    found = []
    for input in pin.inputs:
        assert input.size == sum(one.length for one in ranges.read(input))
        for one in ranges.read(input):
            file = mirror / one.url.removeprefix("https://")
            content = file.read_bytes()[one.offset : one.end]
            path = mirror / "part"
            path.write_bytes(content)
            (item,) = CommonCrawl(crawl=CRAWL).records(Input(one.url), path)
            url = item.data.capture.url if isinstance(item, Record) else item.url  # a gate may stop what is no page
            found.append(url.rpartition("/")[2])
    return sorted(found, key=lambda name: int(name.partition(".")[0]))


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"domains": ("alps.example",)}, ["1", "2", "3", "6"]),
        ({"domains": ("www.alps.example", "sea.example")}, ["6", "8", "9"]),
        ({"domains": ("deep.sea.example",)}, ["8"]),
        ({"domains": ("alps.example", "www.alps.example")}, ["1", "2", "3", "6"]),
        ({"index_languages": ("deu",)}, ["2", "6", "8"]),
        ({"index_languages": ("deu",), "domains": ("alps.example",)}, ["2", "6"]),
        ({"mime": ("application/pdf",)}, ["5.pdf"]),
        ({"mime": ("text/html",)}, ["1", "2", "3", "7", "8", "9", "10"]),
        ({"domains": ("alps.example",), "pages": 2}, ["1", "2"]),
    ],
)
def test_the_columnar_index_gives_the_pages_that_are_asked_for(
    mirror: Path, options: dict[str, Any], names: list[str]
) -> None:
    assert chosen(mirror, **options) == names


class Counting:
    """A folder as the upstream, with the bytes that were asked of it."""

    def __init__(self, mirror: Path) -> None:
        self._upstream = Upstream(mirror=str(mirror))
        self.asked: list[tuple[str, int]] = []

    def read_range(self, url: str, offset: int, length: int) -> bytes:
        self.asked.append((url.rpartition("/")[2], length))
        return self._upstream.read_range(url, offset, length)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._upstream, name)


def test_only_row_groups_that_can_hold_a_domain_are_read(tmp_path: Path) -> None:
    pages = [Page(f"https://host{number:05d}.example/{part}") for number in range(5000) for part in "ab"]
    places = [Place(page, f"{FOLDER}/a.warc.gz", number * 10, 10) for number, page in enumerate(pages)]
    write(tmp_path, {"a.warc.gz": PAGES})
    for number in (0, 1):
        rows = places[number * 5000 :][:5000]
        parquet(
            rows, tmp_path / "data.commoncrawl.org" / TABLE / f"part-0000{number}.c000.gz.parquet", row_group_size=500
        )
    size = sum(path.stat().st_size for path in tmp_path.rglob("*.parquet"))
    upstream = Counting(tmp_path)
    pin = CommonCrawl(crawl=CRAWL, domains=("host00007.example", "host04999.example")).pin(upstream)  # type: ignore[arg-type]
    assert len(ranges.read(pin.inputs[0])) == 4
    footers = 2 * (64 << 10)  # what pyarrow reads at the end of a file, whatever is in it
    assert sum(length for _, length in upstream.asked) - footers < size / 5


def test_what_upstream_says_while_an_index_is_read_is_told_as_it_is(mirror: Path) -> None:
    class Blocked(Counting):
        def read_range(self, url: str, offset: int, length: int) -> bytes:
            if len(self.asked) > 3:
                raise FetchError(f"{url}: 403 Forbidden: wait some hours")
            return super().read_range(url, offset, length)

    with pytest.raises(FetchError, match=r"^https://.*parquet: 403 Forbidden: wait some hours$"):
        CommonCrawl(crawl=CRAWL, domains=("alps.example", "zoo.example")).pin(Blocked(mirror))  # type: ignore[arg-type]


def test_domains_without_pages_are_named(mirror: Path, caplog: pytest.LogCaptureFixture) -> None:
    missing = [f"none{number}.example" for number in range(7)]
    with caplog.at_level(logging.WARNING):
        chosen(mirror, domains=("alps.example", *missing))
    told = {record.getMessage() for record in caplog.records}
    assert told == {f"common_crawl: no page in the index for {', '.join(missing[:5])} and 2 more"}


def test_a_selection_of_nothing_is_an_error(mirror: Path) -> None:
    with pytest.raises(FetchError, match="no page for this selection; correct domains"):
        chosen(mirror, domains=("none.example",))


def test_more_pages_than_are_polite_are_refused(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crawl_index, "PAGES_BOUND", 3)
    assert len(chosen(mirror, domains=("sea.example", "zoo.example"))) == 3
    with pytest.raises(RecipeError, match=r"over 3 pages .*narrow it, set pages = N"):
        chosen(mirror, domains=("alps.example",))
    assert len(chosen(mirror, domains=("alps.example",), pages=2)) == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"domains": ["example"]}, "'example' is no domain; write one"),
        ({"domains": ["Alps.example"]}, "is no domain"),
        ({"domains": ["a.example", "https://alps.example/"]}, "is no domain"),
        ({"domains": ["a.example"], "files": 2}, "leave out files"),
        ({"mime": ["text/html"], "format": "wet"}, "leave out format"),
        ({"index_languages": ["eng"], "crawl": "CC-NEWS-2026-07"}, "leave out crawl"),
        ({"index_languages": ["en"]}, "regex"),
        ({"crawl": "CC-NEWS-latest", "format": "wet"}, "WARC files only"),
        ({"pages": 5}, "set files"),
        ({"crawl": "CC-NEWS"}, "named by its month"),
        ({"crawl": "CC-NEWS-2026-7"}, "named by its month"),
        ({"index": "cdx"}, "name some"),
        ({"index": "cdx", "mime": ["text/html"]}, "name some"),
        ({"format": "wat"}, "Invalid enum value"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        msgspec.convert(options, CommonCrawl)


def test_a_list_of_domains_names_the_line_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("alps.example\n\nhttps://sea.example/\n")
    with (
        Upstream(base=tmp_path) as upstream,
        pytest.raises(RecipeError, match=r"mine\.txt: line 3: 'https://sea\.example/'"),
    ):
        CommonCrawl(crawl=CRAWL, domain_list="mine.txt").pin(upstream)


def test_a_list_without_a_domain_does_not_stand_for_all(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("# none yet\n")
    with Upstream(base=tmp_path) as upstream, pytest.raises(RecipeError, match=r"mine\.txt holds no domain"):
        CommonCrawl(crawl=CRAWL, domain_list="mine.txt").pin(upstream)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (
            {"without": ("content_languages",)},
            "no column content_languages .*since CC-MAIN-2018-39.*name another crawl",
        ),
        ({"without": ("warc_filename", "url")}, "no column url, warc_filename; name another crawl"),
    ],
)
def test_an_index_without_a_column_is_named(tmp_path: Path, spoil: dict[str, Any], words: str) -> None:
    places = write(tmp_path, {"a.warc.gz": PAGES})
    parquet(places, tmp_path / "data.commoncrawl.org" / TABLE / "part-00000.c000.gz.parquet", **spoil)
    with pytest.raises(FetchError, match=words):
        chosen(tmp_path, index_languages=("deu",))


def test_an_old_index_without_detected_types_is_read_by_what_servers_sent(tmp_path: Path) -> None:
    places = write(tmp_path, {"a.warc.gz": PAGES})
    for number in (0, 1):
        rows = places[number * 5 :][:5]
        path = tmp_path / "data.commoncrawl.org" / TABLE / f"part-0000{number}.c000.gz.parquet"
        parquet(rows, path, without=("content_mime_detected",))
    assert chosen(tmp_path, mime=("application/pdf",)) == ["5.pdf"]


def test_a_damaged_index_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    write(tmp_path, {"a.warc.gz": PAGES})
    path = tmp_path / "data.commoncrawl.org" / TABLE / "part-00001.c000.gz.parquet"
    content = path.read_bytes()
    for spoilt in (content[:4] + bytes(400) + content[404:], content[: len(content) // 2], b"PAR1", bytes(100)):
        path.write_bytes(spoilt)
        with pytest.raises(
            FetchError, match=r"part-00001\.c000\.gz\.parquet cannot be read as an index: .*try again later"
        ):
            chosen(tmp_path, domains=("zoo.example", "alps.example"))
    path.unlink()
    with pytest.raises(NoSuchFileError, match=r"part-00001.*in the mirror"):
        chosen(tmp_path, domains=("zoo.example", "alps.example"))


HOSTS = st.sampled_from([f"{host}.example" for host in "abcdefghij"])
ROWS = st.lists(st.tuples(HOSTS, st.integers(0, 9999)), max_size=60, unique=True)


def rows(made: list[tuple[str, int]]) -> list[crawl_index.Page]:
    return [
        crawl_index.Page(f"https://{host}/{n}", f"crawl-data/{CRAWL}/{n % 7}.warc.gz", n * 100, 90) for host, n in made
    ]


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(made=ROWS, order=st.randoms(use_true_random=False))
def test_batches_hold_every_page_once_whatever_order_they_come_in(made: list[tuple[str, int]], order: Any) -> None:
    pages = rows(made)
    inputs = crawl_index.batches(pages, CRAWL)
    order.shuffle(pages)
    assert crawl_index.batches(pages, CRAWL) == inputs
    got = [(one.url.removeprefix(f"{ROOT}/"), one.offset) for input in inputs for one in ranges.read(input)]
    assert sorted(got) == sorted((page.file, page.offset) for page in pages)


def test_batches_are_bounded_and_one_domain_more_changes_few() -> None:
    pages = rows(
        [(f"host{number:04d}.example", n) for number in range(2000) for n in range(number * 5, number * 5 + 5)]
    )
    inputs = crawl_index.batches(pages, CRAWL)
    sizes = [len(ranges.read(one)) for one in inputs]
    assert max(sizes) <= crawl_index.MOST and min(sizes[:-1]) >= crawl_index.FEWEST
    more = crawl_index.batches(pages + rows([("host1000b.example", n) for n in range(20_000, 20_030)]), CRAWL)
    assert len({one.url for one in inputs} - {one.url for one in more}) <= 3
    large = [page._replace(length=crawl_index.BATCH_BYTES // 3 + 1) for page in pages[:9]]
    assert [len(ranges.read(one)) for one in crawl_index.batches(large, CRAWL)] == [3, 3, 3]
