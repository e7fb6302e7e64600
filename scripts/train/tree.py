#!/usr/bin/env python3
"""Stage 4: aligns the training data with a model and ties left-biphone pdfs by a tree.

The model is a folder as `export.py` writes it: a monophone of this training, or the model of an earlier edition. Writes
CACHE/tree.npz: `pdfs` [left, phone, entry/loop] -> pdf and `trigrams`, the aligned phone-trigram counts from which the
next denominator is made; and CACHE/tree.txt, the splits with their gains.

    python tree.py --model models/en --leaves 2000
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file

import hmm
from corpus import Store
from export import mfcc_matrix
from features import BINS, log_mel
from parity import reference_scores
from train import chain_of, plain_features

CEPSTRA = 20


def cosine_transform():
    k, n = np.arange(CEPSTRA)[:, None], np.arange(BINS)[None, :]
    return np.sqrt(2 / BINS) * np.cos(np.pi / BINS * (n + 0.5) * k)


def tree_features(features, frames):
    """Cepstra and their slope at every third frame: nearly uncorrelated, as diagonal Gaussians want."""
    cepstra = features.astype(np.float64) @ cosine_transform().T
    centre = np.minimum(3 * np.arange(frames), len(cepstra) - 1)
    ahead, behind = np.minimum(centre + 3, len(cepstra) - 1), np.maximum(centre - 3, 0)
    return np.concatenate([cepstra[centre], cepstra[ahead] - cepstra[behind]], axis=1)


class Model:
    """A model folder, run by PyTorch."""

    def __init__(self, folder):
        self.description = json.loads((folder / "model.json").read_text())
        self.tensors = load_file(str(folder / self.description["network"]["weights"]))
        self.pdfs = self.tensors["hmm.pdfs"]

    def scores(self, samples):
        mean_of_all = self.description["normalisation"] == "utterance-mean"
        features = log_mel(samples.astype(np.float32)) if mean_of_all else plain_features(samples)
        features = features - features.mean(axis=0) if mean_of_all else features
        if self.description["feature"]["kind"] == "mfcc":
            features = features @ mfcc_matrix().T.astype(np.float32)
        return reference_scores(self.description, self.tensors, features)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, required=True, help="folder of the aligning model")
    parser.add_argument("--cache", type=Path, default=Path(".cache/train"))
    parser.add_argument("--lexicon", type=Path, default=Path(".cache/train/lexicon.txt"))
    parser.add_argument("--parts", nargs="*", default=["real", "children"])
    parser.add_argument("--out", default="tree")
    parser.add_argument("--leaves", type=int, default=2000)
    parser.add_argument("--minimum", type=int, default=100, help="frames a leaf needs")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    store, model = Store(arguments.cache, arguments.parts), Model(arguments.model)
    chain = chain_of(arguments.cache, [store], arguments.lexicon, model.pdfs)

    n = len(hmm.PHONES)
    stats = np.zeros((n, n, 2, 1 + 4 * CEPSTRA))
    trigrams = np.zeros((hmm.START + 1,) * 3)
    failed = frames = 0
    for key in store.keys:
        samples = store.read(key)
        path = chain.align(key, model.scores(samples))
        if path is None:
            failed += 1
            continue
        left, phone, arc = path
        own = tree_features(plain_features(samples), len(phone))
        rows = np.concatenate([np.ones((len(own), 1)), own, own**2], axis=1)
        np.add.at(stats, (left, phone, arc), rows)
        entered = np.concatenate([[hmm.START, hmm.START], phone[arc == 0]])
        np.add.at(trigrams, (entered[:-2], entered[1:-1], entered[2:]), 1)
        frames += len(own)
    pdfs, text = hmm.tree_pdfs(stats, arguments.leaves, arguments.minimum)
    np.savez(arguments.cache / f"{arguments.out}.npz", pdfs=pdfs, trigrams=trigrams)
    (arguments.cache / f"{arguments.out}.txt").write_text(text)
    silence = stats[:, hmm.SIL, :, 0].sum() / stats[..., 0].sum()
    print(f"{len(store.keys) - failed} utterances aligned, {failed} failed, {frames} frames, silence {silence:.1%}, "
          f"{pdfs.max() + 1} pdfs")


if __name__ == "__main__":
    main()
