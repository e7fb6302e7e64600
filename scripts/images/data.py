#!/usr/bin/env python3
"""Fashion-MNIST (Xiao, Rasul, Vollgraf, 2017) as Debian's package dataset-fashion-mnist ships it, and its split.

    data.py --data DIR          sizes of the parts, and how many images occur more than once

The 60,000 images of the training file are shared out by a fixed seed between `train` and `validation`; the 10,000 of the
test file are `test`. Images are uint8 (count, 28, 28), labels uint8 (count,), from 0 to 9.
"""

import argparse
import gzip
from pathlib import Path

import numpy as np

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
CLASSES = ["T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"]
VALIDATION = 6000
SEED = 20190324


def read_idx(path):
    """The array of an IDX file of bytes: magic 0 0 8 ndim, sizes as big-endian 32-bit, values."""
    content = gzip.decompress(path.read_bytes())
    dimensions = content[3]
    if content[:3] != b"\0\0\x08":
        raise SystemExit(f"{path}: no IDX file of bytes")
    shape = np.frombuffer(content, ">u4", dimensions, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape).copy()


def load(folder):
    """{part: (images, labels)} of the parts `train`, `validation` and `test`."""
    files = {name: tuple(read_idx(folder / f"{name}-{kind}-ubyte.gz") for kind in ("images-idx3", "labels-idx1"))
             for name in ("train", "t10k")}
    images, labels = files["train"]
    order = np.random.default_rng(SEED).permutation(len(images))
    held, kept = np.sort(order[:VALIDATION]), np.sort(order[VALIDATION:])
    return {"train": (images[kept], labels[kept]), "validation": (images[held], labels[held]), "test": files["t10k"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DEBIAN)
    parts = load(parser.parse_args().data)
    seen = {part: [image.tobytes() for image in images] for part, (images, _) in parts.items()}
    for part, (images, labels) in parts.items():
        print(f"{part}: {len(images)} images, {len(seen[part]) - len(set(seen[part]))} repeated, per class {np.bincount(labels)}")
    others = set(seen["train"]) | set(seen["validation"])
    print(f"test images that are also in train or validation: {sum(image in others for image in seen['test'])}")


if __name__ == "__main__":
    main()
