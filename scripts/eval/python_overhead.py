#!/usr/bin/env python3
"""What the Python package costs beyond the program: scripts/eval/python_overhead.py --manifest PATH [--program PROGRAM] [--pairs N]

Both hear the same recordings in one process with one thread, the package in a plain loop of `Recognizer.transcribe`: equal words, and processor time as the
ratio of pairs of runs, one after the other in turn. What the opening takes is a process that hears one recording, the same for both. Then what
`Decoder.decode` takes beyond the search that it times itself, on the scores of ten seconds of letters.

    pip install ./bindings/python
    cargo build --release
"""

from __future__ import annotations

import argparse
import csv
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy
from measured import PROGRAM, ROOT, run

import paretone

HEAR = """
import sys
import paretone
asr = paretone.Recognizer(sys.argv[1])
for path in open(sys.argv[3]).read().splitlines():
    print(asr.transcribe(path, version=sys.argv[2]).text)
"""
LETTERS = "abcdefghijklmnopqrstuvwxyz'"


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", required=True, help="the corpus, whose dev rows are heard")
    parser.add_argument("--limit", type=int, default=200, help="how many, evenly spread")
    parser.add_argument("--pairs", type=int, default=5, help="pairs of runs for each version")
    parser.add_argument("--at", default="v1,v7", help="versions")
    parser.add_argument("--program", default=PROGRAM)
    return parser.parse_args()


def package(version, paths, folder):
    (folder / "list.txt").write_text("".join(f"{path}\n" for path in paths))
    return run("-c", HEAR, ROOT / "models/en", version, folder / "list.txt", program=sys.executable)


def program(version, paths, which):
    return run("transcribe", "--quiet", "--jobs", 1, "--model", ROOT / "models/en", "--at", version, *paths, program=which)


def compare(version, paths, folder, args):
    """Pairs of runs, whose order alternates."""
    both = [lambda paths: package(version, paths, folder), lambda paths: program(version, paths, args.program)]
    first = [one(paths) for one in both]
    equal = sum(a == b for a, b in zip(*(one.said.splitlines() for one in first), strict=True))
    print(f"{version}: equal words in {equal} of {len(paths)} recordings")
    spent = []
    for pair in range(args.pairs):
        order = (0, 1) if pair % 2 == 0 else (1, 0)
        whole = {which: both[which](paths).processor for which in order}
        opening = {which: both[which](paths[:1]).processor for which in order}
        spent.append((whole[0], whole[1], opening[0], opening[1]))
    for name, of in (("all", lambda a, b, *_: (a, b)), ("opening", lambda *one: one[2:]), ("without opening", lambda a, b, c, d: (a - c, b - d))):
        pairs = [of(*one) for one in spent]
        package_seconds, program_seconds = (statistics.median(values) for values in zip(*pairs))
        ratio = statistics.median(a / b for a, b in pairs)
        spread = ", ".join(f"{100 * (a / b - 1):+.1f}" for a, b in pairs)
        print(f"  {name}: package {package_seconds:.2f} s, program {program_seconds:.2f} s, {100 * (ratio - 1):+.2f} % (pairs: {spread})")


def letters(folder, seconds=10, shift=0.02):
    """A graph of letters and the scores of somebody who says 2.8 words a second."""
    words = sorted({line.split("\t")[0] for line in open(ROOT / "models/en/lexicon.txt")})
    words = [word for word in words if set(word) <= set(LETTERS)]
    draw = random.Random(1)
    words = draw.sample(words, 5000)
    tokens = ["<blk>", "|", *LETTERS]
    arpa = folder / "lm.arpa"
    lines = "".join(f"-3.7 {word}\n" for word in words)
    arpa.write_text(f"\\data\\\nngram 1={len(words) + 2}\n\n\\1-grams:\n-99 <s>\n-1 </s>\n{lines}\n\\end\\\n")
    graph = paretone.ctc.Graph.compile(tokens, {word: [*word, "|"] for word in words}, arpa)
    said = []
    while len(said) < 2.5 * seconds / shift:
        said += [token for letter in [*draw.choice(words), "|"] for token in (letter, letter, "<blk>")]
    said = said[: int(seconds / shift)]
    noise = numpy.random.default_rng(1).normal(0, 1.5, (len(said), len(tokens)))
    noise[range(len(said)), [tokens.index(token) for token in said]] += 8
    scores = noise - numpy.log(numpy.exp(noise).sum(axis=1, keepdims=True))
    return paretone.Decoder(graph, frame_shift=shift), numpy.ascontiguousarray(scores, numpy.float32)


def beyond_the_search(folder, repeats=400):
    decoder, scores = letters(folder)
    spent, searched = [], []
    for _ in range(repeats):
        began = time.perf_counter()
        heard = decoder.decode(scores)
        spent.append(time.perf_counter() - began - heard.seconds)
        searched.append(heard.seconds)
    ms = [1000 * statistics.median(values) for values in (spent, searched)]
    quarters = [1000 * quarter for quarter in statistics.quantiles(spent)]
    print(f"decode, {scores.shape[0]} frames x {scores.shape[1]} tokens, {len(heard.words)} words: {ms[0]:.4f} ms beyond a search of {ms[1]:.2f} ms")
    print(f"  medians of {repeats}; the middle half is {quarters[0]:.4f} to {quarters[2]:.4f} ms")


def main():
    args = options()
    manifest = Path(args.manifest)
    with manifest.open() as file:
        dev = [row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if row["split"] == "dev"]
    paths = [(manifest.parent / row["path"]).resolve() for row in dev[:: max(len(dev) // args.limit, 1)][: args.limit]]
    with tempfile.TemporaryDirectory() as folder:
        for version in args.at.split(","):
            compare(version, paths, Path(folder), args)
        beyond_the_search(Path(folder))


if __name__ == "__main__":
    main()
