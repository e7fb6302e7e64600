"""Interpolated modified Kneser-Ney estimation on count tables, with pruned n-grams if any.

Chen and Goodman, "An empirical study of smoothing techniques for language modeling" (1998): the
highest order counts occurrences, lower ones count distinct predecessors, each order subtracts
D1, D2 or D3+ from the counts 1, 2 or more. Where n-grams are pruned we follow the "revised Kneser
pruning" of Siivola, Hirsimäki and Virpioja, "On growing and pruning Kneser-Ney smoothed n-gram
models" (2007): a pruned n-gram passes its whole count to its suffix instead of one distinct
predecessor, so that the lower orders know how often they will really be asked.
"""

import dataclasses

import numpy as np

from lm_counts import BEGIN, EPS, UNKNOWN, find, pack, stretches


@dataclasses.dataclass
class Model:
    """Probabilities of all table rows; `keep[n]` tells which rows the model lists."""

    tables: list
    keep: list  # bool a row, order 1 first
    adjusted: list  # f64 a row, the counts that were discounted
    p: list  # f64 a row, p(last word | words before), listed or backed off
    gamma: list  # f64 a row of order n: back-off weight of the row as a history

    def listed(self, n):
        """Rows of order n that are written: kept, and without a history of <unk>."""
        table = self.tables[n - 1]
        if n == 1:
            return self.keep[0]
        return self.keep[n - 1] & ~(table.starts & (table.first_words() == UNKNOWN))


def everything(tables):
    """The keep masks of an unpruned model: all rows, all words but <eps>."""
    keep = [np.ones(len(t.keys), dtype=bool) for t in tables]
    keep[0][EPS] = False
    return keep


def adjusted_counts(tables, keep):
    """Kneser-Ney counts by order: one a distinct predecessor, or the full count where pruned."""
    counts = [None] * len(tables)
    counts[-1] = tables[-1].raw
    for n in range(len(tables) - 1, 0, -1):
        above, table = tables[n], tables[n - 1]
        passed = np.where(keep[n], 1.0, counts[n])
        lower = np.bincount(above.suffix, weights=passed, minlength=len(table.keys))
        counts[n - 1] = np.where(table.starts, table.raw, lower)
    counts[0][[EPS, BEGIN, UNKNOWN]] = 0.0
    return counts


def discounts(counts):
    """[0, D1, D2, D3+] from the counts of counts (Chen and Goodman, equation 26).

    A text too small to have n-grams of each count gets the usual fallback of 0.5, 1 and 1.5.
    """
    n1, n2, n3, n4 = (float(np.count_nonzero(counts == c)) for c in (1, 2, 3, 4))
    if min(n1, n2, n3, n4) == 0:
        return np.array([0.0, 0.5, 1.0, 1.5])
    y = n1 / (n1 + 2.0 * n2)
    d = [0.0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]
    return np.array([min(max(x, 0.0), i) for i, x in enumerate(d)])


def all_discounts(tables):
    """Discounts of every order of the unpruned text."""
    return [discounts(c) for c in adjusted_counts(tables, everything(tables))]


def estimate(tables, keep, discount):
    """The model that lists the rows of `keep`; with all rows kept it is plain modified KN."""
    counts = adjusted_counts(tables, keep)
    p, gamma = [], []
    for n, table in enumerate(tables, start=1):
        c = counts[n - 1]
        taken = discount[n - 1][np.minimum(np.ceil(c), 3).astype(np.int8)]
        gain = np.where(keep[n - 1], np.maximum(c - taken, 0.0), 0.0)
        size = 1 if n == 1 else len(tables[n - 2].keys)
        total = np.bincount(table.prefix, weights=c, minlength=size)
        rest = total - np.bincount(table.prefix, weights=gain, minlength=size)
        seen = total > 0
        weight = np.divide(rest, total, out=np.ones(size), where=seen)
        scaled = np.divide(1.0, total, out=np.zeros(size), where=seen)
        if n == 1:
            words = keep[0].copy()
            words[BEGIN] = False
            p.append(np.where(words, gain * scaled[0] + weight[0] / np.count_nonzero(words), 0.0))
        else:
            gamma.append(weight)
            p.append(gain * scaled[table.prefix] + weight[table.prefix] * p[-1][table.suffix])
    return Model(tables, keep, counts, p, gamma)


def perplexity(model, tokens):
    """(perplexity, scored words, unknown words) of encoded sentences; </s> counts, <unk> does not."""
    order = len(model.tables)
    stretch = stretches(tokens)
    at = np.flatnonzero((tokens != BEGIN) & (tokens != UNKNOWN))
    logp = np.zeros(len(at))
    done = np.zeros(len(at), dtype=bool)
    for n in range(order, 0, -1):
        # Rows of the n words that end at each position, and of the n-1 words before it.
        ok = at >= n - 1
        ok[ok] = stretch[at[ok] - n + 1] == stretch[at[ok]]
        if n > 1:
            ok &= tokens[np.maximum(at - n + 1, 0)] != UNKNOWN
        row = np.full(len(at), -1)
        row[ok] = find(model.tables[n - 1].keys, pack(tokens, n)[at[ok] - n + 1])
        hit = ~done & (row >= 0)
        hit[hit] = model.listed(n)[row[hit]]
        logp[hit] += np.log(model.p[n - 1][row[hit]])
        done |= hit
        if n > 1:
            back = ok & ~done
            history = find(model.tables[n - 2].keys, pack(tokens, n - 1)[at[back] - n + 1])
            weight = np.where(history >= 0, model.gamma[n - 2][history], 1.0)
            logp[back] += np.log(weight)
    assert done.all()
    return float(np.exp(-logp.mean())), len(at), int((tokens == UNKNOWN).sum())
