"""An example: one document or record of a corpus, or what was cut from it, as ``pile inspect`` shows it."""

from __future__ import annotations

from typing import Any

import msgspec

#: Characters of a text that an example shows.
EXCERPT = 2000


class Example(msgspec.Struct, frozen=True, omit_defaults=True):
    """One document or record: at which stage it was dropped and why, or ``reason`` "kept".

    A duplicate has in ``instead`` the place (part, row), and after merging the id and the excerpt, of what was kept
    instead.
    """

    source: str
    stage: str
    reason: str
    id: str
    url: str = ""
    detail: str = ""
    scores: dict[str, Any] = {}
    characters: int = 0
    text: str = ""
    facts: dict[str, Any] = {}  #: what the source saw while it read it
    jaccard: float = 0.0
    instead: tuple[int, int] | None = None
    instead_id: str = ""
    instead_text: str = ""
    difference: str = ""  #: of a near-duplicate, from what was kept instead to this
