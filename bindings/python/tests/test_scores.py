"""Score once, search often."""

from __future__ import annotations

import numpy
import pytest


@pytest.fixture(scope="module")
def scores(asr, samples):
    return asr.scores(samples)


def test_scores_are_a_matrix(asr, scores, samples):
    matrix = numpy.asarray(scores)
    assert matrix.dtype == numpy.float32 and matrix.ndim == 2
    assert matrix.shape == scores.shape and len(scores) == len(matrix)
    assert numpy.isfinite(matrix).all()
    assert scores.audio_seconds == pytest.approx(len(samples) / 16000)
    assert len(matrix) <= scores.audio_seconds / asr.frame_shift + 1
    assert str(len(matrix)) in repr(scores)


def test_segments_are_the_matrix(scores):
    starts = [start for start, _ in scores.segments]
    assert starts == sorted(starts) and starts[0] >= 0
    assert (numpy.concatenate([rows for _, rows in scores.segments]) == numpy.asarray(scores)).all()


@pytest.mark.parametrize("version", ["v1", "v3", "v7"])
def test_searching_hears_what_transcribing_does(asr, scores, samples, version):
    searched, transcribed = asr.search(scores, version=version), asr.transcribe(samples, version=version)
    assert searched.words == transcribed.words
    assert searched.confidence == transcribed.confidence


def test_a_matrix_is_searched_as_one_segment(asr, scores):
    matrix = numpy.asarray(scores)
    words = [word.word for word in asr.search(scores, version="v7").words]
    assert [word.word for word in asr.search(matrix, version="v7").words] == words
    assert [word.word for word in asr.search(numpy.asfortranarray(matrix.astype(float)), version="v7").words] == words


def test_other_answers_of_scores(asr, scores):
    assert len(asr.search(scores, version="v7", n_best=2).alternatives) >= 1


def test_other_types_of_arrays(scores):
    assert numpy.asarray(scores, dtype=numpy.float64).dtype == numpy.float64
    assert numpy.array(scores, copy=True).shape == scores.shape


@pytest.mark.parametrize(
    ("matrix", "told"),
    [
        (numpy.zeros((10, 3), numpy.float32), "the scores have 3"),
        (numpy.zeros((10, 0), numpy.float32), "without columns"),
        (numpy.zeros(10, numpy.float32), r"\[10\]"),
        (numpy.zeros((1, 10, 3), numpy.float32), r"scores\[0\]"),
        (numpy.zeros((10, 3), numpy.int32), "natural logarithms"),
    ],
)
def test_matrices_that_are_no_scores(asr, matrix, told):
    with pytest.raises(ValueError, match=told):
        asr.search(matrix)


@pytest.mark.parametrize("wrong", [numpy.nan, numpy.inf])
def test_values_that_are_no_scores(asr, scores, wrong):
    matrix = numpy.asarray(scores).copy()
    matrix[3, 5] = wrong
    with pytest.raises(ValueError, match="frame 3"):
        asr.search(matrix)


def test_scores_of_nothing(asr):
    scores = asr.scores(numpy.zeros(0, numpy.float32))
    assert len(scores) == 0 and asr.search(scores).words == ()
