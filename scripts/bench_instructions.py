#!/usr/bin/env python3
"""Counts the instructions of a fixed piece of each stage's work (benches/rigs/work.rs) with callgrind, which no other load and
no clock speed can change, and compares them with the record. Only the work itself is counted, in its own thread: what threads
that load a model spend on waiting for each other differs from run to run.

  scripts/bench_instructions.py            fails where a stage takes over 5 % more than benches/instructions.json says
  scripts/bench_instructions.py --update   writes the record

Valgrind offers AVX2 at most, so `scores` counts the kernels of such a machine. A record belongs to one version of the compiler
and one kind of processor; with another compiler the comparison is printed and does not fail.
"""
import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RECORD = ROOT / "benches/instructions.json"
WORK = ROOT / "target/release/examples/rig-work"
# Valgrind counts every byte of a string instruction as one; without them copies count as elsewhere.
TUNABLES = "glibc.cpu.x86_rep_movsb_threshold=0x40000000:glibc.cpu.x86_rep_stosb_threshold=0x40000000"
STAGES = ["features", "scores", "v1", "v5"]
TOLERANCE = 0.05


def collected(stage):
    """Instructions of the stage's work, done a second time."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=rig_work::counted*", WORK, stage]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ | {"GLIBC_TUNABLES": TUNABLES})
    found = re.search(r"Collected : (\d+)", run.stderr)
    if run.returncode or not found or found.group(1) == "0":
        sys.exit(f"{stage}: {run.stderr}")
    return int(found.group(1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true", help="write the record")
    update = parser.parse_args().update
    subprocess.run(["cargo", "build", "-q", "--release", "--example", "rig-work"], cwd=ROOT, check=True)
    # The first use compiles the graph into the cache; not to be counted.
    subprocess.run([WORK, "v1"], cwd=ROOT, check=True)
    compiler = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    counts = {stage: collected(stage) for stage in STAGES}
    if update:
        RECORD.write_text(json.dumps({"compiler": compiler, "instructions": counts}, indent=2) + "\n")
    record = json.loads(RECORD.read_text())
    worse = False
    for stage, count in counts.items():
        before = record["instructions"][stage]
        change = count / before - 1
        worse |= change > TOLERANCE
        print(f"{stage:10} {count:15,} instructions, {100 * change:+.2f} % against the record")
    if record["compiler"] != compiler:
        print(f"the record is of {record['compiler']}, this is {compiler}: not compared")
    elif worse:
        sys.exit(f"more than {100 * TOLERANCE:.0f} % above the record: make it cheaper, or say why and run with --update")


if __name__ == "__main__":
    main()
