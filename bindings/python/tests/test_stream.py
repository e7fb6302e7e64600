"""Speech as it is spoken."""

from __future__ import annotations

import numpy
import pytest


def chunks(samples, size):
    return [samples[at : at + size] for at in range(0, len(samples), size)]


@pytest.mark.parametrize("size", [400, 4000, 100_000])
def test_a_stream_ends_with_the_words_of_the_recording(asr, samples, size):
    events = list(asr.stream(chunks(samples, size), rate=16000, version="v7"))
    finals = [event for event in events if event.final]
    assert " ".join(event.text for event in finals) == asr.transcribe(samples, version="v7").text
    assert all(event.result.text == event.text for event in finals)
    assert all(event.start >= 0 for event in finals)


def test_guesses_come_before_the_end(asr, samples):
    events = list(asr.stream(chunks(samples, 4000)))
    partials = [event for event in events if event.kind == "partial"]
    assert len(partials) > 3
    assert all(event.result is None and event.agreed <= len(event.text.split()) for event in partials)
    assert "old man" in partials[-1].text


def test_times_are_those_of_the_stream(asr, samples):
    late = numpy.concatenate([numpy.zeros(80_000, numpy.float32), samples])
    (final,) = [event for event in asr.stream([late], version="v1") if event.final]
    assert 4.0 < final.start and final.start <= final.result.words[0].start


def test_pushing_and_finishing(asr, samples):
    stream = asr.stream(rate=16000)
    for round in range(2):
        events = [event for chunk in chunks(samples, 8000) for event in stream.push(chunk)] + stream.finish()
        assert "old man" in events[-1].text, f"round {round}"


def test_a_tolerance_serves_a_stream(asr, samples):
    events = list(asr.stream([samples], tolerance="5%", objective="cost"))
    assert events[-1].result.tier.name.startswith("cost/")


def test_a_generator_may_feed_a_stream(asr, samples):
    assert any(event.final for event in asr.stream(iter(chunks(samples, 8000))))


def test_a_stream_of_nothing(asr):
    assert list(asr.stream([])) == []


def test_a_stream_without_chunks_is_not_iterated_over(asr):
    with pytest.raises(ValueError, match="push"):
        iter(asr.stream())
    with pytest.raises(TypeError):
        asr.stream(5)


def test_an_error_of_the_chunks_is_the_callers(asr):
    def broken():
        yield numpy.zeros(100, numpy.float32)
        raise OSError("the microphone is gone")

    with pytest.raises(OSError, match="microphone"):
        list(asr.stream(broken()))
