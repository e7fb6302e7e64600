#!/usr/bin/env python3
"""Goldens of the neural language model: a tiny random network, and what PyTorch says of some sentences.

    python scripts/train/nlm_golden.py

writes `tests/golden/language/neural.safetensors` and `costs.json`: the file as `nlm_export.py` makes it, and
for each sentence (word ids) the cost of every word and of the end, with the logarithm of the sum over all words
before each, from the 8-bit weights in floats.
"""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

from nlm_check import plain_lstm
from nlm_export import FORMAT, ROWS, tensors_of
from nlm_network import Network, Shape

OUT = Path("tests/golden/language")
WORDS, BEGIN, END, NEVER = 40, 1, 2, [0, 1, 3]


def main():
    torch.manual_seed(7)
    rng = np.random.default_rng(7)
    counts = np.sort(rng.integers(1, 1000, WORDS))[::-1].astype(np.float64)
    net = Network(Shape(words=WORDS, frequent=16, width=8, narrow=4, cell=12), counts)
    with torch.no_grad():
        for parameter in [net.full, net.short, net.w_x, net.w_h, net.w_p, net.gate_bias]:
            parameter.mul_(3.0)  # saturated gates and unequal words
    rank = rng.permutation(WORDS)
    tensors = tensors_of(net.state_dict(), rank)
    OUT.mkdir(parents=True, exist_ok=True)
    save_file(tensors, OUT / "neural.safetensors", metadata=dict(format=FORMAT, weight="0.4"))
    sentences = [[], [5], [9, 4, 39], rng.integers(4, WORDS, 25).tolist()]
    (OUT / "costs.json").write_text(json.dumps([golden(tensors, rank, s) for s in sentences], indent=1) + "\n")


def golden(tensors, rank, sentence):
    """Costs of a sentence under the file's weights, word by word."""
    rows = {name: torch.from_numpy(tensors[name].astype(np.float32) * tensors[f"{name}.scale"][:, None]) for name, _ in ROWS}
    floats = {name: torch.from_numpy(tensors[name].astype(np.float32)) for name in ["bias", "widen", "gate_bias"]}
    table = torch.cat([rows["frequent"], rows["rare"] @ floats["widen"].t()])
    read = torch.tensor([int(rank[w]) for w in [BEGIN, *sentence]])
    said = torch.tensor([int(rank[w]) for w in [*sentence, END]])
    width, cell = table.shape[1], rows["projection"].shape[1]
    hidden = plain_lstm(table[read].unsqueeze(1), torch.ones(len(read), 1), torch.zeros(1, width), torch.zeros(1, cell),
                        rows["input"], rows["recurrent"], floats["gate_bias"], rows["projection"]).squeeze(1)
    scores = hidden @ table.t() + floats["bias"]
    costs = -scores.gather(1, said.unsqueeze(1)).squeeze(1)
    scores[:, [int(rank[w]) for w in NEVER]] = -torch.inf
    return dict(words=sentence, costs=costs.tolist(), log_normalisers=scores.logsumexp(1).tolist())


if __name__ == "__main__":
    main()
