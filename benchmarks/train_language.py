"""Train ``filters/models/language.zst``, the language model that ships with pile.

    pip download --no-deps lingua-language-detector==1.3.5      # and pip install brotli
    python benchmarks/train_language.py --data ../shared/data/lang --wheel lingua_language_detector-1.3.5-py3-none-any.whl

A fastText classifier of groups of 2 to 4 letters, trained on the labelled sentences and on made-up ones of words with lingua's
frequencies; with it how often CLD2 says what of each language. One thread and a fixed seed: the same data and packages give the
same bytes. benchmarks/language.py measures it, each time on sentences that were left out here, and fits the weights.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import struct
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import fasttext
import numpy as np
import pycld2
from language_material import Row, eld, lingua, part, sentences, udhr, words
from scipy.optimize import minimize
from scipy.special import logsumexp

from filters.language_codes import NO_LANGUAGE, iso_code
from filters.language_evidence import (
    SURE,
    Judges,
    candidates,
    find,
    letters,
    lid_codes,
    lid_says,
    own_log,
    own_says,
    weights_at,
)
from filters.language_model import LABEL, OWN_MODEL, Header, Weights, pack, unpack

COLUMNS, ROWS = 16, 1 << 18
SHAPE = {"dim": COLUMNS, "minn": 2, "maxn": 4, "bucket": ROWS}
SETTINGS = {"epoch": 5, "lr": 0.5, "loss": "softmax", "thread": 1, "seed": 7}
#: No word is worth a row of its own: its letters say as much.
NO_WORDS = {"minCount": 10**9}
#: Made-up sentences for each language, and how often each labelled one is repeated beside them.
MADE_UP, REPEATS = 2_000, 3
#: What a whole number of the packed matrix is worth: .1 loses nothing that can be measured, .4 a quarter of a percent.
STEP = 0.1
#: The most words of a text that is cut for the weights of short ones.
SHORT_WORDS = 5
#: What pile's model, CLD2 and lid.176 weigh: as benchmarks/language.py fits them on a half of lingua's sentences with a model
#: that has not seen that half.
WEIGHTS: tuple[Weights, Weights] = (((1.07, 58.6), (0.48, 5.3)), ((0.78, 53.3), (0.37, 3.8), (0.65, 14.0)))

Vocabulary = dict[str, list[tuple[str, float]]]


def known_elsewhere() -> frozenset[str]:
    """Return the codes of all languages that CLD2 or lid.176 knows."""
    cld = {iso_code(code) for _, code in pycld2.LANGUAGES if not code.startswith(("xx", "zz"))}
    return (lid_codes() | cld) - NO_LANGUAGE


def train(rows: list[Row], vocabulary: Vocabulary, weights: tuple[Weights, Weights]) -> bytes:
    """Return the file of a model trained on labelled texts; "no" is no label of one language and is left out."""
    rows = [(code, text) for code, text in rows if code != "no" and letters(text)]
    lines = [f"{LABEL}{code} {letters(text).decode()}" for code, text in rows for _ in range(REPEATS)]
    draws = np.random.default_rng(SETTINGS["seed"])
    for code in sorted(vocabulary):
        lines += [f"{LABEL}{code} {sentence}" for sentence in sentences(vocabulary[code], MADE_UP, draws)]
    random.Random(SETTINGS["seed"]).shuffle(lines)
    with tempfile.TemporaryDirectory() as folder:
        text, binary = Path(folder, "lines.txt"), Path(folder, "model.bin")
        text.write_text("\n".join(lines) + "\n", encoding="utf-8")
        model = fasttext.train_supervised(str(text), **SHAPE, **SETTINGS, **NO_WORDS, verbose=0)
        model.save_model(str(binary))
        skeleton = _skeleton(binary.read_bytes(), len(model.labels))
    header = Header(skeleton, ROWS, COLUMNS, STEP, *answers(rows), *weights)
    return pack(header, model.get_input_matrix(), model.get_output_matrix())


def _skeleton(binary: bytes, labels: int) -> bytes:
    """Return a fastText file with empty matrices: what stands before them, then none of either."""
    matrix = struct.pack("<?qq", False, ROWS, COLUMNS)
    start = binary.index(matrix)
    assert len(binary) == start + 2 * len(matrix) + 4 * COLUMNS * (ROWS + labels)
    empty_output = struct.pack("<?qq", False, labels, COLUMNS) + bytes(4 * COLUMNS * labels)
    return binary[:start] + struct.pack("<?qq", False, 0, COLUMNS) + empty_output


def answers(rows: list[Row]) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, int]]]:
    """Return what CLD2 and lid.176 say of labelled texts, counted by language."""
    found: tuple[Any, Any] = (defaultdict(Counter), defaultdict(Counter))
    for code, text in rows:
        asked = letters(text)
        for said, first in zip(found, (find(asked).first, lid_says(asked)[0]), strict=True):
            if first:
                said[code][first] += 1
    return tuple({code: dict(sorted(said[code].items())) for code in sorted(said)} for said in found)  # type: ignore[return-value]


def fitted_weights(judges: Judges, rows: list[Row]) -> tuple[Weights, Weights]:
    """Return the weights under which labelled texts are most probable: without lid.176 for all, with it for the unsure.

    Each text counts as it is and cut to its first few words.
    """
    rows = [row for row in rows if row[0] != "no"]
    texts = rows + [(code, " ".join(text.split()[: 1 + part(text, SHORT_WORDS, "words")])) for code, text in rows]
    evidence = [(len(letters(text)), _evidence(judges, text, code)) for code, text in texts if letters(text)]
    alone = _most_likely([(size, table[:, :2]) for size, table in evidence])
    unsure = [
        (size, table) for size, table in evidence if _top(table[:, :2] @ np.array(weights_at(alone, size))) < SURE
    ]
    return alone, _most_likely(unsure)


def _evidence(judges: Judges, text: str, right: str) -> Any:
    """Return a line for each language in question, the right one first: what each of the three counts for it."""
    asked = letters(text)
    said, first, (lid_first, sure) = own_says(judges.own, asked), find(asked).first, lid_says(asked)
    codes = [right, *(code for code in candidates(said, first, lid_first) if code != right)]
    cld, lid = judges.cld.log_share, judges.lid.log_share
    return np.array(
        [
            (
                own_log(judges, said, code),
                cld(first, code) if first else 0.0,
                sure * lid(lid_first, code) if lid_first else 0.0,
            )
            for code in codes
        ]
    )


def _top(scores: Any) -> float:
    return float(np.exp(scores.max() - logsumexp(scores)))


def _most_likely(evidence: list[tuple[int, Any]]) -> Weights:
    columns, longest = evidence[0][1].shape[1], max(len(table) for _, table in evidence)
    padded = np.full((len(evidence), longest, columns), -1e6)
    sizes = np.array([float(size) for size, _ in evidence])[:, None]
    for line, (_, table) in zip(padded, evidence, strict=True):
        line[: len(table)] = table

    def surprise(both: Any) -> float:
        weights = both[:columns] * sizes / (sizes + both[columns:])
        scores = np.einsum("tlc,tc->tl", padded, weights)
        return float((logsumexp(scores, axis=1) - scores[:, 0]).mean())

    start, bounds = np.repeat([0.5, 5.0], columns), [(0.05, 3.0)] * columns + [(0.0, 200.0)] * columns
    best = minimize(surprise, start, method="L-BFGS-B", bounds=bounds).x
    return tuple((round(float(best[i]), 2), round(float(best[columns + i]), 1)) for i in range(columns))


def main() -> None:
    """Train on all labelled sentences and write the model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/lang"))
    parser.add_argument("--wheel", type=Path, required=True, help="the wheel of lingua-language-detector 1.3.5")
    parser.add_argument("--cache", type=Path, default=Path("/tmp/lingua-words.msgpack"))
    parser.add_argument("--out", type=Path, default=OWN_MODEL)
    options = parser.parse_args()
    labelled = lingua(options.data) + eld(options.data)
    codes = {code for code, _ in labelled} | known_elsewhere()
    rows = labelled + [row for row in udhr(options.data) if row[0] in codes]
    packed = train(rows, words(options.wheel, options.cache), WEIGHTS)
    options.out.parent.mkdir(exist_ok=True)
    options.out.write_bytes(packed)
    header = unpack(packed).header
    print(
        f"{options.out}: {len(packed):,} bytes, sha256 {hashlib.sha256(packed).hexdigest()}, {header.alone}, {header.joined}"
    )


if __name__ == "__main__":
    main()
