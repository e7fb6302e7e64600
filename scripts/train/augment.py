"""What happens to a recording on its way to a recogniser, made up at random: pace, voice, pauses, rooms, noises,
telephones, codecs, levels. One call a training utterance; the same random generator gives the same result.

Samples are float32 in units of the last bit of 16. What is added here has sources other than those of
`scripts/eval/conditions.sh`, which measures.
"""

import io

import numpy as np
import scipy.fft
import scipy.signal
import soundfile
import soxr

from features import RATE, SHIFT, frame_levels, near, speech_frames

FULL = 32768.0


def rms(samples):
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)) + 1e-9))


def shaped(random, count):
    """Gaussian noise with a random smooth spectrum, one of the colours in half of the cases."""
    spectrum = scipy.fft.rfft(random.standard_normal(count, dtype=np.float32))
    place = np.arange(len(spectrum), dtype=np.float32) + 1
    gain = place ** (-0.5 * random.choice([0.0, 0.0, 1.0, 2.0, -1.0]))
    if random.random() < 0.5:
        knots = np.exp(random.uniform(-2.5, 2.5, random.integers(4, 16)))
        gain = gain * np.interp(np.linspace(0, 1, len(gain)), np.linspace(0, 1, len(knots)), knots)
    return scipy.fft.irfft(spectrum * gain.astype(np.float32), count)


def swelling(random, noise):
    """Loudness that comes and goes, as of traffic, wind or machines."""
    knots = np.exp(random.normal(0, 0.8, max(2, int(len(noise) / RATE * random.uniform(0.5, 6)))))
    return noise * np.interp(np.linspace(0, 1, len(noise)), np.linspace(0, 1, len(knots)), knots).astype(np.float32)


def hum(random, count):
    """A mains frequency, or a motor, and its harmonics."""
    base = random.choice([50.0, 60.0, random.uniform(30, 400)])
    time = np.arange(count, dtype=np.float32) / RATE
    number = min(int(random.integers(2, 16)), int(7800 / base))
    return sum(np.exp(random.normal(-0.3 * k, 0.7)) * np.sin(2 * np.pi * base * k * time + random.uniform(0, 6.3))
               for k in range(1, number + 1)).astype(np.float32)


def music(random, count):
    """Chords of decaying harmonic tones."""
    out = np.zeros(count + RATE * 2, np.float32)
    place = 0
    while place < count:
        length = int(RATE * random.uniform(0.15, 1.2))
        time = np.arange(length, dtype=np.float32) / RATE
        root = 55 * 2 ** random.uniform(0, 4)
        for step in random.choice([0, 3, 4, 5, 7, 9, 10, 12], random.integers(1, 5), replace=False):
            tone = root * 2 ** (step / 12)
            for k in range(1, int(random.integers(2, 8))):
                if k * tone < 7900:
                    out[place : place + length] += np.exp(-k * 0.5 - time * random.uniform(1, 6)) * np.sin(2 * np.pi * k * tone * time)
        place += int(length * random.uniform(0.5, 1.0))
    return out[:count]


def clicks(random, count):
    """Short bursts: keys, doors, plates."""
    out = np.zeros(count + RATE, np.float32)
    for place in random.integers(0, count, max(1, int(count / RATE * random.uniform(0.3, 6)))):
        length = int(RATE * np.exp(random.uniform(np.log(0.002), np.log(0.15))))
        burst = random.standard_normal(length, dtype=np.float32) * np.exp(-np.arange(length) * (5.0 / length), dtype=np.float32)
        low = random.uniform(100, 3000)
        sections = scipy.signal.butter(1, [low, min(7500, low * random.uniform(1.5, 6))], "band", fs=RATE, output="sos")
        out[place : place + length] += scipy.signal.sosfilt(sections, burst).astype(np.float32) * random.uniform(0.2, 1)
    return out[:count]


def babble(random, count, voices):
    """Other people: 2 to 12 stretches of training speech at once."""
    out = np.zeros(count, np.float32)
    for _ in range(random.integers(2, 13)):
        other = voices(random)
        other = np.resize(np.roll(other, int(random.integers(len(other)))), count)
        out += other * (random.uniform(0.3, 1) / rms(other))
    return out


def noise(random, count, voices):
    kind = random.choice(6, p=[0.34, 0.4, 0.05, 0.08, 0.08, 0.05])
    if kind == 0:
        made = shaped(random, count)
        return swelling(random, made) if random.random() < 0.4 else made
    if kind == 1:
        return babble(random, count, voices)
    return (hum(random, count) if kind == 2 else music(random, count) if kind == 3
            else clicks(random, count) if kind == 4 else hum(random, count) + shaped(random, count) * 0.3)


class Rooms:
    """The impulse responses of `rooms.py`."""

    def __init__(self, cache):
        saved = np.load(cache / "rooms.npz")
        self.taps, self.first = saved["taps"], saved["first"]

    def reverberate(self, random, samples):
        i = random.integers(len(self.first) - 1)
        taps = self.taps[self.first[i] : self.first[i + 1]].astype(np.float32)
        count = len(samples) + len(taps) - 1
        size = scipy.fft.next_fast_len(count, real=True)
        wet = scipy.fft.irfft(scipy.fft.rfft(samples, size) * scipy.fft.rfft(taps, size), size)[: len(samples)]
        return (wet * (rms(samples) / rms(wet))).astype(np.float32)


def through(samples, form, subtype, rate=RATE, **options):
    """Encoded and decoded again."""
    file = io.BytesIO()
    soundfile.write(file, np.clip(samples / FULL, -1, 1), rate, format=form, subtype=subtype, **options)
    file.seek(0)
    return soundfile.read(file, dtype="float32")[0] * FULL


def lossy(random, samples):
    """A lossy codec at a low rate, whose delay is small against a frame."""
    kind = random.choice(3, p=[0.5, 0.3, 0.2])
    level = float(random.uniform(0.75, 0.97))
    if kind == 0:
        level = min(level, 0.92)  # 24 kbit/s; libsndfile knows no lower rate
        out = through(samples, "MP3", "MPEG_LAYER_III", bitrate_mode="CONSTANT", compression_level=level)
    else:
        out = through(samples, "OGG", "OPUS" if kind == 1 else "VORBIS", compression_level=level)
    return np.resize(out, len(samples)) if len(out) >= len(samples) else np.pad(out, (0, len(samples) - len(out)))


def telephone(random, samples):
    """8 kHz, mostly 300 to 3400 Hz, through one of a telephone's codecs."""
    narrow = soxr.resample(samples, RATE, RATE // 2, "MQ")
    if random.random() < 0.75:
        band = [random.uniform(150, 400), random.uniform(3000, 3700)]
        narrow = scipy.signal.sosfilt(scipy.signal.butter(int(random.integers(1, 5)), band, "band", fs=RATE // 2, output="sos"), narrow)
    narrow = narrow * (FULL / max(np.abs(narrow).max(), 1) * random.uniform(0.05, 0.9))
    codec = random.choice(["ULAW", "ALAW", "GSM610", "PCM_16"], p=[0.35, 0.2, 0.25, 0.2])
    narrow = through(narrow.astype(np.float32), "WAV", codec, RATE // 2)
    wide = soxr.resample(narrow, RATE // 2, RATE, "MQ")
    return np.pad(wide, (0, max(0, len(samples) - len(wide))))[: len(samples)].astype(np.float32)


def tilted(random, samples):
    """The frequency response of a cheap microphone or loudspeaker: a slope, a low-pass or a high-pass."""
    kind = random.choice(3)
    if kind == 0:
        spectrum = scipy.fft.rfft(samples)
        slope = 10 ** (random.uniform(-12, 12) * np.linspace(-0.5, 0.5, len(spectrum), dtype=np.float32) / 20)
        return scipy.fft.irfft(spectrum * slope, len(samples))
    edge, kind = (random.uniform(2500, 7000), "low") if kind == 1 else (random.uniform(60, 400), "high")
    return scipy.signal.sosfilt(scipy.signal.butter(int(random.integers(1, 5)), edge, kind, fs=RATE, output="sos"), samples).astype(np.float32)


def with_pauses(random, samples, speech, frames):
    """`frames` frames of pause shared out before, behind and in the longest gap; the noise that follows fills them."""
    gap, longest, run = 0, 11, 0
    for i, heard in enumerate(speech):
        run = 0 if heard else run + 1
        if run > longest and 10 < i < len(speech) - 10:
            gap, longest = i - run // 2, run
    shares = random.dirichlet([0.7, 0.7, 0.7 if gap else 1e-3])
    before, behind, inside = (frames * shares).astype(int)
    parts = [(0, before), (gap, inside), (len(speech), behind)]
    out_samples, out_speech, done = [], [], 0
    for place, pause in parts:
        out_samples += [samples[done * SHIFT : place * SHIFT], np.zeros(pause * SHIFT, np.float32)]
        out_speech += [speech[done:place], np.zeros(pause, bool)]
        done = place
    return np.concatenate([*out_samples, samples[done * SHIFT :]]), np.concatenate(out_speech)


def quantised(random, samples):
    """A level, the converter's limits and its rounding. Most recordings keep their level within 20 dB of the usual."""
    level = random.choice([random.normal(-25, 6), random.uniform(-62, -8)], p=[0.75, 0.25])
    samples = samples * (FULL * 10 ** (level / 20) / max(rms(samples), 1e-3))
    if random.random() < 0.04:
        samples = samples * random.uniform(2, 8)
    samples = np.clip(samples, -FULL, FULL - 1)
    return np.round(samples) if random.random() < 0.8 else samples


class Augmenter:
    """`voices(random)` returns some speech for babble."""

    def __init__(self, rooms, voices, clean=0.35):
        self.rooms, self.voices, self.clean = rooms, voices, clean

    def __call__(self, random, samples, pace=1.0, pause=0):
        """(samples, which frames are near speech) of int16 samples, changed; `pace` 1.1 is a tenth faster and higher,
        `pause` frames of pause are put in."""
        samples = samples.astype(np.float32)
        if pace != 1:
            samples = soxr.resample(samples, RATE * pace, RATE, "MQ")
        speech = speech_frames(samples)
        if pause:
            samples, speech = with_pauses(random, samples, speech, pause)
        reach = int(random.integers(10, 31))
        if random.random() >= self.clean:
            samples = self.spoil(random, samples)
        samples = quantised(random, samples)
        count = len(frame_levels(samples))
        speech = np.pad(speech, (0, max(0, count - len(speech))))[:count]
        return samples.astype(np.float32), near(speech, reach)

    def spoil(self, random, samples):
        """At least one of room, noise, response and codec."""
        chosen = random.random(4) < (0.5, 0.6, 0.2, 0.3)
        if not chosen.any():
            chosen[random.integers(4)] = True
        room, noisy, response, coded = chosen
        loud = rms(samples)
        if room:
            samples = self.rooms.reverberate(random, samples)
        if noisy:
            added = noise(random, len(samples), self.voices)
            if room and random.random() < 0.5:
                added = self.rooms.reverberate(random, added.astype(np.float32))
            ratio = random.triangular(0, 12, 32)
            samples = samples + added * np.float32(loud / rms(added) * 10 ** (-ratio / 20))
        if response:
            samples = tilted(random, samples)
        if coded:
            kind = random.choice(3, p=[0.5, 0.4, 0.1])
            loudest = max(float(np.abs(samples).max()), 1.0)
            samples = samples * np.float32(FULL * random.uniform(0.1, 0.95) / loudest)
            if kind == 0:
                samples = telephone(random, samples)
            elif kind == 1:
                samples = lossy(random, samples)
            else:
                samples = samples.copy()
                for place in random.integers(0, len(samples), max(1, int(len(samples) / RATE * random.uniform(0.2, 2)))):
                    samples[place : place + int(RATE * random.uniform(0.01, 0.06))] = 0
        return samples
