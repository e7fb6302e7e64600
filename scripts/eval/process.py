#!/usr/bin/env python3
"""Seconds and peak memory of the whole program, from the shell to the words: scripts/eval/process.py [PROGRAM]

A sample with the graph in the cache (the median of nine), ten minutes of white noise on one thread, and a first use, which compiles
the graph. Needs nothing but Python on Linux.
"""
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "corpora/samples/river.wav"


def run(program, *arguments, **variables):
    """Seconds on the clock and peak memory in MiB of one run."""
    started = time.perf_counter()
    child = subprocess.Popen([program, "transcribe", *map(str, arguments)], stdout=subprocess.DEVNULL, cwd=ROOT, env={**os.environ, **variables})
    _, status, usage = os.wait4(child.pid, 0)
    assert status == 0, status
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else ROOT / "target/release/paretone"
    with tempfile.TemporaryDirectory() as folder:
        noise = Path(folder) / "noise.wav"
        with wave.open(str(noise), "wb") as file:
            file.setparams((1, 2, 16000, 0, "NONE", ""))
            file.writeframes(b"".join(random.Random(seed).randbytes(32000) for seed in range(600)))
        seconds, memory = run(program, SAMPLE, PARETONE_CACHE=f"{folder}/cache")
        print(f"first use: graph compiled, {SAMPLE.name}: {seconds:.2f} s, {memory:.0f} MiB")
        runs = [run(program, SAMPLE, PARETONE_CACHE=f"{folder}/cache") for _ in range(9)]
        seconds, memory = (statistics.median(values) for values in zip(*runs))
        print(f"{SAMPLE.name}, graph in the cache: {seconds:.3f} s, {memory:.0f} MiB")
        seconds, memory = run(program, "--jobs", 1, noise, PARETONE_CACHE=f"{folder}/cache")
        print(f"ten minutes of white noise: {seconds:.1f} s, {memory:.0f} MiB")


if __name__ == "__main__":
    main()
