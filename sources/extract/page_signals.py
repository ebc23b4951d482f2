"""What a page's markup says of its honesty, and its text no longer does: hidden text, keywords, links to other hosts."""

from __future__ import annotations

from math import log2

from sources.extract.page import Page
from sources.web_address import host_of

#: Digits after the point.
DIGITS = 3
#: Characters of text below which shares say nothing.
SHORT = 200


def page_signals(page: Page, url: str | None) -> dict[str, float]:
    """Return what stands out, by name; what is 0 is left out, and so most pages have little or nothing.

    ``hidden`` is the share of the text in elements that their own markup hides, ``keywords`` how many terms are listed for
    search engines, ``anchors`` the share of the text that is links to other hosts than that of ``url``, and ``hosts`` the entropy
    of these hosts in bits. Navigation and footers, which are cut out before a page is read, do not count.
    """
    sizes = [len(text) for text in page.texts]
    characters = sum(sizes)
    own = _name(host_of(url)) if url else ""
    others = {host: counts for host, counts in page.hosts.items() if _name(host) != own}
    found = {"keywords": float(page.keywords), "hosts": _entropy([links for links, _ in others.values()])}
    if characters >= SHORT:
        hidden = sum(size for size, owner in zip(sizes, page.owners, strict=True) if page.hidden[owner])
        found["hidden"] = hidden / characters
        found["anchors"] = min(1.0, sum(linked for _, linked in others.values()) / characters)
    return {name: round(value, DIGITS) for name, value in sorted(found.items()) if round(value, DIGITS)}


def _name(host: str) -> str:
    """Return the last two parts of a host: a site links to its own other hosts."""
    return ".".join(host.lower().split(".")[-2:])


def _entropy(counts: list[int]) -> float:
    total = sum(counts)
    return -sum(count / total * log2(count / total) for count in counts) if total else 0.0
