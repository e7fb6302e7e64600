"""Writes tests/golden/kneser_ney.json: a made-up text and its model as `lm_kneser_ney.py` estimates it, by which the Rust is tested.

    python scripts/train/lm_golden.py

The pruning takes the same steps as `src/graph/ngram/estimate/prune.rs`.
"""

import json
from pathlib import Path

import numpy as np

import lm_counts
import lm_kneser_ney
import lm_prune

WORDS = ["<eps>", "<s>", "</s>", "<unk>", *"abcdefgh"]
STEPS = [0.1, 0.4, 1.0]
PRUNE = 2e-3


def sentences():
    """Words drawn unevenly, each leaning on the one before, some of them unknown."""
    draw = np.random.default_rng(5)
    for _ in range(300):
        line, last = [], 0
        for _ in range(draw.integers(0, 9)):
            last = int(draw.choice(8, p=np.roll(np.array([30, 20, 15, 10, 8, 7, 6, 4]) / 100, last)))
            line.append("strange" if draw.random() < 0.03 else "abcdefgh"[last])
        yield " ".join(line)


def listed(model):
    """By order: [words, probability, back-off weight] of each listed n-gram."""
    orders = []
    for n, table in enumerate(model.tables, start=1):
        rows = np.flatnonzero(model.listed(n))
        rows = [row for row in rows if n > 1 or row > 3 or row == 2]
        gamma = model.gamma[n - 1] if n < len(model.tables) else None
        grams = []
        for row in rows:
            ids = [int(table.keys[row]) >> 16 * i & 0xFFFF for i in range(n - 1, -1, -1)]
            grams.append([" ".join(WORDS[i] for i in ids), float(model.p[n - 1][row]), None if gamma is None else float(gamma[row])])
        orders.append(grams)
    return orders


def main():
    text = list(sentences())
    tokens = lm_counts.encode(text, {word: i for i, word in enumerate(WORDS)})
    tables = lm_counts.count(tokens, 3)
    discount = lm_kneser_ney.all_discounts(tables)
    keep = lm_kneser_ney.everything(tables)
    keep[0][len(WORDS):] = False
    whole = lm_kneser_ney.estimate(tables, keep, discount)
    golden = {"words": WORDS, "text": text, "prune": PRUNE, "whole": listed(whole)}
    model = whole
    for step in STEPS:
        model = lm_prune.prune(model, PRUNE * step, discount)
    golden["pruned"] = listed(model)
    Path("tests/golden/kneser_ney.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
