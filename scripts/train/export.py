#!/usr/bin/env python3
"""Stage 5: writes the trained network as `model.json` + `acoustic.safetensors` for the recogniser.

The network was trained on log-mel energies; the recogniser feeds it MFCC, their liftered cosine transform. The
transform is square and invertible, so the first layer's weights take its inverse. Batch-norm statistics are
re-estimated over a sample of the training data with the final weights before they are frozen.

    python export.py --name biphone --pdfs .cache/train/tree.npz --out models/en
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

import hmm
from features import BINS
from network import BYPASS, Network, Norm
from train import Corpus

LIFTER = 22.0


def mfcc_matrix():
    """cepstra = matrix @ log-mel: orthonormal cosine transform, then Kaldi's lifter."""
    k, n = np.arange(BINS)[:, None], np.arange(BINS)[None, :]
    matrix = np.sqrt(2 / BINS) * np.cos(np.pi / BINS * (n + 0.5) * k)
    matrix[0] = np.sqrt(1 / BINS)
    return (1 + 0.5 * LIFTER * np.sin(np.pi * np.arange(BINS) / LIFTER))[:, None] * matrix


@torch.no_grad()
def refresh_statistics(network, corpus, batches=150):
    """Running mean and variance of every norm as plain averages over batches of training data."""
    norms = [module for module in network.modules() if isinstance(module, Norm)]
    for norm in norms:
        norm.norm.reset_running_stats()
        norm.norm.momentum = None
    network.train()
    keys = sorted(corpus.keys, key=lambda key: corpus.spans[key, 1.0][1])
    keys = [keys[i] for i in np.linspace(0, len(keys) - 1, 8 * batches).astype(int)]
    for i in range(0, len(keys), 8):
        x, _ = corpus.batch([(key, 1.0) for key in keys[i : i + 8]], network.context)
        network(torch.from_numpy(x))
    network.eval()


def folded(norm):
    scale = (norm.norm.running_var + norm.norm.eps).rsqrt()
    return scale, -norm.norm.running_mean * scale


def layers_of(network):
    """(description, tensors) of each layer in order, in model.json's terms."""
    shape = network.shape
    width, k = shape["width"], shape["bottleneck"]
    inverse = torch.from_numpy(np.linalg.inv(mfcc_matrix())).float()
    splice = (network.splice.weight.view(-1, 5, BINS) @ inverse).reshape(-1, 5 * BINS)
    yield layer("splice", [-2, -1, 0, 1, 2], BINS, splice, network.splice.bias, network.splice_norm)
    yield layer("stack", [-1, 0, 1], shape["front"], network.stack.weight, network.stack.bias, network.stack_norm, stride=3)
    previous = "stack"
    for i, factored in enumerate(network.layers, 1):
        yield layer(f"tdnnf{i}.linear", [-1, 0], width, factored.linear.weight, None, None)
        bypass = {"layer": previous, "scale": BYPASS}
        yield layer(f"tdnnf{i}.affine", [0, 1], k, factored.affine.weight, factored.affine.bias, factored.norm, bypass=bypass)
        previous = f"tdnnf{i}.affine"
    yield layer("prefinal", [0], width, network.prefinal.weight, network.prefinal.bias, network.prefinal_norm)
    yield layer("output", [0], shape["prefinal"], network.output.weight, network.output.bias, None)


def layer(name, offsets, inputs, weight, bias, norm, stride=1, bypass=None):
    description = dict(name=name, offsets=offsets, stride=stride, input_dim=inputs, output_dim=weight.shape[0],
                       bias=bias is not None, relu=norm is not None, norm=norm is not None)
    if bypass:
        description["bypass"] = bypass
    tensors = {f"{name}.weight": weight}
    if bias is not None:
        tensors[f"{name}.bias"] = bias
    if norm is not None:
        tensors[f"{name}.scale"], tensors[f"{name}.shift"] = folded(norm)
    return description, tensors


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--name", required=True)
    parser.add_argument("--cache", type=Path, default=Path(".cache/train"))
    parser.add_argument("--pdfs", type=Path, help="tree.npz; monophone without it")
    parser.add_argument("--out", type=Path, default=Path("models/en"))
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    saved = torch.load(arguments.cache / f"{arguments.name}.pt", map_location="cpu", weights_only=True)
    network = Network(**saved["shape"])
    network.load_state_dict(saved["network"])
    refresh_statistics(network, Corpus(arguments.cache, "train", [1.0]))
    pdfs = np.load(arguments.pdfs)["pdfs"] if arguments.pdfs else hmm.monophone_pdfs()
    descriptions, tensors = [], {"hmm.pdfs": torch.from_numpy(pdfs.astype(np.int32))}
    for description, own in layers_of(network):
        descriptions.append(description)
        tensors.update({name: tensor.detach().to(torch.float16).contiguous() for name, tensor in own.items()})
    arguments.out.mkdir(parents=True, exist_ok=True)
    weights = arguments.out / "acoustic.safetensors"
    save_file(tensors, weights)
    model_path = arguments.out / "model.json"
    model = json.loads(model_path.read_text()) if model_path.exists() else {}
    model.update({
        "format": 1,
        "name": "en",
        "licence": "CC-BY-4.0",
        "feature": {"kind": "mfcc", "sample_rate": 16000, "frame_length_ms": 25.0, "frame_shift_ms": 10.0,
                    "num_bins": BINS, "num_ceps": BINS, "low_hz": 20.0, "high_hz": 7600.0, "cepstral_lifter": LIFTER,
                    "preemphasis": 0.97, "window": "povey", "snip_edges": True},
        "normalisation": "utterance-mean",
        "network": {"weights": weights.name, "input_dim": BINS, "subsampling": 3, "layers": descriptions},
        "hmm": {"phones": hmm.PHONES, "silence": hmm.SILENCE, "unknown": hmm.SPOKEN_NOISE, "pdfs": int(pdfs.max()) + 1,
                "context": "left-biphone"},
    })
    model.setdefault("decode", {"acoustic_scale": 1.0, "word_penalty": 0.0, "silence_probability": 0.5, "beam": 13.0,
                                "lattice_beam": 8.0, "max_active": 7000})
    model_path.write_text(json.dumps(model, indent=1) + "\n")
    shipped = sum(t.numel() for n, t in tensors.items() if n != "hmm.pdfs")
    print(f"{weights}: {shipped} parameters, step {saved['step']}, sha256 {hashlib.sha256(weights.read_bytes()).hexdigest()[:16]}")


if __name__ == "__main__":
    main()
