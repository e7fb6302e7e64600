#!/usr/bin/env python3
"""Check that `paretone score` counts word errors exactly as jiwer and sclite do, utterance by utterance.

    paretone bench --manifest … --out run          writes run/ref.trn and run/hyp.trn
    agree_wer.py --ref run/ref.trn --hyp run/hyp.trn
    agree_wer.py --random 20000                    random word strings, many of them with tied alignments

`--alignment minimal` is compared with jiwer (PyPI), `--alignment sclite` with sclite (Debian package sctk). Exits 1 on
any difference in S, D or I. Also says how often the two alignments differ from each other.
"""

import argparse
import csv
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import jiwer


def read_trn(path):
    """Texts by id."""
    lines = [line.strip() for line in path.read_text().splitlines() if line.strip()]
    return {line.rsplit("(", 1)[1][:-1]: line.rsplit("(", 1)[0].strip() for line in lines}


def write_random(folder, count, seed):
    """Pairs of a sentence and a damaged copy over a vocabulary so small that alignments tie."""
    source = random.Random(seed)
    references, hypotheses = [], []
    for i in range(count):
        words = "abcdefgh"[: source.randint(2, 8)]
        reference = source.choices(words, k=source.randint(0 if i % 50 == 0 else 1, 12))
        hypothesis = [w for w in reference if source.random() > 0.2]
        hypothesis = [source.choice(words) if source.random() < 0.25 else w for w in hypothesis]
        for _ in range(source.randint(0, 3)):
            hypothesis.insert(source.randint(0, len(hypothesis)), source.choice(words))
        if not reference and not hypothesis:
            hypothesis = ["a"]  # sclite refuses a pair of empty texts.
        references.append(f"{' '.join(reference)} (s{i % 10}_{i})\n")
        hypotheses.append(f"{' '.join(hypothesis)} (s{i % 10}_{i})\n")
    paths = folder / "ref.trn", folder / "hyp.trn"
    for path, lines in zip(paths, (references, hypotheses)):
        path.write_text("".join(lines))
    return paths


def ours(binary, reference, hypothesis, rule, folder):
    """(S, D, I) by id from `paretone score`."""
    out = folder / rule
    command = [binary, "score", "--strict", "--alignment", rule, "--ref", reference, "--hyp", hypothesis, "--out", out]
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
    with open(out / "errors.tsv", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {row["id"]: (int(row["S"]), int(row["D"]), int(row["I"])) for row in rows}


def of_jiwer(references, hypotheses):
    """(S, D, I) by id; jiwer refuses empty references, whose errors are their insertions."""
    counts = {}
    for name, reference in references.items():
        if not reference:
            counts[name] = (0, 0, len(hypotheses[name].split()))
            continue
        output = jiwer.process_words(reference, hypotheses[name])
        counts[name] = (output.substitutions, output.deletions, output.insertions)
    return counts


def of_sclite(reference, hypothesis):
    """(S, D, I) by id, from sclite's alignment dump."""
    program = [shutil.which("sclite")] if shutil.which("sclite") else ["sctk", "sclite"]
    command = [*program, "-r", reference, "trn", "-h", hypothesis, "trn", "-i", "spu_id", "-o", "pra", "stdout"]
    dump = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout
    pattern = re.compile(r"^id: \((.*)\)\nScores: \(#C #S #D #I\) \d+ (\d+) (\d+) (\d+)$", re.MULTILINE)
    return {m[1]: (int(m[2]), int(m[3]), int(m[4])) for m in pattern.finditer(dump)}


def compare(name, theirs, mine):
    """Prints totals and differences; returns how many utterances differ."""
    total = [sum(column) for column in zip(*theirs.values())]
    own = [sum(column) for column in zip(*mine.values())]
    lower = {key.lower(): value for key, value in mine.items()}
    different = [key for key, value in theirs.items() if lower[key.lower()] != value]
    missing = len(mine) - len(theirs)
    print(f"{name}: S/D/I {total} against our {own}, {len(different)} of {len(theirs)} utterances differ")
    for key in different[:5]:
        print(f"  {key}: {name} {theirs[key]}, ours {lower[key.lower()]}")
    if missing:
        print(f"  {missing} utterances are missing from {name}'s output")
    return len(different) + missing


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--ref", type=Path)
    parser.add_argument("--hyp", type=Path)
    parser.add_argument("--random", type=int, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--paretone", default="target/release/paretone")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        reference, hypothesis = arguments.ref, arguments.hyp
        if arguments.random:
            reference, hypothesis = write_random(folder, arguments.random, arguments.seed)
        minimal = ours(arguments.paretone, reference, hypothesis, "minimal", folder)
        weighted = ours(arguments.paretone, reference, hypothesis, "sclite", folder)
        wrong = compare("jiwer", of_jiwer(read_trn(reference), read_trn(hypothesis)), minimal)
        wrong += compare("sclite", of_sclite(reference, hypothesis), weighted)
        more = sum(sum(weighted[key]) > sum(minimal[key]) for key in minimal)
        print(f"sclite's weights give more errors than the minimum in {more} of {len(minimal)} utterances")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
