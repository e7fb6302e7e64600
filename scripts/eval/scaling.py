#!/usr/bin/env python3
"""How the program's time and memory grow: scripts/eval/scaling.py --speech MANIFEST [--model SIZE=FOLDER ...]

  length   the samples, repeated to a second and up to an hour, on one thread: seconds of processor time, peak memory
  jobs     the same recordings on one processor and on all of them: recordings a second
  beam     processor time of the search against the arcs it looked at
  graph    the same for models whose graphs differ in size, at one beam; a model with another n-gram is a folder like
           models/en with another graph.ngram

Least of three runs each. Needs nothing but Python on Linux and a built program.
"""
import argparse
import os
import re
import subprocess
import tempfile
import time
import wave
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "target/release/paretone"
SAMPLES = sorted((ROOT / "corpora/samples").glob("*.wav"))
RUNS = 3


def run(*command):
    """Seconds on the clock, of processor time, peak memory in MiB, and standard error of one run."""
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as told:
        child = subprocess.Popen([PROGRAM, *map(str, command)], stdout=told, stderr=subprocess.STDOUT, cwd=ROOT)
        _, status, usage = os.wait4(child.pid, 0)
        told.seek(0)
        text = told.read()
    assert status == 0, text
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text


def least(*command):
    return min((run(*command) for _ in range(RUNS)), key=lambda found: found[1])


def length():
    print("length, v5, one thread")
    speech = b""
    for sample in SAMPLES:
        with wave.open(str(sample)) as file:
            assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (16000, 2, 1), sample
            speech += file.readframes(file.getnframes())
    with tempfile.TemporaryDirectory() as folder:
        for seconds in 1, 10, 60, 600, 3600:
            path, size = Path(folder) / "audio.wav", 32000 * seconds
            with wave.open(str(path), "wb") as file:
                file.setparams((1, 2, 16000, 0, "NONE", ""))
                file.writeframes((speech * (size // len(speech) + 1))[:size])
            _, cpu, memory, _ = least("transcribe", "--version", "v5", "--jobs", 1, path)
            print(f"  {seconds:5} s: {cpu:7.3f} s, {1000 * cpu / seconds:6.2f} ms a second of audio, {memory:4.0f} MiB", flush=True)


def bench(speech, *more):
    return ("bench", "--manifest", speech, "--split", "dev", "--set", "librispeech-test-clean", *more)


def jobs(speech):
    print("jobs, v5, 400 recordings")
    rates = []
    for count in 1, os.cpu_count():
        seconds = min(float(re.search(r"all done in ([\d.]+) s", run(*bench(speech, "--limit", 400, "--version", "v5", "--jobs", count))[3])[1])
                      for _ in range(RUNS))
        rates.append(400 / seconds)
        print(f"  {count}: {seconds:.1f} s, {rates[-1]:.1f} recordings a second, {rates[-1] / rates[0]:.2f} times one", flush=True)


def searched(text):
    """Processor seconds of searching a second of audio, and arcs a frame."""
    seconds = float(re.search(r"search ([\d.]+)", text)[1])
    tokens, arcs = map(int, re.search(r"frame: (\d+) tokens, (\d+) arcs", text).groups())
    return seconds, tokens, arcs


# Score frames in a second of audio.
FRAMES = 100 / 3


def beams(speech):
    print("beam, 100 recordings")
    for beam in 6, 8, 10, 12, 14, 16:
        found = min(searched(run(*bench(speech, "--limit", 100, "--beam", beam, "--max-active", 100000, "--lattice-beam", 4))[3]) for _ in range(RUNS))
        report(f"beam {beam:2}", *found)


def graphs(speech, models):
    print("graph, 100 recordings, beam 11")
    for size, folder in models:
        runs = [run(*bench(speech, "--limit", 100, "--beam", 11, "--max-active", 100000, "--lattice-beam", 4, "--model", folder)) for _ in range(RUNS + 1)]
        report(f"{size} arcs, {runs[-1][2]:.0f} MiB", *min(searched(text) for *_, text in runs))


def report(name, seconds, tokens, arcs):
    print(f"  {name}: {1000 * seconds:6.2f} ms a second of audio, {tokens} tokens and {arcs} arcs a frame, {1e9 * seconds / FRAMES / arcs:.1f} ns an arc", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speech", type=Path, default=ROOT / "../shared/speech/manifest.tsv", help="a manifest of ours")
    parser.add_argument("--model", action="append", default=[], help="SIZE=FOLDER; may be repeated")
    parser.add_argument("--only", nargs="+", choices=["length", "jobs", "beam", "graph"], default=["length", "jobs", "beam", "graph"])
    args = parser.parse_args()
    if "length" in args.only:
        length()
    if "jobs" in args.only:
        jobs(args.speech)
    if "beam" in args.only:
        beams(args.speech)
    if "graph" in args.only and args.model:
        graphs(args.speech, [model.split("=", 1) for model in args.model])


if __name__ == "__main__":
    main()
