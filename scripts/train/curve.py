#!/usr/bin/env python3
"""Draws the learning curve of a training log: the objective per frame against the step, in training and on `dev`.

    python curve.py models/en/train.log > models/en/train.svg

Standard library only.
"""

import re
import sys

WIDTH, HEIGHT, LEFT, BOTTOM = 640, 300, 60, 40
LOW, HIGH = -0.35, -0.05


def points(lines):
    """(step, objective) of training and of dev."""
    train, dev = [], []
    for line in lines:
        step, objective = re.search(r"step (\d+)", line), re.search(r"objective (-[\d.]+)", line)
        if step and objective:
            (dev if " valid " in line else train).append((int(step[1]), float(objective[1])))
    return train, dev


def main():
    train, dev = points(open(sys.argv[1], encoding="utf-8"))
    last = max(step for step, _ in train + dev)

    def x(step):
        return LEFT + (WIDTH - LEFT - 20) * step / last

    def y(objective):
        share = (min(max(objective, LOW), HIGH) - LOW) / (HIGH - LOW)
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - 20) * share

    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12" fill="#777">')
    for tenth in range(-35, 0, 5):
        value = tenth / 100
        print(f'<path d="M{LEFT} {y(value):.1f}H{WIDTH - 20}" stroke="#8884"/><text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.2f}</text>')
    for step in range(0, last + 1, 1000):
        print(f'<text x="{x(step):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{step}</text>')
    print(f'<text x="{(LEFT + WIDTH) / 2}" y="{HEIGHT - 6}" text-anchor="middle">step</text>')
    for name, curve, colour, top in (("training speech, spoiled", train, "#48c", 36), ("dev speech, plain", dev, "#e73", 52)):
        line = " ".join(f"{x(step):.1f},{y(objective):.1f}" for step, objective in curve)
        print(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        print(f'<text x="{LEFT + 20}" y="{HEIGHT - BOTTOM - top + 20}" fill="{colour}">{name}: objective per frame</text>')
    print("</svg>")


if __name__ == "__main__":
    main()
