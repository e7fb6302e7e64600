"""Wrong arguments and recordings say what is wrong and what helps."""

from __future__ import annotations

import numpy
import pytest

import paretone

FLOAT = numpy.float32
WRONG_SAMPLES = {
    "16-bit integers": (numpy.ones(100, numpy.int16), "divide 16-bit integers by 32768"),
    "32-bit integers": (numpy.ones(100, numpy.int32), "divide 32-bit integers by 2147483648"),
    "8-bit integers": (numpy.ones(100, numpy.uint8), "subtract 128"),
    "booleans": (numpy.ones(100, bool), "floats"),
    "complex": (numpy.ones(100, complex), "floats"),
    "two channels": (numpy.ones((100, 2), FLOAT), r"\[100, 2\].* samples\[:, 0\]"),
    "two channels, one after the other": (numpy.ones((2, 100), FLOAT), r"\[2, 100\].* samples\[0\]"),
    "a batch": (numpy.ones((1, 100), FLOAT), "one dimension"),
    "a number": (numpy.float32(0.5), "one dimension"),
    "NaN": (numpy.array([0, numpy.nan], FLOAT), "sample 1 is NaN"),
    "infinity": (numpy.array([numpy.inf], FLOAT), "sample 0 is inf"),
    "beyond 32 bits": (numpy.array([1e300]), "sample 0 is inf"),
    "None": (None, "a path, bytes, or a file"),
    "objects": ([{}], "a path, bytes, or a file"),
}


@pytest.mark.parametrize("name", WRONG_SAMPLES)
@pytest.mark.filterwarnings("ignore:overflow")
def test_samples_that_are_none(asr, name):
    samples, told = WRONG_SAMPLES[name]
    for take in (asr.transcribe, asr.scores, asr.stream(rate=16000).push):
        with pytest.raises(ValueError, match=told):
            take(samples)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"version": "v99"}, "no version v99: the model has v1"),
        ({"setting": "beam"}, "no knob"),
        ({"setting": "network_beam=-1"}, "no value"),
        ({"version": "v1", "setting": "rescore"}, "not both"),
        ({"tolerance": 5}, "5% meant"),
        ({"tolerance": -0.1}, "0 or more"),
        ({"tolerance": "five"}, "percentage"),
        ({"tolerance": 0.05, "objective": "speed"}, "no objective speed"),
        ({"tolerance": 0.05, "version": "v1"}, "leave out version"),
        ({"objective": "cost"}, "needs a tolerance"),
    ],
)
def test_ways_to_hear_that_mean_nothing(asr, river, samples, how, told):
    for audio in (river, samples):
        with pytest.raises(ValueError, match=told):
            asr.transcribe(audio, **how)


@pytest.mark.parametrize("data", [b"\0\0", bytearray(2)])
def test_bytes_are_no_samples_of_a_stream(asr, data):
    with pytest.raises(ValueError, match="numpy.frombuffer"):
        asr.stream(rate=16000).push(data)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"n_best": -1}, "-1: n_best is a number"),
        ({"channel": -1}, "-1: channels are counted from 1"),
        ({"channel": 2**70}, "counted from 1"),
        ({"n_best": 2**70}, "number of answers"),
    ],
)
def test_numbers_out_of_range(asr, river, how, told):
    with pytest.raises(ValueError, match=told):
        asr.transcribe(river, **how)


def test_a_recording_opened_as_text(asr, river):
    with river.open(encoding="latin-1") as file, pytest.raises(ValueError, match='open\\(path, "rb"\\)'):
        asr.transcribe(file)


@pytest.mark.parametrize("rate", [-1, 0, 999, 384001, 2**32 + 16000, 2**70])
def test_rates_out_of_range(asr, samples, rate):
    with pytest.raises(ValueError, match="1000 to 384000"):
        asr.transcribe(samples, rate=rate)
    with pytest.raises(ValueError, match="1000 to 384000"):
        asr.stream(rate=rate)


def test_a_file_says_its_own_rate(asr, river):
    with pytest.raises(ValueError, match="leave it out"):
        asr.transcribe(river, rate=16000)


def test_samples_have_one_channel(asr, samples):
    with pytest.raises(ValueError, match="one channel"):
        asr.transcribe(samples, channel=1)


def test_a_file_that_is_not_there(asr, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.wav") as error:
        asr.transcribe(tmp_path / "none.wav")
    assert isinstance(error.value, paretone.AudioError)


@pytest.mark.parametrize("content", [b"", b"no audio at all, only text", b"RIFF\x00\x00\x00\x00WAVE"])
def test_what_is_no_audio(asr, tmp_path, content):
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    for audio in (path, content):
        with pytest.raises(paretone.AudioError):
            asr.transcribe(audio)


def test_a_folder_is_no_recording(asr, tmp_path):
    with pytest.raises(paretone.AudioError):
        asr.transcribe(tmp_path)


def test_errors_are_of_one_family():
    family = [paretone.ModelError, paretone.AudioError, paretone.TierError, paretone.DecodeError, paretone.GraphError]
    assert all(issubclass(error, paretone.Error) for error in family)
    assert not issubclass(paretone.Error, ValueError)
    assert paretone.ModelError.__module__ == "paretone"
