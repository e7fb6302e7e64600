#!/usr/bin/env python3
"""Builds of our own search in turn, to see what a change is worth: scripts/bench_peers/builds.py PEER [PEER ...]

Each PEER is a build of benches/rigs/peer.rs. All search the score files that scripts/bench_peers/run left in .cache/bench_peers, file by
file, at each beam without and with a lattice; in each round each goes first once. The least counts, and all files are added up. The
first is what the others are held against; builds that find other words or costs are told. A build that reads another format of
graphs is given as PEER@GRAPH.
"""
import argparse
from pathlib import Path

import ours

WORK = ours.ROOT / ".cache/bench_peers"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("builds", nargs="+")
    parser.add_argument("--beams", nargs="+", type=float, default=[6.0, 8.0, 10.0, 13.0])
    parser.add_argument("--rounds", type=int, default=2)
    args = parser.parse_args()
    (graph,) = (WORK / "graph").glob("*.graph")
    files = sorted(file for file in (WORK / "wav").glob("*.npy") if ".features" not in file.name)
    stages = []
    for build in args.builds:
        ours.PEER, _, own = build.partition("@")
        stages.append(ours.Stage("search", "--graph", own or graph))
    for beam in args.beams:
        for lattice in "-", 8.0:
            compare(args, stages, files, (beam, 7000, lattice))


def compare(args, stages, files, pruning):
    """One line: milliseconds of each build, and what it takes more or less than the first."""
    least, found = {}, {}
    places = list(range(len(stages)))
    for _ in range(args.rounds * len(stages)):
        # Who goes first finds the caches empty.
        places.append(places.pop(0))
        for file in files:
            for place in places:
                seconds, answer = stages[place].ask(file, *pruning)
                least[place, file] = min(seconds, least.get((place, file), seconds))
                found[place, file] = answer
    sums = [sum(least[place, file] for file in files) for place in range(len(stages))]
    beam, _, lattice = pruning
    print(f"beam {beam:g}, {'no lattice' if lattice == '-' else 'lattice'}")
    for place, (build, total) in enumerate(zip(args.builds, sums)):
        other = sum(found[place, file] != found[0, file] for file in files)
        told = f", other words or costs in {other} of {len(files)}" if other else ""
        print(f"  {Path(build.partition('@')[0]).name}: {1000 * total:.1f} ms, {100 * (total / sums[0] - 1):+.1f} %{told}", flush=True)


if __name__ == "__main__":
    main()
