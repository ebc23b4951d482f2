"""Keeps documents under licences that the recipe names, by what their upstream states of each.

Names are SPDX's identifiers (https://spdx.org/licenses/) or the upstream's own words; the addresses and titles of
Creative Commons' licences are known as their identifiers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import ClassVar

import msgspec

from pile.document import Document, Verdict

#: Licences by another name or address than SPDX's, folded as ``folded`` does.
SYNONYMS = {
    "cc0": "cc0-1.0",
    "apache license 2.0": "apache-2.0",
    "mit license": "mit",
    "odc-by": "odc-by-1.0",
}
#: https://creativecommons.org/licenses/by-sa/4.0/deed.en, with or without what stands around "by-sa/4.0".
_CC_ADDRESS = re.compile(
    r"(?:https?://)?(?:www\.)?creativecommons\.org/(licenses|publicdomain)/([a-z+-]+)/(\d\.\d)(?:/[a-z]{2,3})?\b.*"
)
#: "CC BY-SA 4.0", "cc_by_nc", "Creative Commons Attribution 4.0" in the words of the licences' own titles.
_CC_NAME = re.compile(r"(?:cc|creative commons)[ _-]+(.*)")
_CC_WORDS = {"attribution": "by", "sharealike": "sa", "noncommercial": "nc", "noderivatives": "nd", "noderivs": "nd"}
_PUBLIC_DOMAIN = {"zero": "cc0", "mark": "cc-pdm"}


class License(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keeps documents whose licence is one of ``licenses``; letter case and white space do not matter.

    A name may have ``*`` for anything and ``[1-4]`` for one character: ``CC-BY-[1-4].*`` is every version of that licence,
    ``CC-BY-*`` also CC-BY-NC. Reasons: ``other_license``; ``no_license`` where upstream states none.
    """

    version: ClassVar[int] = 1
    libraries: ClassVar[tuple[str, ...]] = ()
    decided_by: ClassVar[tuple[str, ...]] = ("licenses",)

    licenses: tuple[str, ...]

    def __post_init__(self) -> None:
        """Raise ``ValueError`` when no licence is named."""
        if not any(name.strip() for name in self.licenses):
            raise ValueError('licenses names none: write for example licenses = ["CC0-1.0", "CC-BY-4.0"]')

    def measure(self, document: Document) -> dict[str, float | str]:
        """Return ``license`` as upstream states it, and the ``identifier`` that it is known by."""
        if not document.license.strip():
            return {}
        return {"license": document.license, "identifier": identifier(document.license)}

    def decide(self, scores: Mapping[str, float | str]) -> Verdict:
        """Return the verdict on what has these scores."""
        if not scores:
            return Verdict(False, "no_license")
        stated = {folded(str(scores["license"])), str(scores["identifier"])}
        for name in self.licenses:
            if any(fnmatchcase(one, pattern) for one in stated for pattern in (folded(name), identifier(name))):
                return Verdict(True, "", dict(scores))
        return Verdict(False, "other_license", dict(scores))

    def judge(self, document: Document) -> Verdict:
        """Decide by the document's licence alone."""
        return self.decide(self.measure(document))


def folded(name: str) -> str:
    """Return a name in small letters, with single spaces."""
    return " ".join(name.casefold().split())


def identifier(name: str) -> str:
    """Return the SPDX identifier of a licence in small letters, or its folded name where none is known."""
    name = folded(name)
    if name in SYNONYMS:
        return SYNONYMS[name]
    address = _CC_ADDRESS.fullmatch(name)
    if address:
        kind, terms, version = address.groups()
        return (
            f"{_PUBLIC_DOMAIN.get(terms, f'cc-{terms}')}-{version}"
            if kind == "publicdomain"
            else f"cc-{terms}-{version}"
        )
    title = _CC_NAME.fullmatch(name)
    if title:
        words = [
            _CC_WORDS.get(word, word)
            for word in re.split(r"[ _-]+", title[1])
            if word not in ("license", "international")
        ]
        return "-".join(["cc", *words])
    return name
