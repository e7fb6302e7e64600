#!/usr/bin/env python3
"""Stage 3: aligns the training data with a trained network and ties left-biphone pdfs by a tree.

Writes CACHE/tree.npz: `pdfs` [left, phone, entry/loop] -> pdf and `trigrams`, the aligned phone-trigram counts from
which the next denominator is made; and CACHE/tree.txt, the splits with their gains.

    python tree.py --alignments-from mono --leaves 2000
"""

import argparse
from pathlib import Path

import numpy as np
import torch

import hmm
from features import BINS, rows_of
from network import Network
from train import Corpus, setup

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


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--alignments-from", required=True)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--cache", type=Path, default=Path(".cache/train"))
    parser.add_argument("--lexicon", type=Path, default=Path(".cache/train/lexicon.txt"))
    parser.add_argument("--pdfs", type=Path, help="tree.npz the aligning network was trained with")
    parser.add_argument("--out", default="tree")
    parser.add_argument("--leaves", type=int, default=2000)
    parser.add_argument("--minimum", type=int, default=80, help="frames a leaf needs")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    tree = np.load(arguments.pdfs) if arguments.pdfs else None
    pdfs = tree["pdfs"] if tree is not None else hmm.monophone_pdfs()
    chain = setup(arguments.cache, arguments.shared, arguments.lexicon, pdfs)
    saved = torch.load(arguments.cache / f"{arguments.alignments_from}.pt", map_location="cpu", weights_only=True)
    network = Network(**saved["shape"])
    network.load_state_dict(saved["network"])
    network.eval()
    corpus = Corpus(arguments.cache, "train", [1.0])

    n = len(hmm.PHONES)
    stats = np.zeros((n, n, 2, 1 + 4 * CEPSTRA))
    trigrams = np.zeros((hmm.START + 1,) * 3)
    order = sorted(corpus.keys, key=lambda key: corpus.spans[key, 1.0][1])
    failed = frames = 0
    for start in range(0, len(order), 16):
        keys = order[start : start + 16]
        x, lengths = corpus.batch([(key, 1.0) for key in keys], network.context)
        with torch.no_grad():
            logits = network(torch.from_numpy(x).to(torch.bfloat16))[0].float().numpy()
        for i, key in enumerate(keys):
            path = chain.align(key, logits[: lengths[i], i])
            if path is None:
                failed += 1
                continue
            left, phone, arc = path
            first, count = corpus.spans[key, 1.0]
            own = tree_features(corpus.features[1.0][first : first + count], lengths[i])
            rows = np.concatenate([np.ones((len(own), 1)), own, own**2], axis=1)
            np.add.at(stats, (left, phone, arc), rows)
            entered = np.concatenate([[hmm.START, hmm.START], phone[arc == 0]])
            np.add.at(trigrams, (entered[:-2], entered[1:-1], entered[2:]), 1)
            frames += len(own)
    pdfs, text = hmm.tree_pdfs(stats, arguments.leaves, arguments.minimum)
    np.savez(arguments.cache / f"{arguments.out}.npz", pdfs=pdfs, trigrams=trigrams)
    (arguments.cache / f"{arguments.out}.txt").write_text(text)
    silence = stats[:, hmm.SIL, :, 0].sum() / stats[..., 0].sum()
    print(f"{len(order) - failed} utterances aligned, {failed} failed, {frames} frames, silence {silence:.1%}, "
          f"{pdfs.max() + 1} pdfs")


if __name__ == "__main__":
    main()
