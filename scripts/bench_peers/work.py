"""What is compared on: recordings, and all that is made of them once."""

import csv
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ours import MODEL, PARETONE, PEER, ROOT, Stage


@dataclass
class Work:
    """What the parts work on."""

    folder: Path
    graph: Path
    fst: Path
    wavs: list[Path]
    features: list[Path]
    scores: list[Path]


def chosen(args):
    """Audio of the split's utterances within the length, evenly spread."""
    with args.speech.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    rows = [row for row in rows if row["split"] == args.split and float(row["seconds"]) <= args.longest]
    step = max(1, len(rows) / args.limit)
    return [rows[int(i * step)] for i in range(min(args.limit, len(rows)))]


def prepare(args):
    """Compiles the graph, and makes WAVs, features and scores once."""
    folder = ROOT / ".cache/bench_peers"
    graphs, fst = folder / "graph", folder / "hclg.fst"
    shutil.rmtree(folder, ignore_errors=True)
    os.environ["PARETONE_CACHE"] = str(graphs)
    sample = ROOT / "corpora/samples/river.wav"
    subprocess.run([PARETONE, "transcribe", sample], check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
    (graph,) = graphs.glob("*.graph")
    subprocess.run([PEER, "openfst", "--graph", graph, "--out", fst], check=True)
    rows = chosen(args)
    (folder / "wav").mkdir()
    wavs = [folder / "wav" / f"{row['id']}.wav" for row in rows]
    convert = Stage("wav")
    for row, wav in zip(rows, wavs):
        convert.ask(args.speech.parent / row["path"], wav)
    convert.close()
    front, network = Stage("features", "--model", MODEL), Stage("network", "--model", MODEL, "--precision", "f32")
    work = Work(folder, graph, fst, wavs, [], [])
    for wav in wavs:
        features, scores = wav.with_suffix(".features.npy"), wav.with_suffix(".npy")
        front.ask(wav, features)
        frames = np.load(features)
        np.save(features, frames - frames.mean(axis=0))
        network.ask(features, 0, scores)
        work.features.append(features)
        work.scores.append(scores)
    front.close()
    network.close()
    seconds = sum(float(row["seconds"]) for row in rows)
    print(f"{len(rows)} utterances of {args.split}, {seconds:.0f} s of audio")
    return work
