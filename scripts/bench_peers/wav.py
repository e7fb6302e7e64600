"""The samples of 16-bit WAV files."""

import wave

import numpy as np


def samples(path):
    """All samples, in [-32768, 32767]."""
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")
