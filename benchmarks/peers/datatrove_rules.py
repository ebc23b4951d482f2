"""Ask datatrove's rule filters about texts, in datatrove's own environment: a verdict of each on every text, and what it cost.

    python datatrove_rules.py TEXTS.jsonl VERDICTS.jsonl

TEXTS has an id and a text on every line. A line of VERDICTS has the id, and by filter a reason, "" for kept. Each filter sees the
text as it is, not as C4 left it. Prints the user CPU seconds that all filters took together.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable

from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)

#: FineWeb-2's pipeline, with numbers of English: what it switches off and what it changes for all languages.
FINEWEB_2 = (
    GopherRepetitionFilter(dup_para_frac=0, dup_line_char_frac=0, dup_para_char_frac=0),
    FineWebQualityFilter(short_line_thr=999, char_duplicates_ratio=0.1),
    GopherQualityFilter(),
)
FILTERS = {
    "gopher_repetition": (GopherRepetitionFilter(),),
    "gopher_quality": (GopherQualityFilter(),),
    "c4": (C4QualityFilter(),),
    "fineweb": (FineWebQualityFilter(),),
    "fineweb2": FINEWEB_2,
}


def reason(filters: tuple[object, ...], text: str, id: str) -> str:
    """Return why the first filter that does so drops a text, "" when none does; an exception is a reason, too."""
    for filter in filters:
        ask: Callable[[Document], bool | tuple[bool, str]] = filter.filter  # type: ignore[attr-defined]
        try:
            found = ask(Document(text=text, id=id))
        except Exception as error:  # noqa: BLE001 (a peer's failure is a result)
            return f"failed: {type(error).__name__}"
        if found is not True:
            return found[1] if isinstance(found, tuple) else "dropped"
    return ""


def main(texts: str, verdicts: str) -> None:
    """Read the one, write the other, print the user CPU seconds that the filters took."""
    reason(FILTERS["gopher_quality"], "The first text loads the tokenizer.", "")
    with open(texts, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    began = os.times().user
    found = [
        (row["id"], {name: reason(filters, row["text"], row["id"]) for name, filters in FILTERS.items()})
        for row in rows
    ]
    print(os.times().user - began)
    with open(verdicts, "w", encoding="utf-8") as file:
        for id, reasons in found:
            print(json.dumps({"id": id, "reasons": reasons}), file=file)


if __name__ == "__main__":
    main(*sys.argv[1:])
