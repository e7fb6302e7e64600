"""Scores of any CTC network: graphs of tokens, lexicon and n-gram, and their search."""

from __future__ import annotations

import itertools
import json
import math
import pickle

import numpy
import pytest

import paretone
from paretone.ctc import Graph

TOKENS = ["<blk>", "a", "b", "l"]
LEXICON = {"ball": "b a l l", "all": ["a", "l", "l"], "a": [["a"]], "baa": [["b", "a", "a"], ["b", "a"]]}
ARPA = r"""\data\
ngram 1=6
ngram 2=2

\1-grams:
-99 <s> -0.2
-0.5 </s>
-0.6 ball -0.1
-0.7 all -0.1
-0.8 a -0.3
-1.1 baa

\2-grams:
-0.2 <s> ball
-0.1 a all

\end\
"""


@pytest.fixture(scope="module")
def arpa(tmp_path_factory):
    path = tmp_path_factory.mktemp("ctc") / "lm.arpa"
    path.write_text(ARPA)
    return path


@pytest.fixture(scope="module")
def graph(arpa):
    return Graph.compile(TOKENS, LEXICON, arpa)


def spoken(labels, sure=0.9):
    """Log probabilities in which each frame has one likely token."""
    rest = (1 - sure) / (len(TOKENS) - 1)
    matrix = numpy.full((len(labels), len(TOKENS)), math.log(rest), numpy.float32)
    matrix[range(len(labels)), [TOKENS.index(label) for label in labels]] = math.log(sure)
    return matrix


def blanks(text):
    return ["<blk>" if letter == "-" else letter for letter in text]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ("bbal-l", "ball"),
        ("-b-a-l-l-", "ball"),
        ("al-l", "all"),
        ("a-al-l", "a all"),
        ("baaa", "baa"),
        ("----", ""),
        ("a-a-a", "a a a"),
        ("bal-lal-l", "ball all"),
    ],
)
def test_words_are_heard_as_ctc_collapses_tokens(graph, labels, words):
    heard = paretone.Decoder(graph, network_beam=30).decode(spoken(blanks(labels), sure=0.999))
    assert heard.text == words == str(heard)
    assert heard.reached_final


def test_two_equal_tokens_need_a_blank_between_them(graph):
    # "ball" cannot be made of b a l without a blank, so that something else is heard at a cost.
    heard = paretone.Decoder(graph, network_beam=60).decode(spoken(blanks("bball"), sure=0.97))
    with_blank = paretone.Decoder(graph, network_beam=60).decode(spoken(blanks("bal-l"), sure=0.97))
    assert heard.cost > with_blank.cost + 1


def test_costs_are_those_of_every_alignment(graph):
    """The best path is the best of all label strings that collapse to the words' tokens."""
    rng = numpy.random.default_rng(1)
    ways = {"ball": ["ball"], "all": ["all"], "a": ["a"], "baa": ["baa", "ba"]}
    for _ in range(20):
        scores = numpy.log(rng.dirichlet(numpy.ones(len(TOKENS)), size=5)).astype(numpy.float32)
        heard = paretone.Decoder(graph, **dict.fromkeys(["network_beam", "network_top_n", "lattice_beam"], math.inf)).decode(scores)
        said = {"".join(parts) for parts in itertools.product(*(ways[word] for word in heard.text.split()))}
        best = math.inf
        for labels in itertools.product(range(len(TOKENS)), repeat=len(scores)):
            collapsed = "".join(TOKENS[label] for label, _ in itertools.groupby(labels) if label)
            if collapsed in said:
                best = min(best, -float(sum(scores[frame, label] for frame, label in enumerate(labels))))
        assert heard.acoustic_cost == pytest.approx(best, abs=1e-3)
        assert heard.cost == pytest.approx(heard.acoustic_cost + heard.graph_cost, abs=1e-3)


def test_words_have_times(graph):
    heard = paretone.Decoder(graph, frame_shift=0.04).decode(spoken(blanks("--bal-l--al-l--")))
    assert [(word.word, word.start, word.end) for word in heard.words] == [("ball", 0.08, 0.28), ("all", 0.36, 0.52)]
    assert all(0 < word.confidence <= 1 for word in heard.words)
    assert 0 < heard.posterior <= 1


def test_other_answers(graph):
    heard = paretone.Decoder(graph, network_beam=40, lattice_beam=20).decode(spoken(blanks("bal-l"), 0.5), n_best=4)
    texts = [other.text for other in heard.alternatives]
    assert texts[0] == heard.text and len(set(texts)) == len(texts) > 1
    assert [other.cost for other in heard.alternatives] == sorted(other.cost for other in heard.alternatives)
    assert pickle.loads(pickle.dumps(heard)) == heard


def test_answers_print_and_become_tables_and_json(graph):
    heard = paretone.Decoder(graph).decode(spoken(blanks("bal-l")), n_best=2)
    assert repr(heard).startswith("Decoded('ball', 1 word, ")
    assert "<span title=" in heard._repr_html_() and "by the lattice" in heard._repr_html_()
    fields = json.loads(json.dumps(heard.to_dict()))
    assert fields["text"] == "ball" and fields["words"][0]["word"] == "ball" and fields["alternatives"][0]["text"] == "ball"
    pytest.importorskip("pandas")
    assert list(heard.to_pandas().word) == ["ball"]


@pytest.mark.parametrize("jobs", [0, -1])
def test_a_batch_needs_a_thread(graph, jobs):
    with pytest.raises(ValueError, match="1 or more"):
        paretone.Decoder(graph).decode_batch([], jobs=jobs)


@pytest.mark.parametrize("form", ["doubles", "columns", "reversed"])
def test_other_layouts_are_copied(graph, form):
    scores = spoken(blanks("bal-l"))
    forms = {"doubles": scores.astype(float), "columns": numpy.asfortranarray(scores), "reversed": scores[::-1].copy()[::-1]}
    assert paretone.Decoder(graph).decode(forms[form]) == paretone.Decoder(graph).decode(scores)


def test_a_scale_weighs_sound_against_language(graph):
    scores = spoken(blanks("bal-l"))
    plain, scaled = (paretone.Decoder(graph, acoustic_scale=scale).decode(scores) for scale in (1.0, 2.0))
    assert scaled.acoustic_cost == pytest.approx(2 * plain.acoustic_cost, rel=1e-5)


def test_nothing_is_said_without_frames(graph):
    heard = paretone.Decoder(graph).decode(numpy.zeros((0, 4), numpy.float32))
    assert heard.text == "" and heard.reached_final


def test_graphs_are_saved_and_opened(graph, tmp_path):
    scores = spoken(blanks("bal-lal-l"))
    heard = paretone.Decoder(graph).decode(scores)
    graph.save(tmp_path / "a.graph", tmp_path / "words.txt")
    graph.save_openfst(tmp_path / "TLG.fst")
    for again in (
        Graph.open(tmp_path / "a.graph", tmp_path / "words.txt"),
        Graph.from_openfst(tmp_path / "TLG.fst", tmp_path / "words.txt"),
    ):
        assert paretone.Decoder(again).decode(scores).text == heard.text
        assert (again.num_states, again.words) == (graph.num_states, graph.words)


def test_files_say_the_same_as_lists(graph, arpa, tmp_path):
    (tmp_path / "tokens.txt").write_text("\n".join(TOKENS) + "\n")
    (tmp_path / "lexicon.txt").write_text("ball\tb a l l\nall\ta l l\na\ta\nbaa\tb a a\nbaa(2)\tb a\n")
    again = Graph.compile(tmp_path / "tokens.txt", tmp_path / "lexicon.txt", arpa)
    assert (again.num_states, again.num_arcs, again.words) == (graph.num_states, graph.num_arcs, graph.words)
    assert again.num_tokens == 4 and "Graph(" in repr(again)


def test_the_blank_may_be_any_column(graph, arpa):
    last = Graph.compile([*TOKENS[1:], TOKENS[0]], LEXICON, arpa, blank=3)
    scores = spoken(blanks("bal-l"))
    heard = paretone.Decoder(last).decode(numpy.ascontiguousarray(scores[:, [1, 2, 3, 0]]))
    assert heard == paretone.Decoder(graph).decode(scores)


@pytest.mark.parametrize(
    ("change", "error", "told"),
    [
        ({"blank": 9}, ValueError, "column 9"),
        ({"blank": -1}, ValueError, "-1: blank is a column"),
        ({"lexicon": {"a ll": "a l l"}}, ValueError, "no word of a lexicon"),
        ({"lexicon": {"": "a"}}, ValueError, "no word of a lexicon"),
        ({"lexicon": {"#all": "a l l"}}, ValueError, "no word of a lexicon"),
        ({"lexicon": {"all(2)": "a l l"}}, ValueError, "no word of a lexicon"),
        ({"lexicon": {"all": ["a l", "l"]}}, ValueError, "has no spaces"),
        ({"tokens": ["<blk>", "a", "a", "l"]}, ValueError, "two columns"),
        ({"tokens": ["<blk>", "a", "", "l"]}, ValueError, "empty"),
        ({"lexicon": {"all": 5}}, ValueError, "tokens in a string"),
        ({"lexicon": {"all": "a x l"}}, paretone.GraphError, '"x"'),
        ({"lexicon": {"all": "a <blk> l"}}, paretone.GraphError, "has the blank"),
        ({"lexicon": {}}, ValueError, "no words"),
        ({"arpa": "nowhere.arpa"}, paretone.GraphError, "nowhere"),
        ({"lexicon": "nowhere.txt"}, paretone.GraphError, "nowhere"),
        ({"word_penalty": math.nan}, paretone.GraphError, "penalty"),
    ],
)
def test_what_is_no_graph(arpa, change, error, told):
    parts = {"tokens": TOKENS, "lexicon": LEXICON, "arpa": arpa, **change}
    with pytest.raises(error, match=told):
        Graph.compile(parts.pop("tokens"), parts.pop("lexicon"), parts.pop("arpa"), **parts)


@pytest.mark.parametrize(
    ("matrix", "told"),
    [
        (numpy.zeros((5, 3), numpy.float32), "the scores have 3"),
        (numpy.zeros(5, numpy.float32), r"\[5\]"),
        (numpy.zeros((5, 4), numpy.int64), "natural logarithms"),
        (numpy.full((5, 4), numpy.nan, numpy.float32), "NaN"),
    ],
)
def test_what_are_no_scores(graph, matrix, told):
    with pytest.raises(ValueError, match=told):
        paretone.Decoder(graph).decode(matrix)


@pytest.mark.parametrize(
    "knobs", [{"beam": 3}, {"network_beam": -1}, {"network_top_n": 0}, {"frame_shift": 0}, {"acoustic_scale": -1.0}]
)
def test_what_are_no_knobs(graph, knobs):
    with pytest.raises(ValueError):
        paretone.Decoder(graph, **knobs)


def test_knobs_are_shown(graph):
    assert "network_beam=9.5" in repr(paretone.Decoder(graph, network_beam=9.5))


@pytest.mark.parametrize("jobs", [None, 1, 3, 100])
def test_a_batch_says_what_each_of_it_does(graph, jobs):
    decoder = paretone.Decoder(graph, network_beam=40, lattice_beam=20)
    rng = numpy.random.default_rng(2)
    said = ["bbal-l", "-b-a-l-l-", "a-al-l", "----", "baaa"]
    every = [spoken(blanks(said[at % 5]), sure) for at, sure in enumerate(rng.uniform(0.5, 0.99, 40))]
    batch = decoder.decode_batch(iter(every), 2, jobs=jobs)
    assert batch == [decoder.decode(one, 2) for one in every]
    assert all(one.seconds > 0 for one in batch)
    assert decoder.decode_batch([]) == []


def test_a_lattice_holds_all_paths_and_their_probabilities(graph):
    decoder = paretone.Decoder(graph, network_beam=40, lattice_beam=20)
    scores = spoken(blanks("bal-l"), 0.5)
    heard, lattice = decoder.decode(scores, n_best=4), decoder.lattice(scores)
    cost = numpy.full(len(lattice.seconds), math.inf)
    cost[0], best = 0.0, [[] for _ in lattice.seconds]
    for arc in range(len(lattice.word)):
        start, end = lattice.start[arc], lattice.end[arc]
        assert start < end
        way = cost[start] + lattice.acoustic_cost[arc] + lattice.graph_cost[arc]
        if way < cost[end]:
            cost[end], best[end] = way, [*best[start], lattice.word[arc]]
    last = min(range(len(lattice.final)), key=lambda at: cost[lattice.final[at]] + lattice.final_cost[at])
    assert cost[lattice.final[last]] + lattice.final_cost[last] == pytest.approx(heard.cost, abs=1e-3)
    assert " ".join(graph.words[word] for word in best[lattice.final[last]] if word) == heard.text
    assert lattice.posterior.min() >= 0 and lattice.posterior.max() <= 1 + 1e-9
    leaving = lattice.posterior[lattice.start == 0].sum()
    assert leaving == pytest.approx(1), "some path is the right one"
    first = [lattice.posterior[lattice.word == graph.words.index(heard.words[0].word)].sum()]
    assert first[0] >= heard.words[0].confidence - 1e-6
    assert lattice.seconds[-1] == pytest.approx(len(scores) * 0.02) and "arcs" in repr(lattice)


def test_a_padded_batch(graph):
    decoder = paretone.Decoder(graph)
    long, short = spoken(blanks("bal-lal-l")), spoken(blanks("al-l"))
    padded = numpy.zeros((2, *long.shape), numpy.float32)
    padded[0], padded[1, : len(short)] = long, short
    assert decoder.decode_batch(padded, lengths=[len(long), len(short)]) == [decoder.decode(long), decoder.decode(short)]


@pytest.mark.parametrize(
    ("matrices", "lengths", "told"),
    [
        ([(5, 4), (5, 3)], None, "matrix 1: .*the scores have 3"),
        ([(5, 4)], [6], "matrix 0 has 5 frames"),
        ([(5, 4)], [-1], "-1: lengths are"),
        ([(5, 4)], [5, 5], "as many as"),
        ([(5,)], None, r"\[5\]"),
    ],
)
def test_what_is_no_batch(graph, matrices, lengths, told):
    with pytest.raises(ValueError, match=told):
        paretone.Decoder(graph).decode_batch([numpy.zeros(shape, numpy.float32) for shape in matrices], lengths=lengths)
