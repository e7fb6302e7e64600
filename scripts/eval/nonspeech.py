#!/usr/bin/env python3
"""Words out of no speech: minutes of noises, tones, telephones, machines and music, and what is heard in them.

    python scripts/eval/nonspeech.py                     # a line a sound, and words per ten minutes over all
    python scripts/eval/nonspeech.py --program P -- --vad off

The sounds are made here, by sox or by formulas other than those that the gate was trained on
(`scripts/train/gate_sounds.py`). Needs numpy and sox (Debian).
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from measured import PROGRAM
from pauses import RATE, write

SECONDS = 60
TIME = np.arange(SECONDS * RATE) / RATE
RANDOM = np.random.default_rng(7)


def sox(*effects):
    command = ["sox", "-R", "-n", "-r", str(RATE), "-c", "1", "-b", "16", "-e", "signed", "-t", "raw", "-", *effects]
    return np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.int16)


def scaled(samples, level):
    """16-bit samples of this level in decibels of full scale."""
    samples = samples / (np.sqrt(np.mean(np.square(samples, dtype=np.float64))) + 1e-12) * 32768 * 10 ** (level / 20)
    return np.round(np.clip(samples, -32768, 32767)).astype(np.int16)


def sine(*frequencies):
    return sum(np.sin(2 * np.pi * f * TIME) for f in frequencies)


def switched(samples, *cadence):
    """On, off, on, off … for so many seconds each, over and over."""
    edges = np.cumsum(np.tile(cadence, int(SECONDS / sum(cadence)) + 1))
    return samples * (np.searchsorted(edges, TIME, side="right") % 2 == 0)


def dialled():
    rows, columns = [697, 770, 852, 941], [1209, 1336, 1477]
    keys = RANDOM.integers(0, 12, SECONDS * 4)
    key = keys[(TIME * 4).astype(int)]
    tone = np.sin(2 * np.pi * np.take(rows, key // 3) * TIME) + np.sin(2 * np.pi * np.take(columns, key % 3) * TIME)
    return tone * (TIME * 4 % 1 < 0.5)


def struck(times, body):
    out = np.zeros(len(TIME) + len(body))
    for at in times:
        out[int(at * RATE) : int(at * RATE) + len(body)] += body * RANDOM.uniform(0.5, 1)
    return out[: len(TIME)]


def drums():
    beat = np.arange(RATE // 3) / RATE
    kick = np.sin(2 * np.pi * (50 * beat - 8 * np.exp(-25 * beat))) * np.exp(-9 * beat)
    snare = (RANDOM.standard_normal(len(beat)) + np.sin(2 * np.pi * 185 * beat)) * np.exp(-18 * beat)
    hat = np.diff(RANDOM.standard_normal(len(beat)), prepend=0) * np.exp(-60 * beat)
    times = np.arange(0, SECONDS - 1, 0.5)
    return struck(times, kick) + 0.7 * struck(times + 0.25, snare) + 0.3 * struck(np.arange(0, SECONDS - 1, 0.125), hat)


def chords(wave, decay):
    """A chord every second, of the wave's partials, dying away."""
    roots = [261.6, 220.0, 174.6, 196.0]
    out = np.zeros(len(TIME))
    for at in range(SECONDS):
        part = np.arange(RATE) / RATE
        for ratio in (1, 1.26, 1.498):
            out[at * RATE : (at + 1) * RATE] += wave(2 * np.pi * roots[at % 4] * ratio * part) * np.exp(-decay * part)
    return out


def saw(phase):
    return sum(np.sin(n * phase) / n for n in range(1, 20))


def melody():
    notes = 220 * 2 ** (RANDOM.choice([0, 2, 4, 5, 7, 9, 11, 12], SECONDS * 3) / 12)
    pitch = np.take(notes, (TIME * 3).astype(int)) * (1 + 0.006 * np.sin(2 * np.pi * 5.5 * TIME))
    return saw(2 * np.pi * np.cumsum(pitch) / RATE) * np.exp(-2 * (TIME * 3 % 1))


def engine():
    speed = 28 + 6 * np.sin(2 * np.pi * 0.11 * TIME) + 2 * np.sin(2 * np.pi * 0.7 * TIME)
    phase = 2 * np.pi * np.cumsum(speed) / RATE
    return sum(np.sin(n * phase + n * n) * np.exp(-n / 12) for n in range(1, 60)) + 0.3 * RANDOM.standard_normal(len(TIME))


def wind():
    noise = RANDOM.standard_normal(len(TIME))
    spectrum = np.fft.rfft(noise)
    hertz = np.fft.rfftfreq(len(noise), 1 / RATE)
    low = np.fft.irfft(spectrum / (1 + (hertz / 250) ** 2), len(noise))
    return low * (1.2 + np.sin(2 * np.pi * 0.13 * TIME) + 0.5 * np.sin(2 * np.pi * 0.41 * TIME + 1))


def bird():
    pitch = 3000 + 900 * np.sin(2 * np.pi * 9 * TIME) + 500 * np.sin(2 * np.pi * 1.3 * TIME)
    return np.sin(2 * np.pi * np.cumsum(pitch) / RATE) * (np.sin(2 * np.pi * 1.7 * TIME) > 0.3)


def sounds():
    """Names and samples; a minute each."""
    length = str(SECONDS)
    yield "digital silence", np.zeros(len(TIME), np.int16)
    yield "dither of one bit", RANDOM.integers(-1, 2, len(TIME)).astype(np.int16)
    yield "triangular dither", np.round(RANDOM.uniform(-1, 1, len(TIME)) + RANDOM.uniform(-1, 1, len(TIME))).astype(np.int16)
    for colour in ("white", "pink", "brown"):
        noise = sox("synth", length, f"{colour}noise").astype(float)
        for level in (-60, -50, -40, -30, -20):
            yield f"{colour} noise, {level} dB", scaled(noise, level)
    for base in (50, 60):
        hum = sum(np.sin(2 * np.pi * base * n * TIME + n) / n for n in (1, 2, 3, 5, 7, 9, 11))
        yield f"{base} Hz hum, pure", scaled(sine(base), -20)
        yield f"{base} Hz hum with harmonics", scaled(hum, -30)
        yield f"{base} Hz hum with harmonics and noise", scaled(hum + 0.02 * RANDOM.standard_normal(len(TIME)), -40)
    for hertz in (100, 440, 1000, 3000, 6000):
        yield f"tone, {hertz} Hz", scaled(sine(hertz), -20)
    yield "ring tone, North America", scaled(switched(sine(440, 480), 2, 4), -20)
    yield "ring tone, Britain", scaled(switched(sine(400, 450), 0.4, 0.2, 0.4, 2), -20)
    yield "ring tone, Europe", scaled(switched(sine(425), 1, 4), -20)
    yield "bell", scaled(switched(np.where(TIME * 25 % 1 < 0.5, sine(880), sine(1320)), 1, 2), -15)
    yield "busy tone", scaled(switched(sine(480, 620), 0.5, 0.5), -20)
    yield "dial tone", scaled(sine(350, 440), -20)
    yield "keys dialled", scaled(dialled(), -20)
    yield "clicks", scaled(struck(np.arange(0, SECONDS - 1, 0.7), np.hanning(20)), -35)
    yield "typing", scaled(struck(np.sort(RANDOM.uniform(0, SECONDS - 1, 300)), RANDOM.standard_normal(400) * np.exp(-np.arange(400) / 60)), -35)
    yield "metronome", scaled(struck(np.arange(0, SECONDS - 1, 0.5), np.sin(np.arange(600) * 0.6) * np.exp(-np.arange(600) / 80)), -30)
    yield "drums", scaled(drums(), -20)
    yield "chords, sines", scaled(chords(np.sin, 2), -20)
    yield "chords, saws", scaled(chords(saw, 2), -20)
    yield "chords, sustained", scaled(chords(saw, 0.1), -20)
    yield "melody", scaled(melody(), -20)
    yield "plucked strings", scaled(sum(sox("synth", length, "pluck", n).astype(float) for n in ("E2", "A3", "D4")), -20)
    yield "sweep, slow", scaled(sox("synth", length, "sine", "100-6000").astype(float), -20)
    yield "siren", scaled(np.sin(2 * np.pi * np.cumsum(900 + 400 * np.sin(2 * np.pi * 0.5 * TIME)) / RATE), -20)
    yield "sweep, fast", scaled(np.sin(2 * np.pi * np.cumsum(300 + 3000 * (TIME * 4 % 1)) / RATE), -20)
    yield "wind", scaled(wind(), -25)
    yield "engine", scaled(engine(), -20)
    yield "fan", scaled(sox("synth", length, "brownnoise", "tremolo", "7", "40").astype(float), -30)
    yield "birds", scaled(bird(), -25)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", default=PROGRAM)
    parser.add_argument("options", nargs="*", help="further options of `paretone transcribe`, after --")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        names = {}
        for at, (name, samples) in enumerate(sounds()):
            path = Path(folder) / f"{at:02}.wav"
            write(path, samples)
            names[str(path)] = name
        command = [arguments.program, "transcribe", "--format", "json", *arguments.options, *names]
        printed = subprocess.run(command, capture_output=True, check=True, text=True).stdout
        answers = [json.loads(line) for line in printed.splitlines() if line.strip()]
    total, worst = 0, 0.0
    for answer, name in zip(answers, names.values(), strict=True):
        words = answer["words"]
        # Confidences were fitted with the gate: without it there are none.
        known = [word["confidence"] for word in words if word["confidence"] is not None]
        sure = max(known, default=0.0)
        total, worst = total + len(words), max(worst, sure)
        how_sure = f"confidence up to {sure:.2f}" if known or not words else "no confidence"
        print(f"{name:40} {len(words):3} words, {how_sure}: {' '.join(word['word'] for word in words[:12])}")
    minutes = len(names) * SECONDS / 60
    print(f"{minutes:.0f} minutes, {total} words, {10 * total / minutes:.2f} in ten minutes, confidence up to {worst:.2f}")


if __name__ == "__main__":
    main()
