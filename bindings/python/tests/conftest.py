"""One recogniser for all tests, and the repository's sample."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy
import pytest

import paretone

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def asr() -> paretone.Recognizer:
    return paretone.Recognizer()


@pytest.fixture(scope="session")
def river() -> Path:
    return ROOT / "corpora/samples/river.wav"


@pytest.fixture(scope="session")
def samples(river: Path) -> numpy.ndarray:
    with wave.open(str(river)) as sound:
        assert sound.getframerate() == 16000
        frames = sound.readframes(sound.getnframes())
    return numpy.frombuffer(frames, dtype="<i2").astype(numpy.float32) / 32768
