#!/usr/bin/env python3
"""Draws the learning curve of a training log: of the network the objective per frame, of the neural language model the perplexity.

    python curve.py models/en/train.log > models/en/train.svg
    python curve.py models/en/neural.log > models/en/neural.svg

Standard library only.
"""

import re
import sys
from collections import defaultdict

WIDTH, HEIGHT, LEFT, BOTTOM = 640, 300, 60, 40
COLOURS = ("#48c", "#e73")


class Objective:
    """The logs of `train.py`."""

    low, high, mark, digits = -0.35, -0.05, 0.05, 2
    names = ("training speech, spoiled: objective per frame", "dev speech, plain: objective per frame")

    @staticmethod
    def values(line):
        """By curve, what a line says."""
        found = re.search(r"objective (-[\d.]+)", line)
        return [(1 if " valid " in line else 0, float(found[1]))] if found else []


class Perplexity:
    """The logs of `nlm_gpu.py`."""

    low, high, mark, digits = 90, 170, 10, 0
    names = ("held-out prose: perplexity", "dev transcripts: perplexity")

    @staticmethod
    def values(line):
        found = re.search(r"dev \(([\d.]+).*held out \(([\d.]+)", line)
        return [(1, float(found[1])), (0, float(found[2]))] if found else []


def main():
    with open(sys.argv[1], encoding="utf-8") as log:
        lines = [(int(step[1]), line) for line in log if (step := re.search(r"step (\d+)", line))]
    kind = Objective if any("objective" in line for _, line in lines) else Perplexity
    curves = defaultdict(list)
    for step, line in lines:
        for curve, value in kind.values(line):
            curves[curve].append((step, value))
    last = max(step for curve in curves.values() for step, _ in curve)

    def x(step):
        return LEFT + (WIDTH - LEFT - 20) * step / last

    def y(value):
        share = (min(max(value, kind.low), kind.high) - kind.low) / (kind.high - kind.low)
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - 20) * share

    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12" fill="#777">')
    for i in range(round((kind.high - kind.low) / kind.mark) + 1):
        value = kind.low + i * kind.mark
        print(f'<path d="M{LEFT} {y(value):.1f}H{WIDTH - 20}" stroke="#8884"/><text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.{kind.digits}f}</text>')
    for step in range(0, last + 1, 1000 if last < 10_000 else 5000):
        print(f'<text x="{x(step):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{step}</text>')
    print(f'<text x="{(LEFT + WIDTH) / 2}" y="{HEIGHT - 6}" text-anchor="middle">step</text>')
    top = HEIGHT - BOTTOM - 16 if kind is Objective else 36
    for curve, name in enumerate(kind.names):
        line = " ".join(f"{x(step):.1f},{y(value):.1f}" for step, value in curves[curve])
        print(f'<polyline points="{line}" fill="none" stroke="{COLOURS[curve]}" stroke-width="1.5"/>')
        print(f'<text x="{WIDTH - 280}" y="{top - 16 * curve}" fill="{COLOURS[curve]}">{name}</text>')
    print("</svg>")


if __name__ == "__main__":
    main()
