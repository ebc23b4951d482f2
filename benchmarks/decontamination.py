"""How many questions of benchmarks decontamination finds, planted into real text and changed, and what it finds in clean text.

    python benchmarks/decontamination.py CORPUS [--benchmarks DIR] [--questions N]

CORPUS is a finished corpus, such as build/pile-mini. Of each benchmark N questions, drawn with a fixed seed, are put into the
midst of a document, whole and changed in several ways; the longest text of a question counts. Prints Markdown tables.
"""

from __future__ import annotations

import argparse
import random
import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from pile import benchmarks
from pile.benchmark_hits import hits_in
from pile.benchmarks import Features, Lookup
from pile.corpus import Corpus
from pile.decontaminate import Found, held

ROOT = Path(__file__).resolve().parents[1]
SEED = 1
#: One word in so many is another.
TYPOS = 20


def _typos(text: str, chance: random.Random) -> str:
    words = text.split()
    for _ in range(max(1, len(words) // TYPOS)):
        words[chance.randrange(len(words))] = "xqz"
    return " ".join(words)


CHANGES: dict[str, Callable[[str, random.Random], str]] = {
    "whole": lambda text, chance: text,
    "re-wrapped": lambda text, chance: "\n".join(re.findall(r"(?:\S+\s*){1,7}", text)),
    "re-cased": lambda text, chance: text.upper(),
    "other numbers": lambda text, chance: re.sub(r"\d+", lambda found: str(chance.randint(1, 9999)), text),
    "no punctuation": lambda text, chance: re.sub(r"[^\w\s]", "", text),
    "5 % other words": _typos,
    "first half": lambda text, chance: " ".join(text.split()[: max(1, len(text.split()) // 2)]),
}


def found_in(text: str, features: Features, lookup: Lookup) -> list[Found]:
    """Return the passages that a document holds, as a build of this document alone would find them."""
    hits = hits_in([(0, text)], lookup)
    return held(hits, features) if len(hits) else []


def recall(
    questions: list[tuple[int, str]], name: str, texts: list[str], features: Features, lookup: Lookup
) -> list[float]:
    """Return the share of the questions (item, text) that is found, for each change."""
    chance = random.Random(SEED)
    shares = []
    for change in CHANGES.values():
        right = 0
        for item, question in questions:
            host = chance.choice(texts)
            middle = chance.randrange(len(host))
            text = f"{host[:middle]}\n\n{change(question, chance)}\n\n{host[middle:]}"
            right += any(one.benchmark == name and one.item == item for one in found_in(text, features, lookup))
        shares.append(right / len(questions))
    return shares


def main(corpus: str, folder: Path, count: int) -> None:
    """Print the tables."""
    read = [(path.name, list(benchmarks.read(path, []))) for path in sorted(folder.glob("*.jsonl.gz"))]
    features = benchmarks.compiled(read)
    lookup = Lookup(features.grams)
    documents = list(Corpus(corpus).iterate())
    texts = [document["text"] for document in documents]
    print("| benchmark | items | too short | " + " | ".join(CHANGES) + " |\n|---|--:|--:|" + "--:|" * len(CHANGES))
    for (name, passages), items, short in zip(read, features.items, features.too_short, strict=True):
        longest: dict[int, str] = {}
        for passage in passages:
            longest[passage.item] = max(longest.get(passage.item, ""), passage.text, key=len)
        drawn = random.Random(SEED).sample(sorted(longest.items()), min(count, len(longest)))
        shares = recall(drawn, name, texts, features, lookup)
        print(f"| {name} | {items:,} | {short:,} | " + " | ".join(f"{share:.1%}" for share in shares) + " |")
    began = time.process_time()
    clean = [(document, held_) for document in documents if (held_ := found_in(document["text"], features, lookup))]
    seconds = time.process_time() - began
    megabytes = sum(len(text) for text in texts) / 1e6
    print(f"\nIn {len(texts):,} documents as they are, {len(clean)} hold a question ({len(clean) / len(texts):.2%}):")
    for (name, item), number in Counter(
        (one.benchmark, one.item) for _, held_ in clean for one in held_[:1]
    ).most_common():
        print(f"- {number}: {name} item {item + 1}")
    print(f"\n{megabytes / seconds:.1f} million characters a second, one core.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    parser.add_argument("--benchmarks", type=Path, default=ROOT.parent / "shared/data/eval-sets")
    parser.add_argument("--questions", type=int, default=200)
    arguments = parser.parse_args()
    main(arguments.corpus, arguments.benchmarks, arguments.questions)
