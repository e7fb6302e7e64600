"""Our search beside Kaldi's: the same scores, the same graph, the same beam and max-active.

    python3.11 -m venv .cache/peers && .cache/peers/bin/pip install -r scripts/bench_peers-requirements.txt
    cargo build --release --example search_scores
    S=target/release/examples/search_scores
    $S scores --model models/en --out .cache/scores a.wav b.flac ...
    $S openfst --graph GRAPH --out .cache/hclg.fst
    .cache/peers/bin/python scripts/bench_peers.py --ours $S --graph GRAPH --fst .cache/hclg.fst .cache/scores/*.npy

Peers: FasterDecoder (PyPI kaldi-decoder) against our best path, LatticeFasterDecoder (PyPI kaldi-hmm-gmm, raw lattice
and best path) against our lattice. Decoders take turns, round by round; times are CPU seconds of the decoding call
alone, the least of the rounds for each utterance, so that other work on the machine counts little. Reported: utterances
with the same words, how much worse our path is at most (negative: better), and the ratio of the times.
`--exact N` decodes the N shortest utterances with a very wide beam and no limit on tokens, where all must agree.
"""

import argparse
import json
import platform
import subprocess
import time
from pathlib import Path

import kaldi_hmm_gmm  # noqa: I001  (the order of imports matters, see the requirements)
import kaldifst
import kaldi_decoder
import numpy as np

OFF = 2**31 - 1
SUBSAMPLED_SHIFT = 0.03


def ours(args, files, beam, max_active, lattice_beam=None):
    """Our results by utterance: (words, cost, CPU seconds)."""
    command = [args.ours, "decode", "--graph", args.graph, "--beam", str(beam)]
    command += ["--max-active", str(max_active)]
    if lattice_beam is not None:
        command += ["--lattice-beam", str(lattice_beam)]
    out = subprocess.run(command + [str(f) for f in files], check=True, capture_output=True, text=True)
    rows = [line.split("\t") for line in out.stdout.splitlines()]
    return {r[0]: ([int(w) for w in r[7].split()], float(r[2]), float(r[4])) for r in rows}


def faster(fst, scores, beam, max_active):
    """FasterDecoder's (words, cost, CPU seconds)."""
    options = kaldi_decoder.FasterDecoderOptions(beam=beam, max_active=max_active)
    decodable = kaldi_decoder.DecodableCtc(scores)
    begin = time.process_time()
    decoder = kaldi_decoder.FasterDecoder(fst, options)
    decoder.decode(decodable)
    ok, path = decoder.get_best_path()
    seconds = time.process_time() - begin
    if not ok:
        return [], float("inf"), seconds
    _, _, words, weight = kaldifst.get_linear_symbol_sequence(path)
    return list(words), weight.value1 + weight.value2, seconds


def lattice_faster(fst, scores, beam, max_active, lattice_beam):
    """LatticeFasterDecoder's (words, cost, CPU seconds); the lattice is not determinised."""
    config = kaldi_hmm_gmm.LatticeFasterDecoderConfig(
        beam=beam, max_active=max_active, lattice_beam=lattice_beam, determinize_lattice=False
    )
    decodable = kaldi_hmm_gmm.DecodableCtc(scores)
    decoder = kaldi_hmm_gmm.LatticeFasterDecoderStdVectorFst(fst, config)
    begin = time.process_time()
    ok, _, words, likelihood = kaldi_hmm_gmm.decode_utterance_lattice_faster(
        decoder, decodable, kaldi_hmm_gmm.TransitionModel(), "utterance", True
    )
    seconds = time.process_time() - begin
    return list(words), -likelihood if ok else float("inf"), seconds


def least(old, new):
    """Keeps the first result and the least time."""
    return new if old is None else (old[0], old[1], min(old[2], new[2]))


def compare(name, mine, theirs, audio):
    """Prints and returns one row of the comparison."""
    same = sum(mine[u][0] == theirs[u][0] for u in theirs)
    worse = {u: mine[u][1] - theirs[u][1] for u in theirs}
    my_time = sum(mine[u][2] for u in theirs)
    their_time = sum(theirs[u][2] for u in theirs)
    row = {
        "peer": name,
        "utterances": len(theirs),
        "same_words": same,
        "cost_difference_max": max(worse.values()),
        "cost_difference_min": min(worse.values()),
        "cost_difference_mean": sum(worse.values()) / len(worse),
        "our_rtf": my_time / audio,
        "peer_rtf": their_time / audio,
        "times_faster": their_time / my_time,
    }
    print(json.dumps(row))
    return row


def run(args, fst, files, beam, max_active, rounds):
    """All decoders in turn, `rounds` times, and their comparison."""
    matrices = {f.stem: np.load(f) for f in files}
    audio = sum(m.shape[0] for m in matrices.values()) * args.shift
    best = [{}, {}, {}, {}]

    def keep(slot, results):
        for utterance, result in results.items():
            best[slot][utterance] = least(best[slot].get(utterance), result)

    for _ in range(rounds):
        keep(0, ours(args, files, beam, max_active))
        keep(1, {u: faster(fst, m, beam, max_active) for u, m in matrices.items()})
        keep(2, ours(args, files, beam, max_active, args.lattice_beam))
        if not args.no_lattice:
            keep(3, {u: lattice_faster(fst, m, beam, max_active, args.lattice_beam) for u, m in matrices.items()})
    rows = [compare("FasterDecoder", best[0], best[1], audio)]
    if not args.no_lattice:
        rows.append(compare("LatticeFasterDecoder", best[2], best[3], audio))
    return {"beam": beam, "max_active": max_active, "audio_seconds": audio, "rows": rows}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", required=True, help="the example binary search_scores")
    parser.add_argument("--graph", required=True, help="the graph in our format")
    parser.add_argument("--fst", required=True, help="the same graph as an OpenFst vector file")
    parser.add_argument("--beam", type=float, default=13.0)
    parser.add_argument("--max-active", type=int, default=7000)
    parser.add_argument("--lattice-beam", type=float, default=8.0)
    parser.add_argument("--no-lattice", action="store_true", help="leave LatticeFasterDecoder out")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--exact", type=int, default=0, help="also decode so many of the shortest with a wide beam")
    parser.add_argument("--exact-beam", type=float, default=30.0)
    parser.add_argument("--shift", type=float, default=SUBSAMPLED_SHIFT, help="seconds from score to score")
    parser.add_argument("--record", type=Path, help="write the results as JSON")
    parser.add_argument("scores", nargs="+", type=Path)
    args = parser.parse_args()
    fst = kaldifst.StdVectorFst.read(args.fst)
    record = {"machine": platform.processor() or platform.machine(), "python": platform.python_version()}
    record["runs"] = [run(args, fst, args.scores, args.beam, args.max_active, args.rounds)]
    if args.exact:
        shortest = sorted(args.scores, key=lambda f: f.stat().st_size)[: args.exact]
        args.no_lattice = True
        record["runs"].append(run(args, fst, shortest, args.exact_beam, OFF, 1))
    if args.record:
        args.record.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
