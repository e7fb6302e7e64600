#!/usr/bin/env python3
"""Writes what scikit-learn and NumPy make of a few sets of confidences, for the tests of src/eval/confidence_measures.rs.

    pip install numpy scikit-learn
    python scripts/golden_confidence.py      # writes tests/golden/confidence.json

AUC is sklearn.metrics.roc_auc_score; NCE is 1 - log_loss(confidences) / log_loss(their share right), with confidences
kept 1e-7 from certainty; ECE has 15 bins of equal width, each with its upper end.
"""

import json
from pathlib import Path

import numpy as np
from sklearn.metrics import log_loss, roc_auc_score

OUT = Path(__file__).parent.parent / "tests/golden/confidence.json"
BINS = 15


def measures(name, confidences, right):
    """One case of the golden file."""
    mixed = 0 < right.mean() < 1
    auc = roc_auc_score(right, confidences) if mixed else None
    nce = None
    if mixed:
        given = log_loss(right, np.clip(confidences, 1e-7, 1 - 1e-7))
        nce = 1 - given / log_loss(right, np.full(len(right), right.mean()))
    places = np.digitize(confidences, np.linspace(0, 1, BINS + 1)[1:-1], right=True)
    ece = sum(
        (places == k).sum() * abs(confidences[places == k].mean() - right[places == k].mean())
        for k in range(BINS)
        if (places == k).any()
    ) / len(right)
    return {
        "name": name,
        "confidences": confidences.tolist(),
        "right": right.astype(bool).tolist(),
        "auc": auc,
        "nce": nce,
        "ece": float(ece),
    }


def main():
    random = np.random.default_rng(1)
    calibrated = random.beta(2, 1, 60).round(4)
    right = random.random(60) < calibrated
    cases = [
        measures("calibrated", calibrated, right),
        measures("overconfident", (1 - (1 - calibrated) ** 3).round(6), right),
        measures("ties and certainties", np.array([0, 0, 0.5, 0.5, 0.5, 1, 1, 0.25]), np.array([0, 1, 0, 1, 1, 1, 0, 0])),
        measures("misleading", 1 - calibrated, right),
        measures("all right", calibrated[:5], np.ones(5)),
    ]
    OUT.write_text(json.dumps(cases, indent=0) + "\n")


if __name__ == "__main__":
    main()
