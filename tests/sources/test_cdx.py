"""Pages that Common Crawl's CDX API names, and what is said where its answers are not the API's."""

from __future__ import annotations

from typing import Any

import pytest

from pile import ranges
from pile.errors import FetchError, NoSuchFileError, RecipeError
from sources.common_crawl import CommonCrawl
from tests.tiny_crawl import COLLINFO, CRAWL, PAGES, archive, cdx_line


class Api:
    """The CDX API with the answers that a test gives it, by domain and page of answers."""

    def __init__(self, answers: dict[str, list[bytes]], extent: bytes = b'{"pages": %d}') -> None:
        self.answers = answers
        self.extent = extent
        self.asked: list[str] = []

    def read(self, url: str) -> bytes:
        self.asked.append(url)
        if url.endswith("collinfo.json"):
            return COLLINFO
        domain = url.partition("*.")[2].partition("&")[0]
        found = self.answers.get(domain, [])
        if "showNumPages" in url and found:
            return self.extent % len(found) if b"%" in self.extent else self.extent
        answer = found[int(url.rpartition("=")[2])] if found else b""
        if not answer:
            raise NoSuchFileError(f'{url}: 404 (it says: {{"message": "No Captures found"}})')
        return answer


def lines(names: list[int]) -> bytes:
    _, places = archive(PAGES, "a.warc.gz")
    return b"".join(cdx_line(places[number - 1]) for number in names)


def by_cdx(api: Api, *domains: str, **options: Any) -> int:
    pin = CommonCrawl(crawl=CRAWL, index="cdx", domains=domains, **options).pin(api)  # type: ignore[arg-type]
    return sum(len(ranges.read(one)) for one in pin.inputs)


def test_the_cdx_api_gives_the_pages_that_are_asked_for() -> None:
    answers = {"alps.example": [lines([1, 2]), b"", lines([2, 3, 4, 5, 6, 7])], "sea.example": [lines([8, 9])]}
    assert by_cdx(Api(answers), "alps.example", "sea.example", "none.example") == 6
    assert by_cdx(Api(answers, b"3"), "alps.example") == 4
    assert by_cdx(Api(answers), "alps.example", index_languages=("deu",)) == 2
    assert by_cdx(Api(answers), "alps.example", mime=("application/pdf",)) == 1
    api = Api(answers)
    by_cdx(api, "alps.example")
    assert len(api.asked) == 5


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>busy</html>\n",
        b"[]\n",
        b'{"url": "https://alps.example/"}\n',
        lines([1])[:-30],
        b'{"message": "too many"}',
    ],
)
def test_an_answer_that_is_not_the_apis_is_an_error(answer: bytes) -> None:
    with pytest.raises(FetchError, match=r"page=0 holds a line that is no capture .*try again later"):
        by_cdx(Api({"alps.example": [answer]}), "alps.example")
    if not answer.startswith(b"["):
        with pytest.raises(FetchError, match="showNumPages=true is not a number of pages"):
            by_cdx(Api({"alps.example": [b""]}, answer), "alps.example")


def test_many_domains_are_not_for_the_cdx_api() -> None:
    api = Api({})
    with pytest.raises(RecipeError, match=r"101 domains .*index = 'columnar'"):
        by_cdx(api, *(f"host{number}.example" for number in range(101)))
    assert len(api.asked) <= 1
