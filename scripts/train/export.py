#!/usr/bin/env python3
"""Stage 6: writes the trained network as `model.json` + `acoustic.safetensors` for the recogniser.

The averaged weights are written, or with several names the mean of theirs: runs that went on from one another lie in one valley. Batch-norm statistics are estimated with them over a sample of the training data,
spoiled as in training, before they are frozen.

    python export.py --name biphone [longer …] --pdfs .cache/train/tree.npz --out models/en
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

import hmm
from corpus import Store
from features import BINS, HIGH, LOW, NOISE_FLOOR, PREEMPHASIS
from network import BYPASS, Network

LIFTER = 22.0
FEATURE = {"kind": "log-mel", "sample_rate": 16000, "frame_length_ms": 25.0, "frame_shift_ms": 10.0, "num_bins": BINS,
           "low_hz": LOW, "high_hz": HIGH, "preemphasis": PREEMPHASIS, "window": "povey", "snip_edges": True,
           "noise_floor": NOISE_FLOOR}


def mfcc_matrix():
    """cepstra = matrix @ log-mel: orthonormal cosine transform, then Kaldi's lifter."""
    k, n = np.arange(BINS)[:, None], np.arange(BINS)[None, :]
    matrix = np.sqrt(2 / BINS) * np.cos(np.pi / BINS * (n + 0.5) * k)
    matrix[0] = np.sqrt(1 / BINS)
    return (1 + 0.5 * LIFTER * np.sin(np.pi * np.arange(BINS) / LIFTER))[:, None] * matrix


def folded(norm):
    scale = (norm.norm.running_var + norm.norm.eps).rsqrt()
    return scale, -norm.norm.running_mean * scale


def layers_of(network):
    """(description, tensors) of each layer in order, in model.json's terms."""
    shape = network.shape
    width, k = shape["width"], shape["bottleneck"]
    channels = 1
    for i, plane in enumerate((network.conv1, network.conv2, network.conv3), 1):
        yield convolution(f"conv{i}", plane, channels)
        channels = plane.affine.weight.shape[0]
    yield layer("stack", [0], network.stack.weight.shape[1], network.stack.weight, network.stack.bias, network.stack_norm)
    previous = "stack"
    for i, factored in enumerate(network.layers, 1):
        yield layer(f"tdnnf{i}.linear", [-1, 0], width, factored.linear.weight, None, None)
        bypass = {"layer": previous, "scale": BYPASS}
        yield layer(f"tdnnf{i}.affine", [0, 1], k, factored.affine.weight, factored.affine.bias, factored.norm, bypass=bypass)
        previous = f"tdnnf{i}.affine"
    yield layer("prefinal", [0], width, network.prefinal.weight, network.prefinal.bias, network.prefinal_norm)
    yield layer("output", [0], shape["prefinal"], network.output.weight, network.output.bias, None)


def convolution(name, plane, channels):
    """A convolution's layer: dimensions are those of whole frames, tensors those of one height."""
    height, outputs = plane.height, plane.affine.weight.shape[0]
    description, tensors = layer(name, [-1, 0, 1], height * channels, plane.affine.weight, plane.affine.bias, plane.norm,
                                 stride=plane.time_stride)
    description["output_dim"] = height // plane.height_stride * outputs
    description["convolution"] = {"height": height, "height_stride": plane.height_stride, "height_offsets": [-1, 0, 1]}
    return description, tensors


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


def averaged(paths):
    """The network whose weights are the mean of the averaged ones of checkpoints, and the step of the last."""
    checkpoints = [torch.load(path, map_location="cpu", weights_only=True) for path in paths]
    last = checkpoints[-1]
    network = Network(**last["shape"])
    mean = {name: sum(saved["average"][name] for saved in checkpoints) / len(checkpoints) for name in last["average"]}
    network.load_state_dict({**last["network"], **mean})
    return network, last["step"]


def main():
    from train import Batches, refresh_statistics

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--name", required=True, nargs="+", help="of the checkpoint, or of several to average")
    parser.add_argument("--cache", type=Path, default=Path(".cache/train"))
    parser.add_argument("--parts", nargs="*", default=["real", "children"])
    parser.add_argument("--pdfs", type=Path, help="tree.npz; monophone without it")
    parser.add_argument("--out", type=Path, default=Path("models/en"))
    parser.add_argument("--batches", type=int, default=60, help="batches that the statistics are estimated over")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    network, step = averaged([arguments.cache / f"{name}.pt" for name in arguments.name])
    settings = argparse.Namespace(seed=0, clean=0.35, synthetic=1.0, rows=3200)
    sample = Batches(Store(arguments.cache, arguments.parts), arguments.cache, network.context, settings, 0)
    sample.wanted = range(min(arguments.batches, len(sample.batches)))
    refresh_statistics(network, (sample[i][2] for i in sample.wanted))
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
        "licence": "Apache-2.0 OR MIT",
        "feature": FEATURE,
        "normalisation": "speech-mean",
        "network": {"weights": weights.name, "input_dim": BINS, "subsampling": 3, "layers": descriptions},
        "hmm": {"phones": hmm.PHONES, "silence": hmm.SILENCE, "unknown": hmm.SPOKEN_NOISE, "pdfs": int(pdfs.max()) + 1,
                "context": "left-biphone"},
    })
    model.setdefault("decode", {"acoustic_scale": 1.0, "word_penalty": 0.0, "silence_probability": 0.5, "beam": 13.0,
                                "lattice_beam": 8.0, "max_active": 7000})
    model_path.write_text(json.dumps(model, indent=1) + "\n")
    shipped = sum(t.numel() for n, t in tensors.items() if n != "hmm.pdfs")
    print(f"{weights}: {shipped} parameters, step {step}, sha256 {hashlib.sha256(weights.read_bytes()).hexdigest()[:16]}")


if __name__ == "__main__":
    main()
