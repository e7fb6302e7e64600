"""Paretone beside other engines on the same work, in turn, file by file, in one run.

    scripts/bench_peers/run --speech MANIFEST [--limit N] [--only search mfcc ...] [--beams 6 8 ...]

Parts: search (Kaldi's FasterDecoder and LatticeFasterDecoder), acoustic (onnxruntime; with --torch PyTorch too), mfcc
(kaldi-native-fbank), pipeline (PocketSphinx). Each utterance's time is the least of the rounds, in seconds of processor time on one thread, file
loading excluded. Printed: how many times faster we are, as median and 5-95 % over utterances; loading times and
memory. The last line is a JSON object of the median ratios, above 1 where we are faster; `acoustic_int8_over_fp32` is our
8-bit network against our own in floats; of several beams and versions the worst counts.
"""

import argparse
import concurrent.futures
import json
import multiprocessing
import platform
import subprocess
from pathlib import Path

from parts import PARTS, run_part
from work import prepare

ROOT = Path(__file__).resolve().parents[2]


def machine(torch):
    """Processor, commit and versions, for the record."""
    model = [line.split(": ")[1] for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, cwd=ROOT).stdout
    files = ["requirements.txt"] + ["requirements-torch.txt"] * torch
    peers = [line for file in files for line in (Path(__file__).parent / file).read_text().splitlines()]
    print(f"commit {commit.strip()}; {len(model)} x {model[0]}; Python {platform.python_version()}")
    print(", ".join(line for line in peers if not line.startswith("#")))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speech", type=Path, default=ROOT / "../shared/speech/manifest.tsv", help="a manifest of ours")
    parser.add_argument("--split", default="dev")
    parser.add_argument("--limit", type=int, default=20, help="utterances, evenly spread over the split")
    parser.add_argument("--longest", type=float, default=15.0, help="seconds of the longest utterance to take")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--beams", nargs="+", type=float, default=[6.0, 8.0, 10.0, 13.0, 16.0])
    parser.add_argument("--max-active", type=int, default=7000)
    parser.add_argument("--min-active", type=int, default=0, help="the fewest tokens that Kaldi's decoders keep")
    parser.add_argument("--lattice-beam", type=float, default=8.0)
    parser.add_argument("--chunk", type=int, default=48, help="frames of a streaming chunk")
    parser.add_argument("--torch", action="store_true", help="PyTorch beside onnxruntime")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    machine(args.torch)
    work = prepare(args)
    medians = {}
    for part in args.only:
        context = multiprocessing.get_context("spawn")
        with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
            medians |= pool.submit(run_part, part, args, work).result()
    print("\n" + json.dumps({name: round(ratio, 3) for name, ratio in medians.items()}))


if __name__ == "__main__":
    main()
