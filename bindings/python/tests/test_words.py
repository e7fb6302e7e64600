"""Words of the caller's own."""

from __future__ import annotations

import pytest

import paretone

WORDS = ["Paretone", "River Runs 5", "Zyx\tZ IH K S"]


@pytest.fixture(scope="module")
def own(asr):
    return asr.with_words(WORDS)


def test_a_listed_word_is_heard_and_written_as_it_is_listed(asr, river):
    plain = asr.transcribe(river, version="v1").text
    heard = asr.with_words(["Olman 15 OW L D M AE N"]).transcribe(river, version="v1").text
    assert "old man" in plain and heard == plain.replace("old man", "Olman")
    assert asr.transcribe(river, version="v1").text == plain, "the first recogniser knows nothing of it"


def test_earlier_words_are_not_kept(own, asr, river):
    assert own.with_words([]).transcribe(river).words == asr.with_words([]).transcribe(river).words


def test_a_file_lists_the_same(own, river, tmp_path):
    (tmp_path / "names.txt").write_text("# names\n" + "\n".join(WORDS) + "\n")
    again = paretone.Recognizer(words=tmp_path / "names.txt")
    assert again.transcribe(river, version="v3").words == own.transcribe(river, version="v3").words


def test_nothing_is_certified(own, river):
    with pytest.warns(UserWarning, match="nothing is certified"):
        heard = own.transcribe(river, tolerance="5%")
    assert heard.tier is not None and heard.tier.answered_by == own.versions[-1].name
    assert heard.tier.policy == f"osfa({own.versions[-1].name})"


@pytest.mark.parametrize(
    ("words", "error", "told"),
    [
        (["Paretone", "Ada 1000"], ValueError, "line 2.*no boost"),
        (["one\ntwo"], ValueError, "line break"),
        ("nowhere.txt", ValueError, "nowhere.txt"),
        (["Paretone 3 QQ"], (ValueError, paretone.ModelError), "QQ"),
        ([5], TypeError, "str"),
        (5, TypeError, "sequence|convert|Sequence"),
    ],
)
def test_what_are_no_words(asr, words, error, told):
    with pytest.raises(error, match=told):
        asr.with_words(words)
