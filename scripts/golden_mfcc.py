#!/usr/bin/env python3
"""Writes what kaldi-native-fbank makes of two small signals, for the tests of src/feature; or compares on more audio.

    pip install kaldi-native-fbank numpy soundfile
    python scripts/golden_mfcc.py                       # writes tests/golden/mfcc_*
    python scripts/golden_mfcc.py --compare FILE...     # difference to `paretone features`, file by file

The signals: half a second of noise from a linear congruential generator (the tests generate it for themselves), and a
second of speech by the Debian package flite (voice slt), stored as tests/golden/mfcc_speech.wav. The features: Kaldi's
"hires" MFCC and the log-mel energies behind it, little-endian float32, frames x 40. What Kaldi does not have, the
noise floor of `MfccConfig`, is written by the formulas in double precision (log-mel, the speech at a thousandth of its
volume, a floor of 1/12).

Single precision bounds the agreement: in frames whose quietest mel filter lies 20 nats and more below the loudest (speech
that was low-passed, then digital silence), rounding in the Fourier transform shows. --compare therefore also gives the
distance of either side from the same formulas in double precision.
"""

import argparse
import io
import subprocess
from pathlib import Path

import kaldi_native_fbank as knf
import numpy as np

ROOT = Path(__file__).parent.parent
GOLDEN = ROOT / "tests/golden"
RATE = 16000
BINS = 40
LOW, HIGH = 20, 7600


def options(kind):
    """The default of `MfccConfig` in kaldi-native-fbank's terms."""
    made = knf.MfccOptions() if kind == "mfcc" else knf.FbankOptions()
    made.frame_opts.samp_freq = RATE
    made.frame_opts.dither = 0.0
    made.frame_opts.snip_edges = True
    made.mel_opts.num_bins = BINS
    made.mel_opts.low_freq = LOW
    made.mel_opts.high_freq = HIGH
    if kind == "mfcc":
        made.num_ceps = BINS
        made.use_energy = False
    return made


def kaldi(kind, samples):
    """frames x 40 features of samples in [-1, 1]."""
    stream = (knf.OnlineMfcc if kind == "mfcc" else knf.OnlineFbank)(options(kind))
    stream.accept_waveform(RATE, samples * 32768.0)
    stream.input_finished()
    frames = [stream.get_frame(i) for i in range(stream.num_frames_ready)]
    return np.stack(frames) if frames else np.zeros((0, BINS), np.float32)


def exact(samples, noise_floor=0.0, cepstra=True):
    """The MFCC formulas, or those of the log-mel energies behind them, in double precision."""

    def mel(hertz):
        return 1127 * np.log(1 + hertz / 700)

    samples = samples.astype(np.float64) * 32768
    count = 1 + (len(samples) - 400) // 160
    frames = np.stack([samples[160 * t : 160 * t + 400] for t in range(count)])
    frames = frames - frames.mean(axis=1, keepdims=True)
    before = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 399)) ** 0.85
    power = np.abs(np.fft.rfft((frames - 0.97 * before) * window, 512))[:, :256] ** 2
    step = (mel(HIGH) - mel(LOW)) / (BINS + 1)
    left = mel(LOW) + step * np.arange(BINS)[:, None]
    bins = mel(np.arange(256) * RATE / 512)[None]
    bank = np.maximum(0, np.minimum((bins - left) / step, (left + 2 * step - bins) / step))
    emphasis = np.abs(1 - 0.97 * np.exp(-2j * np.pi * np.arange(256) / 512)) ** 2
    floor = noise_floor * (window**2).sum() * emphasis @ bank.T
    energies = np.log(np.maximum(power @ bank.T + floor, np.finfo(np.float32).eps))
    if not cepstra:
        return energies
    k, n = np.arange(BINS)[:, None], np.arange(BINS)[None]
    cosines = np.sqrt(2 / BINS) * np.cos(np.pi / BINS * (n + 0.5) * k)
    cosines[0] = np.sqrt(1 / BINS)
    cosines *= 1 + 11 * np.sin(np.pi * k / 22)
    return energies @ cosines.T


def noise(count):
    """Uniform noise in [-0.5, 0.5): the upper 16 bits of a 32-bit linear congruential generator (Numerical Recipes)."""
    state, samples = 1, np.empty(count, np.float32)
    for n in range(count):
        state = (1664525 * state + 1013904223) % 2**32
        samples[n] = (state >> 16) / 65536 - 0.5
    return samples


def speech(path):
    """A second of synthetic speech as 16-bit samples, written to `path` on the way."""
    import soundfile

    text = "Front end test."
    subprocess.run(["flite", "-voice", "slt", "-t", text, "-o", str(path)], check=True)
    samples, rate = soundfile.read(path, dtype="int16")
    assert rate == RATE
    samples = samples[: RATE]
    soundfile.write(path, samples, RATE, subtype="PCM_16")
    return samples.astype(np.float32) / 32768


def compare(paths, paretone):
    """Prints the largest differences, per file and over all."""
    import soundfile

    worst, beyond, frames = np.zeros(3), 0, 0
    for path in paths:
        samples, rate = soundfile.read(path, dtype="float32")
        assert rate == RATE and samples.ndim == 1, "compare on 16 kHz mono, so that no resampler takes part"
        out = subprocess.run([paretone, "features", "--format", "npy", path], check=True, capture_output=True)
        ours, theirs, truth = np.load(io.BytesIO(out.stdout)), kaldi("mfcc", samples), exact(samples)
        assert ours.shape == theirs.shape
        row = [np.abs(a - b).max() for a, b in ((ours, theirs), (ours, truth), (theirs, truth))]
        worst = np.maximum(worst, row)
        beyond += (np.abs(ours - theirs).max(axis=1) > 1e-3).sum()
        frames += len(ours)
        print(f"{Path(path).name}: {len(ours)} frames, ours - kaldi-native-fbank {row[0]:.2e}")
    print(f"{len(paths)} files, {frames} frames, {beyond} of them differ by more than 1e-3; largest differences:")
    print(f"ours - kaldi-native-fbank {worst[0]:.2e}, ours - double {worst[1]:.2e}, kaldi-native-fbank - double {worst[2]:.2e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compare", nargs="+", metavar="FILE")
    parser.add_argument("--paretone", default=ROOT / "target/release/paretone")
    arguments = parser.parse_args()
    if arguments.compare:
        return compare(arguments.compare, arguments.paretone)
    GOLDEN.mkdir(parents=True, exist_ok=True)
    signals = {"noise": noise(RATE // 2), "speech": speech(GOLDEN / "mfcc_speech.wav")}
    for name, samples in signals.items():
        for kind in ("mfcc", "log-mel"):
            kaldi(kind, samples).astype("<f4").tofile(GOLDEN / f"mfcc_{name}.{kind}.f32")
    floored = exact(signals["speech"] / 1000, noise_floor=1 / 12, cepstra=False)
    floored.astype("<f4").tofile(GOLDEN / "mfcc_speech.floor.f32")


if __name__ == "__main__":
    main()
