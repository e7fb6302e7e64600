#!/usr/bin/env python3
"""Writes the archives in tests/golden/kaldi that the tests of src/kaldi/archive.rs read, by kaldiio, and what it reads of them again.

    python scripts/kaldi/golden_archives.py

Each archive holds the matrices `a` (7 by 5) and `b` (3 by 5) in one of Kaldi's forms; values.txt has, by file and matrix, the values that
kaldiio reads. Needs requirements.txt.
"""
from pathlib import Path

import kaldiio
import numpy

OUT = Path(__file__).parent.parent.parent / "tests/golden/kaldi"
# By file: how kaldiio is told to write it. Methods are those of Kaldi's compressed matrices: 2 is CM, 3 CM2, 5 CM3.
FORMS = {
    "float.ark": {},
    "double.ark": {"double": True},
    "text.ark": {"text": True},
    "cm.ark": {"compression_method": 2},
    "cm2.ark": {"compression_method": 3},
    "cm3.ark": {"compression_method": 5},
}


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    draw = numpy.random.default_rng(1)
    matrices = {name: draw.normal(-3, 2, (rows, 5)).astype("float32") for name, rows in (("a", 7), ("b", 3))}
    with open(OUT / "values.txt", "w", encoding="utf-8") as values:
        for file, form in FORMS.items():
            form = dict(form)
            cast = "float64" if form.pop("double", False) else "float32"
            kaldiio.save_ark(str(OUT / file), {name: matrix.astype(cast) for name, matrix in matrices.items()}, **form)
            for name, matrix in kaldiio.load_ark(str(OUT / file)):
                numbers = " ".join(repr(float(value)) for value in matrix.flatten())
                values.write(f"{file} {name} {matrix.shape[0]} {matrix.shape[1]} {numbers}\n")


if __name__ == "__main__":
    main()
