"""Tuning: from a function that gives scores, or a folder, and speech with its texts to versions, confidence and tiers."""

from __future__ import annotations

import csv
import json
import math
import wave

import numpy
import pytest

import paretone
from conftest import ROOT
from paretone.ctc import Graph

TOKENS = ["<blk>", "a", "b", "l"]
LEXICON = {"ball": "b a l l", "all": "a l l", "a": "a", "ab": "a b", "la": "l a"}
ARPA = "\\data\\\nngram 1=7\n\n\\1-grams:\n-99 <s>\n-0.5 </s>\n-0.6 ball\n-0.7 all\n-0.8 a\n-0.9 ab\n-0.9 la\n\n\\end\\\n"
SENTENCES = ["ball a ball", "all ab la", "a ball all la", "la la ab ball", "ab all a"]
LEVELS = {"network_beam": [16.0, 3.0, 1.5, 0.75]}
RATE = 8000


def spelt(sentence):
    """The frames of a sentence: each token twice, a blank before each."""
    return [label for word in sentence.split() for token in LEXICON[word].split() for label in (0, *[TOKENS.index(token)] * 2)]


class Network:
    """Hears the token in a sample's size, in noise that is the recording's own; each sample is a frame."""

    def __init__(self, fail_at=None):
        self.calls, self.fail_at = 0, fail_at

    def __call__(self, samples, rate):
        assert rate == RATE and samples.dtype == numpy.float32
        self.calls += 1
        if self.calls == self.fail_at:
            raise KeyboardInterrupt
        labels = numpy.rint(samples * 8).astype(int)
        random = numpy.random.default_rng(int(numpy.abs(samples * 32768).sum()) + len(labels))
        scores = random.normal(0, 1.6, (len(labels), len(TOKENS)))
        scores[range(len(labels)), labels] += 4
        return (scores - numpy.logaddexp.reduce(scores, axis=1, keepdims=True)).astype(numpy.float32)


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    path = tmp_path_factory.mktemp("graph") / "lm.arpa"
    path.write_text(ARPA)
    return Graph.compile(TOKENS, LEXICON, path)


def corpus_at(folder, utterances, speakers):
    """Recordings whose samples are the tokens that are said."""
    rows = ["id\tpath\ttext\tspeaker\n"]
    for at in range(utterances):
        sentence = f"{SENTENCES[at % 5]} {SENTENCES[at // 5 % 5]}"
        labels = numpy.array(spelt(sentence))
        with wave.open(str(folder / f"{at}.wav"), "wb") as sound:
            sound.setparams((1, 2, RATE, 0, "NONE", ""))
            sound.writeframes((labels / 8 * 32768 + at % 97).astype("<i2").tobytes())
        rows.append(f"u{at:03}\t{at}.wav\t{sentence}\tspeaker{at % speakers}\n")
    path = folder / "corpus.tsv"
    path.write_text("".join(rows))
    return path


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return corpus_at(tmp_path_factory.mktemp("speech"), 640, 64)


@pytest.fixture(scope="module")
def tuned(corpus, graph, tmp_path_factory):
    """A tuning, its network and what it told."""
    told, network = [], Network()
    made = paretone.tune(network, corpus, tmp_path_factory.mktemp("tuned"), graph=graph, rate=RATE, levels=LEVELS, count=3, gap=9, tell=told.append)
    return made, network, told


def spoken(corpus, network):
    """The recordings' texts and scores."""
    rows = csv.DictReader(corpus.open(), delimiter="\t")
    for row in rows:
        with wave.open(str(corpus.parent / row["path"])) as sound:
            samples = numpy.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2").astype(numpy.float32) / 32768
        yield row["text"], network(samples, RATE)


def test_a_function_is_tuned(tuned, corpus):
    made, network, told = tuned
    assert network.calls == 640, "each utterance is heard once"
    names = {path.name for path in made.folder.iterdir()}
    assert {"versions.toml", "confidence.json", "rules.toml", "scores.graph", "scores.toml", "words.txt", "tune"} <= names
    measured = {path.name for path in (made.folder / "tune").iterdir()}
    assert {"wide", "narrow", "learn.csv", "learn-words.csv", "outcomes.csv", "learn.tsv", "certify.tsv"} <= measured
    assert [version.name for version in made.versions] == [f"v{at + 1}" for at in range(len(made.versions))]
    assert 2 <= len(made.versions) <= 3
    assert made.versions[0].wer_percent >= made.versions[-1].wer_percent
    outcomes = list(csv.DictReader(line for line in (made.folder / "tune/outcomes.csv").open() if not line.startswith("#")))
    assert {row["version"] for row in outcomes} == {version.name for version in made.versions}
    learn = {line.split("\t")[0] for line in (made.folder / "tune/learn.tsv").open()}
    assert not learn & {row["id"] for row in outcomes}, "nobody is heard on both sides"
    assert any("to go" in one for one in told)


def test_tiers_are_served(tuned, corpus):
    made, network, _ = tuned
    heard = [(text, made.decode(scores), made.decode(scores, tolerance="50%", objective="cost")) for text, scores in list(spoken(corpus, Network()))[:40]]
    assert sum(best.text == text for text, best, _ in heard) > 10
    for _, best, by_tier in heard:
        assert best.versions == (made.versions[-1].name,) and best.tier is None
        assert best.confidence is not None and 0 <= best.confidence <= 1
        assert all(0 <= word.confidence <= 1 for word in best.words)
        tier = by_tier.tier
        assert tier.tolerance == 0.5 and tier.name.startswith("cost/") and tier.answered_by in by_tier.versions
    strict = made.decode(next(spoken(corpus, Network()))[1], tolerance=0)
    assert strict.tier.answered_by == made.versions[-1].name and strict.tier.bound == 0


def test_what_is_heard_is_what_a_decoder_hears(tuned, corpus, graph):
    made, _, _ = tuned
    version = made.versions[-1]
    knobs = {name: float(number) for name, number in (knob.split("=") for knob in version.setting.split() if "=" in knob)}
    decoder = paretone.Decoder(graph, **knobs)
    for _, scores in list(spoken(corpus, Network()))[:20]:
        heard, alone = made.decode(scores), decoder.decode(scores)
        assert [(word.word, word.start, word.end) for word in heard.words] == [(word.word, word.start, word.end) for word in alone.words]


def test_nothing_is_done_twice(tuned, corpus, graph):
    made, _, _ = tuned
    before = {path: path.read_bytes() for path in made.folder.rglob("*") if path.is_file()}
    told, network = [], Network()
    paretone.tune(network, corpus, made.folder, graph=graph, rate=RATE, levels=LEVELS, count=3, gap=9, tell=told.append)
    assert network.calls == 0
    assert {path: path.read_bytes() for path in made.folder.rglob("*") if path.is_file()} == before
    assert sum("done before" in one for one in told) == 3


@pytest.mark.parametrize("fail_at", [3, 13, 25])
def test_a_tuning_goes_on_where_it_was(graph, tmp_path, fail_at):
    corpus = corpus_at(tmp_path, 30, 6)

    def run(name, network):
        return paretone.tune(network, corpus, tmp_path / name, graph=graph, rate=RATE, levels=LEVELS, count=2, gap=9)

    with pytest.raises(KeyboardInterrupt):
        run("stopped", Network(fail_at))
    assert not (tmp_path / "stopped/rules.toml").exists()
    again = Network()
    made = run("stopped", again)
    assert again.calls == 30 - (fail_at - 1), "what was heard is not heard again"
    measured = list(csv.DictReader((made.folder / "tune/narrow/measurements.csv").open()))
    assert len({(row["setting"], row["id"]) for row in measured}) == len(measured)
    assert (made.folder / "rules.toml").exists()
    heard = made.decode(next(spoken(corpus, Network()))[1], tolerance=0.1)
    assert heard.confidence is None and heard.tier.answered_by, "with so little speech, nothing is calibrated"


def test_other_speech_and_another_network(tuned, corpus, graph, tmp_path):
    made, _, _ = tuned
    other = corpus_at(tmp_path, 20, 4)
    with pytest.raises(paretone.Error, match="other speech"):
        paretone.tune(Network(), other, made.folder, graph=graph, rate=RATE)
    paretone.tune(Network(), other, tmp_path / "model", graph=graph, rate=RATE, levels=LEVELS, count=2, gap=9, network="one")
    with pytest.raises(paretone.Error, match="another kind"):
        paretone.tune(Network(), other, tmp_path / "model", graph=graph, rate=RATE, levels=LEVELS, count=2, gap=9, network="two")
    with pytest.raises(paretone.TierError, match="changed"):
        paretone.Tuned(tmp_path / "model").decode(numpy.zeros((9, 4), numpy.float32), tolerance=0.1)


def test_what_is_refused(corpus, graph, tmp_path, tuned):
    with pytest.raises(ValueError, match="graph"):
        paretone.tune(Network(), corpus, tmp_path)
    with pytest.raises(ValueError, match="graph"):
        paretone.tune(ROOT / "models/en", corpus, graph=graph)
    for wrong in ({"count": 1}, {"gap": 0.0}, {"jobs": 0}, {"rate": -1}, {"frame_shift": math.nan}, {"acoustic_scale": 0.0}):
        with pytest.raises(ValueError):
            paretone.tune(Network(), corpus, tmp_path, graph=graph, **wrong)
    with pytest.raises(paretone.ModelError):
        paretone.Tuned(tmp_path / "nowhere")
    made, _, _ = tuned
    scores = numpy.zeros((9, 4), numpy.float32)
    with pytest.raises(ValueError, match="no such version"):
        made.decode(scores, version="v99")
    with pytest.raises(ValueError, match="not both"):
        made.decode(scores, version="v1", tolerance=0.1)
    with pytest.raises(ValueError):
        made.decode(scores[:, :2])


def test_a_folder_is_tuned(tmp_path):
    """The samples under noise, of which each speaker has some."""
    model = tmp_path / "model"
    model.mkdir()
    for file in (ROOT / "models/en").iterdir():
        if file.name not in ("versions.toml", "confidence.json", "rules.toml") and file.is_file():
            (model / file.name).symlink_to(file)
    texts = {row["id"]: row["text"] for row in csv.DictReader((ROOT / "corpora/samples/manifest.tsv").open(), delimiter="\t")}
    random, rows = numpy.random.default_rng(1), ["id\tpath\ttext\tspeaker\n"]
    for speaker in range(4):
        for at, name in enumerate(("river", "night")):
            with wave.open(str(ROOT / f"corpora/samples/{name}.wav")) as sound:
                parameters, samples = sound.getparams(), numpy.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2")
            noise = random.normal(0, [600, 4000][(speaker + at) % 2], len(samples))
            with wave.open(str(tmp_path / f"{name}{speaker}.wav"), "wb") as sound:
                sound.setparams(parameters)
                sound.writeframes(numpy.clip(samples + noise, -32768, 32767).astype("<i2").tobytes())
            rows.append(f"{name}{speaker}\t{name}{speaker}.wav\t{texts[name]}\tspeaker{speaker}\n")
    (tmp_path / "corpus.tsv").write_text("".join(rows))
    asr = paretone.tune(model, tmp_path / "corpus.tsv", count=2, gap=9, levels={"network_beam": [12, 4], "network_top_n": [2000]}, jobs=2)
    assert [version.name for version in asr.versions] == ["v1", "v2"]
    heard = asr.transcribe(tmp_path / "river0.wav", tolerance="100%")
    assert heard.tier.certificate != "none"
    assert json.loads((model / "tune/done.json").read_text()).keys() == {"learn.csv", "outcomes.csv"}
