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
import tempfile
import wave
from pathlib import Path

from measured import ROOT, run

SAMPLES = sorted((ROOT / "corpora/samples").glob("*.wav"))
RUNS = 3


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
            runs = [run("transcribe", "--version", "v5", "--jobs", 1, path) for _ in range(RUNS)]
            best = min(runs, key=lambda run: run.processor)
            each = 1000 * best.processor / seconds
            print(f"  {seconds:5} s: {best.processor:7.3f} s, {each:6.2f} ms a second of audio, {best.memory:4.0f} MiB", flush=True)


def bench(speech, *more):
    """A run of `paretone bench` over development speech."""
    return run("bench", "--manifest", speech, "--split", "dev", "--set", "librispeech-test-clean", *more)


def jobs(speech):
    print("jobs, v5, 400 recordings")
    rates = []
    for count in 1, os.cpu_count():
        seconds = min(float(re.search(r"all done in ([\d.]+) s", bench(speech, "--limit", 400, "--version", "v5", "--jobs", count).said)[1])
                      for _ in range(RUNS))
        rates.append(400 / seconds)
        print(f"  {count}: {seconds:.1f} s, {rates[-1]:.1f} recordings a second, {rates[-1] / rates[0]:.2f} times one", flush=True)


def searched(run):
    """Processor seconds of searching a second of audio, tokens and arcs a frame."""
    seconds = float(re.search(r"search ([\d.]+)", run.said)[1])
    tokens, arcs = map(int, re.search(r"frame: (\d+) tokens, (\d+) arcs", run.said).groups())
    return seconds, tokens, arcs


# Score frames in a second of audio.
FRAMES = 100 / 3


def beams(speech):
    print("beam, 100 recordings")
    for beam in 6, 8, 10, 12, 14, 16:
        found = min(searched(bench(speech, "--limit", 100, "--beam", beam, "--max-active", 100000, "--lattice-beam", 4)) for _ in range(RUNS))
        report(f"beam {beam:2}", *found)


def graphs(speech, models):
    print("graph, 100 recordings, beam 11")
    for size, folder in models:
        runs = [bench(speech, "--limit", 100, "--beam", 11, "--max-active", 100000, "--lattice-beam", 4, "--model", folder) for _ in range(RUNS + 1)]
        # The first compiles the graph.
        report(f"{size} arcs, {runs[-1].memory:.0f} MiB", *min(map(searched, runs)))


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
