#!/usr/bin/env python3
"""Trains the speech gate: which frames of a recording hold speech, whatever else is heard.

Speech: `train` rows of the manifest, one to three in a crop of eight seconds with pauses between them, through rooms,
telephones and gains, with a sound of `gate_sounds.py` beside them at 0 to 40 dB below. Its frames are labelled by the
level of the clean recording. No speech: those sounds alone. `--dev` rows choose among what was tried; no other rows
are opened.

The network sees log-mel energies less their mean over the last 0.7 s and the next 0.3 s, so that neither the volume
nor the colour of a microphone nor a steady noise matters. It is made of the layers that `src/acoustic` runs.

    python gate.py --shared ../shared --out models/en      # writes gate.safetensors and gate.json; 15 minutes of a core
"""

import argparse
import json
from pathlib import Path

import numpy as np
import scipy.signal
import soundfile
import soxr
import torch
from corpus import rows_of
from features import BINS, NOISE_FLOOR, RATE, log_mel, speech_frames
from gate_sounds import FULL, between, normal, seconds, sound, unscaled
from safetensors.torch import save_file

CROP = 8 * RATE
BEFORE, AFTER = 70, 30  # frames that the running mean covers
STRIDE, WIDTH = 3, 32
LAYERS = [  # name, offsets, stride, inputs, outputs
    ("splice", [-3, -2, -1, 0, 1, 2, 3], STRIDE, BINS, WIDTH),
    ("near", [-1, 0, 1], 1, WIDTH, WIDTH),
    ("middle", [-2, 0, 2], 1, WIDTH, WIDTH),
    ("wide", [-5, -1, 3], 1, WIDTH, WIDTH),
    ("wider", [-9, -3, 3], 1, WIDTH, WIDTH),
    ("output", [0], 1, WIDTH, 1),
]


class Gate(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.convolutions, self.norms = torch.nn.ModuleList(), torch.nn.ModuleList()
        for _, offsets, stride, inputs, outputs in LAYERS:
            step = offsets[1] - offsets[0] if len(offsets) > 1 else 1
            self.convolutions.append(torch.nn.Conv1d(inputs, outputs, len(offsets), stride, dilation=step))
            self.norms.append(torch.nn.BatchNorm1d(outputs) if outputs > 1 else torch.nn.Identity())

    def forward(self, x):
        """Log odds of speech [batch, ceil(frames / STRIDE)] of frames [batch, BINS, frames]."""
        left = -sum(o[0] * (1 if i == 0 else STRIDE) for i, (_, o, *_) in enumerate(LAYERS))
        right = sum(o[-1] * (1 if i == 0 else STRIDE) for i, (_, o, *_) in enumerate(LAYERS))
        frames = x.shape[2]
        x = torch.nn.functional.pad(x, (left, right + (-frames) % STRIDE), mode="replicate")
        for convolution, norm in zip(self.convolutions, self.norms):
            x = convolution(x)
            x = norm(torch.relu(x)) if x.shape[1] > 1 else x
        return x[:, 0]


def levelled(features):
    """Each frame less the mean of the frames around it."""
    total = np.concatenate([np.zeros((1, BINS)), np.cumsum(features, axis=0, dtype=np.float64)])
    at = np.arange(len(features))
    first, end = np.maximum(at - BEFORE, 0), np.minimum(at + AFTER + 1, len(features))
    return (features - (total[end] - total[first]) / (end - first)[:, None]).astype(np.float32)


def read(path):
    samples, rate = soundfile.read(path, dtype="float32")
    samples = samples if samples.ndim == 1 else samples.mean(axis=1)
    return (samples if rate == RATE else soxr.resample(samples, rate, RATE)) * FULL


def labels(samples):
    """Speech by the level of a clean recording; pauses shorter than 0.15 s belong to the speech around them."""
    speech = speech_frames(samples)
    gaps = np.flatnonzero(np.diff(speech.astype(int)))
    for start, end in zip(gaps[:-1], gaps[1:]):
        if not speech[start + 1] and end - start < 15:
            speech[start + 1 : end + 1] = True
    return speech


def through(random, samples):
    """A room, a telephone, a coloured microphone."""
    if random.random() < 0.3:
        tail = random.standard_normal(RATE // 2) * np.exp(-seconds(RATE // 2) / between(random, 0.015, 0.12))
        tail *= random.uniform(0.1, 1) / np.sqrt(np.sum(tail**2))
        tail[0] += 1
        samples = scipy.signal.fftconvolve(samples, tail)[: len(samples)]
    if random.random() < 0.2:
        band = [random.uniform(150, 400), random.uniform(2800, 4000)]
        samples = scipy.signal.sosfilt(scipy.signal.butter(4, band, "band", fs=RATE, output="sos"), samples)
    if random.random() < 0.3:
        samples = scipy.signal.lfilter([1, -random.uniform(-0.7, 0.9)], 1, samples)
    return samples


def spoken(random, paths):
    """A crop with speech in it: samples, and by frame 1 for speech, 0 for none, -1 for do not ask."""
    clean, truth = np.zeros(CROP), np.zeros(1 + (CROP - 400) // 160)
    at = int(RATE * random.choice([0, random.uniform(0, 4)]))
    while at < CROP - RATE // 2:
        voice = read(paths[random.integers(len(paths))])
        voice = voice[random.integers(max(1, len(voice) - CROP)) :][: CROP - at] if random.random() < 0.5 else voice[: CROP - at]
        speech = labels(voice)
        clean[at : at + len(voice)] += voice / (np.sqrt(np.mean(voice**2)) + 1) * between(random, 0.3, 1)
        first = at // 160
        room = truth[first : first + len(speech)]
        room[:] = speech[: len(room)]
        at += len(voice) + int(RATE * between(random, 0.1, 6))
    edges = np.flatnonzero(np.diff(truth))
    for edge in edges:
        truth[max(0, edge - 3) : edge + 5] = -1
    mixed = normal(through(random, clean))
    if random.random() < 0.8:
        mixed = mixed + unscaled(random, CROP) * 10 ** (-random.uniform(0, 45) / 20)
    mixed = mixed * FULL * 10 ** (random.uniform(-55, -6) / 20)
    return np.round(np.clip(mixed, -FULL, FULL - 1)).astype(np.float32), truth


def crops(random, paths, count, chance):
    """Features [count, BINS, frames] and labels [count, ceil(frames / STRIDE)] of made-up crops."""
    all_features, all_truth = [], []
    for _ in range(count):
        if random.random() < chance:
            samples, truth = spoken(random, paths)
        else:
            samples = sound(random, CROP)
            truth = np.zeros(1 + (CROP - 400) // 160)
        all_features.append(levelled(log_mel(samples)).T.astype(np.float16))
        all_truth.append(truth[::STRIDE].astype(np.int8))
    return np.stack(all_features), np.stack(all_truth)


def train(gate, features, truth, steps, seed):
    random = np.random.default_rng(seed)
    optimiser = torch.optim.AdamW(gate.parameters(), lr=3e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 6e-3, steps)
    gate.train()
    for step in range(steps):
        chosen = np.sort(random.choice(len(features), 32, replace=False))
        x = torch.from_numpy(features[chosen].astype(np.float32))
        y = torch.from_numpy(truth[chosen].astype(np.float32))
        loss = torch.nn.functional.binary_cross_entropy_with_logits(gate(x), y.clamp(min=0), reduction="none")
        loss = (loss * (y >= 0)).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 200 == 199:
            print(f"step {step + 1}: {loss.item():.4f}", flush=True)


def report(gate, features, truth):
    """Speech found and no speech taken for it, in per cent of frames, at some thresholds."""
    gate.eval()
    with torch.no_grad():
        odds = np.concatenate([gate(torch.from_numpy(part.astype(np.float32))).numpy() for part in np.array_split(features, 16)])
    for threshold in (-3, -2, -1, 0, 1, 2, 3):
        found, false = (odds[truth == 1] > threshold).mean(), (odds[truth == 0] > threshold).mean()
        print(f"log odds above {threshold}: {100 * found:.2f} % of speech, {100 * false:.2f} % of the rest", flush=True)


def export(gate, out, threshold):
    tensors, layers = {}, []
    for (name, offsets, stride, inputs, outputs), convolution, norm in zip(LAYERS, gate.convolutions, gate.norms):
        tensors[f"{name}.weight"] = convolution.weight.permute(0, 2, 1).reshape(outputs, -1).contiguous()
        tensors[f"{name}.bias"] = convolution.bias
        if outputs > 1:
            scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            tensors[f"{name}.scale"], tensors[f"{name}.shift"] = scale, norm.bias - norm.running_mean * scale
        flag = outputs > 1
        layers.append(dict(name=name, offsets=offsets, stride=stride, input_dim=inputs, output_dim=outputs, bias=True,
                           relu=flag, norm=flag))  # fmt: skip
    save_file({name: tensor.detach().float().contiguous() for name, tensor in tensors.items()}, out / "gate.safetensors")
    network = dict(weights="gate.safetensors", input_dim=BINS, subsampling=STRIDE, layers=layers)
    description = dict(format=1, noise_floor=round(NOISE_FLOOR, 5), frames_before=BEFORE, frames_after=AFTER,
                       threshold=threshold, network=network)  # fmt: skip
    (out / "gate.json").write_text(json.dumps(description, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--out", type=Path, default=Path("models/en"))
    parser.add_argument("--crops", type=int, default=3500)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--threshold", type=float, default=0.0, help="log odds from which a frame is speech")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(1)
    speech = arguments.shared / "speech"
    train_paths = [speech / row["path"] for row in rows_of(arguments.shared, "train")]
    dev_paths = [speech / row["path"] for row in rows_of(arguments.shared, "dev")]
    features, truth = crops(np.random.default_rng(arguments.seed), train_paths, arguments.crops, 0.5)
    print(f"{arguments.crops} crops made", flush=True)
    gate = Gate()
    print(f"{sum(p.numel() for p in gate.parameters())} parameters", flush=True)
    train(gate, features, truth, arguments.steps, arguments.seed)
    report(gate, *crops(np.random.default_rng(arguments.seed + 1000), dev_paths, 400, 0.5))
    export(gate, arguments.out, arguments.threshold)


if __name__ == "__main__":
    main()
