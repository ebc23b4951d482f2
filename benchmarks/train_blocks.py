"""Train ``sources/extract/blocks.model``, and judge it by cross-validation in which no host is in two folds.

Training data: the development pages of WCXB (https://github.com/Murrough-Foley/web-content-extraction-benchmark, CC-BY-4.0,
Foley 2026), which are meant for it. Needs two packages that pile does not: ``pip install catboost==1.2.10 rapidfuzz==3.14.6``.

    python benchmarks/train_blocks.py --data ../shared/data/html-gold/wcxb/wcxb-dev.jsonl.zst

One thread and a fixed seed: the same data and packages give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import math
import re
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import zstandard
from catboost import CatBoost, Pool
from rapidfuzz.distance import Indel

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from sources.extract.block_features import features
from sources.extract.block_model import DEPTH, MODEL, SCALE, load
from sources.extract.block_names import Meanings, name_tokens
from sources.extract.block_page import read_page
from sources.extract.blocks import chosen
from sources.extract.html import routed
from sources.extract.unread import without_unread

FOLDS = 5
#: A name is worth something when this many hosts use it; fewer would teach the model single sites.
LEAST_HOSTS = 6
#: What is supposed of a name that nobody uses: this share of main text, as if seen on this many pages.
PRIOR_SHARE, PRIOR_PAGES = 0.35, 3.0
#: Blocks of a page that are trained on: more teach little and take time.
SAMPLE = 150
#: Share of the pages whose names are taken for unknown while training, so that the model reads pages made otherwise, too.
UNKNOWN = 0.5
#: Words by which short pages count less, and the most that one block counts.
SHORT, HEAVIEST = 30, 0.5
TRAINING = {
    "loss_function": "CrossEntropy",
    "iterations": 300,
    "depth": DEPTH,
    "learning_rate": 0.08,
    "l2_leaf_reg": 20,
    "border_count": 32,
    "bootstrap_type": "Bernoulli",
    "subsample": 0.5,
    "rsm": 0.2,
    "random_seed": 0,
    "thread_count": 1,
    "verbose": False,
    "allow_writing_files": False,
}
WORD = re.compile(r"\w+")


def words_of(text):
    return WORD.findall((text or "").lower())


def word_f1(text, gold):
    """Return the F1 of two texts' words, each as often as it occurs."""
    ours, theirs = Counter(words_of(text)), Counter(words_of(gold))
    both = sum((ours & theirs).values())
    total = sum(ours.values()) + sum(theirs.values())
    return 2 * both / total if total else 1.0


class Example:
    """A page, how many words of each block are in its gold text (in order), and what it counts."""

    def __init__(self, row):
        self.type = row["page_type"]
        host = urlsplit(row["url"] or "").netloc.lower().split(":")[0]
        self.host = host.removeprefix("www.")
        self.fold = int(hashlib.sha256(self.host.encode()).hexdigest()[:8], 16) % FOLDS
        self.gold = row["main_content"] or ""
        self.html = without_unread(row["html"])
        self.page = read_page(self.html)
        blocks = [words_of(text) for text in self.page.texts]
        self.words = np.array([len(block) for block in blocks], dtype=np.int64)
        self.right = self._right([word for block in blocks for word in block])
        self.names = self._names()

    def _right(self, words):
        """Return how many words of each block are on the longest common subsequence of the page and its gold text."""
        numbers, gold = {}, words_of(self.gold)
        ours = [numbers.setdefault(word, len(numbers)) for word in words]
        theirs = [numbers.setdefault(word, len(numbers)) for word in gold]
        hit = np.zeros(len(words) + 1, dtype=np.int64)
        for step in Indel.opcodes(ours, theirs):
            if step.tag == "equal":
                hit[step.src_start + 1 : step.src_end + 1] = 1
        running = np.cumsum(hit)
        ends = np.cumsum(self.words)
        return running[ends] - running[ends - self.words]

    def _names(self):
        """Return, of each name on the page, the share of main text in the elements that have it."""
        total, right = np.append(0, np.cumsum(self.words)), np.append(0, np.cumsum(self.right))
        held = defaultdict(lambda: [0, 0])
        page = self.page
        for tag, names, start, end in zip(page.tags, page.names, page.starts, page.ends, strict=True):
            if total[end] > total[start]:
                for token in name_tokens(tag, names):
                    held[token][0] += int(total[end] - total[start])
                    held[token][1] += int(right[end] - right[start])
        return {token: good / every for token, (every, good) in held.items()}


def read_examples(path):
    with open(path, "rb") as file:
        lines = io.TextIOWrapper(zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(file), "utf-8")
        return [Example(json.loads(line)) for line in lines]


def learn_names(examples):
    """Return what names are worth in 1/100 of log odds, by how much of what they hold is main text."""
    shares, hosts = defaultdict(list), defaultdict(set)
    for example in examples:
        if example.gold:
            for token, share in example.names.items():
                shares[token].append(share)
                hosts[token].add(example.host)
    worth = {}
    for token in sorted(shares):
        if len(hosts[token]) >= LEAST_HOSTS:
            mean = (math.fsum(shares[token]) + PRIOR_PAGES * PRIOR_SHARE) / (len(shares[token]) + PRIOR_PAGES)
            worth[token] = round(100 * (math.log(mean / (1 - mean)) - math.log(PRIOR_SHARE / (1 - PRIOR_SHARE))))
    return worth


def learn(examples):
    """Return a model trained on pages: the worth of names and the trees, as ``blocks.model`` stores them.

    What a page's own names are worth while training is learnt from other hosts, as it will be for pages never seen.
    """
    generator = np.random.default_rng(0)
    rows, targets, weights = [], [], []
    for fold in range(FOLDS):
        named = Meanings(learn_names([example for example in examples if example.fold != fold]))
        unnamed = Meanings({})
        for example in examples:
            if example.fold == fold and example.gold and example.words.any():
                sample = np.flatnonzero(example.words)
                more = max(1.0, len(sample) / SAMPLE)
                if more > 1:
                    sample = np.sort(generator.choice(sample, SAMPLE, replace=False))
                words = example.words[sample]
                unknown = generator.random() < UNKNOWN
                rows.append(features(example.page, unnamed if unknown else named)[sample])
                targets.append(example.right[sample] / words)
                weights.append(more * np.minimum(words / (len(words_of(example.gold)) + SHORT), HEAVIEST))
    trained = CatBoost(TRAINING)
    trained.fit(Pool(np.concatenate(rows), np.concatenate(targets), weight=np.concatenate(weights)))
    return {"names": learn_names(examples), **_trees(trained)}


def _trees(trained):
    """Return CatBoost's trees as flat lists, their leaves as integers."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        trained.save_model(str(path), format="json")
        stored = json.loads(path.read_bytes())
    scale, (bias,) = stored["scale_and_bias"]
    columns, thresholds, leaves = [], [], []
    for tree in stored["oblivious_trees"]:
        splits = tree["splits"]
        unasked = DEPTH - len(splits)  # a tree that gains nothing more asks less
        columns += [split["float_feature_index"] for split in splits] + [0] * unasked
        thresholds += [split["border"] for split in splits] + [3e38] * unasked
        values = [round(SCALE * scale * value) for value in tree["leaf_values"]]
        leaves += values + [0] * ((1 << DEPTH) - len(values))
    return {"columns": columns, "thresholds": thresholds, "leaves": leaves, "bias": round(SCALE * bias)}


def write(model, path):
    path.write_text(json.dumps(model, sort_keys=True, ensure_ascii=True, separators=(",", ":")) + "\n")


def cross_validate(examples):
    """Return each page's type and word F1 by a model that has not seen its host: of the blocks alone, and of main_text."""
    scores = []
    for fold in range(FOLDS):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "blocks.model"
            write(learn([example for example in examples if example.fold != fold]), path)
            model = load(path)
        for example in examples:
            if example.fold == fold:
                found = chosen(example.page, model)
                alone, whole = (
                    word_f1(found.text, example.gold),
                    word_f1(routed(example.html, found).text, example.gold),
                )
                scores.append((example.type, alone, whole))
        print(f"fold {fold}: {np.mean([whole for _, _, whole in scores]):.4f} so far", flush=True)
    return scores


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="wcxb-dev.jsonl.zst")
    parser.add_argument("--out", type=Path, default=MODEL, help="where the model is written")
    parser.add_argument("--model-only", action="store_true", help="leave the cross-validation out")
    arguments = parser.parse_args()
    examples = read_examples(arguments.data)
    write(learn(examples), arguments.out)
    print(f"{arguments.out}: {arguments.out.stat().st_size} bytes", flush=True)
    if not arguments.model_only:
        scores = cross_validate(examples)
        kinds = sorted({kind for kind, _, _ in scores})
        for name, wanted in [*((kind, [kind]) for kind in kinds), ("all", kinds)]:
            part = [score for score in scores if score[0] in wanted]
            alone, whole = (np.mean([score[place] for score in part]) for place in (1, 2))
            print(f"{name:<14} {len(part):>5} pages  word F1 of the blocks {alone:.4f}, of main_text {whole:.4f}")


if __name__ == "__main__":
    main()
