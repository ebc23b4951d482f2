"""Replaces what tells a person or a machine apart: e-mail addresses and internet addresses.

As FineWeb does (Penedo et al. 2024, section 3.8), with addresses that exist for examples, so that a second pass finds nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from typing import ClassVar

import msgspec

from filters.personal import EMAIL, IPV4, IPV6, Found, emails, machines
from pile.document import Document, Verdict

#: What stands for each: a name at a host for examples (RFC 2606), an address of a net for documentation (RFC 5737, RFC 3849).
PLACEHOLDERS = {EMAIL: "email@example.com", IPV4: "192.0.2.1", IPV6: "2001:db8::1"}


class Pii(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keeps every document; ``rewrite`` replaces each address by the same one of its kind, for all documents alike."""

    version: ClassVar[int] = 1
    libraries: ClassVar[tuple[str, ...]] = ()
    decided_by: ClassVar[tuple[str, ...]] = ()

    emails: bool = True
    machines: bool = True

    def measure(self, document: Document) -> dict[str, float | str]:
        """Return how many addresses of each kind ``rewrite`` replaces; no kinds that the text has none of."""
        return dict(sorted(Counter(found.kind for found in self._found(document.text)).items()))

    def decide(self, scores: Mapping[str, float | str]) -> Verdict:
        """Return that it is kept."""
        return Verdict(True, "", dict(scores))

    def judge(self, document: Document) -> Verdict:
        """Keep."""
        return self.decide(self.measure(document))

    def rewrite(self, document: Document) -> Document:
        """Return the document without addresses; the same one where there are none."""
        pieces, end = [], 0
        for found in self._found(document.text):
            pieces += [document.text[end : found.start], PLACEHOLDERS[found.kind]]
            end = found.end
        if not pieces:
            return document
        return msgspec.structs.replace(document, text="".join([*pieces, document.text[end:]]))

    def _found(self, text: str) -> list[Found]:
        """Return what is to be replaced, in order; of what overlaps, the e-mail address."""
        mail = list(emails(text)) if self.emails else []
        ends = [found.end for found in mail]
        apart = []
        for found in machines(text) if self.machines else ():
            place = bisect_right(ends, found.start)
            if place == len(mail) or mail[place].start >= found.end:
                apart.append(found)
        return sorted([*mail, *apart])
