"""Tiers served by Ray: the policies' steps, the HTTP over pools of which a replica and a node are killed, and the drift alarm."""

from __future__ import annotations

import asyncio
import io
import json
import re
import time
import urllib.error
import urllib.request
import wave
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy
import pytest

import paretone
from conftest import ROOT

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'paretone[ray]'")

import clusters  # noqa: E402
import paretone.ray  # noqa: E402
from paretone.ray._http import _of_model  # noqa: E402
from paretone._policy import Heard, Rule, follow  # noqa: E402

PORT = 18723


class Asked:
    """A version whose answer comes after some turns, or that fails."""

    def __init__(self, name, sure, turns):
        self.stopped, self.begun, self.name = False, True, name
        self._work = asyncio.ensure_future(self._heard(sure, turns))

    async def _heard(self, sure, turns):
        for _ in range(turns):
            await asyncio.sleep(0)
        if sure is None:
            raise RuntimeError(f"{self.name} is lost")
        return Heard(SimpleNamespace(text=self.name), sure, 1.0)

    def __await__(self):
        return self._work.__await__()

    def cancel(self):
        self.stopped = True
        self._work.cancel()


def served(kind, first, second, takes_second=False, turns=(1, 5)):
    versions = ("v1",) if kind == "osfa" else ("v1", "v7")
    rule = Rule("cost/0", 0.0, "none", "", kind, versions, 0.9, takes_second)
    runs = {}

    def ask(version):
        at = ("v1", "v7").index(version)
        runs[version] = Asked(version, (first, second)[at], turns[at])
        return runs[version]

    async def whole():
        try:
            return await follow(rule, ask)
        except RuntimeError as error:
            return str(error)

    return asyncio.run(whole()), runs


@pytest.mark.parametrize("kind", ["seq", "conc"])
@pytest.mark.parametrize("turns", [(1, 5), (5, 1)])
@pytest.mark.parametrize(
    ("first", "second", "takes_second", "by"),
    [
        (0.9, 0.1, False, "v1"),
        (0.8, 0.7, False, "v1"),
        (0.8, 0.7, True, "v7"),
        (0.8, 0.8, False, "v7"),
        (0.8, 0.85, False, "v7"),
        (float("nan"), 0.1, False, "v7"),
        (None, 0.1, False, "v7"),
        (0.8, None, False, "v1"),
    ],
)
def test_a_policy_s_steps_are_those_of_the_scheduler(kind, turns, first, second, takes_second, by):
    made, runs = served(kind, first, second, takes_second, turns)
    assert made.answered_by == by == made.heard.result.text
    early = first == 0.9
    assert made.escalated == (not early)
    assert ("v7" in runs) == (kind == "conc" or not early)
    if kind == "conc" and early:
        assert runs["v7"].stopped, "the loser is stopped"
    assert made.seconds == (1.0 if early or None in (first, second) else 2.0)


def test_one_version_alone_and_no_answer_at_all():
    assert served("osfa", 0.1, None)[0].answered_by == "v1"
    assert served("osfa", None, None)[0] == "v1 is lost"
    assert served("seq", None, None)[0] == "v7 is lost"


def test_models_name_tiers():
    assert _of_model("whisper-1") == (None, None)
    assert _of_model("paretone-5pct-cost") == ("5.0%", "cost")
    assert _of_model("paretone-0.5pct") == ("0.5%", None)
    assert _of_model("paretone-response-time") == (None, "response-time")
    for name in ("gpt-5", "paretone-", "paretone-xpct", "paretone-5pctcost"):
        with pytest.raises(LookupError):
            _of_model(name)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The model under rules that ask v1 and v7 alone, so that two pools are enough, and by which answers that differ are drift."""
    folder = tmp_path_factory.mktemp("model") / "en"
    folder.mkdir()
    for file in (ROOT / "models/en").iterdir():
        (folder / file.name).symlink_to(file)
    rules = (folder / "rules.toml").read_text()
    (folder / "rules.toml").unlink()
    rules = re.sub("^reference_error_rate = .*", "reference_error_rate = 0.001", rules, flags=re.MULTILINE)
    rules = re.sub(r'^(version|first) = "v[1-6]"', r'\1 = "v1"', rules, flags=re.MULTILINE)
    (folder / "rules.toml").write_text(re.sub(r'^second = "v[1-6]"', 'second = "v7"', rules, flags=re.MULTILINE))
    return folder


@pytest.fixture(scope="module")
def service(model):
    """A cluster and its second node. The first has the router and the proxy, and room for two of six replicas."""
    from ray import serve

    with clusters.cluster(processors=1) as cluster:
        node = clusters.add(cluster, processors=2)
        paretone.ray.serve(model, versions={"v1": 3, "v7": 3}, processors=0.5, port=PORT, shadow=1.0)
        yield cluster, node
        serve.shutdown()


def test_the_example_of_kuberay_builds():
    from ray import serve
    from ray.serve.schema import ServeDeploySchema

    yaml = pytest.importorskip("yaml")
    example = yaml.safe_load((ROOT / "contrib/kuberay.yaml").read_text())
    [wanted] = ServeDeploySchema.model_validate(yaml.safe_load(example["spec"]["serveConfigV2"])).applications
    module, _, name = wanted.import_path.partition(":")
    assert module == "paretone.ray"
    made = getattr(paretone.ray, name)(wanted.args)
    assert isinstance(made, serve.Application)
    with pytest.raises(ValueError, match="from 0 to 1"):
        getattr(paretone.ray, name)({"shadow": 2})
    with pytest.raises(ValueError, match="there is no pool of"):
        getattr(paretone.ray, name)({"versions": {"v1": 1}})


def post(body, path="/compute", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}{path}", body, named)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def tiers_of(model):
    """A tolerance for each kind of policy."""
    routing = paretone._paretone.Routing(paretone.Recognizer(model))
    found = {}
    for step in range(101):
        for objective in ("cost", "response-time"):
            found.setdefault(routing.tier(step / 1000, objective)[4], (step / 1000, objective))
    return found


def test_answers_are_those_of_one_process(service, model, river):
    asr = paretone.Recognizer(model)
    for kind, (tolerance, objective) in tiers_of(model).items():
        alone = asr.transcribe(river, tolerance=tolerance, objective=objective)
        status, headers, text = post(river.read_bytes(), Tolerance=str(tolerance), Objective=objective)
        assert (status, text) == (200, alone.text + "\n")
        assert headers["Paretone-Policy"] == alone.tier.policy and headers["Paretone-Policy"].startswith(kind)
        assert headers["Paretone-Escalated"] == str(alone.tier.escalated).lower()
        assert headers["Paretone-Certificate"] == alone.tier.certificate


def test_openai_s_route(service, river):
    edge = "xxedgexx"

    def form(**fields):
        parts = [f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode() for name, value in fields.items()]
        file = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'.encode()
        return b"".join([*parts, file, river.read_bytes(), f"\r\n--{edge}--\r\n".encode()])

    def ask(**fields):
        return post(form(**fields), "/v1/audio/transcriptions", Content_Type=f"multipart/form-data; boundary={edge}")

    status, _, text = ask(model="paretone-10pct-cost")
    told = json.loads(text)
    assert status == 200 and "old man" in told["text"] and told["account"]["tier"].startswith("cost/")
    assert told["usage"]["type"] == "duration"
    assert json.loads(ask(model="whisper-1", response_format="verbose_json")[2])["words"][0]["word"] == "the"
    assert "-->" in ask(response_format="srt")[2]
    status, _, text = ask(model="gpt-5")
    assert status == 404 and "GET /v1/models" in json.loads(text)["error"]["message"]


@pytest.mark.parametrize(
    ("headers", "body", "status", "told"),
    [
        ({"Tolerance": "much"}, None, 400, "tolerance"),
        ({"Objective": "glory"}, None, 400, "objective"),
        ({"Deadline": "-1"}, None, 400, "deadline"),
        ({}, b"this is no recording", 415, ""),
        ({"Deadline": "0.000001"}, None, 503, "deadline"),
    ],
)
def test_what_is_refused(service, river, headers, body, status, told):
    found, kind, text = post(body or river.read_bytes(), **headers)
    assert found == status and kind["Content-Type"].startswith("application/problem+json")
    assert told in json.loads(text)["detail"]


def load(model, river, meanwhile):
    """Status and text's equality to one process' for each of 200 requests at all kinds of tiers by four callers. Something happens meanwhile."""
    kinds = list(tiers_of(model).values())
    asr = paretone.Recognizer(model)
    expected = {tier: asr.transcribe(river, tolerance=tier[0], objective=tier[1]).text for tier in kinds}
    body = river.read_bytes()

    def one(at):
        tier = kinds[at % len(kinds)]
        status, _, text = post(body, Tolerance=str(tier[0]), Objective=tier[1])
        return status, text.strip() == expected[tier]

    with ThreadPoolExecutor(4) as callers:
        answers = [callers.submit(one, at) for at in range(200)]
        answers[30].result()
        meanwhile()
        assert not answers[-1].done(), "it happened before the end"
        return [answer.result() for answer in answers]


def replicas():
    """The actors of all pools."""
    from ray.util import list_named_actors

    return [actor for actor in list_named_actors(all_namespaces=True) if re.search("#v[17]#", actor["name"])]


def test_every_request_is_answered_once_though_a_replica_is_killed(service, model, river):
    def kill():
        [first, *_] = [actor for actor in replicas() if "#v7#" in actor["name"]]
        ray.kill(ray.get_actor(**first))

    assert set(load(model, river, kill)) == {(200, True)}


def drift():
    """What the watch for drift has counted."""
    from ray import serve

    return serve.get_deployment_handle("drift", "paretone").state.remote().result()


def settled(told):
    """What is told once it is told twice."""
    last = told()
    for _ in range(60):
        time.sleep(1)
        if (now := told()) == last:
            return now
        last = now
    raise AssertionError("it goes on and on")


def test_drift_is_watched_as_the_engine_does(service, model, samples):
    asr = paretone.Recognizer(model)
    routing = paretone._paretone.Routing(asr)
    watch, tiers = paretone._paretone.Watch(routing), [(step / 1000, goal) for step in range(101) for goal in ("cost", "response-time")]
    tier = next(tier for tier in tiers if routing.tier(*tier)[3] == "osfa(v1)")
    before, random = settled(drift), numpy.random.default_rng(1)
    differ = of = 0
    for loud in (0.02, 0.04, 0.08, 0.12) * 3:
        noisy = io.BytesIO()
        with wave.open(noisy, "wb") as sound:
            sound.setparams((1, 2, 16000, len(samples), "NONE", ""))
            louder = samples + random.normal(0, loud, len(samples))
            sound.writeframes((32767 * louder.clip(-1, 1)).astype("<i2").tobytes())
        status, _, text = post(noisy.getvalue(), Tolerance=str(tier[0]), Objective=tier[1])
        strictest = asr.transcribe(noisy.getvalue(), tolerance=0.0).text.split()
        found = watch.compare(text.split(), strictest)
        differ, of = differ + found[0], of + found[1]
        assert status == 200
    after = settled(drift)
    assert differ > 0, "the noise is loud enough for answers to differ"
    counted = {name: after[name] - before[name] for name in ("requests", "distance", "words")}
    assert counted == {"requests": 12, "distance": differ, "words": of}
    assert after["alarm"] and after["evidence"] > before["evidence"]


def test_every_request_is_answered_once_though_a_node_is_killed(service, model, river):
    cluster, node = service
    assert len(replicas()) == 6, "four of them on the second node"
    assert set(load(model, river, lambda: cluster.remove_node(node, allow_graceful=False))) == {(200, True)}
    assert node not in cluster.list_all_nodes()
