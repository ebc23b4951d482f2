"""What `filters.language.identify` gets right on sentences that its models have not seen, beside lid.176.ftz and CLD2 alone.

    python benchmarks/language.py --wheel lingua_language_detector-1.3.5-py3-none-any.whl [--data DIR] [--cache DIR] [--speed]

Nothing is measured on what it was trained on, weights and counts included. lingua's sentences: cross-validation in two halves,
each judged by a model of the other, ELD's lines and the Declaration of Human Rights (UDHR), with weights fitted on the
other half. ELD and UDHR: by a model and weights of lingua's sentences. lingua's once more: by those of ELD and UDHR.
UDHR in languages other than the 79: by a model of half of its paragraphs, judged on the others. A model takes minutes.

Accuracy is over sentences, macro over languages. ELD's "no" is right as nb and nn. Speed is sentences per second of process time,
the three in one run, with the model that ships; documents are sentences of a language joined to 1,000 characters.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pycld2
from language_material import Row, eld, lingua, part, udhr, words
from train_language import WEIGHTS, fitted_weights, known_elsewhere, train

from filters import language
from filters.language import identify
from filters.language_codes import GROUPS, iso_code
from filters.language_evidence import judges_of
from filters.language_model import LABEL, Weights, lid_model, unpack

BINS = (0.0, 0.3, 0.5, 0.65, 0.8, 0.9, 0.95, 0.99, 1.0001)
WORST = 8
Said = list[tuple[str, float]]


def right(code: str, found: str) -> bool:
    """Tell whether an answer is right; a group's code is met by each of its languages."""
    return found == code or found in GROUPS.get(code, ())


def cld2(text: str) -> tuple[str, float]:
    """Return CLD2's answer alone, at its best: any text gets one."""
    try:
        _, _, found = pycld2.detect(text.encode("utf-8", "replace"), isPlainText=True, bestEffort=True)
    except pycld2.error:
        return "", 0.0
    return iso_code(found[0][1]), found[0][2] / 100


def lid176(text: str) -> tuple[str, float]:
    """Return lid.176.ftz's answer alone."""
    feature = " ".join(text.split()).lower().encode("utf-8", "replace")
    return next(
        ((iso_code(label[len(LABEL) :]), p) for p, label in lid_model().predict(feature + b"\n", 1, 0.0, "strict")),
        ("", 0.0),
    )


def with_model(packed: bytes, rows: list[Row], weights: tuple[Weights, Weights]) -> Said:
    """Return what ``identify`` says of texts when this is pile's model, and these are the weights."""
    own = unpack(packed)
    header = msgspec.structs.replace(own.header, alone=weights[0], joined=weights[1])
    judges = judges_of(own._replace(header=header))
    before, language.shipped = language.shipped, lambda: judges  # type: ignore[assignment]
    try:
        return [identify(text) for _, text in rows]
    finally:
        language.shipped = before


def figures(name: str, rows: list[Row], said: Said, languages: frozenset[str] | None = None) -> None:
    """Print a line of the table: accuracy, macro, languages under .5, the worst."""
    met = defaultdict(list)
    for (code, _), (found, _) in zip(rows, said, strict=True):
        met[code].append(right(code, found))
    shares = {code: float(np.mean(each)) for code, each in met.items()}
    accuracy = float(np.mean([one for each in met.values() for one in each]))
    worst = ", ".join(f"{code} {shares[code]:.2f}" for code in sorted(shares, key=lambda code: shares[code])[:WORST])
    under = sum(share < 0.5 for share in shares.values())
    print(
        f"| {name} | {len(rows):,} | {len(shares)} | {accuracy:.4f} | {np.mean(list(shares.values())):.4f} | {under} | {worst} |",
        flush=True,
    )


def reliability(name: str, rows: list[Row], said: Said) -> None:
    """Print how many answers of each confidence are right, and the expected calibration error."""
    sure = np.array([confidence for _, confidence in said])
    met = np.array([right(code, found) for (code, _), (found, _) in zip(rows, said, strict=True)])
    print(
        f"\nReliability, {name}\n\n| confidence | sentences | mean confidence | right | |\n| --- | ---: | ---: | ---: | --- |"
    )
    error = 0.0
    for low, high in pairwise(BINS):
        chosen = (sure >= low) & (sure < high)
        if number := int(chosen.sum()):
            mean, share = float(sure[chosen].mean()), float(met[chosen].mean())
            error += number / len(rows) * abs(mean - share)
            print(
                f"| {low:.2f} to {min(high, 1):.2f} | {number:,} | {mean:.3f} | {share:.3f} | `{'#' * round(40 * share):40}` |"
            )
    print(
        f"\nExpected calibration error {error:.4f}; mean confidence {sure.mean():.4f}, right {met.mean():.4f}.",
        flush=True,
    )


def per_second(answer: Callable[[str], Any], texts: list[str]) -> float:
    """Return texts per second of process time, the best of three runs."""
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        for text in texts:
            answer(text)
        best = min(best, time.process_time() - start)
    return len(texts) / best


def speed(rows: list[Row]) -> None:
    """Print the speed of the three on sentences and on documents of 1,000 characters."""
    grouped = defaultdict(list)
    for code, text in rows:
        grouped[code].append(text)
    joined = [" ".join(texts[i : i + 40])[:1_000] for texts in grouped.values() for i in range(0, len(texts), 40)]
    samples = {"sentences": [text for _, text in rows[::10]], "documents of 1,000 characters": joined}
    print("\n| per second of process time | identify | lid.176.ftz | CLD2 |\n| --- | ---: | ---: | ---: |")
    for name, texts in samples.items():
        print(
            f"| {name} | "
            + " | ".join(f"{per_second(answer, texts):,.0f}" for answer in (identify, lid176, cld2))
            + " |",
            flush=True,
        )


def main() -> None:
    """Train on each part, judge the others, print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/lang"))
    parser.add_argument("--wheel", type=Path, default=Path())
    parser.add_argument(
        "--cache", type=Path, default=Path("/tmp/pile-language"), help="folder for models trained before"
    )
    parser.add_argument("--speed", action="store_true", help="only time the model that ships")
    options = parser.parse_args()
    sentences = lingua(options.data)
    if not options.speed:
        held_out(sentences, eld(options.data), udhr(options.data), options)
    speed(sentences)


def held_out(sentences: list[Row], lines: list[Row], declaration: list[Row], options: argparse.Namespace) -> None:
    """Print every figure on texts that were left out of the training."""
    options.cache.mkdir(exist_ok=True)
    vocabulary = words(options.wheel, options.cache / "words.msgpack")
    seventy_nine = frozenset(code for code, _ in sentences)
    codes = seventy_nine | {code for code, _ in lines} | known_elsewhere()
    declaration = [row for row in declaration if row[0] in codes]
    of_79 = [row for row in declaration if row[0] in seventy_nine]
    others = [row for row in declaration if row[0] not in seventy_nine]
    eld_79 = [row for row in lines if row[0] in seventy_nine or row[0] in GROUPS]

    def model(name: str, rows: list[Row], judged: list[Row]) -> bytes:
        path = options.cache / f"{name}.zst"
        if not path.exists():
            texts = {text for _, text in judged}  # a few sentences are in two of the sets
            path.write_bytes(train([row for row in rows if row[1] not in texts], vocabulary, WEIGHTS))
        return path.read_bytes()

    print(
        "| set | texts | languages | accuracy | macro | under .5 | worst |\n| --- | ---: | ---: | ---: | ---: | ---: | --- |"
    )
    parts = [[row for row in sentences if part(row[1], 2) == half] for half in (0, 1)]
    folds = [model(f"fold-{half}", parts[1 - half] + lines + declaration, parts[half]) for half in (0, 1)]
    weights = [fitted_weights(judges_of(unpack(folds[half])), parts[half]) for half in (0, 1)]
    crossed = [said for half in (0, 1) for said in with_model(folds[half], parts[half], weights[1 - half])]
    figures("lingua, cross-validated", parts[0] + parts[1], crossed)
    extra = [row for row in lines if row[0] not in seventy_nine and row[0] not in GROUPS]
    from_lingua = model("lingua", sentences + extra + others, eld_79 + of_79)
    on_eld = with_model(from_lingua, eld_79, weights[0])
    figures("ELD, by lingua's", eld_79, on_eld)
    figures("UDHR, by lingua's", of_79, with_model(from_lingua, of_79, weights[0]))
    of_eld = fitted_weights(judges_of(unpack(from_lingua)), eld_79 + of_79)
    figures(
        "lingua, by ELD's and UDHR",
        sentences,
        with_model(model("others", lines + declaration, sentences), sentences, of_eld),
    )
    halves = [[row for row in others if part(row[1], 2) == half] for half in (0, 1)]
    of_half = model("half", sentences + lines + of_79 + halves[0], halves[1])
    figures("UDHR, other languages", halves[1], with_model(of_half, halves[1], weights[0]))
    for name, rows in (("lingua", sentences), ("ELD", eld_79), ("UDHR", of_79)):
        figures(f"{name}: lid.176.ftz alone", rows, [lid176(text) for _, text in rows])
        figures(f"{name}: CLD2 alone", rows, [cld2(text) for _, text in rows])
    short = [(code, " ".join(text.split()[:3])) for code, text in parts[0]]
    reliability("lingua, cross-validated", parts[0] + parts[1], crossed)
    reliability("lingua, the first three words of a sentence", short, with_model(folds[0], short, weights[1]))
    reliability("ELD, by lingua's", eld_79, on_eld)


if __name__ == "__main__":
    main()
