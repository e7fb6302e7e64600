#!/usr/bin/env python3
"""The language models: modified Kneser-Ney on the prose, entropy-pruned, as ARPA files.

Two models of one text: a small trigram that the decoding graph is compiled from, and a large 4-gram
that rescores. Prints the perplexity of the LibriSpeech `dev` transcripts at every step of the
pruning; the `test` split is never read. About 6 GB of memory and 5 CPU minutes for order 4.

LibriSpeech writes `to day` and `any one` in places where the prose has `today` and `anyone`; the
models are left as the prose has it. Adding the training transcripts (83 k words, also three and ten
times over) does not lower the dev perplexity, so they are not part of the text.

The shipped models:

    lm="python lm.py --shared ../shared --core .cache/core --words models/en/words.txt"
    $lm --order 3 --thresholds 1e-8,6e-8,1e-7,1.4e-7,1.7e-7 --arpa .cache/lm/graph.arpa.gz
    $lm --order 4 --thresholds 3e-9,1e-8,1.4e-8,1.7e-8 --arpa .cache/lm/rescore.arpa.gz
    for m in graph rescore; do zcat .cache/lm/$m.arpa.gz | paretone lm pack --arpa - \\
        --words models/en/words.txt --out models/en/$m.ngram; done

`python lm.py --check` tests the estimation on a toy: sums to one, equals a plain implementation.
"""

import argparse
import csv
import itertools
import time
from pathlib import Path

import numpy as np

import lm_arpa
import lm_counts
import lm_kneser_ney
import lm_prune

DEV_SET = "librispeech-test-clean"


def dev_lines(shared):
    """Transcripts of the LibriSpeech rows of the `dev` split."""
    with open(shared / "speech/manifest.tsv", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [r["text"] for r in rows if r["split"] == "dev" and r["set"] == DEV_SET]


def read_text(core, ids):
    """All shards of the prose, encoded."""
    parts = []
    for shard in sorted(core.glob("core_*.txt")):
        with open(shard) as lines:
            parts.append(lm_counts.encode(lines, ids))
    return np.concatenate(parts)


def check():
    """Sums to one over all histories, and equals a plain dictionary implementation, on a toy."""
    rng = np.random.default_rng(1)
    words = [4, 5, 6, 7, 8]
    lines = [rng.choice(words + [3], size=rng.integers(1, 9)) for _ in range(400)]
    tokens = np.concatenate([np.array([1, *line, 2], dtype=np.uint16) for line in lines])
    tables = lm_counts.count(tokens, 3)
    discount = lm_kneser_ney.all_discounts(tables)
    keep = lm_kneser_ney.everything(tables)
    keep[0][9:] = False
    for threshold in (0.0, 1e-4, 1e-3):
        model = lm_kneser_ney.estimate(tables, keep, discount)
        model = lm_prune.prune(model, threshold, discount)
        for history in itertools.product([1, 3, *words], [3, *words]):
            total = sum(lookup(model, (*history, w)) for w in [2, *words])
            # <unk> keeps its unigram share: what is missing from one.
            share = lookup(model, (*history, 3))
            assert abs(total + share - 1) < 1e-9, (history, total, share)
        print(f"threshold {threshold}: {lm_prune.sizes(model)} n-grams, sums to one")
    brute_force(tokens, lm_kneser_ney.estimate(tables, lm_kneser_ney.everything(tables), discount))


def lookup(model, gram):
    """p(last word | words before) from the listed rows alone, as a reader of the ARPA file would."""
    n = len(gram)
    key = lm_counts.pack(np.array(gram, dtype=np.uint16), n)
    row = lm_counts.find(model.tables[n - 1].keys, key)[0]
    if row >= 0 and model.listed(n)[row]:
        return model.p[n - 1][row]
    history = lm_counts.find(model.tables[n - 2].keys, key >> np.uint64(16))[0]
    listed = np.flatnonzero(model.listed(n))
    extended = history >= 0 and np.any(model.tables[n - 1].prefix[listed] == history)
    return (model.gamma[n - 2][history] if extended else 1.0) * lookup(model, gram[1:])


def brute_force(tokens, model):
    """Compares an unpruned trigram model with sets and dictionaries, formula by formula."""
    grams = [set(), set(), set(), set()]
    counts = [{}, {}, {}, {}]
    for n in (1, 2, 3):
        for i in range(len(tokens) - n + 1):
            gram = tuple(int(t) for t in tokens[i : i + n])
            if not any(t in (1, 3) for t in gram[1:]):
                grams[n].add(gram)
                counts[n][gram] = counts[n].get(gram, 0) + 1
    for n in (2, 1):
        for gram in grams[n]:
            if gram[0] not in (1, 3):
                counts[n][gram] = sum(1 for longer in grams[n + 1] if longer[1:] == gram)
    for special in (1, 3):
        counts[1].pop((special,), None)
    taken = [None] + [lm_kneser_ney.discounts(np.array(list(counts[n].values()))) for n in (1, 2, 3)]
    words = lm_counts.VOCABULARY - 2

    def p(gram):
        n = len(gram)
        lower = p(gram[1:]) if n > 1 else 1.0 / words
        row = {g: c for g, c in counts[n].items() if g[:-1] == gram[:-1]}
        if not row:
            return lower
        discount = {g: taken[n][min(c, 3)] for g, c in row.items()}
        total = sum(row.values())
        own = row.get(gram, 0) - discount.get(gram, 0.0)
        return own / total + sum(discount.values()) / total * lower

    worst = 0.0
    for n in (1, 2, 3):
        for gram in counts[n]:
            row = lm_counts.find(model.tables[n - 1].keys, lm_counts.pack(np.array(gram, np.uint16), n))[0]
            worst = max(worst, abs(p(gram) / model.p[n - 1][row] - 1))
    assert worst < 1e-9, worst
    print(f"equals the dictionary implementation: largest relative difference {worst:.1e}")


def build(args):
    words = args.words.read_text().split("\n")[:-1]
    ids = {word: i for i, word in enumerate(words)}
    began = time.time()
    tokens = read_text(args.core, ids)
    dev = lm_counts.encode(dev_lines(args.shared), ids)
    tables = lm_counts.count(tokens, args.order)
    discount = lm_kneser_ney.all_discounts(tables)
    model = lm_kneser_ney.estimate(tables, lm_kneser_ney.everything(tables), discount)

    def report(name):
        value, scored, unknown = lm_kneser_ney.perplexity(model, dev)
        print(f"{name}: {lm_prune.sizes(model)} n-grams, dev perplexity {value:.2f} "
              f"({scored} words, {unknown} unknown), {time.time() - began:.0f} s", flush=True)

    report(f"order {args.order}, unpruned")
    for threshold in args.thresholds:
        model = lm_prune.prune(model, threshold, discount)
        report(f"threshold {threshold:g}")
    if args.arpa:
        args.arpa.parent.mkdir(parents=True, exist_ok=True)
        lm_arpa.write(model, words, args.arpa)


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("--check", action="store_true", help="test the estimation on a toy and exit")
    args.add_argument("--shared", type=Path)
    args.add_argument("--core", type=Path)
    args.add_argument("--words", type=Path)
    args.add_argument("--order", type=int, default=3)
    args.add_argument("--thresholds", type=lambda s: [float(x) for x in s.split(",")], default=[])
    args.add_argument("--arpa", type=Path)
    args = args.parse_args()
    check() if args.check else build(args)


if __name__ == "__main__":
    main()
