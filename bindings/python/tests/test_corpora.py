"""Corpora, as `paretone.ray` measures them utterance by utterance."""

import pytest

from paretone import _paretone
from paretone._types import Counting

RULE = Counting(strict=False, alignment="minimal", repeats=1)


def test_of_a_recording_only_the_utterance_s_part_is_heard(asr, river, tmp_path):
    manifest = tmp_path / "corpus.tsv"
    manifest.write_text(f"id\tpath\ttext\tspeaker\tstart\tend\na\t{river}\tthe old man\tann\t0.5\t1.75\nb\t{river}\tthe\tann\t\t\n")
    part, whole = _paretone.corpus_of(manifest)
    assert part[5] == (0.5, 1.75) and whole[5] is None
    settings = [asr.setting]
    seconds = [_paretone.measure_settings(asr, said, settings, RULE)[0][4] for said in (part, whole)]
    assert seconds[0] == pytest.approx(1.25) and seconds[1] > 2
