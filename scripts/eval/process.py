#!/usr/bin/env python3
"""Seconds and peak memory of the whole program, from the shell to the words: scripts/eval/process.py [PROGRAM]

A sample with the graph in the cache (the median of nine), ten minutes of white noise on one thread, and a first use, which compiles
the graph. Needs nothing but Python on Linux.
"""
import random
import statistics
import sys
import tempfile
import wave
from pathlib import Path

from measured import PROGRAM, ROOT, run

SAMPLE = ROOT / "corpora/samples/river.wav"


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else PROGRAM
    with tempfile.TemporaryDirectory() as folder:

        def transcribe(*arguments):
            return run("transcribe", *arguments, program=program, PARETONE_CACHE=f"{folder}/cache")

        noise = Path(folder) / "noise.wav"
        with wave.open(str(noise), "wb") as file:
            file.setparams((1, 2, 16000, 0, "NONE", ""))
            file.writeframes(b"".join(random.Random(seed).randbytes(32000) for seed in range(600)))
        first = transcribe(SAMPLE)
        print(f"first use: graph compiled, {SAMPLE.name}: {first.seconds:.2f} s, {first.memory:.0f} MiB")
        runs = [transcribe(SAMPLE) for _ in range(9)]
        seconds, memory = (statistics.median(values) for values in ([r.seconds for r in runs], [r.memory for r in runs]))
        print(f"{SAMPLE.name}, graph in the cache: {seconds:.3f} s, {memory:.0f} MiB")
        long = transcribe("--jobs", 1, noise)
        print(f"ten minutes of white noise: {long.seconds:.1f} s, {long.memory:.0f} MiB")


if __name__ == "__main__":
    main()
