"""Grapheme-to-phoneme conversion: the GRU that the PyPI package `g2p-en` ships, run by numpy.

Only the package's checkpoint is read (`pip install --no-deps g2p-en`): importing the package
itself would download NLTK data, which the lexicon does not need. The network is an encoder and a
decoder GRU of 128 units (Park and Kim, "g2pE", 2019; Apache-2.0), decoded here by a small beam.
"""

import importlib.util
import os
from pathlib import Path

# Threads only get in each other's way on matrices of this size; read by numpy when it is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

GRAPHEMES = ["<pad>", "<unk>", "</s>"] + list("abcdefghijklmnopqrstuvwxyz")
VOWELS = "AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW".split()
PHONES = sorted(
    VOWELS + "B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH".split()
)
START, STOP, MAX_PHONES = 2, 3, 24


def output_symbols():
    """The decoder's alphabet in the checkpoint's order: specials, then phones with stress."""
    symbols = ["<pad>", "<unk>", "<s>", "</s>"]
    for phone in PHONES:
        if phone == "UW":
            symbols.append("UW")  # the checkpoint knows this one vowel without stress too
        symbols += [phone + stress for stress in "012"] if phone in VOWELS else [phone]
    return symbols


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def gru_cell(x, h, w, side):
    """One GRU step for a batch: x [n, 64], h [n, 128] -> [n, 128]; side is "enc" or "dec"."""
    gi = x @ w[side + "_w_ih"].T + w[side + "_b_ih"]
    gh = h @ w[side + "_w_hh"].T + w[side + "_b_hh"]
    n = h.shape[1]
    reset = sigmoid(gi[:, :n] + gh[:, :n])
    update = sigmoid(gi[:, n : 2 * n] + gh[:, n : 2 * n])
    candidate = np.tanh(gi[:, 2 * n :] + reset * gh[:, 2 * n :])
    return (1.0 - update) * candidate + update * h


class G2p:
    """The converter; `phones(word)` is the best stressless pronunciation of [a-z] words."""

    def __init__(self):
        spec = importlib.util.find_spec("g2p_en")
        if spec is None:
            raise SystemExit("g2p: run `pip install --no-deps g2p-en` first")
        path = Path(spec.submodule_search_locations[0]) / "checkpoint20.npz"
        self.w = dict(np.load(path))
        self.symbols = output_symbols()
        assert len(self.symbols) == self.w["dec_emb"].shape[0]

    def encode(self, word):
        """The encoder's last state for one word, [1, 128]."""
        ids = [GRAPHEMES.index(c) if c in GRAPHEMES else 1 for c in word] + [2]
        h = np.zeros((1, self.w["enc_w_hh"].shape[1]), dtype=np.float32)
        for i in ids:
            h = gru_cell(self.w["enc_emb"][i : i + 1], h, self.w, "enc")
        return h

    def phones(self, word, beam=6):
        """The pronunciation of largest probability found by a beam search over the decoder."""
        alive = [(0.0, [], START)]
        h = self.encode(word)
        done = []
        for _ in range(MAX_PHONES):
            x = self.w["dec_emb"][[last for _, _, last in alive]]
            h = gru_cell(x, h, self.w, "dec")
            logits = h @ self.w["fc_w"].T + self.w["fc_b"]
            logits -= logits.max(axis=1, keepdims=True)
            logp = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
            grown = []
            for row, (score, out, _) in enumerate(alive):
                for s in np.argsort(-logp[row])[:beam]:
                    grown.append((score + logp[row, s], row, out, int(s)))
            grown.sort(key=lambda g: (-g[0], g[3]))
            done += [(s, o) for s, _, o, sym in grown[:beam] if sym == STOP]
            grown = [g for g in grown[:beam] if g[3] > STOP]
            if not grown or (done and max(done)[0] > grown[0][0]):
                break
            h = h[[row for _, row, _, _ in grown]]
            alive = [(s, o + [sym], sym) for s, _, o, sym in grown]
        best = max(done, key=lambda d: d[0])[1] if done else alive[0][1]
        return tuple(self.symbols[s].rstrip("012") for s in best)
