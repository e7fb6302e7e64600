"""The prose as the neural language model reads it: words as ranks, in parallel streams.

A word's number here is its rank by frequency in the prose, so that the frequent words are one slice
of every table; the ids of `words.txt` are mapped once. A sentence is `<s> words </s>`; the network's
state starts anew at each `<s>`. Speech is not cut where sentences end, so some sentences are joined
with the next and some are cut in two.
"""

import csv
from pathlib import Path

import numpy as np

import lm_counts
from lm_counts import BEGIN, END, UNKNOWN, VOCABULARY

DEV_SET = "librispeech-test-clean"
BLOCK = 500  # sentences that stay together when the text is shuffled
HELD_OUT = 250  # every so many blocks, one is kept for validation
JOINED, CUT = 0.25, 0.1  # share of sentences that lose their end, or get another one
LONGEST = 60  # words in a joined sentence, about


class Text:
    """The prose in ranks, in blocks of sentences."""

    def __init__(self, core: Path, words: Path, cache: Path):
        ids = {word: i for i, word in enumerate(words.read_text().split("\n")[:-1])}
        self.ids = ids
        if not cache.exists():
            shards = []
            for shard in sorted(core.glob("core_*.txt")):
                with open(shard) as lines:
                    shards.append(lm_counts.encode(lines, ids))
            cache.parent.mkdir(parents=True, exist_ok=True)
            np.save(cache, np.concatenate(shards))
        tokens = np.load(cache)
        self.by_rank, self.rank, self.counts = by_frequency(tokens)
        self.begin, self.end, self.unknown = (int(self.rank[i]) for i in (BEGIN, END, UNKNOWN))
        self.never = [int(self.rank[i]) for i in (0, BEGIN, UNKNOWN)]
        tokens = self.rank[tokens]
        starts = np.flatnonzero(tokens == self.begin)[::BLOCK]
        self.blocks = np.split(tokens, starts[1:])
        self.validation = self.blocks[HELD_OUT // 2 :: HELD_OUT]
        del self.blocks[HELD_OUT // 2 :: HELD_OUT]

    def epoch(self, number: int, seed: int):
        """All training text of one epoch as one array, shuffled, joined and cut."""
        rng = np.random.default_rng([seed, number])
        order = rng.permutation(len(self.blocks))
        tokens = np.concatenate([self.blocks[i] for i in order])
        return self._recut(tokens, rng)

    def _recut(self, tokens, rng):
        # Joined: `</s> <s>` is taken out. Cut: `</s> <s>` is put in after a word inside.
        ends = np.flatnonzero(tokens == self.end)
        length = np.diff(np.concatenate(([0], ends)))
        following = np.append(length[1:], LONGEST)
        joined = (rng.random(len(ends)) < JOINED) & (length + following < LONGEST)
        keep = np.ones(len(tokens), dtype=bool)
        keep[ends[joined]] = False
        keep[ends[joined] + 1] = False
        long = np.flatnonzero((length > 16) & (rng.random(len(ends)) < CUT))
        at = ends[long] - (length[long] * rng.uniform(0.25, 0.75, len(long))).astype(np.int64)
        out = np.insert(tokens, np.repeat(at, 2), np.tile([self.end, self.begin], len(at)).astype(np.uint16))
        keep = np.insert(keep, np.repeat(at, 2), True)
        return out[keep]

    def encode(self, lines):
        return self.rank[lm_counts.encode(lines, self.ids)]


def by_frequency(tokens):
    """Ids by rank, ranks by id, and how often the words of each rank occur."""
    counts = np.bincount(tokens, minlength=VOCABULARY)
    counts[[0, BEGIN, UNKNOWN]] = 0  # never predicted
    by_rank = np.argsort(-counts, kind="stable").astype(np.uint16)
    rank = np.empty(VOCABULARY, dtype=np.uint16)
    rank[by_rank] = np.arange(VOCABULARY, dtype=np.uint16)
    return by_rank, rank, counts[by_rank]


def dev_lines(shared: Path):
    """Transcripts of the LibriSpeech rows of the `dev` split; `test` is never read."""
    with open(shared / "speech/manifest.tsv", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [r["text"] for r in rows if r["split"] == "dev" and r["set"] == DEV_SET]


def streams(tokens, batch: int):
    """The text as `batch` parallel columns, time downwards."""
    rows = len(tokens) // batch
    return np.ascontiguousarray(tokens[: rows * batch].reshape(batch, rows).T)
