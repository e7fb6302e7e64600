"""N-gram count tables: sorted 64-bit keys of 16-bit word ids, with links to prefixes and suffixes.

A table of order n holds every n-gram of the text once, its words packed most significant first, so
that the n-grams of one history are neighbours and the history of `key` is `key >> 16`. An unknown
word starts a new stretch of text, as `<s>` does: nothing is predicted across it, and it is never
predicted itself, for the recogniser cannot print it.
"""

import dataclasses

import numpy as np

EPS, BEGIN, END, UNKNOWN = 0, 1, 2, 3
VOCABULARY = 65_536  # tables of order 1 are dense: row = word id
CHUNK = 1 << 22


@dataclasses.dataclass
class Table:
    """All n-grams of one order; every array has one row an n-gram."""

    order: int
    keys: np.ndarray  # u64, ascending
    raw: np.ndarray  # f64, occurrences in the text
    prefix: np.ndarray  # i32, row of the first n-1 words in the table below
    suffix: np.ndarray  # i32, row of the last n-1 words in the table below
    starts: np.ndarray  # bool, first word is <s> or <unk>: no word can stand before it

    def first_words(self):
        return (self.keys >> np.uint64(16 * (self.order - 1))).astype(np.int64)


def encode(lines, ids):
    """u16 ids of the lines' words, each line between <s> and </s>."""
    out = []
    for line in lines:
        out.append(BEGIN)
        out.extend(ids.get(word, UNKNOWN) for word in line.split())
        out.append(END)
    return np.array(out, dtype=np.uint16)


def stretches(tokens):
    """A number for each token that changes wherever no n-gram may cross."""
    return np.cumsum((tokens == BEGIN) | (tokens == UNKNOWN), dtype=np.int32)


def pack(tokens, order):
    """Keys of all windows of `order` tokens, valid or not."""
    length = len(tokens) - order + 1
    keys = np.zeros(max(length, 0), dtype=np.uint64)
    for i in range(order):
        keys <<= np.uint64(16)
        keys |= tokens[i : i + length]
    return keys


def find(keys, wanted):
    """Row of each wanted key in ascending `keys`, -1 where absent; in chunks to bound memory."""
    rows = np.empty(len(wanted), dtype=np.int32)
    for at in range(0, len(wanted), CHUNK):
        part = wanted[at : at + CHUNK]
        row = np.minimum(np.searchsorted(keys, part), len(keys) - 1)
        rows[at : at + CHUNK] = np.where(keys[row] == part, row, -1)
    return rows


def count(tokens, order):
    """Tables of the orders 1 .. `order` of an encoded text."""
    stretch = stretches(tokens)
    tables = []
    for n in range(1, order + 1):
        if n == 1:
            keys = np.arange(VOCABULARY, dtype=np.uint64)
            raw = np.bincount(tokens, minlength=VOCABULARY).astype(np.float64)
            links = np.zeros(VOCABULARY, dtype=np.int32)
            tables.append(Table(1, keys, raw, links, links, (keys == BEGIN) | (keys == UNKNOWN)))
            continue
        windows = pack(tokens, n)
        windows = windows[stretch[: len(windows)] == stretch[n - 1 :]]
        windows.sort()
        edge = np.flatnonzero(np.concatenate(([True], windows[1:] != windows[:-1])))
        keys = windows[edge]
        raw = np.diff(np.concatenate((edge, [len(windows)]))).astype(np.float64)
        del windows
        below = tables[-1].keys
        prefix = find(below, keys >> np.uint64(16))
        suffix = find(below, keys & np.uint64((1 << (16 * (n - 1))) - 1))
        first = keys >> np.uint64(16 * (n - 1))
        starts = (first == BEGIN) | (first == UNKNOWN)
        tables.append(Table(n, keys, raw, prefix, suffix, starts))
    return tables
