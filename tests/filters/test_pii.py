"""filters.pii: what is an address, what is none, and that a second pass finds nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.pii import Pii
from pile.document import Document


def rewritten(text: str, **options: bool) -> str:
    return Pii(**options).rewrite(Document("x", text)).text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Write to joe.bloggs+news@mail.site.co.uk.", "Write to email@example.com."),
        ("<a_b@x.org>,c@y.net;", "<email@example.com>,email@example.com;"),
        ("mailto:me@site.de", "mailto:email@example.com"),
        ("joe@93.184.216.34", "email@example.com"),
        ("ask 8.8.8.8, or 8.8.4.4.", "ask 192.0.2.1, or 192.0.2.1."),
        ("http://93.184.216.34:8080/", "http://192.0.2.1:8080/"),
        ("from 2606:2800:220:1:248:1893:25c8:1946.", "from 2001:db8::1."),
        ("[2600::aa]:80", "[2001:db8::1]:80"),
    ],
)
def test_addresses_are_replaced(text: str, expected: str) -> None:
    assert rewritten(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "a@b",
        "@@ a @ b.c @",
        "me@example.com me@sub.example.org me@host.test",
        "10.0.0.1 192.168.1.1 127.0.0.1 198.51.100.7 224.0.0.1 0.0.0.0",
        "999.1.1.1 1.2.3 1.2.3.4.5 08.8.8.8 8.8.8.8x",
        "v1.2.3.4 version 9.8.7.6 Version: 9.8.7.6 Chrome/96.0.46.110 build 9.8.7.6 v. 9.8.7.6",
        "12:30:45 std::vector a::b fe80::1 2001:db8::1 2001::2::3 20:01:db:08",
        "x" * 65 + "@site.org",
        "",
    ],
)
def test_what_is_no_ones_address_stays(text: str) -> None:
    document = Document("x", text)
    assert Pii().rewrite(document) is document
    assert Pii().measure(document) == {}


def test_each_kind_can_be_left_alone_and_is_counted() -> None:
    text = "a@b.org c@d.org 8.8.8.8 2600::1"
    assert Pii().judge(Document("x", text)).scores == {"emails": 2, "ipv4": 1, "ipv6": 1}
    assert Pii().judge(Document("x", text)).keep
    assert rewritten(text, emails=False) == "a@b.org c@d.org 192.0.2.1 2001:db8::1"
    assert rewritten(text, machines=False) == "email@example.com email@example.com 8.8.8.8 2600::1"


@given(
    st.lists(
        st.sampled_from(["a", "@", "b.org", ".", "8.8.8.8", "1", " ", "2600:", ":", "::", "-", "v", "é", "\ud800", "/"])
    )
)
def test_a_second_pass_finds_nothing_and_all_else_stays(pieces: list[str]) -> None:
    once = Pii().rewrite(Document("x", "".join(pieces)))
    assert Pii().rewrite(once) is once


@pytest.mark.parametrize("piece", ["a@", "a@a.", "1.", "@", "2222:2", "a-", "@a-", "a.a@", "1.1.1.1 ", "a@b.co "])
def test_long_lines_of_nearly_addresses_are_read(piece: str) -> None:
    document = Document("x", piece * (200_000 // len(piece)))
    assert sum(Pii().measure(document).values()) <= len(document.text)
