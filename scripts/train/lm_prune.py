"""Entropy pruning (Stolcke, "Entropy-based pruning of backoff language models", 1998), vectorised.

An n-gram goes when listing it changes the model's perplexity by less than a threshold, relatively.
The probability of a history is its share of the text, not the model's: Kneser-Ney's lower orders
are no estimate of it, and pruning by them loses much (Chelba and others, 2010). Thresholds are
climbed in steps with re-estimation between, for the criterion takes n-grams one at a time.
"""

import numpy as np

from lm_kneser_ney import estimate


def needed(model, n):
    """Rows of order n that a listed row above begins or ends with: they must stay."""
    rows = np.zeros(len(model.tables[n - 1].keys), dtype=bool)
    if n < len(model.tables):
        above, listed = model.tables[n], model.listed(n + 1)
        rows[above.prefix[listed]] = True
        rows[above.suffix[listed]] = True
    return rows


def loss(model, n):
    """Relative rise in perplexity, a row, if that row of order n alone were not listed."""
    table, p = model.tables[n - 1], model.p[n - 1]
    listed = model.listed(n)
    lower = model.p[n - 2][table.suffix]
    size = len(model.tables[n - 2].keys)
    mass = 1.0 - np.bincount(table.prefix[listed], weights=p[listed], minlength=size)
    room = 1.0 - np.bincount(table.prefix[listed], weights=lower[listed], minlength=size)
    mass, room = np.maximum(mass, 1e-12), np.maximum(room, 1e-12)
    rows = np.flatnonzero(listed)
    h = table.prefix[rows]
    p, lower = p[rows], lower[rows]
    weight = (mass[h] + p) / (room[h] + lower)
    history = model.tables[n - 2].raw[h] / model.tables[0].raw.sum()
    entropy = p * (np.log(p) - np.log(weight * lower))
    entropy -= mass[h] * (np.log(weight) - np.log(mass[h] / room[h]))
    out = np.full(len(table.keys), np.inf)
    out[rows] = np.expm1(history * entropy)
    return out


def prune(model, threshold, discount):
    """The model without the n-grams (orders 2 and up) whose loss is below `threshold`."""
    for n in range(len(model.tables), 1, -1):
        gone = (loss(model, n) < threshold) & ~needed(model, n)
        model.keep[n - 1] &= ~gone
    return estimate(model.tables, model.keep, discount)


def sizes(model):
    """Numbers of listed n-grams by order."""
    return [int(np.count_nonzero(model.listed(n))) for n in range(1, len(model.tables) + 1)]
