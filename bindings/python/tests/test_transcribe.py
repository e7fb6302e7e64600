"""Recordings in, words out."""

from __future__ import annotations

import copy
import io
import json
import multiprocessing
import pickle
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy
import pytest

import paretone

TEXT = "the old man walked slowly along the river and his dog ran before him"


def test_the_ten_second_start(river):
    assert paretone.transcribe(river).text == TEXT
    assert paretone.transcribe(str(river), version="v1").versions == ("v1",)


def test_a_model_that_is_kept_is_not_opened_again(river):
    first = paretone.transcribe(river)
    assert paretone.transcribe(river).words == first.words


FORMS = ["path", "text", "bytes", "bytearray", "memoryview", "opened", "in memory", "samples", "doubles", "strided", "list", "big-endian"]


@pytest.mark.parametrize("kind", FORMS)
def test_every_form_of_a_recording_gives_the_same_words(asr, river, samples, kind):
    forms = {
        "path": river,
        "text": str(river),
        "bytes": river.read_bytes(),
        "bytearray": bytearray(river.read_bytes()),
        "memoryview": memoryview(river.read_bytes()),
        "opened": river.open("rb"),
        "in memory": io.BytesIO(river.read_bytes()),
        "samples": samples,
        "doubles": samples.astype(numpy.float64),
        "strided": numpy.repeat(samples, 2)[::2],
        "list": [float(sample) for sample in samples],
        "big-endian": samples.astype(">f4"),
    }
    heard = asr.transcribe(forms[kind])
    assert heard.words == asr.transcribe(river).words
    assert heard.text == TEXT


def test_samples_are_not_changed(asr, samples):
    before = samples.copy()
    samples.flags.writeable = False
    asr.transcribe(samples)
    assert (samples == before).all()


def test_another_rate_is_resampled(asr, samples):
    faster = numpy.repeat(samples, 3)
    heard = asr.transcribe(faster, rate=48000)
    assert heard.audio_seconds == pytest.approx(len(samples) / 16000)
    assert len(heard.words) > 10


def test_words_have_times_and_confidences(asr, river):
    heard = asr.transcribe(river, version="v7")
    assert [word.word for word in heard.words] == heard.text.split()
    for before, after in zip(heard.words, heard.words[1:]):
        assert before.start <= before.end <= after.end
    assert all(0 <= word.confidence <= 1 for word in heard.words)
    assert heard.words[-1].end <= heard.audio_seconds
    assert 0 < heard.confidence <= 1
    assert heard.seconds.total > 0 and heard.real_time_factor == heard.seconds.total / heard.audio_seconds


def test_versions_are_listed_fastest_first(asr):
    names = [version.name for version in asr.versions]
    assert names == [f"v{number}" for number in range(1, 8)]
    assert asr.versions[0].wer_percent > asr.versions[-1].wer_percent


@pytest.mark.parametrize("version", ["v1", "v4", "v7"])
def test_a_version_is_its_setting(asr, river, version):
    (knobs,) = [each.setting for each in asr.versions if each.name == version]
    by_name, by_knobs = (asr.transcribe(river, **how) for how in ({"version": version}, {"setting": knobs}))
    assert by_name.words == by_knobs.words
    assert by_name.versions == by_knobs.versions == (version,)


def test_the_default_is_the_most_accurate_version(asr, river):
    assert asr.transcribe(river).versions == ("v7",)
    assert asr.transcribe(river).words == asr.transcribe(river, version="v7").words


def test_a_setting_of_ones_own_is_no_version(asr, river):
    heard = asr.transcribe(river, setting="network_beam=11 lattice_beam=4 rescore")
    assert heard.versions == () and heard.confidence is None
    assert all(word.confidence is None for word in heard.words)
    assert "<span title=" in heard._repr_html_() and heard.to_srt() and heard.to_vtt()


@pytest.mark.parametrize("tolerance", [0.05, "5%", "0.05"])
def test_a_tolerance_names_its_certificate(asr, river, tolerance):
    heard = asr.transcribe(river, tolerance=tolerance, objective="cost")
    assert heard.text == TEXT
    assert heard.tier.tolerance == 0.05 and heard.tier.name.startswith("cost/")
    assert heard.tier.answered_by in heard.tier.versions == heard.versions
    assert heard.tier.certificate and heard.tier.bound <= 0.05
    assert heard.tier.machine_seconds > 0


def test_other_answers(asr, river):
    heard = asr.transcribe(river, version="v7", n_best=3)
    texts = [other.text for other in heard.alternatives]
    assert 1 <= len(set(texts)) == len(texts) <= 3
    costs = [other.cost for other in heard.alternatives]
    assert costs == sorted(costs)


def test_nothing_is_heard_in_silence(asr):
    for silence in (numpy.zeros(0, numpy.float32), numpy.zeros(16000, numpy.float32)):
        heard = asr.transcribe(silence)
        assert heard.words == () and heard.text == "" and not heard.to_srt()


def test_a_channel_of_a_file(asr, river):
    assert asr.transcribe(river, channel=1).text == TEXT
    with pytest.raises(ValueError, match="no channel 2"):
        asr.transcribe(river, channel=2)
    with pytest.raises(ValueError, match="counted from 1"):
        asr.transcribe(river, channel=0)


def test_threads_share_a_recogniser(asr, river):
    with ThreadPoolExecutor(4) as pool:
        heard = list(pool.map(lambda version: asr.transcribe(river, version=version), ["v1", "v7"] * 4))
    assert {result.text for result in heard} == {TEXT}


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_process_goes_on_with_the_recogniser(asr, river):
    assert asr.transcribe(river, version="v1").words
    with multiprocessing.get_context("fork").Pool(2, _share, (asr,)) as pool:
        assert pool.map_async(_hear, [river] * 3).get(120) == [TEXT] * 3


def _share(asr):
    global shared
    shared = asr


def _hear(path):
    return shared.transcribe(path, version="v7").text


def test_the_package_says_its_version():
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", paretone.__version__)


def test_a_file_cut_short_says_so(asr, river, tmp_path):
    cut = tmp_path / "cut.wav"
    cut.write_bytes(river.read_bytes()[: river.stat().st_size // 2])
    heard = asr.transcribe(cut)
    assert "its header promises" in heard.partly_read
    assert TEXT.startswith(heard.text[:20])


@pytest.fixture(scope="module")
def heard(asr, river):
    return asr.transcribe(river, version="v7", n_best=2)


class TestResult:
    def test_it_prints_well(self, heard):
        assert str(heard) == TEXT
        assert repr(heard).startswith("Result('the old man") and "14 words" in repr(heard)

    def test_notebooks_shade_words_by_confidence(self, heard):
        page = heard._repr_html_()
        assert page.count("<span title=") == 14 and "background: rgba(" in page

    def test_words_are_escaped_in_html(self, heard):
        word = paretone.Word("<b>&", 0.0, 1.0, 0.5)
        page = paretone.Result((word,), None, ("<i>",), 1.0, heard.seconds, 0.0, True)._repr_html_()
        assert "&lt;b&gt;&amp;" in page and "<b>" not in page and "<i>" not in page

    def test_dictionaries_are_json(self, heard):
        fields = json.loads(json.dumps(heard.to_dict()))
        assert fields["text"] == TEXT and fields["words"][1]["word"] == "old"
        assert fields["versions"] == ["v7"] and fields["tier"] is None
        assert len(fields["alternatives"]) == len(heard.alternatives)

    def test_tiers_are_json_too(self, asr, river):
        heard = asr.transcribe(river, tolerance="10%")
        assert json.loads(json.dumps(heard.to_dict()))["tier"]["versions"] == list(heard.versions)

    def test_subtitles(self, heard):
        assert heard.to_srt().startswith("1\n00:00:00,") and "old man" in heard.to_srt()
        assert heard.to_vtt().startswith("WEBVTT\n")

    def test_words_as_a_table(self, heard):
        pytest.importorskip("pandas")
        table = heard.to_pandas()
        assert list(table.columns) == ["word", "start", "end", "confidence"]
        assert len(table) == 14 and table["word"][1] == "old"

    def test_numbers_in_digits(self, heard):
        words = tuple(paretone.Word(word, at, at + 1.0, 0.9) for at, word in enumerate(["twenty", "one", "dogs"]))
        result = paretone.Result(words, None, (), 3.0, heard.seconds, 0.0, True).in_digits()
        assert result.text == "21 dogs"
        assert (result.words[0].start, result.words[0].end) == (0.0, 2.0)

    def test_results_are_pickled_copied_and_compared(self, heard):
        assert pickle.loads(pickle.dumps(heard)) == heard == copy.deepcopy(heard)
        assert hash(heard.words[0]) == hash(copy.copy(heard.words[0]))

    def test_results_do_not_change(self, heard):
        with pytest.raises(AttributeError):
            heard.cost = 0.0


class TestModels:
    def test_the_model_says_what_it_is(self, asr):
        assert asr.sample_rate == 16000 and asr.frame_shift == pytest.approx(0.03)
        assert (Path(asr.folder) / "model.json").is_file()
        assert asr.name in repr(asr)

    def test_a_folder_is_a_model(self, asr, river):
        other = paretone.Recognizer(asr.folder, precision="f32", large_model=False)
        heard = other.transcribe(river, version="v1")
        assert other.folder == asr.folder and len(heard.words) > 10

    def test_a_model_in_memory_hears_the_same(self, asr, river):
        copied = paretone.Recognizer(asr.folder, mmap=False)
        assert copied.transcribe(river, version="v3").text == asr.transcribe(river, version="v3").text

    def test_the_environment_names_a_model(self, asr, monkeypatch, tmp_path):
        monkeypatch.setenv("PARETONE_MODEL", str(tmp_path / "nowhere"))
        with pytest.raises(paretone.ModelError, match="nowhere"):
            paretone.Recognizer()

    def test_a_name_that_no_shelf_has(self):
        with pytest.raises(paretone.ModelError, match="no model klingon"):
            paretone.Recognizer("klingon")

    def test_a_damaged_model(self, asr, tmp_path):
        folder = tmp_path / "model"
        folder.mkdir()
        for file in Path(asr.folder).iterdir():
            (folder / file.name).symlink_to(file.resolve())
        (folder / "model.json").unlink()
        (folder / "model.json").write_text("{")
        with pytest.raises(paretone.ModelError, match="model.json"):
            paretone.Recognizer(folder)

    def test_a_model_without_rules_has_no_tiers(self, asr, river, tmp_path):
        folder = tmp_path / "model"
        folder.mkdir()
        for file in Path(asr.folder).iterdir():
            if file.name != "rules.toml":
                (folder / file.name).symlink_to(file.resolve())
        with pytest.raises(paretone.TierError, match="no routing rules"):
            paretone.Recognizer(folder).transcribe(river, tolerance=0.05)

    def test_no_such_precision(self):
        with pytest.raises(ValueError, match="f16"):
            paretone.Recognizer(precision="f16")
