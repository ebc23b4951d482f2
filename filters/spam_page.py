"""What a page's markup says about spam that its text does not, as the web source measured it before extraction.

No public page is labelled as spam with its markup, so these weights are rules and not learnt: each begins where next to none
of the 1,497 ordinary pages of WCXB are, and all together can turn a doubt, and not a clean text, into spam.
"""

from __future__ import annotations

from typing import Any

#: For each measure of ``meta["page"]``: where it begins to count, what a unit above that adds to the log-odds, and the most.
RULES = {
    # Share of the text's characters that a browser does not show at first. One page in twenty has .41: menus, dialogues, and
    # pages that a script unveils. So it says little.
    "hidden": (0.50, 1.0, 0.5),
    "keywords": (25.0, 0.05, 1.5),  # terms that the page lists for search engines
    "anchors": (0.60, 5.0, 2.0),  # share of the text's characters that are links to other hosts
    # Entropy of the hosts that it links to, in bits: long articles with many references have 6.
    "hosts": (6.3, 0.5, 0.5),
}
#: The most that all of them add to the log-odds.
MOST = 3.0


def evidence(page: Any) -> dict[str, float]:
    """Return what each measure adds to the log-odds of spam; nothing for a document that no web source measured."""
    if not isinstance(page, dict):
        return {}
    found = {}
    for name, (begin, step, most) in RULES.items():
        value = page.get(name)
        if isinstance(value, int | float) and value > begin:
            found[f"page_{name}"] = min(most, step * (value - begin))
    total = sum(found.values())
    return {name: part * min(1.0, MOST / total) for name, part in found.items()} if total else {}
