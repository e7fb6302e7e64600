"""Writes a model as an ARPA file, the interchange format of n-gram models."""

import gzip

import numpy as np

from lm_counts import BEGIN, EPS, UNKNOWN

CHUNK = 1 << 16
LOG_ZERO = -99.0
UNKNOWN_P = 1e-7  # listed for readers that insist on <unk>; no transcript holds it


def histories(model, n):
    """log10 back-off weight of every row of order n, NaN where no listed n-gram extends it."""
    if n == len(model.tables):
        return None
    extended = np.zeros(len(model.tables[n - 1].keys), dtype=bool)
    extended[model.tables[n].prefix[model.listed(n + 1)]] = True
    weight = np.full(len(extended), np.nan)
    weight[extended] = np.log10(np.maximum(model.gamma[n - 1][extended], 1e-30))
    return weight


def rows_to_write(model, n):
    """(rows, log10 probabilities) of order n; unigrams include <s> and <unk>, which ARPA wants."""
    rows = np.flatnonzero(model.listed(n))
    p = model.p[n - 1][rows]
    if n > 1:
        return rows, np.log10(p)
    rows = rows[rows != EPS]
    p = model.p[0][rows]
    p[rows == UNKNOWN] = UNKNOWN_P
    return rows, np.where(rows == BEGIN, LOG_ZERO, np.log10(np.maximum(p, 1e-98)))


def write(model, words, path):
    """Writes `path` (gzip if it ends in .gz) with the words of `words` (id -> spelling)."""
    opened = gzip.open(path, "wt", compresslevel=3) if str(path).endswith(".gz") else open(path, "w")
    with opened as out:
        parts = [rows_to_write(model, n) for n in range(1, len(model.tables) + 1)]
        out.write("\\data\\\n")
        for n, (rows, _) in enumerate(parts, start=1):
            out.write(f"ngram {n}={len(rows)}\n")
        for n, (rows, logp) in enumerate(parts, start=1):
            out.write(f"\n\\{n}-grams:\n")
            weights = histories(model, n)
            for at in range(0, len(rows), CHUNK):
                part = slice(at, at + CHUNK)
                out.write(lines(model.tables[n - 1].keys[rows[part]], n, logp[part],
                                None if weights is None else weights[rows[part]], words))
        out.write("\n\\end\\\n")


def lines(keys, n, logp, weights, words):
    """The ARPA lines of some n-grams as one string."""
    ids = [(keys >> np.uint64(16 * i)) & np.uint64(0xFFFF) for i in range(n - 1, -1, -1)]
    columns = [[words[i] for i in column.tolist()] for column in ids]
    text = [" ".join(gram) for gram in zip(*columns)]
    if weights is None:
        return "".join(f"{p:.6f}\t{t}\n" for p, t in zip(logp.tolist(), text))
    return "".join(
        f"{p:.6f}\t{t}\n" if w != w else f"{p:.6f}\t{t}\t{w:.6f}\n"
        for p, t, w in zip(logp.tolist(), text, weights.tolist())
    )
