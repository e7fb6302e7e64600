#!/usr/bin/env python3
"""Train the versions on `train` and calibrate each on `validation`; the test images are not looked at.

    train.py --data DIR --out .cache/images [--versions v1,v2]

Writes OUT/vN.pt: the weights and the temperature by which logits are divided, so that the highest softmax output is the
chance of being right (Guo et al., 2017). Stochastic gradient descent with Nesterov's momentum, the rate up from 0 and
down to 0 again, images flipped and shifted at random; bfloat16 in training, float32 afterwards. Seeded; one thread.
"""

import argparse
import time
from pathlib import Path

import torch
from torch.nn import functional

import data
import network

BATCH = 128
RATE = 0.1
DECAY = 5e-4
WARM_UP = 0.2
SHIFT = 2


def varied(images, source):
    """Normalised images, each flipped left to right or not, and shifted by up to SHIFT pixels both ways."""
    count = len(images)
    padded = functional.pad(images, [SHIFT] * 4)
    flips = torch.randint(0, 2, (count, 1, 1), generator=source)
    rows, columns = (torch.arange(28) + torch.randint(0, 2 * SHIFT + 1, (count, 1), generator=source) for _ in range(2))
    columns = torch.where(flips[:, 0] == 1, columns.flip(1), columns)
    picked = padded[torch.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]
    return network.normalised(picked).contiguous(memory_format=torch.channels_last)


def trained(version, images, labels):
    """The version's network after its epochs over the images."""
    torch.manual_seed(data.SEED)
    source = torch.Generator().manual_seed(data.SEED)
    model = network.build(version)
    steps = version.epochs * (len(images) // BATCH)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0, momentum=0.9, nesterov=True, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps, pct_start=WARM_UP, cycle_momentum=False)
    for _ in range(version.epochs):
        order = torch.randperm(len(images), generator=source)
        for batch in order[: len(order) // BATCH * BATCH].split(BATCH):
            with torch.autocast("cpu", torch.bfloat16):
                logits = model(varied(images[batch], source))
            loss = functional.cross_entropy(logits.float(), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return network.fused(model)


@torch.inference_mode()
def logits_of(model, images):
    """Logits of the images, (count, 10)."""
    return torch.cat([model(network.normalised(part)) for part in images.split(500)])


def temperature(logits, labels):
    """The T > 0 that makes softmax(logits / T) likeliest: golden-section search in 1/T, in which the loss is convex."""
    low, high, ratio = 0.05, 5.0, (5**0.5 - 1) / 2
    loss = lambda scale: functional.cross_entropy(logits.double() * scale, labels).item()
    for _ in range(60):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return 2 / (low + high)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=data.DEBIAN)
    parser.add_argument("--out", type=Path, default=Path(".cache/images"))
    parser.add_argument("--versions", default=",".join(network.VERSIONS))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    parts = data.load(arguments.data)
    (images, labels), (held, answers) = ([torch.from_numpy(array) for array in parts[part]] for part in ("train", "validation"))
    labels, answers = labels.long(), answers.long()
    for name in arguments.versions.split(","):
        start = time.process_time()
        model = trained(network.VERSIONS[name], images, labels)
        logits = logits_of(model, held)
        scale = temperature(logits, answers)
        torch.save({"weights": model.state_dict(), "temperature": scale}, arguments.out / f"{name}.pt")
        wrong = (logits.argmax(1) != answers).double().mean().item()
        print(f"{name}: validation error {wrong:.2%}, temperature {scale:.3f}, {time.process_time() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
