#!/usr/bin/env python3
"""Compare the recogniser's forward pass with PyTorch, and make random models for tests and benchmarks.

The reference below is the layer semantics of `model.json` written down a second time, in fp32, one convolution a layer
over the whole utterance.

    parity.py random --out DIR [--size tiny|full] [--seed 1]     a random model directory
    parity.py golden --out tests/golden/acoustic                 the tiny model with features and expected scores
    parity.py golden --size convolution --out tests/golden/convolution       the same with convolutions in front
    paretone features a.wav --model models/en --mean utterance --format npy --out f.npy
    paretone model scores a.wav --model models/en --precision f32 --out s.npy
    parity.py check --model models/en --features f.npy --scores s.npy
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file

FORMAT = 1
TOLERANCE = 1e-4


def layer(name, offsets, stride, dims, relu=True, bypass=None):
    """One entry of `network.layers`; the linear halves of TDNN-F layers have neither bias nor normalisation."""
    entry = {
        "name": name, "offsets": offsets, "stride": stride, "input_dim": dims[0], "output_dim": dims[1],
        "bias": relu or name == "output", "relu": relu, "norm": relu,
    }
    if bypass:
        entry["bypass"] = {"layer": bypass, "scale": 0.66}
    return entry


def plane(name, stride, height, height_stride, channels):
    """A 3 x 3 convolution over time and height, from and to so many channels."""
    inputs, outputs = channels
    entry = layer(name, [-1, 0, 1], stride, (height * inputs, -(-height // height_stride) * outputs))
    entry["convolution"] = {"height": height, "height_stride": height_stride, "height_offsets": [-1, 0, 1]}
    return entry


def layers_of(size):
    """Layers of a TDNN-F: `full` has 4.5 million parameters, `tiny` a few hundred and every feature of the format but
    convolutions, which `convolution` begins with."""
    if size == "convolution":
        return 7, [
            plane("conv1", 1, 7, 1, (1, 3)),
            plane("conv2", 3, 7, 2, (3, 4)),
            layer("stack", [0], 1, (16, 10)),
            layer("tdnnf1.linear", [-1, 0], 1, (10, 4), relu=False),
            layer("tdnnf1.affine", [0, 1], 1, (4, 10), bypass="stack"),
            layer("output", [0], 1, (10, 18), relu=False),
        ]
    if size == "tiny":
        return 6, [
            layer("splice", [-2, -1, 0, 1, 2], 1, (6, 8)),
            layer("stack", [-1, 0, 1], 3, (8, 10)),
            layer("tdnnf1.linear", [-1, 0], 1, (10, 4), relu=False),
            layer("tdnnf1.affine", [0, 1], 1, (4, 10), bypass="stack"),
            layer("tdnnf2.linear", [-3, 0], 1, (10, 4), relu=False),
            layer("tdnnf2.affine", [0, 3], 1, (4, 10), bypass="tdnnf1.affine"),
            layer("prefinal", [0], 1, (10, 7)),
            layer("output", [0], 1, (7, 18), relu=False),
        ]
    layers = [layer("splice", [-2, -1, 0, 1, 2], 1, (40, 256)), layer("stack", [-1, 0, 1], 3, (256, 640))]
    previous = "stack"
    for i in range(1, 10):
        layers.append(layer(f"tdnnf{i}.linear", [-1, 0], 1, (640, 128), relu=False))
        layers.append(layer(f"tdnnf{i}.affine", [0, 1], 1, (128, 640), bypass=previous))
        previous = f"tdnnf{i}.affine"
    layers.append(layer("prefinal", [0], 1, (640, 256)))
    layers.append(layer("output", [0], 1, (256, 2000), relu=False))
    return 40, layers


def random_model(size, seed):
    """(description, tensors) with activations of order one throughout."""
    random = np.random.default_rng(seed)
    input_dim, layers = layers_of(size)
    tensors = {}
    for entry in layers:
        depth, out = len(entry["offsets"]) * entry["input_dim"], entry["output_dim"]
        if "convolution" in entry:
            height, stride, offsets = entry["convolution"].values()
            depth, out = depth // height * len(offsets), out // -(-height // stride)
        weight = random.standard_normal((out, depth)) / np.sqrt(depth)
        tensors[entry["name"] + ".weight"] = weight.astype(np.float16)
        for part, present, mean in [("bias", entry["bias"], 0), ("scale", entry["norm"], 1), ("shift", entry["norm"], 0)]:
            if present:
                values = mean + 0.2 * random.standard_normal(out)
                tensors[f"{entry['name']}.{part}"] = values.astype(np.float32)
    phones = ["SIL", "SPN", "AA"] if size != "full" else ["SIL", "SPN"] + [f"P{i}" for i in range(39)]
    pdfs = layers[-1]["output_dim"]
    tensors["hmm.pdfs"] = random.integers(0, pdfs, (len(phones), len(phones), 2)).astype(np.int32)
    ceps = {"num_bins": input_dim, "num_ceps": input_dim}
    description = {
        "format": FORMAT, "name": f"random-{size}", "licence": "CC0-1.0",
        "feature": {
            "kind": "mfcc", "sample_rate": 16000, "frame_length_ms": 25.0, "frame_shift_ms": 10.0, **ceps,
            "low_hz": 20.0, "high_hz": 7600.0, "cepstral_lifter": 22.0, "preemphasis": 0.97, "window": "povey",
            "snip_edges": True,
        },
        "normalisation": "utterance-mean",
        "network": {"weights": "acoustic.safetensors", "input_dim": input_dim, "subsampling": 3, "layers": layers},
        "hmm": {"phones": phones, "silence": "SIL", "unknown": "SPN", "pdfs": pdfs, "context": "left-biphone"},
        "decode": {
            "acoustic_scale": 1.0, "word_penalty": 0.0, "silence_probability": 0.5, "beam": 13.0,
            "lattice_beam": 8.0, "max_active": 7000,
        },
    }
    return description, tensors


def save_model(out, description, tensors):
    """Writes `model.json` and the weights."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "model.json").write_text(json.dumps(description, indent=1) + "\n")
    save_file(tensors, str(out / "acoustic.safetensors"))


def contexts(layers):
    """Per layer the range (first, right) of times needed: first for output 0, right beyond rate × the last output."""
    needs = [[0, 0] for _ in layers]
    source = [0, 0]
    for i in reversed(range(len(layers))):
        entry, (first, right) = layers[i], needs[i]
        low, high = min(entry["offsets"]), max(entry["offsets"])
        wanted = [first * entry["stride"] + low, right * entry["stride"] + high]
        target = needs[i - 1] if i else source
        target[:] = [min(target[0], wanted[0]), max(target[1], wanted[1])]
        if "bypass" in entry:
            index = next(j for j in range(i) if layers[j]["name"] == entry["bypass"]["layer"])
            needs[index] = [min(needs[index][0], first), max(needs[index][1], right)]
    return needs, source


def neighbourhoods(frames, height, height_stride, height_offsets):
    """[count, offsets, height * channels] -> [count, heights, offsets, height offsets * channels]; zeros beyond the edges."""
    planes = frames.reshape(*frames.shape[:2], height, -1)
    rows = torch.arange(0, height, height_stride)[:, None] + torch.tensor(height_offsets)[None, :]
    inside = ((rows >= 0) & (rows < height))[None, None, :, :, None]
    taken = planes[:, :, rows.clamp(0, height - 1)] * inside
    return taken.flatten(3).transpose(1, 2)


def reference_scores(description, tensors, features):
    """frames × dims features to ⌈frames / subsampling⌉ × pdfs scores, in PyTorch fp32."""
    network = description["network"]
    layers, subsampling = network["layers"], network["subsampling"]
    frames = len(features)
    if frames == 0:
        return np.zeros((0, description["hmm"]["pdfs"]), np.float32)
    outputs = -(-frames // subsampling)
    needs, (first, right) = contexts(layers)
    rates = [subsampling // int(np.prod([l["stride"] for l in layers[: i + 1]])) for i in range(len(layers))]
    times = np.arange(first, subsampling * (outputs - 1) + right + 1)
    current, start = torch.from_numpy(features[np.clip(times, 0, frames - 1)]).float(), first
    done = {}
    for entry, (low, high), rate in zip(layers, needs, rates):
        part = lambda kind: torch.from_numpy(tensors[f"{entry['name']}.{kind}"].astype(np.float32))
        count = rate * (outputs - 1) + high - low + 1
        index = torch.arange(low, low + count)[:, None] * entry["stride"] + torch.tensor(entry["offsets"])[None, :]
        taken = current[index - start]
        if "convolution" in entry:
            taken = neighbourhoods(taken, **entry["convolution"])
        output = taken.reshape(*taken.shape[:-2], -1) @ part("weight").T
        if entry["bias"]:
            output = output + part("bias")
        if entry["relu"]:
            output = output.relu()
        if entry["norm"]:
            output = output * part("scale") + part("shift")
        output = output.reshape(count, -1)
        if "bypass" in entry:
            other, other_start = done[entry["bypass"]["layer"]]
            output = output + entry["bypass"]["scale"] * other[low - other_start:][:count]
        current, start = output, low
        done[entry["name"]] = (current, start)
    return current[-start:][:outputs].numpy()


def compare(expected, found):
    """Largest difference relative to the spread of the expected scores."""
    if expected.shape != found.shape:
        sys.exit(f"shapes differ: PyTorch {expected.shape}, recogniser {found.shape}")
    scale = max(1.0, float(np.abs(expected).max()))
    return float(np.abs(expected - found).max()) / scale if expected.size else 0.0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ["random", "golden"]:
        command = commands.add_parser(name)
        command.add_argument("--out", type=Path, required=True)
        command.add_argument("--size", choices=["tiny", "convolution", "full"], default="tiny")
        command.add_argument("--seed", type=int, default=1)
    command = commands.add_parser("check")
    command.add_argument("--model", type=Path, required=True)
    command.add_argument("--features", type=Path, nargs="+", required=True)
    command.add_argument("--scores", type=Path, nargs="+", required=True)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    if arguments.command == "check":
        description = json.loads((arguments.model / "model.json").read_text())
        tensors = load_file(str(arguments.model / description["network"]["weights"]))
        worst = 0.0
        for features, scores in zip(arguments.features, arguments.scores, strict=True):
            error = compare(reference_scores(description, tensors, np.load(features)), np.load(scores))
            worst = max(worst, error)
            print(f"{scores}: largest difference {error:.2e} of the score range")
        sys.exit(0 if worst <= TOLERANCE else f"above {TOLERANCE}")
    description, tensors = random_model(arguments.size, arguments.seed)
    save_model(arguments.out, description, tensors)
    if arguments.command == "golden":
        random = np.random.default_rng(arguments.seed + 1)
        cases = {}
        for frames in [1, 2, 3, 7, 100, 1000]:
            features = random.standard_normal((frames, description["network"]["input_dim"])).astype(np.float32)
            cases[f"features.{frames}"] = features
            cases[f"scores.{frames}"] = reference_scores(description, tensors, features)
        save_file(cases, str(arguments.out / "cases.safetensors"))


if __name__ == "__main__":
    main()
