"""Block lists: the formats that are read, what a rule meets and what it does not, and lists that are none."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pile.document import Input, SideFile
from pile.errors import RecipeError
from sources.block_list import block_list, pinned, read

SHARED = Path(os.environ.get("PILE_SHARED") or Path(__file__).resolve().parents[2].parent / "shared")
UT1 = SHARED / "data/spam/ut1"


def listed(tmp_path: Path, content: bytes, name: str = "list") -> SideFile:
    path = tmp_path / f"{name}-{len(list(tmp_path.iterdir()))}"
    path.write_bytes(content)
    return SideFile(name, hashlib.sha256(content).hexdigest(), path)


def meets(url: str, *, hosts: tuple[str, ...] = (), urls: tuple[str, ...] = ()) -> str:
    """Return the reason for which rules of a recipe stop an address, "" for none."""
    rule = block_list(hosts, urls, []).rule(url)
    return rule.reason if rule else ""


@pytest.mark.parametrize(
    ("rule", "url"),
    [
        ("spam.example", "http://spam.example/"),
        ("spam.example", "https://a.b.spam.example/x?y#z"),
        ("spam.example", "http://SPAM.Example.:8080"),
        ("spam.example", "http://user:word@spam.example/"),
        ("Spam.Example.", "http://spam.example"),
        ("*.spam.example", "http://www.spam.example/"),
        (".spam.example", "http://spam.example/"),
        ("spam.example:443", "https://spam.example/"),
        ("bücher.example", "http://xn--bcher-kva.example/"),
        ("xn--bcher-kva.example", "http://www.BÜCHER.example/"),
        ("straße.example", "http://xn--strae-oqa.example/"),
        ("☃.example", "http://xn--n3h.example/"),
        ("192.0.2.7", "http://192.0.2.7:81/x"),
        ("[2001:db8::1]", "http://[2001:DB8::1]:8080/"),
        ("example", "http://any.example/"),
        ("a_b.example", "http://a_b.example/"),
        ("spam.example", "http://sp%61m.example/"),
    ],
)
def test_a_host_rule_meets_its_host_and_those_below_however_they_are_written(rule: str, url: str) -> None:
    assert meets(url, hosts=(rule,)) == "blocked_host"


@pytest.mark.parametrize(
    ("rule", "url"),
    [
        ("spam.example", "http://nospam.example/"),
        ("spam.example", "http://example/spam.example"),
        ("spam.example", "http://spam.example.org/"),
        ("a.spam.example", "http://spam.example/"),
        ("spam.example", "http://spam.example@good.example/"),
        ("spam.example", "not an address"),
        ("spam.example", "http://[broken/"),
        ("spam.example", "http://a..b/"),
        ("spam.example", ""),
    ],
)
def test_a_host_rule_meets_no_other_host(rule: str, url: str) -> None:
    assert meets(url, hosts=(rule,)) == ""


@pytest.mark.parametrize(
    ("rule", "url"),
    [
        ("example.com/spam/", "http://example.com/spam"),
        ("example.com/spam", "https://www.example.com/spam/and/more?x"),
        ("www.example.com/spam", "http://example.com/spam/"),
        ("http://example.com:80/Spam/", "http://EXAMPLE.com/sPAM/x"),
        ("example.com/spam", "http://example.com//spam//x"),
        ("example.com/spam", "http://example.com/spam?page=2"),
        ("example.com/spam", "http://example.com/spam#top"),
        ("example.com/list?id=7", "http://example.com/list?id=7&page=2"),
        ("example.com/~pills/*", "http://example.com/%7Epills/blue"),
        ("example.com/été", "http://example.com/%C3%89t%C3%A9/x"),
        ("https://example.com", "http://example.com/anything"),
        ("bücher.example/x", "http://xn--bcher-kva.example/x/y"),
    ],
)
def test_an_address_rule_meets_its_address_and_what_lies_below(rule: str, url: str) -> None:
    assert meets(url, urls=(rule,)) == "blocked_url"


@pytest.mark.parametrize(
    ("rule", "url"),
    [
        ("example.com/spam", "http://example.com/spammers"),
        ("example.com/spam", "http://example.com/"),
        ("example.com/spam", "http://other.example.com/spam"),
        ("example.com/list?id=7", "http://example.com/list?id=77"),
        ("example.com/list?id=7", "http://example.com/list"),
        ("example.com/spam", "http://example.com/a/spam"),
        ("www.com/x", "http://com/x"),
    ],
)
def test_an_address_rule_meets_no_other_address(rule: str, url: str) -> None:
    assert meets(url, urls=(rule,)) == ""


LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
HOST = st.lists(LABEL, min_size=2, max_size=4).map(".".join)


@given(host=HOST, below=st.lists(LABEL, max_size=3), other=HOST, path=st.text(max_size=20))
@example(host="0.r", below=[], other="0.u", path="")
def test_a_host_rule_meets_exactly_the_names_that_end_in_its_labels(
    host: str, below: list[str], other: str, path: str
) -> None:
    assert meets(f"http://{'.'.join([*below, host])}/{path}", hosts=(host,)) == "blocked_host"
    assert bool(meets(f"http://{other}/{path}", hosts=(host,))) == f".{other}".endswith(f".{host}")


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda b: b.decode("utf-8", "surrogateescape")))
def test_no_address_stops_a_build(url: str) -> None:
    listed = block_list(("spam.example",), ("example.com/spam",), [])
    listed.rule(url)
    listed.rule(f"http://{url}")


def test_an_address_of_thousands_of_steps_is_looked_at_in_bounded_time() -> None:
    assert meets("http://example.com/spam" + "/x" * 16_000, urls=("example.com/spam",)) == "blocked_url"
    assert meets("http://" + "x." * 16_000 + "spam.example/", hosts=("spam.example",)) == ""


LISTS = {
    "hosts": b"# a list\r\n\r\nspam.example\r\n  Casino.Example  # remark\nm\xc3\xbcll.example\n192.0.2.7\n! adblock's remark\n",
    "addresses": b"spam.example/offers/\nhttps://Casino.example/Play?x=1\n",
    "hosts file": (
        b"127.0.0.1 localhost\n::1 localhost ip6-loopback\n127.0.0.1 localhost.localdomain\n255.255.255.255 broadcasthost\n"
        b"0.0.0.0 0.0.0.0\n0.0.0.0 spam.example\n0.0.0.0\tcasino.example www.casino.example # two\n:: six.example\n"
    ),
}


@pytest.mark.parametrize(("name", "hosts", "urls"), [("hosts", 4, 0), ("addresses", 0, 2), ("hosts file", 4, 0)])
@pytest.mark.parametrize("packed", [False, True])
def test_the_formats_in_which_lists_are_published_are_read(name: str, hosts: int, urls: int, packed: bool) -> None:
    content = gzip.compress(LISTS[name]) if packed else LISTS[name]
    rules = read(content)
    assert (rules.hosts, rules.urls, rules.unread) == (hosts, urls, [])


def test_a_hosts_file_blocks_what_it_names_and_not_the_machine_itself(tmp_path: Path) -> None:
    blocked = block_list((), (), [listed(tmp_path, LISTS["hosts file"])])
    for host in ("spam.example", "www.casino.example", "six.example"):
        assert blocked.rule(f"http://{host}/")
    for host in ("localhost", "a.localdomain", "127.0.0.1", "0.0.0.0", "good.example"):
        assert blocked.rule(f"http://{host}/") is None


def test_a_rule_says_which_list_has_it(tmp_path: Path) -> None:
    files = [
        listed(tmp_path, b"a.example\nboth.example\n", "first"),
        listed(tmp_path, b"b.example\nboth.example\n", "second"),
    ]
    blocked = block_list(("own.example",), (), files)
    origins = [rule.origin for host in ("own", "a", "b", "both") if (rule := blocked.rule(f"http://{host}.example/"))]
    assert origins == ["the recipe's own rules", "first", "second", "first"]


def test_a_list_is_known_by_its_content_not_by_where_it_lies(tmp_path: Path) -> None:
    before = block_list((), (), [listed(tmp_path, b"old.example\n")])
    assert block_list((), (), [listed(tmp_path, b"old.example\n")]) is before
    assert block_list((), (), [listed(tmp_path, b"new.example\n")]).rule("http://new.example/")


class Lists:
    """An upstream with a person's own files."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def find(self, patterns: list[str]) -> list[str]:
        return patterns

    def read(self, url: str) -> bytes:
        return self.files[url]

    def size(self, url: str) -> int | None:
        return len(self.files[url])


def test_what_means_nothing_is_counted_in_the_lock() -> None:
    content = b"".join(b"host%d.example\n" % n for n in range(40)) + b"two words\nexample.com/x\n-\xff-\n"
    (found,) = pinned(["list"], Lists({"list": content}))
    assert found == Input(
        "list", len(content), f"sha256:{hashlib.sha256(content).hexdigest()}", {"hosts": 40, "urls": 1, "unread": 2}
    )


def tar(content: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        member = tarfile.TarInfo("adult/domains")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"# only remarks\n", "is empty"),
        (b"||ads.example^$third-party\n||x.example^\n", "neither host nor address, such as '||ads.example"),
        (b"0.0.0.0 spam.example\nan essay on spam, and not a list\n", "such as 'an essay"),
        (tar(b"spam.example\n"), "tar archive"),
        (gzip.compress(tar(b"spam.example\n")), "tar archive"),
        (gzip.compress(b"spam.example\n" * 99)[:-20], "cannot be unpacked"),
    ],
)
def test_what_is_no_block_list_is_refused_with_its_name(content: bytes, words: str) -> None:
    with pytest.raises(RecipeError, match=r"^block list lists/x") as error:
        pinned(["lists/x"], Lists({"lists/x": content}))
    assert words in str(error.value) and "\n" not in str(error.value)


@pytest.mark.skipif(not UT1.is_dir(), reason=f"no lists at {UT1}")
def test_every_line_of_the_real_lists_means_something_and_blocks_itself(tmp_path: Path) -> None:
    for path in sorted(UT1.glob("*.gz")):
        content = path.read_bytes()
        rules = read(content)
        lines = gzip.decompress(content).decode("utf-8", "replace").split()
        assert rules.hosts + rules.urls + len(rules.unread) == len(lines)
        assert len(rules.unread) <= 0.001 * len(lines), (path.name, rules.unread[:9])
        blocked = block_list((), (), [listed(tmp_path, content, path.name)])
        missed = [line for line in lines[::37] if blocked.rule(f"http://{line}") is None]
        assert set(missed) <= set(rules.unread)
