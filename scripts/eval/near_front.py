"""The settings of a sweep that are on its response-time front or near it, one a line, for `paretone sweep --search list`.

    python3 scripts/eval/near_front.py SWEEP/points.csv > near.txt

Near: at most 1.2 % more errors, relatively, than the best setting at most as slow, and at most half as many again as the best of
all. Settings that take more than 60 ms an utterance are left out. Standard library only.
"""

import csv
import sys

MOST_SECONDS = 0.06


def main():
    points = list(csv.DictReader(open(sys.argv[1], encoding="utf-8")))
    wer = {p["setting"]: float(p["wer_percent"]) for p in points}
    time = {p["setting"]: float(p["response_seconds"]) for p in points}
    best = min(wer.values())

    def reached(seconds):
        return min(wer[s] for s in wer if time[s] <= seconds)

    for setting in sorted(wer):
        near = wer[setting] <= 1.012 * reached(time[setting]) and wer[setting] <= 1.5 * best
        if near and time[setting] < MOST_SECONDS:
            print(setting)


if __name__ == "__main__":
    main()
