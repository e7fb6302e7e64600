#!/usr/bin/env python3
"""Measures recorded outcomes again and compares all but the times: do the same words, costs and counts come out?

    scripts/eval/replay_outcomes.py --manifest SPEECH/manifest.tsv --limit 100
    scripts/eval/replay_outcomes.py --manifest SPEECH/manifest.tsv --split dev --outcomes dev.csv --versions v1,v7

The program recognises utterances of the manifest, evenly spread over it, with every version; each row is held against
the recorded row of the same utterance and version, column by column, and every difference is printed. Exits with 1 if
there is one, with 2 if nothing can be compared. Without --limit all recorded utterances are recognised again (some
eight processor minutes for corpora/outcomes/speech.csv). On a processor of another kind the numbers of the network
differ where they are floats; `--precision int8`, the default where the processor has it, is the same on all.
"""

import argparse
import csv
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# What no two runs share.
TIMES = {"response_seconds", "cost_seconds", "scores_seconds", "search_seconds", "rescore_seconds"}
# What says which utterance and version a row is of, and what is compared once for the whole table.
NAMES = ("set", "id", "version")
PARTS = ("model", "front end", "versions", "calibration")
MOST_SHOWN = 40


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", type=Path, required=True, help="the corpus of the recorded outcomes")
    parser.add_argument("--split", default="test", help="which split of it was recorded (default: test)")
    parser.add_argument("--outcomes", type=Path, default=ROOT / "corpora/outcomes/speech.csv", help="what was recorded")
    parser.add_argument("--versions", default="all", help="versions to try, between commas (default: all)")
    parser.add_argument("--limit", type=int, help="at most so many utterances, evenly spread")
    parser.add_argument("--model", type=Path, default=ROOT / "models/en", help="folder of the model that was recorded")
    parser.add_argument("--jobs", type=int, default=1, help="recordings worked on at once")
    parser.add_argument("--program", type=Path, default=ROOT / "target/release/paretone")
    args = parser.parse_args()

    recorded = {names(row): row for row in read(args.outcomes)}
    with tempfile.TemporaryDirectory() as folder:
        again = read(measure(args, recorded, Path(folder) / "again.csv"))
    compared, differences = compare(recorded, again)
    tell(args, recorded, again, compared, differences)
    if not compared:
        stop("nothing was compared: no utterance of the manifest's split is among the recorded outcomes")
    sys.exit(1 if differences else 0)


def stop(why):
    print(why, file=sys.stderr)
    sys.exit(2)


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def names(row):
    return tuple(row[name] for name in NAMES)


def measure(args, recorded, out):
    """Recognises the utterances again, as the outcomes were recorded."""
    first = next(iter(recorded.values()), {})
    command = [args.program, "bench", "--model", args.model, "--manifest", args.manifest, "--split", args.split]
    command += ["--versions", args.versions, "--jobs", str(args.jobs), "--outcomes", out]
    # Search errors and the lattices' best are zeros without an analysis.
    if any(float(row.get("lattice_errors") or 0) for row in recorded.values()) and "lattice_errors" in first:
        command.append("--analyse")
    if args.limit is not None:
        command += ["--limit", str(args.limit)]
    done = subprocess.run([str(part) for part in command], stdout=subprocess.DEVNULL)
    if done.returncode not in (0, 1) or not out.exists():
        stop("the program could not measure the outcomes again; what it said stands above")
    return out


def compare(recorded, again):
    """How many rows were compared, and the differences: (names, column, recorded, now)."""
    compared, differences = 0, []
    for row in again:
        before = recorded.get(names(row))
        if before is None:
            continue
        compared += 1
        for column in before.keys() & row.keys():
            if column not in TIMES and column != "made_for" and not same(before[column], row[column]):
                differences.append((names(row), column, before[column], row[column]))
    return compared, sorted(differences)


def same(before, now):
    """Numbers by value, so that 1 and 1.0 are the same; all else by letter."""
    try:
        return float(before) == float(now)
    except ValueError:
        return before == now


def tell(args, recorded, again, compared, differences):
    missing = len(again) - compared
    print(f"{compared} rows of {args.outcomes} compared, {missing} measured that were not recorded")
    if compared:
        changed_parts(recorded, again)
    for (set_, id_, version), column, before, now in differences[:MOST_SHOWN]:
        print(f"{set_}\t{id_}\t{version}\t{column}\trecorded {before}\tnow {now}")
    if len(differences) > MOST_SHOWN:
        print(f"… and {len(differences) - MOST_SHOWN} more")
    columns = sorted({column for _, column, _, _ in differences})
    for column in columns:
        of = [(before, now) for _, c, before, now in differences if c == column]
        print(f"{column}: {len(of)} rows differ, by {largest(of)} at most")
    if compared and not differences:
        print("all the same but the times")


def largest(pairs):
    """The largest difference, relative to what was recorded; of words there is none."""
    try:
        share = max(abs(float(now) - float(before)) / max(abs(float(before)), 1e-12) for before, now in pairs)
    except ValueError:
        return "more than a number can say"
    return f"{100 * share:.3g} %"


def changed_parts(recorded, again):
    """Says which parts of the model are others than when the outcomes were recorded, and which columns only one side has."""
    first, now = next(iter(recorded.values()), {}), next(iter(again), {})
    parts = zip(PARTS, first.get("made_for", "").split("/"), now.get("made_for", "").split("/"))
    changed = [part for part, before, after in parts if before != after]
    if changed:
        print(f"the outcomes were recorded with another {' and '.join(changed)}; differences may come from that")
    for side, columns in (("recorded", first.keys() - now.keys()), ("measured now", now.keys() - first.keys())):
        if columns:
            print(f"only in what was {side}: {', '.join(sorted(columns))}")


if __name__ == "__main__":
    main()
