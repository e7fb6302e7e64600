#!/usr/bin/env python3
"""What a pause costs: half a minute of no speech before, after or inside dev utterances of LibriSpeech.

    python scripts/eval/pauses.py                       # table of word error rates
    python scripts/eval/pauses.py --program P -- --vad off

Silence is digital, or pink noise of sox at `vol 0.002`; inside, it goes where the utterance is quietest between a third
and two thirds of it. Needs numpy, sox and ffmpeg (Debian).
"""

import argparse
import csv
import re
import subprocess
import tempfile
import wave
from pathlib import Path

import numpy as np
from measured import PROGRAM, ROOT

RATE = 16000
SET = "librispeech-test-clean"


def decoded(path):
    command = ["ffmpeg", "-v", "error", "-i", path, "-ar", str(RATE), "-ac", "1", "-f", "s16le", "-"]
    return np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.int16)


def pink(count):
    command = ["sox", "-R", "-n", "-r", str(RATE), "-c", "1", "-b", "16", "-e", "signed", "-t", "raw", "-",
               "synth", str(count / RATE), "pinknoise", "vol", "0.002"]  # fmt: skip
    return np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.int16)


def quietest(samples):
    """The middle of the quietest tenth of a second in the middle third."""
    energy = np.convolve(samples.astype(np.float64) ** 2, np.ones(RATE // 10), "same")
    third = len(samples) // 3
    return third + int(np.argmin(energy[third : 2 * third]))


def write(path, samples):
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())


def inserted(samples, pause, place):
    at = {"before": 0, "after": len(samples), "inside": quietest(samples)}[place]
    return np.concatenate([samples[:at], pause, samples[at:]])


def spread(rows, count):
    """So many rows, evenly spread, as `paretone bench --limit` takes them."""
    kept = [(at + 1) * count // len(rows) > at * count // len(rows) for at in range(len(rows))]
    return [row for row, keep in zip(rows, kept) if keep or count >= len(rows)]


def error_rate(program, folder, utterances, options):
    """WER of utterances (id, text, samples), in per cent, and what is printed of it."""
    lines = ["id\tpath\ttext"]
    for name, text, samples in utterances:
        write(folder / f"{name}.wav", samples)
        lines.append(f"{name}\t{name}.wav\t{text}")
    (folder / "list.tsv").write_text("\n".join(lines) + "\n")
    command = [program, "bench", "--manifest", folder / "list.tsv", "--jobs", "2", *options]
    printed = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    return float(re.search(r"^all\s+\d+\s+\d+\s+([0-9.]+)", printed, re.M)[1]), printed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shared", type=Path, default=ROOT / "../shared")
    parser.add_argument("--program", default=PROGRAM)
    parser.add_argument("--utterances", type=int, default=60)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("options", nargs="*", help="further options of `paretone bench`, after --")
    arguments = parser.parse_args()
    speech = arguments.shared / "speech"
    with open(speech / "manifest.tsv", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        rows = spread([row for row in rows if row["set"] == SET and row["split"] == "dev"], arguments.utterances)
    plain = [(row["id"], row["text"], decoded(speech / row["path"])) for row in rows]
    count = arguments.seconds * RATE
    pauses = {"digital silence": np.zeros(count, np.int16), "pink noise": pink(count)}
    words = sum(len(text.split()) for _, text, _ in plain)
    with tempfile.TemporaryDirectory() as folder:
        base, _ = error_rate(arguments.program, Path(folder), plain, arguments.options)
        print(f"{len(plain)} utterances, {words} words, plain: {base:.2f} %", flush=True)
        for name, pause in pauses.items():
            for place in ("before", "after", "inside"):
                changed = [(i, text, inserted(samples, pause, place)) for i, text, samples in plain]
                rate, _ = error_rate(arguments.program, Path(folder), changed, arguments.options)
                print(f"{arguments.seconds} s of {name} {place}: {rate:.2f} % ({rate - base:+.2f})", flush=True)


if __name__ == "__main__":
    main()
