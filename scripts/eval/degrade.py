#!/usr/bin/env python3
"""Degraded copies of development speech, one folder a condition, each with a manifest that `paretone bench` reads.

    degrade.py --manifest ../shared/speech/manifest.tsv --limit 200 --out .cache/conditions

The rooms are Polack's model (a direct path and an exponentially decaying noise tail), the babble is of `dev` speakers
other than the one heard, MP3 comes from LAME, the telephone from sox's µ-law: none of it is what training used
(`scripts/train/augment.py`). Everything is seeded; what is there already is kept. `OUT/manifest.tsv` lists all of it, each
condition as a set.
"""

import argparse
import csv
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile

RATE = 16000


def level(samples):
    return np.sqrt(np.mean(samples**2) + 1e-12)


def with_noise(samples, noise, decibels):
    return samples + noise * (level(samples) / level(noise) * 10 ** (-decibels / 20))


def white(decibels):
    return lambda samples, random, _: with_noise(samples, random.standard_normal(len(samples)), decibels)


def pink(decibels):
    def spoil(samples, random, _):
        spectrum = np.fft.rfft(random.standard_normal(len(samples)))
        return with_noise(samples, np.fft.irfft(spectrum / np.sqrt(np.arange(len(spectrum)) + 1), len(samples)), decibels)
    return spoil


def babble(decibels):
    def spoil(samples, random, others):
        noise = np.zeros(len(samples))
        for i in random.choice(len(others), 6, replace=False):
            other, _ = soundfile.read(others[i])
            noise += np.resize(np.roll(other, random.integers(len(other))), len(samples)) / level(other)
        return with_noise(samples, noise, decibels)
    return spoil


def room(seconds):
    def spoil(samples, random, _):
        count = int(seconds * RATE)
        tail = random.standard_normal(count) * 10 ** (-3 * np.arange(count) / count)
        tail[: RATE // 400] = 0  # 2.5 ms until the first reflection
        tail /= np.sqrt((tail**2).sum())  # as much sound from the room as from the speaker
        tail[0] = 1
        wet = np.convolve(samples, tail)[: len(samples)] if count < 64 else filtered(samples, tail)
        return wet * level(samples) / level(wet)
    return spoil


def filtered(samples, taps):
    size = 1 << (len(samples) + len(taps)).bit_length()
    return np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(taps, size), size)[: len(samples)]


def through(*commands):
    """Through programs; {a} is the file before, {b} the file after each."""
    def spoil(samples, *_):
        with tempfile.TemporaryDirectory() as folder:
            files = [f"{folder}/0.wav", *(f"{folder}/{name}" for _, name in commands)]
            soundfile.write(files[0], np.clip(samples, -1, 1), RATE)
            for (command, _), a, b in zip(commands, files, files[1:]):
                subprocess.run(command.format(a=a, b=b).split(), check=True, capture_output=True)
            return Path(files[-1]).read_bytes()
    return spoil


TELEPHONE = ("sox -R {a} -r 8000 -e mu-law {b} sinc 300-3400", "1.wav")
CONDITIONS = {
    "plain": lambda samples, *_: samples,
    "telephone": through(TELEPHONE),
    "mp3-32k": through(("lame --quiet -b 32 {a} {b}", "1.mp3")),
    "opus-16k": through(("opusenc --quiet --bitrate 16 {a} {b}", "1.opus")),
    "aac-48k": through(("ffmpeg -loglevel error -i {a} -b:a 48k {b}", "1.m4a")),
    "gsm": through(("sox -R {a} -r 8000 -e gsm-full-rate {b}", "1.wav")),
    "white-20": white(20), "white-10": white(10), "pink-10": pink(10), "babble-20": babble(20), "babble-10": babble(10),
    "room-0.3": room(0.3), "room-0.6": room(0.6),
    "quiet-x0.01": lambda samples, *_: samples * 0.01,
    "clipped-x3": lambda samples, *_: np.clip(3 * samples / np.abs(samples).max(), -1, 1),
}
SUFFIX = {"mp3-32k": "mp3", "opus-16k": "opus", "aac-48k": "m4a"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--set", default="librispeech-test-clean")
    parser.add_argument("--limit", type=int, default=200, help="utterances, evenly chosen")
    parser.add_argument("--conditions", nargs="*", default=list(CONDITIONS))
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    with open(arguments.manifest, newline="") as file:
        reader = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        rows = [row for row in reader if row["split"] == "dev" and row["set"] == arguments.set]
    rows = rows[:: max(1, len(rows) // arguments.limit)][: arguments.limit]
    source = {row["id"]: arguments.manifest.parent / row["path"] for row in rows}
    everything = ["\t".join(rows[0])]
    for name in arguments.conditions:
        folder = arguments.out / name
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / "manifest.tsv", "w") as out:
            out.write("\t".join(rows[0]) + "\n")
            for number, row in enumerate(rows):
                file = folder / f"{row['id']}.{SUFFIX.get(name, 'wav')}"
                if not file.exists():
                    samples, _ = soundfile.read(source[row["id"]])
                    others = [path for other, path in source.items() if other.split("-")[0] != row["speaker"]]
                    spoilt = CONDITIONS[name](samples, np.random.default_rng([7, number]), others)
                    if isinstance(spoilt, bytes):
                        file.write_bytes(spoilt)
                    else:
                        soundfile.write(file, spoilt / max(1.0, np.abs(spoilt).max()), RATE)
                out.write("\t".join({**row, "path": file.name}.values()) + "\n")
                entry = {**row, "id": f"{name}-{row['id']}", "path": f"{name}/{file.name}", "set": name}
                everything.append("\t".join(entry.values()))
    (arguments.out / "manifest.tsv").write_text("\n".join(everything) + "\n")


if __name__ == "__main__":
    main()
