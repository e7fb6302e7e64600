#!/usr/bin/env python3
"""Table by version of the recorded outcomes, as in scripts/images/README.md.

    report.py corpora/outcomes/images.csv

AUC: the chance that an image answered rightly has the higher confidence than one answered wrongly, ties counted as half.
ECE: the mean gap between confidence and share of right answers over 15 bins of as many images each.
"""

import csv
import sys
from collections import defaultdict

import numpy as np

import network


def auc(confidence, wrong):
    """Area under the curve of confidence as a test for right answers; from the sum of ranks."""
    _, inverse, counts = np.unique(confidence, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    right = ~wrong
    return (ranks[right].sum() - right.sum() * (right.sum() + 1) / 2) / (right.sum() * wrong.sum())


def calibration_error(confidence, wrong):
    """Expected calibration error over 15 bins of equal size."""
    bins = np.array_split(np.argsort(confidence, kind="stable"), 15)
    return sum(len(part) * abs((confidence[part] - ~wrong[part]).mean()) for part in bins) / len(wrong)


def main():
    rows = defaultdict(list)
    with open(sys.argv[1], newline="") as file:
        for row in csv.DictReader(file):
            rows[row["version"]].append([float(row[name]) for name in ("errors", "response_seconds", "confidence")])
    errors = {name: np.array(of)[:, 0] > 0 for name, of in rows.items()}
    print("| version | parameters | top-1 error % | mean response ms | p99 ms | mean confidence | ECE | AUC |")
    print("|---|---|---|---|---|---|---|---|")
    for name, of in rows.items():
        wrong, seconds, confidence = errors[name], *np.array(of)[:, 1:].T
        size = sum(weights.numel() for weights in network.fused(network.build(network.VERSIONS[name])).parameters())
        times = f"{seconds.mean() * 1e3:.3f} | {np.quantile(seconds, 0.99) * 1e3:.3f}"
        sure = f"{confidence.mean():.3f} | {calibration_error(confidence, wrong):.3f} | {auc(confidence, wrong):.3f}"
        print(f"| {name} | {size:,} | {100 * wrong.mean():.2f} | {times} | {sure} |")
    table = np.array(list(errors.values()))
    kinds = table.all(0), ~table.any(0)
    falls, rises = ((np.diff(sign * table.astype(int), axis=0) >= 0).all(0) for sign in (-1, 1))
    steady = kinds[0] | kinds[1]
    print(f"\nunchanged {steady.mean():.1%} (right {kinds[1].mean():.1%}, wrong {kinds[0].mean():.1%}), improves "
          f"{(falls & ~steady).mean():.1%}, degrades {(rises & ~steady).mean():.1%}, varies {(~falls & ~rises).mean():.1%}")


if __name__ == "__main__":
    main()
