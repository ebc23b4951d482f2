"""What Common Crawl has: its crawls, its months of news, and the lists of files of each.

Upstream: https://index.commoncrawl.org/collinfo.json and ``*.paths.gz`` under https://data.commoncrawl.org/crawl-data/.
"""

from __future__ import annotations

import difflib
import gzip
import re
import zlib
from datetime import date

import msgspec

from pile.errors import FetchError, NoSuchFileError, RecipeError
from pile.plugins import Reader

CRAWLS = "https://index.commoncrawl.org/collinfo.json"
ROOT = "https://data.commoncrawl.org"
#: What the name of each month of news begins with; "CC-NEWS-latest" is the newest.
NEWS = "CC-NEWS"
#: Months that are looked back for the newest month of news, from that of the newest crawl.
MONTHS_BACK = 12
#: A month of news, and a week of a crawl.
NEWS_MONTH = re.compile(r"CC-NEWS-(\d{4})-(\d{2})")
CRAWL_WEEK = re.compile(r"CC-MAIN-(\d{4})-(\d{2})")


class _Listed(msgspec.Struct):
    """One crawl in collinfo.json; ``to`` is when it ended, "" where that is not told."""

    id: str
    to: str = ""


def newest(upstream: Reader, crawl: str) -> str:
    """Return the crawl's id: ``crawl`` itself, or what "latest" or "CC-NEWS-latest" stands for."""
    if crawl == "latest":
        return _crawls(upstream)[0].id
    return f"{NEWS}-{_newest_month(upstream)}" if crawl == f"{NEWS}-latest" else crawl


def paths(upstream: Reader, crawl: str, kind: str) -> list[str]:
    """Return a crawl's files of a kind ("warc", "wet", "cc-index-table"), below ``ROOT``, in the order of its list.

    Raises ``RecipeError`` for a crawl that there is not, ``FetchError`` where a list cannot be had or read.
    """
    month = NEWS_MONTH.fullmatch(crawl)
    folder = f"CC-NEWS/{month[1]}/{month[2]}" if month else crawl
    address = f"{ROOT}/crawl-data/{folder}/{kind}.paths.gz"
    try:
        packed = upstream.read(address)
    except FetchError as error:
        if month:
            raise
        check(upstream, crawl, error)
        raise
    try:
        found = gzip.decompress(packed).decode().split()
    except (EOFError, gzip.BadGzipFile, zlib.error, UnicodeDecodeError) as error:
        raise FetchError(f"{address} cannot be read: {error}; try again later") from error
    if not found:
        raise FetchError(f"{address} names no file; try again later, or name another crawl than {crawl}")
    return found


def check(upstream: Reader, crawl: str, cause: FetchError | None = None) -> None:
    """Raise ``RecipeError`` for a crawl that Common Crawl does not list, with the closest that it does."""
    known = [one.id for one in _crawls(upstream)]
    if crawl in known:
        return
    close = difflib.get_close_matches(crawl, known, n=1, cutoff=0)[0]
    raise RecipeError(
        f"common_crawl crawl = {crawl!r}: no such crawl; did you mean {close!r}? "
        f"{CRAWLS} names {len(known)}, the newest is {known[0]!r}"
    ) from cause


def _crawls(upstream: Reader) -> list[_Listed]:
    """Return all crawls, the newest first."""
    try:
        listed = msgspec.json.decode(upstream.read(CRAWLS), type=list[_Listed])
    except msgspec.DecodeError as error:
        raise FetchError(f"{CRAWLS} is not the list of crawls: {error}; try again later") from error
    if not listed:
        raise FetchError(f"{CRAWLS} names no crawl; try again later")
    return listed


def _newest_month(upstream: Reader) -> str:
    """Return the newest month of news as "YYYY-MM".

    Nobody lists the months. They are asked for one by one, upwards from the month of the newest crawl; where that has no
    news, downwards.
    """
    start = _month(_crawls(upstream)[0])
    found = next((month for month in range(start, start - MONTHS_BACK, -1) if _has_news(upstream, month)), None)
    if found is None:
        last = _named(start - MONTHS_BACK + 1)
        raise FetchError(f"{ROOT}/crawl-data/CC-NEWS/ has no list from {last} to {_named(start)}; name a month")
    while found >= start and _has_news(upstream, found + 1):
        found += 1
    return _named(found)


def _month(crawl: _Listed) -> int:
    """Return the month in which a crawl ended, or that its id names, as months since the year 0."""
    week = CRAWL_WEEK.fullmatch(crawl.id)
    try:
        day = date.fromisoformat(crawl.to[:10]) if crawl.to else None
        if day is None and week:
            day = date.fromisocalendar(int(week[1]), int(week[2]), 1)
    except ValueError:
        day = None
    if day is None:
        raise FetchError(f"{CRAWLS} does not tell when its newest crawl {crawl.id!r} was; name a month of CC-NEWS")
    return day.year * 12 + day.month - 1


def _named(month: int) -> str:
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


def _has_news(upstream: Reader, month: int) -> bool:
    year, _, number = _named(month).partition("-")
    try:
        upstream.read(f"{ROOT}/crawl-data/CC-NEWS/{year}/{number}/warc.paths.gz")
    except NoSuchFileError:
        return False
    return True
