"""Do six knobs earn their place? The best settings of all six against those of the network's two, which is what
Kaldi's decoders offer, from one sweep's points.

    python3 scripts/eval/six_knobs.py SWEEP/points.csv [WER ...]

Prints, for each word error rate, the least response time, search time and arcs per frame of a setting that is at most so
wrong: with network beam and top-N alone, and with any of the six knobs. Standard library only.
"""

import csv
import sys


def least(points, column, wer):
    """The least value of a column among points at most so wrong; infinity if there is none."""
    return min((float(p[column]) for p in points if float(p["wer_percent"]) <= wer), default=float("inf"))


def main():
    rows = list(csv.DictReader(open(sys.argv[1], encoding="utf-8")))
    most = max(int(row["utterances"]) for row in rows)
    rows = [row for row in rows if int(row["utterances"]) == most]
    two = [row for row in rows if "global" not in row["setting"] and "local" not in row["setting"]]
    best = min(float(row["wer_percent"]) for row in rows)
    levels = [float(level) for level in sys.argv[2:]] or [best * (1 + gap / 100) for gap in (12, 9, 6, 4, 3, 2, 1.5)]
    print(f"{len(rows)} settings on {most} utterances, {len(two)} of them with the network's two knobs alone")
    print(f"{'WER %':>7} {'two: ms':>9} {'six: ms':>9} {'ratio':>6} {'two: arcs':>10} {'six: arcs':>10} {'ratio':>6}")
    for wer in levels:
        times = [1000 * least(points, "response_seconds", wer) for points in (two, rows)]
        arcs = [least(points, "arcs_per_frame", wer) for points in (two, rows)]
        print(
            f"{wer:7.2f} {times[0]:9.2f} {times[1]:9.2f} {times[0] / times[1]:6.3f}"
            f" {arcs[0]:10.0f} {arcs[1]:10.0f} {arcs[0] / arcs[1]:6.3f}"
        )


if __name__ == "__main__":
    main()
