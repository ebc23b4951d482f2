"""What of PubMed is pinned: the year, its files in their order, their checksums."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import pytest

from pile.document import Input
from pile.errors import FetchError, RecipeError
from sources.pubmed import ROOT, Pubmed

BASELINE = f"{ROOT}/baseline/"
UPDATES = f"{ROOT}/updatefiles/"


class Upstream:
    """A reader over a dictionary; ``asked`` is what was read, in order."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.asked: list[str] = []

    def read(self, url: str) -> bytes:
        self.asked.append(url)
        if url not in self.files:
            raise FetchError(f"{url}: 404")
        return self.files[url]

    def find(self, patterns: list[str]) -> list[str]:
        raise AssertionError("PubMed has no local files")

    def size(self, url: str) -> int | None:
        return int(url[-11:-7])


def index(*names: str) -> bytes:
    rows = "".join(f'<a href="{name}">{name}</a>  2026-01-10 10:01  19M\n' for name in ("../", "README.txt", *names))
    return f"<html><body><h1>Index</h1><pre>{rows}</pre></body></html>".encode()


def md5(name: str) -> str:
    return hashlib.md5(name.encode()).hexdigest()


def upstream(baseline: list[str], updates: list[str] | None = None, without_md5: tuple[str, ...] = ()) -> Upstream:
    files = {}
    for folder, names in ((BASELINE, baseline), (UPDATES, updates or [])):
        summed = [name for name in names if name not in without_md5]
        files[folder] = index(*names, *(f"{name}.md5" for name in summed))
        files |= {f"{folder}{name}.md5": f"MD5({name})= {md5(name)}\n".encode() for name in summed}
    return Upstream(files)


def name(number: int, year: int = 26) -> str:
    return f"pubmed{year}n{number:04}.xml.gz"


def test_latest_is_the_newest_year_of_the_listing_and_files_come_by_number() -> None:
    pin = Pubmed().pin(upstream([name(10, 26), name(2, 26), name(1, 25), name(10000, 26)]))
    assert [i.url for i in pin.inputs] == [BASELINE + name(n) for n in (2, 10, 10000)]
    assert pin.inputs[0] == Input(BASELINE + name(2), 2, f"md5:{md5(name(2))}")
    assert pin.options == {"year": "2026", "files": None, "updates": False}


@pytest.mark.parametrize("year", ["2026", 2026])
def test_a_year_may_be_text_or_a_number(year: Any) -> None:
    pin = msgspec.convert({"year": year}, Pubmed).pin(upstream([name(1)]))
    assert pin.options["year"] == "2026"
    assert msgspec.convert(pin.options, Pubmed).pin(upstream([name(1)])) == pin


def test_only_the_first_files_are_asked_for() -> None:
    reader = upstream([name(n) for n in range(1, 6)])
    assert [i.url for i in Pubmed(files=2).pin(reader).inputs] == [BASELINE + name(1), BASELINE + name(2)]
    assert reader.asked == [BASELINE, f"{BASELINE}{name(1)}.md5", f"{BASELINE}{name(2)}.md5"]


def test_updates_of_the_same_year_come_after_the_baseline() -> None:
    reader = upstream([name(1), name(2)], [name(4), name(3), name(9, 25)])
    urls = [BASELINE + name(1), BASELINE + name(2), UPDATES + name(3), UPDATES + name(4)]
    assert [i.url for i in Pubmed(updates=True).pin(reader).inputs] == urls
    assert [i.url for i in Pubmed(updates=True, files=3).pin(reader).inputs] == urls[:3]


def test_a_file_whose_md5_is_not_listed_has_no_checksum() -> None:
    pin = Pubmed().pin(upstream([name(1), name(2)], without_md5=(name(1),)))
    assert [i.checksum for i in pin.inputs] == ["", f"md5:{md5(name(2))}"]


def test_a_listed_md5_that_cannot_be_read_is_an_error() -> None:
    reader = upstream([name(1)])
    reader.files[f"{BASELINE}{name(1)}.md5"] = b"<html>Service unavailable</html>"
    with pytest.raises(FetchError, match=r"n0001\.xml\.gz\.md5 holds no md5"):
        Pubmed().pin(reader)
    del reader.files[f"{BASELINE}{name(1)}.md5"]
    with pytest.raises(FetchError, match="404"):
        Pubmed().pin(reader)


def test_a_year_that_is_gone_names_the_years_that_are_there() -> None:
    with pytest.raises(RecipeError, match=r"year = '2019': .*baseline/ holds 2026 only"):
        Pubmed(year="2019").pin(upstream([name(1)]))


@pytest.mark.parametrize("page", [b"", b"<html>moved</html>"])
def test_a_listing_without_files_is_an_error(page: bytes) -> None:
    with pytest.raises(FetchError, match="baseline/"):
        Pubmed().pin(Upstream({BASELINE: page}))


@pytest.mark.parametrize("options", [{"year": "last"}, {"year": 26}, {"files": 0}, {"file": 1}])
def test_options_that_mean_nothing_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(options, Pubmed)
