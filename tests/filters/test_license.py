"""filters.license: names, addresses and titles of the same licence are the same."""

from __future__ import annotations

import msgspec
import pytest

from filters.license import License
from pile.document import Document, Verdict


def judge(stated: str, *licenses: str) -> Verdict:
    return License(licenses=licenses).judge(Document("x", "text", license=stated))


@pytest.mark.parametrize(
    ("stated", "named"),
    [
        ("CC0-1.0", "cc0-1.0"),
        (" Some  Licence ", "some licence"),
        ("http://creativecommons.org/licenses/by/4.0/", "CC-BY-4.0"),
        ("https://creativecommons.org/licenses/by-nc-sa/3.0/us/deed.en", "CC-BY-NC-SA-3.0"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("CC BY-SA 4.0", "CC-BY-SA-4.0"),
        ("CC BY", "cc-by"),
        ("Creative Commons Attribution-ShareAlike 4.0 International", "CC-BY-SA-4.0"),
        ("CC-BY-SA-4.0", "https://creativecommons.org/licenses/by-sa/4.0/"),
        ("http://arxiv.org/licenses/nonexclusive-distrib/1.0/", "http://arxiv.org/licenses/nonexclusive-distrib/*"),
        ("CC-BY-3.0", "CC-BY-[1-4].*"),
    ],
)
def test_what_is_named_is_kept(stated: str, named: str) -> None:
    verdict = judge(stated, "MIT", named)
    assert verdict.keep
    assert verdict.scores["license"] == stated


def test_what_is_not_named_is_dropped_with_what_was_seen() -> None:
    verdict = judge("http://creativecommons.org/licenses/by-nc/4.0/", "CC-BY-4.0", "CC-BY-[1-4].*")
    assert verdict.reason == "other_license"
    assert verdict.scores["identifier"] == "cc-by-nc-4.0"
    assert judge("CC BY", "CC-BY-4.0").reason == "other_license"  # no version is stated


@pytest.mark.parametrize("stated", ["", "  "])
def test_no_licence_is_a_reason_of_its_own(stated: str) -> None:
    assert judge(stated, "*") == Verdict(False, "no_license")


def test_naming_no_licence_is_refused() -> None:
    for licenses in ([], [" "]):
        with pytest.raises(msgspec.ValidationError, match="licenses names none"):
            msgspec.convert({"licenses": licenses}, License)
