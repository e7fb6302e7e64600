#!/usr/bin/env python3
"""Writes the neural language model for the recogniser: 8-bit rows with a scale each, as safetensors.

    python nlm_export.py --net .cache/nlm/final.pt --tokens .cache/nlm/tokens.npy --weight 0.5 \\
        --out models/en/neural.safetensors

`src/language/file.rs` describes the tensors. `--weight` is the network's share in the mixture with the
n-gram, chosen on `dev`. Prints how far each matrix is from its 8-bit form.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

from nlm_text import by_frequency

FORMAT = "paretone neural language model 1"
# Name in the file, name in training.
ROWS = [("frequent", "full"), ("rare", "short"), ("input", "w_x"), ("recurrent", "w_h"), ("projection", "w_p")]


def quantise(weights):
    """Rows of 8-bit integers, each row's largest being 127, and the scales."""
    scale = np.abs(weights).max(axis=1) / 127
    q = np.round(weights / np.maximum(scale, 1e-30)[:, None]).clip(-127, 127)
    return q.astype(np.int8), scale.astype(np.float32)


def tensors_of(state, rank):
    """The file's tensors from a network's parameters by name."""
    arrays = {name: value.float().numpy() for name, value in state.items()}
    out = {"rank": rank.astype(np.uint16), "bias": arrays["bias"].astype(np.float16),
           "widen": arrays["widen"].astype(np.float16), "gate_bias": arrays["gate_bias"]}
    for name, trained in ROWS:
        q, scale = quantise(arrays[trained])
        error = np.linalg.norm(q * scale[:, None] - arrays[trained]) / np.linalg.norm(arrays[trained])
        print(f"{name}: {q.shape[0]} x {q.shape[1]}, relative error {error:.4f}")
        out[name], out[f"{name}.scale"] = q, scale
    return out


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("--net", type=Path, required=True, help="final.pt, or a checkpoint")
    args.add_argument("--tokens", type=Path, required=True, help="tokens.npy of the training")
    args.add_argument("--weight", type=float, default=0.5)
    args.add_argument("--out", type=Path, required=True)
    args = args.parse_args()
    saved = torch.load(args.net, map_location="cpu", weights_only=False)
    _, rank, _ = by_frequency(np.load(args.tokens))
    save_file(tensors_of(saved.get("net", saved), rank), args.out,
              metadata=dict(format=FORMAT, weight=f"{args.weight:g}"))
    print(f"{args.out}: {args.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
