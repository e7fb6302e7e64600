"""Clusters: two of Ray's nodes on this machine, one of which is lost on the way; results are those of one machine."""

from __future__ import annotations

import csv
import os
import shutil
import sys
import threading
import time
from collections import Counter

import pytest

import paretone
from conftest import ROOT
from test_docs import snippets
from paretone import _paretone

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'paretone[ray]'")

import clusters  # noqa: E402
import paretone.ray  # noqa: E402
from paretone._measuring import Part, utterances_of  # noqa: E402
from paretone._types import Counting  # noqa: E402
from paretone.ray._pool import MOST_LOST, Pool  # noqa: E402

RULE = Counting(strict=False, alignment="minimal", repeats=1)
TIMES = {"response_seconds", "search_seconds", "real_time_factor", "on_front"}
SAMPLES = ["river", "night", "children", "winter"]


@pytest.fixture(scope="module")
def cluster():
    with clusters.cluster() as made:
        yield made


@pytest.fixture
def second(cluster):
    """Another node, which a test may take away."""
    node = clusters.add(cluster)
    yield node
    if node in cluster.list_all_nodes():
        cluster.remove_node(node, allow_graceful=False)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Each sample three times, under other names."""
    texts = {row["id"]: row for row in csv.DictReader((ROOT / "corpora/samples/manifest.tsv").open(), delimiter="\t")}
    path = tmp_path_factory.mktemp("corpus") / "manifest.tsv"
    rows = [(f"{name}{at}", ROOT / f"corpora/samples/{name}.wav", texts[name]["text"], name) for at in range(3) for name in SAMPLES]
    path.write_text("id\tpath\ttext\tspeaker\n" + "".join("\t".join(map(str, row)) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def settings():
    base = "network_beam=11 network_top_n=2000 lattice_beam=4 rescore"
    return list(dict.fromkeys(_paretone.random_settings(base, 5, 7)))


@pytest.fixture(scope="module")
def alone(asr, corpus, settings, tmp_path_factory):
    """The sweep of one machine."""
    folder = tmp_path_factory.mktemp("alone")
    log = _paretone.Log(folder / "measurements.csv")
    for said in utterances_of(corpus, None, None, None):
        log.append(_paretone.measure_settings(asr, said, settings, RULE))
    _paretone.save_points(folder)
    return folder


def timeless(path):
    """The rows of a table without times."""
    rows = list(csv.DictReader(path.open()))
    return [{name: value for name, value in row.items() if name not in TIMES and not name.endswith("_seconds")} for row in rows]


def lose(cluster, node, when):
    """Take a node away without a word as soon as something holds."""

    def wait():
        for _ in range(2000):
            if when():
                return cluster.remove_node(node, allow_graceful=False)
            time.sleep(0.02)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def measured(folder):
    path = folder / "measurements.csv"
    return sum(1 for _ in path.open()) - 1 if path.exists() else 0


def keys(folder):
    return Counter((row["setting"], row["id"]) for row in csv.DictReader((folder / "measurements.csv").open()))


def test_recordings_are_heard_in_their_order(cluster, second, asr):
    paths = [ROOT / f"corpora/samples/{name}.wav" for name in SAMPLES] * 5
    paths[7] = ROOT / "nowhere.wav"
    heard = paretone.ray.transcribe(paths, version="v2", shard=3, workers=2)
    expected = {path: asr.transcribe(path, version="v2").words for path in set(paths) if path.exists()}
    assert isinstance(heard.pop(7), paretone.MissingFile)
    paths.pop(7)
    assert [one.words for one in heard] == [expected[path] for path in paths]


def test_bytes_and_arrays_are_heard(cluster, asr, river, samples):
    by_bytes, by_array = paretone.ray.transcribe([river.read_bytes(), samples], workers=1, tolerance="5%")
    assert by_bytes.text == by_array.text == asr.transcribe(river, tolerance="5%").text


def test_a_dataset_is_heard(cluster, second, asr):
    paths = [str(ROOT / f"corpora/samples/{name}.wav") for name in SAMPLES] + ["/nowhere.wav"]
    dataset = ray.data.from_items([{"path": path, "place": at} for at, path in enumerate(paths)])
    rows = paretone.ray.transcribe(dataset, version="v1", workers=1, shard=2).take_all()
    assert [row["place"] for row in rows] == list(range(len(paths)))
    assert [row["text"] for row in rows[:-1]] == [asr.transcribe(path, version="v1").text for path in paths[:-1]]
    assert "/nowhere.wav" in rows[-1]["error"] and rows[0]["error"] is None
    assert rows[0]["words"][0]["word"] == rows[0]["text"].split()[0]


def test_a_sweep_is_that_of_one_machine_though_a_node_is_lost(cluster, second, alone, corpus, settings, tmp_path):
    thread = lose(cluster, second, lambda: measured(tmp_path) >= 2 * len(settings))
    points = paretone.ray.sweep(corpus, tmp_path, settings, shard=1, workers=2)
    thread.join()
    assert second not in cluster.list_all_nodes(), "the node was lost before the end"
    assert len(points) == len(settings)
    assert timeless(tmp_path / "points.csv") == timeless(alone / "points.csv")
    assert set(keys(tmp_path).values()) == {1} and keys(tmp_path) == keys(alone)


def test_a_sweep_goes_on_where_it_was(cluster, alone, corpus, settings, tmp_path):
    whole = (alone / "measurements.csv").read_bytes().splitlines(keepends=True)
    (tmp_path / "measurements.csv").write_bytes(b"".join(whole[:-20]) + whole[-20][:9])
    paretone.ray.sweep(corpus, tmp_path, settings, workers=1)
    assert timeless(tmp_path / "points.csv") == timeless(alone / "points.csv")
    now = (tmp_path / "measurements.csv").read_bytes().splitlines(keepends=True)
    assert now[: len(whole) - 20] == whole[:-20], "what was measured is not measured again"
    with pytest.raises(paretone.Error, match="another kind"):
        paretone.ray.sweep(corpus, tmp_path, settings, limit=3)


def test_a_bench_is_that_of_one_machine(cluster, asr, corpus, tmp_path):
    table = paretone.ray.bench(corpus, tmp_path / "outcomes.csv", ["v1", "v7"], workers=1)
    utterances = utterances_of(corpus, None, None, None)
    each = [_paretone.measure_versions(asr, said, ["v1", "v7"], RULE)[0] for said in utterances]
    _paretone.save_outcomes(_paretone.kind_of(asr, utterances, RULE)[1], tmp_path / "alone.csv", [rows[at] for at in (0, 1) for rows in each])
    assert timeless(table) == timeless(tmp_path / "alone.csv")
    assert [path.name for path in tmp_path.glob("*.part")] == []


def test_a_bench_goes_on_where_it_was(cluster, asr, corpus, tmp_path):
    table, utterances = tmp_path / "outcomes.csv", utterances_of(corpus, None, None, None)
    kept = Part(tmp_path / "outcomes.csv.part", [*_paretone.kind_of(asr, utterances, RULE), ["v1"]])
    [row], _ = _paretone.measure_versions(asr, utterances[3], ["v1"], RULE)
    kept.append({row[0]: [(*row[:6], 77.0, *row[7:])]})
    with kept.path.open("a") as file:
        file.write('["cut short')
    rows = {row["id"]: row for row in csv.DictReader(paretone.ray.bench(corpus, table, ["v1"], workers=1).open())}
    assert [one for one, row in rows.items() if float(row["response_seconds"]) == 77] == [utterances[3][0]]
    assert len(rows) == len(utterances)


class Fickle:
    """A worker that dies at the tasks whose file is not there yet, after making it."""

    def ready(self):
        return ""

    def work(self, number, path):
        if path is not None and not os.path.exists(path):
            open(path, "w").close()
            os._exit(1)
        return number

    def die(self, number):
        os._exit(1)

    def wrong(self, number):
        raise KeyError(number)


ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])


def fickle():
    return ray.remote(Fickle).options(num_cpus=1).remote()


def test_what_a_lost_worker_had_is_done_once(cluster, tmp_path):
    tasks = [(at, tmp_path / str(at) if at % 4 == 1 else None) for at in range(12)]
    done = list(Pool(fickle, 1).run("work", tasks))
    assert sorted(done) == [(at, at) for at in range(12)]


def test_a_task_that_kills_its_workers_is_given_up(cluster):
    with pytest.raises(paretone.Error, match=f"lost {MOST_LOST} workers|workers were lost"):
        list(Pool(fickle, 1).run("die", [(0,)]))


def test_a_worker_s_error_is_told(cluster):
    with pytest.raises(KeyError, match="3"):
        list(Pool(fickle, 1).run("wrong", [(3,)]))


@pytest.mark.parametrize("wrong", [{"workers": 0}, {"shard": 0}])
def test_numbers_that_mean_nothing(cluster, river, wrong):
    with pytest.raises(ValueError, match="1 or more"):
        paretone.ray.transcribe([river], **wrong)


def test_a_model_that_is_not_there(cluster, river):
    with pytest.raises(paretone.ModelError, match="nowhere"):
        paretone.ray.transcribe([river], model="nowhere")


def test_every_snippet_of_the_guide_runs(cluster, corpus, river, tmp_path, monkeypatch, capsys):
    shutil.copy(river, tmp_path / "talk.wav")
    shutil.copy(corpus, tmp_path / "corpus.tsv")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    found = snippets("docs/cluster.md")
    assert len(found) >= 5
    for number, snippet in enumerate(found, start=1):
        exec(compile(snippet, f"docs/cluster.md, snippet {number}", "exec"), names)
    assert "old man" in capsys.readouterr().out
