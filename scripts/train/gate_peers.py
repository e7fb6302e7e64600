#!/usr/bin/env python3
"""The speech gate beside another voice activity detector, on the same made-up crops of dev speech and of no speech.

    python gate_peers.py --peer PROGRAM --out .cache/gate    # PROGRAM FILE... writes FILE.scores

The files hold 16-bit samples at 16 kHz; the peer writes a float32 for every 256 samples. For the crate `earshot` that is
`Detector::default()` and, over `samples.chunks_exact(256)`, `detector.predict_i16(frame)`.
"""

import argparse
import subprocess
from pathlib import Path

import numpy as np
import torch
from corpus import rows_of
from features import log_mel
from gate import CROP, LAYERS, STRIDE, Gate, levelled, spoken
from gate_sounds import sound
from safetensors.torch import load_file

CROPS, SEED, PEER_STEP = 240, 4242, 256


def opened(path):
    """The shipped weights as the network that was trained."""
    tensors, gate = load_file(path), Gate()
    for (name, offsets, _, inputs, outputs), convolution, norm in zip(LAYERS, gate.convolutions, gate.norms):
        convolution.weight.data = tensors[f"{name}.weight"].reshape(outputs, len(offsets), inputs).permute(0, 2, 1)
        convolution.bias.data = tensors[f"{name}.bias"]
        if outputs > 1:
            norm.weight.data, norm.bias.data = tensors[f"{name}.scale"], tensors[f"{name}.shift"]
            norm.running_mean.zero_()
            norm.running_var.fill_(1 - norm.eps)
    return gate.eval()


def told(name, scores, truth, thresholds):
    for threshold in thresholds:
        found, false = (scores[truth == 1] > threshold).mean(), (scores[truth == 0] > threshold).mean()
        alone = (scores[::2] > threshold).mean()
        print(f"{name} above {threshold}: {100 * found:.2f} % of speech, {100 * false:.2f} % of the rest, "
              f"{100 * alone:.2f} % of crops without speech")  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--model", type=Path, default=Path("models/en"))
    parser.add_argument("--out", type=Path, default=Path(".cache/gate"))
    parser.add_argument("--peer")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    random = np.random.default_rng(SEED)
    paths = [arguments.shared / "speech" / row["path"] for row in rows_of(arguments.shared, "dev")]
    frames = 1 + (CROP - 400) // 160
    silent = np.zeros(frames)
    crops = [spoken(random, paths) if at % 2 else (sound(random, CROP), silent) for at in range(CROPS)]
    truth = np.stack([labels for _, labels in crops])
    gate = opened(arguments.model / "gate.safetensors")
    with torch.no_grad():
        odds = [gate(torch.from_numpy(levelled(log_mel(samples)).T[None])).numpy()[0] for samples, _ in crops]
    told("the gate's log odds", np.stack([np.repeat(row, STRIDE)[:frames] for row in odds]), truth, (-2, -1, 0, 1, 2))
    if arguments.peer:
        files = [arguments.out / f"{at}.raw" for at in range(CROPS)]
        for file, (samples, _) in zip(files, crops):
            np.clip(samples, -32768, 32767).astype("<i2").tofile(file)
        subprocess.run([arguments.peer, *files], check=True)
        scores = np.stack([np.fromfile(f"{file}.scores", "<f4") for file in files])
        place = np.clip((np.arange(frames) * 160 + 200) // PEER_STEP + 1, 0, scores.shape[1] - 1)
        told("the peer's score", scores[:, place], truth, (0.2, 0.3, 0.5, 0.7, 0.9))


if __name__ == "__main__":
    main()
