"""Which archives there are: of crawls and of months of news, in both formats."""

from __future__ import annotations

import gzip
import json
from typing import Any

import msgspec
import pytest

from pile.document import Input
from pile.errors import FetchError, NoSuchFileError, RecipeError
from sources.common_crawl import CommonCrawl
from sources.crawl_lists import CRAWLS, ROOT


class Fake:
    """An upstream with a few small files; what is not among them is not there."""

    def __init__(self, crawls: list[dict[str, str]], **lists: str) -> None:
        self.files = {CRAWLS: json.dumps(crawls).encode()}
        for name, content in lists.items():
            path = name.replace("__", "/").replace("_", "-")
            self.files[f"{ROOT}/crawl-data/{path}.paths.gz"] = gzip.compress(content.encode())
        self.asked: list[str] = []

    def read(self, url: str) -> bytes:
        self.asked.append(url)
        if url not in self.files:
            raise NoSuchFileError(f"{url}: 404")
        return self.files[url]


NEWEST = [{"id": "CC-MAIN-2026-30", "to": "2026-07-23T01:13:28"}, {"id": "CC-MAIN-2026-25"}]


def pinned(fake: Fake, **options: Any) -> tuple[str, list[str]]:
    pin = CommonCrawl(**options).pin(fake)  # type: ignore[arg-type]
    assert msgspec.convert(pin.options, CommonCrawl).pin(fake) == pin  # type: ignore[arg-type]
    return pin.options["crawl"], [one.url.removeprefix(f"{ROOT}/crawl-data/") for one in pin.inputs]


def test_wet_is_the_crawls_other_list() -> None:
    fake = Fake(NEWEST, CC_MAIN_2026_30__wet="crawl-data/a.warc.wet.gz\ncrawl-data/b.warc.wet.gz\n")
    assert pinned(fake, format="wet", files=1) == ("CC-MAIN-2026-30", ["a.warc.wet.gz"])


def test_a_month_of_news_is_a_folder_of_its_own() -> None:
    fake = Fake(NEWEST, CC_NEWS__2026__07__warc="crawl-data/CC-NEWS/2026/07/n.warc.gz\n")
    assert pinned(fake, crawl="CC-NEWS-2026-07") == ("CC-NEWS-2026-07", ["CC-NEWS/2026/07/n.warc.gz"])
    assert CRAWLS not in fake.asked


@pytest.mark.parametrize(
    ("crawls", "months", "newest"),
    [
        (NEWEST, ["2026__07"], "2026-07"),
        (NEWEST, ["2026__06", "2026__07", "2026__08", "2026__09", "2026__11"], "2026-09"),
        (NEWEST, ["2025__09", "2025__12"], "2025-12"),
        ([{"id": "CC-MAIN-2025-51"}], ["2025__12", "2026__01"], "2026-01"),
        ([{"id": "CC-MAIN-2026-01", "to": ""}], ["2025__11"], "2025-11"),
    ],
)
def test_the_newest_month_of_news_is_looked_for_from_the_newest_crawl(
    crawls: list[dict[str, str]], months: list[str], newest: str
) -> None:
    lists = {f"CC_NEWS__{month}__warc": f"crawl-data/{month}.warc.gz\n" for month in months}
    crawl, inputs = pinned(Fake(crawls, **lists), crawl="CC-NEWS-latest")
    assert crawl == f"CC-NEWS-{newest}"
    assert inputs == [f"{newest.replace('-', '__')}.warc.gz"]


@pytest.mark.parametrize(
    ("crawls", "words"),
    [
        (NEWEST, "no list from 2025-08 to 2026-07; name a month"),
        ([{"id": "CC-MAIN-2012"}], "'CC-MAIN-2012' was; name a month"),
    ],
)
def test_without_a_newest_month_the_person_is_to_name_one(crawls: list[dict[str, str]], words: str) -> None:
    with pytest.raises(FetchError, match=words):
        CommonCrawl(crawl="CC-NEWS-latest").pin(Fake(crawls))  # type: ignore[arg-type]


def test_a_month_that_there_is_not_is_named_with_its_address() -> None:
    with pytest.raises(FetchError, match=r"CC-NEWS/2026/13/warc\.paths\.gz"):
        CommonCrawl(crawl="CC-NEWS-2026-13").pin(Fake(NEWEST))  # type: ignore[arg-type]


def test_a_crawl_without_wet_files_is_told_from_one_that_there_is_not() -> None:
    with pytest.raises(FetchError, match=r"wet\.paths\.gz: 404"):
        CommonCrawl(crawl="CC-MAIN-2026-25", format="wet").pin(Fake(NEWEST))  # type: ignore[arg-type]
    for more in ({"format": "wet"}, {"domains": ("a.example",)}, {"domains": ("a.example",), "index": "cdx"}):
        with pytest.raises(RecipeError, match="did you mean 'CC-MAIN-2026-30'"):
            CommonCrawl(crawl="CC-MAIN-2026-31", **more).pin(Fake(NEWEST))  # type: ignore[arg-type]


def test_old_options_are_pinned_as_they_were() -> None:
    fake = Fake(NEWEST, CC_MAIN_2026_30__warc="crawl-data/a.warc.gz\n")
    pin = CommonCrawl().pin(fake)  # type: ignore[arg-type]
    assert pin.options == {"crawl": "CC-MAIN-2026-30", "files": None, "languages": ()}
    assert pin.inputs == [Input(f"{ROOT}/crawl-data/a.warc.gz")]
