"""What of a page's markup no reader of its text needs: comments, scripts, styles, drawings, navigation and footers.

It is often two thirds of a page. Finding where it ends is cheap; a parser reads it character by character.
"""

from __future__ import annotations

import re

#: How each of them begins, and a part that follows only in the opening tag of what is to stay.
#: Patterns begin with one "<" for all that may follow, which is what makes them fast.
BEGIN = re.compile(r"<(?=[!snf])(?:(!--)|(script|style|svg|nav|footer)(?=[\s>]))", re.IGNORECASE)
#: How they end, by the name in lower case. What no navigation and no footer holds parts them from an end that is another's.
END = {name: re.compile(rf"</{name}[^<>]*>", re.IGNORECASE) for name in ("script", "style", "svg")}
END |= {
    name: re.compile(rf"<(?:/{name}[^<>]*>|(nav|footer|main|article|h1)(?=[\s>]))", re.IGNORECASE)
    for name in ("nav", "footer")
}
#: Scripts with this in their tag hold what the page says of itself (https://schema.org/docs/gs.html).
JSON_LD = "ld+json"


def without_unread(page: str) -> str:
    """Return a page without its comments, scripts (but JSON-LD), styles, drawings, navigation and footers.

    What does not end stays.
    """
    kept: list[str] = []
    start = place = 0
    lasting = set()  # what is open to the end of the page, and not looked for again
    while found := BEGIN.search(page, place):
        place = found.end()
        name = found[2].lower() if found[2] else "!--"
        if name in lasting:
            continue
        end = _end(page, place, name)
        if end < 0:
            lasting.add(name)
        elif end > place:
            kept.append(page[start : found.start()])
            start = place = end
    kept.append(page[start:])
    return "".join(kept)


def _end(page: str, place: int, name: str) -> int:
    """Return where what begins before ``place`` ends, ``place`` where it is to stay, -1 where it does not end."""
    if name == "!--":
        if page.startswith((">", "->"), place):  # "<!-->" and "<!--->" are whole
            return page.index(">", place) + 1
        end = page.find("-->", place)
        return end + len("-->") if end >= 0 else -1
    bracket = page.find(">", place)
    if bracket < 0:
        return -1
    if page[bracket - 1] == "/" and name == "svg":
        return bracket + 1
    if name == "script" and JSON_LD in page[place:bracket].lower():
        return place
    found = END[name].search(page, bracket)
    if not found:
        return -1
    return place if found.lastindex else found.end()
