"""Rewriting: filters that change the texts of what they keep, such as replacing addresses, as a document enters a shard.

Stored texts stay as they were extracted: what is measured, compared and cut refers to those.
"""

from __future__ import annotations

from typing import Any

import msgspec

from pile.document import Document
from pile.plugins import Rewriter
from pile.recipe import FilterTable


class Rewriting:
    """The rewriting filters of one source, in their order."""

    def __init__(self, filters: list[FilterTable]) -> None:
        made = [table.make() for table in filters]
        self._rewriters = [filter for filter in made if isinstance(filter, Rewriter)]

    def text(self, id: str, text: str) -> str:
        """Return a document's text as the corpus is to have it."""
        document = Document(id, text)
        for rewriter in self._rewriters:
            document = rewriter.rewrite(document)
        return document.text


def rewriters_of(filters: list[FilterTable]) -> list[FilterTable]:
    """Return those filters that rewrite."""
    return [table for table in filters if isinstance(table.make(), Rewriter)]


def facts_of(filters: list[FilterTable]) -> list[Any]:
    """Return what decides how texts are rewritten, for the key of a stage; nothing where none are."""
    made = [(table.use, table.make()) for table in filters]
    return [[use, filter.version, msgspec.to_builtins(filter)] for use, filter in made]
