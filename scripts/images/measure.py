#!/usr/bin/env python3
"""Put each test image, alone, to each version, and write the outcomes.

    measure.py --data DIR --networks .cache/images --out corpora/outcomes/images.csv [--repeats 5]

The response time of an image is from its bytes to its class and confidence, the least of the repeats, which are whole
passes over the test images and so lie apart in time. One thread works alone: the cost is the response time. Confidence is
the highest of softmax(logits / temperature).
"""

import argparse
import csv
import time
from pathlib import Path

import numpy as np
import torch

import data
import network

WARM_UP = 200


def opened(folder, name):
    """A version's network and temperature, as train.py wrote them."""
    saved = torch.load(folder / f"{name}.pt", weights_only=True)
    model = network.fused(network.build(network.VERSIONS[name]))
    model.load_state_dict(saved["weights"])
    return model, saved["temperature"]


def answer(model, temperature, image):
    """(class, confidence) of one image, uint8 (28, 28)."""
    logits = model(network.normalised(image.unsqueeze(0)))
    confidence, label = (logits / temperature).softmax(1).max(1)
    return label.item(), confidence.item()


def one_pass(model, temperature, images):
    """(class, confidence) of every image, (count, 2), and seconds, (count,)."""
    answers, seconds = np.zeros((len(images), 2)), np.zeros(len(images))
    for image in images[:WARM_UP]:
        answer(model, temperature, image)
    for place, image in enumerate(images):
        start = time.perf_counter()
        found = answer(model, temperature, image)
        seconds[place] = time.perf_counter() - start
        answers[place] = found
    return answers, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=data.DEBIAN)
    parser.add_argument("--networks", type=Path, default=Path(".cache/images"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    images, labels = data.load(arguments.data)["test"]
    images = torch.from_numpy(images)
    services = {name: opened(arguments.networks, name) for name in network.VERSIONS}
    answers, seconds = {}, {name: np.full(len(images), np.inf) for name in services}
    with torch.inference_mode():
        for _ in range(arguments.repeats):
            for name, (model, temperature) in services.items():
                answers[name], taken = one_pass(model, temperature, images)
                np.minimum(seconds[name], taken, out=seconds[name])
    with open(arguments.out, "w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow("id group version errors words response_seconds cost_seconds confidence".split())
        for place, label in enumerate(labels):
            for name in services:
                found, confidence = answers[name][place]
                taken = f"{seconds[name][place]:.7f}"
                row = [f"{place:04}"] * 2 + [name, int(found != label), 1, taken, taken, f"{confidence:.6f}"]
                table.writerow(row)


if __name__ == "__main__":
    main()
