#!/usr/bin/env python3
"""Stage 1: log-mel features of every train and dev utterance, at the speeds 0.9, 1.0 and 1.1.

40 log-mel filters (25 ms / 10 ms, Povey window, 20-7600 Hz, dither off, snip-edges), exactly the ones behind the
recogniser's MFCC: the cosine transform is undone in the first layer at export. The utterance mean is removed.

Writes CACHE/<split>-<speed>.f16 (frames x 40, half precision) and CACHE/<split>-<speed>.tsv (id, first frame, frames).
Rows of the `test` split are never opened.

    python features.py --shared ../shared --cache .cache/train
"""

import argparse
import csv
import multiprocessing
from pathlib import Path

import kaldi_native_fbank as knf
import numpy as np
import soundfile
import soxr

RATE = 16000
BINS = 40


def fbank_options():
    """The filterbank of `models/en/model.json`."""
    options = knf.FbankOptions()
    options.frame_opts.samp_freq = RATE
    options.frame_opts.dither = 0.0
    options.frame_opts.snip_edges = True
    options.mel_opts.num_bins = BINS
    options.mel_opts.low_freq = 20
    options.mel_opts.high_freq = -400
    return options


def log_mel(samples):
    """frames x 40 natural-log mel energies of samples in [-1, 1]."""
    fbank = knf.OnlineFbank(fbank_options())
    fbank.accept_waveform(RATE, samples * 32768.0)
    fbank.input_finished()
    frames = [fbank.get_frame(i) for i in range(fbank.num_frames_ready)]
    return np.stack(frames) if frames else np.zeros((0, BINS), np.float32)


def rows_of(shared, split):
    """Manifest rows of one split, as dictionaries, in file order."""
    with open(shared / "speech/manifest.tsv", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [row for row in rows if row["split"] == split]


def extract(job):
    path, speed = job
    samples, rate = soundfile.read(path, dtype="float32")
    if samples.ndim > 1:
        samples = samples.mean(axis=1)
    if rate * speed != RATE:
        samples = soxr.resample(samples, rate * speed, RATE)
    features = log_mel(samples)
    if len(features):
        features = features - features.mean(axis=0)
    return features.astype(np.float16)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--cache", type=Path, default=Path(".cache/train"))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--speeds", type=float, nargs="*", default=[1.0, 0.9, 1.1])
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    jobs = [("train", speed) for speed in arguments.speeds] + [("dev", 1.0)]
    with multiprocessing.Pool(arguments.jobs) as pool:
        for split, speed in jobs:
            stem = arguments.cache / f"{split}-{speed}"
            if stem.with_name(stem.name + ".tsv").exists():
                continue
            rows = rows_of(arguments.shared, split)
            work = [(arguments.shared / "speech" / row["path"], speed) for row in rows]
            first, index = 0, []
            with open(f"{stem}.f16", "wb") as out:
                for row, features in zip(rows, pool.imap(extract, work, chunksize=8)):
                    out.write(features.tobytes())
                    index.append(f"{row['id']}\t{first}\t{len(features)}\n")
                    first += len(features)
            Path(f"{stem}.tsv").write_text("".join(index))
            print(f"{split} speed {speed}: {len(rows)} utterances, {first / 360000:.2f} h")


if __name__ == "__main__":
    main()
