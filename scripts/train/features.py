"""Log-mel features as the recogniser computes them, for whole utterances at once.

40 mel filters (25 ms / 10 ms, Povey window, 20-7600 Hz, whole frames only), a floor at the energy that rounding to 16
bits leaves, and the mean over the frames near speech taken away. Without the floor they are kaldi-native-fbank's to
within 1e-3.

The floor is added to each mel energy, not a maximum: log(E + f). f is what white noise of variance NOISE_FLOOR (in
squared units of the last bit of 16) has on average in that filter after pre-emphasis and window. Spectral holes that
codecs leave and digital silence thus look like a quiet recording.
"""

import functools

import numpy as np
import scipy.fft

RATE = 16000
BINS = 40
LENGTH, SHIFT, SIZE = 400, 160, 512
LOW, HIGH = 20.0, 7600.0
PREEMPHASIS = 0.97
NOISE_FLOOR = 1 / 12
NEAR = 20  # frames: what lies within 0.2 s of speech counts as near speech


def mel(hertz):
    return 1127.0 * np.log1p(np.asarray(hertz) / 700.0)


@functools.lru_cache(64)
def filterbank(warp=1.0):
    """(filters [257, BINS], floor [BINS]); `warp` stretches the frequency axis, as a shorter vocal tract does."""
    edges = np.linspace(mel(LOW), mel(HIGH), BINS + 2)
    hertz = np.arange(SIZE // 2 + 1) * RATE / SIZE
    knee = 0.8 * HIGH / max(warp, 1.0)  # linear up to here, then straight to the upper end
    warped = np.where(hertz <= knee, hertz * warp, knee * warp + (hertz - knee) * (HIGH - knee * warp) / (HIGH - knee))
    place = mel(np.clip(warped, 0, None))[:, None]
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    filters = np.clip(np.minimum((place - left) / (centre - left), (right - place) / (right - centre)), 0, None)
    filters[-1] = 0
    response = 1 - 2 * PREEMPHASIS * np.cos(2 * np.pi * np.arange(SIZE // 2 + 1) / SIZE) + PREEMPHASIS**2
    floor = NOISE_FLOOR * (povey().astype(np.float64) ** 2).sum() * (response @ filters)
    return filters.astype(np.float32), floor.astype(np.float32)


@functools.lru_cache(1)
def povey():
    return ((0.5 - 0.5 * np.cos(2 * np.pi * np.arange(LENGTH) / (LENGTH - 1))) ** 0.85).astype(np.float32)


def frames_of(samples):
    count = max(0, 1 + (len(samples) - LENGTH) // SHIFT)
    return np.lib.stride_tricks.as_strided(samples, (count, LENGTH), (SHIFT * samples.itemsize, samples.itemsize))


def log_mel(samples, warp=1.0):
    """frames x BINS natural-log mel energies of float32 samples in units of the last bit of 16."""
    frames = frames_of(np.ascontiguousarray(samples, np.float32))
    frames = frames - frames.mean(axis=1, keepdims=True)
    emphasised = np.empty_like(frames)
    emphasised[:, 1:] = frames[:, 1:] - PREEMPHASIS * frames[:, :-1]
    emphasised[:, 0] = (1 - PREEMPHASIS) * frames[:, 0]
    emphasised *= povey()
    spectrum = scipy.fft.rfft(emphasised, SIZE, axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    filters, floor = filterbank(warp)
    return np.log(power @ filters + floor)


def frame_levels(samples):
    """Level of each frame in decibels, from the samples' squares in its middle 10 ms."""
    count = max(0, 1 + (len(samples) - LENGTH) // SHIFT)
    squares = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    first = SHIFT * np.arange(count) + (LENGTH - SHIFT) // 2
    return 10 * np.log10((squares[first + SHIFT] - squares[first]) / SHIFT + 1e-2)


def speech_frames(samples):
    """Which frames of a clean recording hold speech: those less than 35 dB below its loud ones, and well above its
    quiet ones. All where nothing stands out."""
    level = frame_levels(samples)
    if len(level) == 0:
        return np.zeros(0, bool)
    quiet, loud = np.percentile(level, [5, 95])
    return level > max(loud - 35, quiet + 0.3 * (loud - quiet)) if loud - quiet > 12 else np.ones(len(level), bool)


def near(speech, reach=NEAR):
    """Frames within `reach` frames of speech."""
    total = np.concatenate([[0], np.cumsum(speech)])
    index = np.arange(len(speech))
    return total[np.minimum(index + reach + 1, len(speech))] > total[np.maximum(index - reach, 0)]


def normalise(features, near_speech):
    """Subtracts the mean over the frames near speech; over all where there is none."""
    heard = features[near_speech] if near_speech.any() else features
    return features - heard.mean(axis=0, dtype=np.float64).astype(np.float32)
