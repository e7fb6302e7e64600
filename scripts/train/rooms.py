#!/usr/bin/env python3
"""Stage 2: impulse responses of simulated rooms, by the image method (Allen and Berkley, 1979) of pyroomacoustics.

Shoebox rooms of 2 to 12 metres, reverberation times of 0.1 to 0.9 s (Sabine), the speaker 0.3 to 6 m from the
microphone. Each response begins at its direct path, which has height 1, so that what is heard keeps its time and level.
Writes CACHE/rooms.npz: `taps` (float16, all responses after each other) and `first`.

    python rooms.py --cache .cache/train
"""

import argparse
from pathlib import Path

import numpy as np
import pyroomacoustics

RATE = 16000


def response(random):
    size = np.array([random.uniform(2, 12), random.uniform(2, 10), random.uniform(2.2, 4.5)])
    while True:
        try:
            time = float(np.exp(random.uniform(np.log(0.1), np.log(0.9))))
            absorption, order = pyroomacoustics.inverse_sabine(time, size)
            break
        except ValueError:  # no wall absorbs that much in so large a room
            continue
    room = pyroomacoustics.ShoeBox(size, fs=RATE, materials=pyroomacoustics.Material(absorption), max_order=min(order, 32),
                                   air_absorption=True)
    speaker = random.uniform(0.3, size - 0.3)
    for _ in range(100):
        way = random.standard_normal(3)
        microphone = speaker + way / np.linalg.norm(way) * np.exp(random.uniform(np.log(0.3), np.log(6)))
        if (microphone > 0.15).all() and (microphone < size - 0.15).all():
            break
    else:
        microphone = random.uniform(0.3, size - 0.3)
    room.add_source(speaker)
    room.add_microphone(microphone)
    room.compute_rir()
    taps = np.asarray(room.rir[0][0], np.float32)
    peak = int(np.abs(taps[: np.argmax(np.abs(taps)) + 1]).argmax())
    taps = taps[max(0, peak - 8) :] / taps[peak]
    energy = np.cumsum(taps[::-1] ** 2)[::-1]
    return taps[: max(16, int((energy > 1e-6 * energy[0]).sum()))]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cache", type=Path, default=Path(".cache/train"))
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--seed", type=int, default=11)
    arguments = parser.parse_args()
    taps = [response(np.random.default_rng([arguments.seed, i])).astype(np.float16) for i in range(arguments.count)]
    first = np.concatenate([[0], np.cumsum([len(t) for t in taps])])
    np.savez(arguments.cache / "rooms.npz", taps=np.concatenate(taps), first=first)
    print(f"{arguments.count} rooms, {first[-1] / RATE / arguments.count:.2f} s each on average")


if __name__ == "__main__":
    main()
