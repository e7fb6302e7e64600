#!/usr/bin/env python3
"""A cluster beside one machine, at size: scripts/eval/ray_sizes.py --manifest PATH [--parts sweep,transcribe,serve,nodes,paper]

Two of Ray's nodes on this machine, one of which is lost half-way where that is said. Only dev rows are heard.

sweep: 40 settings around v1 on 200 utterances: all but the times is the same, to the byte, as in a loop without Ray; the same with a node lost half-way.
transcribe: 500 recordings: the same words as in a loop without Ray, in their order; the same with a node lost half-way.
serve: 200 requests at the tiers of the model's rules, a replica of the most used pool killed: each is answered once, with the words of one process.
nodes: the same with one of two nodes killed under load; then more requests at once than may wait, a node killed too: each is answered or refused, once.
paper: what 1, 8 and 64 machines would do, by the formulas that it prints and by what a task costs beyond its work, measured here.

    pip install './bindings/python[ray]'
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import itertools
import json
import math
import os
import resource
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from measured import ROOT

# Ray's workers would wait for everything else that this machine does.
os.environ.setdefault("RAY_worker_niceness", "0")

import paretone  # noqa: E402
import paretone.ray  # noqa: E402
import ray  # noqa: E402
from paretone import _paretone  # noqa: E402
from paretone.ray._pool import Pool  # noqa: E402
from paretone.ray._transcribe import model_of  # noqa: E402
from paretone.ray._worker import Worker, maker  # noqa: E402

sys.path.insert(0, str(ROOT / "bindings/python/tests"))
import clusters  # noqa: E402

MODEL = ROOT / "models/en"
RULE = {"strict": False, "alignment": "minimal", "repeats": 1}
SETTINGS, UTTERANCES, RECORDINGS, REQUESTS = 40, 200, 500, 200
# Requests of the flood, and how many of them at once: more than may wait for a pool.
FLOOD, CALLERS = 600, 320
SHARD, WORKERS, PORT = 8, 2, 18731
# Columns that are times, or that follow from them.
TIMES = {"response_seconds", "search_seconds", "real_time_factor", "on_front"}


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", required=True, help="the corpus, whose dev rows are heard")
    parser.add_argument("--parts", default="sweep,transcribe,serve,nodes,paper")
    return parser.parse_args()


class Check:
    """What is promised, said as it is found; the script fails where one is not kept."""

    failed = False

    def __call__(self, kept, told):
        Check.failed |= not kept
        print(f"  {'yes' if kept else 'NO '} {told}", flush=True)


check = Check()


def utterances_of(corpus, limit=None):
    """Dev rows, evenly spread, whose audio is named from the root."""
    every = _paretone.corpus_of(corpus, split="dev", limit=limit)
    return [(said, os.path.abspath(audio), *others) for said, audio, *others in every]


def timeless(path):
    """A table's bytes without the columns that are times."""
    rows = list(csv.reader(path.open()))
    kept = [at for at, name in enumerate(rows[0]) if name not in TIMES and not name.endswith("_seconds")]
    return "\n".join(",".join(row[at] for at in kept) for row in rows).encode()


def rows_of(folder):
    path = folder / "measurements.csv"
    return list(csv.DictReader(path.open())) if path.exists() else []


def lines_of(path):
    return sum(1 for _ in path.open()) - 1 if path.exists() else 0


@contextlib.contextmanager
def losing(cluster, node, when):
    """A node is taken away without a word as soon as something holds."""
    done = threading.Event()

    def wait():
        while not done.wait(0.02):
            if when():
                return cluster.remove_node(node, allow_graceful=False)

    thread = threading.Thread(target=wait)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def spent():
    """Processor seconds of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def around_v1(asr):
    """Settings to sweep, all of them quick."""
    first = asr.versions[0].setting.split()
    others = " ".join(knob for knob in first if not knob.startswith(("network_beam", "network_top_n")))
    knobs = itertools.product([6 + half / 2 for half in range(10)], [500, 1000, 2000, 4000])
    settings = _paretone.plain_settings([f"network_beam={beam} network_top_n={tokens} {others}" for beam, tokens in knobs])
    assert len(settings) == SETTINGS
    return settings


def sweep(cluster, corpus, scratch, found):
    print(f"sweep: {SETTINGS} settings x {UTTERANCES} utterances, shards of {SHARD}", flush=True)
    asr = paretone.Recognizer(MODEL)
    settings = around_v1(asr)
    utterances = utterances_of(corpus, UTTERANCES)
    alone = scratch / "alone"
    alone.mkdir()
    log, began = _paretone.Log(alone / "measurements.csv"), time.process_time()
    for said in utterances:
        log.append(_paretone.measure_settings(asr, said, settings, RULE))
    _paretone.save_points(alone)
    print(f"  one process: {time.process_time() - began:.1f} s of processor time")

    def on_cluster(name):
        began, before = time.perf_counter(), spent()
        points = paretone.ray.sweep(corpus, scratch / name, settings, split="dev", limit=UTTERANCES, model=MODEL, shard=SHARD, workers=WORKERS)
        print(f"  {name}: {time.perf_counter() - began:.1f} s on the clock, {spent() - before:.1f} s of processor time where it was asked for")
        check(len(points) == SETTINGS and timeless(scratch / name / "points.csv") == timeless(alone / "points.csv"), "points as of one machine, byte by byte without the times")
        times = Counter((row["setting"], row["id"]) for row in rows_of(scratch / name))
        check(len(times) == SETTINGS * UTTERANCES and set(times.values()) == {1}, f"{len(times)} searches, each measured once")

    node = clusters.add(cluster)
    on_cluster("two nodes")
    half = SETTINGS * UTTERANCES // 2
    with losing(cluster, node, lambda: lines_of(scratch / "one lost/measurements.csv") >= half):
        on_cluster("one lost")
    check(node not in cluster.list_all_nodes(), "the node was lost before the end")


def transcribe(cluster, corpus, scratch, found):
    whole = [said for said in utterances_of(corpus) if said[5] is None]
    paths = [whole[at * len(whole) // RECORDINGS][1] for at in range(RECORDINGS)]
    print(f"transcribe: {len(paths)} recordings at v1, shards of {SHARD}", flush=True)
    asr = paretone.Recognizer(MODEL)
    began = time.process_time()
    alone = [asr.transcribe(path, version="v1") for path in paths]
    print(f"  one process: {time.process_time() - began:.1f} s of processor time, {sum(one.audio_seconds for one in alone):.0f} s of audio")

    def on_cluster(name):
        began, before = time.perf_counter(), spent()
        heard = paretone.ray.transcribe(paths, model=MODEL, version="v1", shard=SHARD, workers=WORKERS)
        took = time.perf_counter() - began
        print(f"  {name}: {took:.1f} s on the clock, {spent() - before:.1f} s of processor time where it was asked for")
        equal = sum(one.words == other.words for one, other in zip(heard, alone, strict=True))
        check(equal == len(paths), f"{equal} of {len(paths)} have the same words, times and confidences, in their order")
        return took

    node = clusters.add(cluster)
    took = on_cluster("two nodes")
    began = time.perf_counter()
    with losing(cluster, node, lambda: time.perf_counter() - began > took / 2):
        on_cluster("one lost")
    check(node not in cluster.list_all_nodes(), "the node was lost before the end")


def post(body, tolerance, objective):
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}/compute", body, {"Tolerance": str(tolerance), "Objective": objective})
    began = time.perf_counter()
    try:
        with urllib.request.urlopen(request, timeout=300) as answer:
            return answer.status, answer.read().decode().strip(), time.perf_counter() - began
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), time.perf_counter() - began
    except OSError as error:
        return 0, f"no answer: {error}", time.perf_counter() - began


def processes():
    """Processor seconds of Ray Serve's processes so far: replicas, router, proxies."""
    psutil = sys.modules.get("psutil") or __import__("psutil")
    found = Counter()
    for one in psutil.process_iter(["cmdline"]):
        name = " ".join(one.info["cmdline"] or [])
        kind = next((kind for mark, kind in (("router", "router"), ("ProxyActor", "proxy"), ("ServeReplica", "replica")) if mark in name), None)
        if kind and name.startswith("ray::"):
            with contextlib.suppress(psutil.NoSuchProcess):
                found[kind] += sum(one.cpu_times()[:2])
    return found


class Asked:
    """Requests at ten tiers, in turn, and what one process answers."""

    def __init__(self, corpus):
        asr = paretone.Recognizer(MODEL)
        routing = _paretone.Routing(asr)
        self.tiers = [(share, goal) for share in (0.0, 0.01, 0.02, 0.05, 0.1) for goal in ("cost", "response-time")]
        self.names = routing.asked
        used = Counter(version for tier in self.tiers for version in routing.tier(*tier)[5])
        self.first = max(used, key=used.__getitem__)
        bodies = [Path(said[1]).read_bytes() for said in utterances_of(corpus, REQUESTS)]
        self.requests = [(body, *tier) for body, tier in zip(bodies, itertools.cycle(self.tiers))]
        began = time.process_time()
        self.alone = [asr.transcribe(body, tolerance=share, objective=goal).text for body, share, goal in self.requests]
        self.seconds = (time.process_time() - began) / REQUESTS


def serve(cluster, corpus, scratch, found):
    from ray import serve as ray_serve
    from ray.util import list_named_actors

    asked = Asked(corpus)
    first, found["serve_alone"] = asked.first, asked.seconds
    print(f"serve: {REQUESTS} requests at {len(asked.tiers)} tiers over pools of {', '.join(asked.names)}; a replica of {first} is killed", flush=True)
    clusters.add(cluster, processors=2)
    sizes = {name: 2 if name == first else 1 for name in asked.names}
    paretone.ray.serve(MODEL, versions=sizes, processors=0.25, port=PORT)
    [post(*one) for one in asked.requests[: len(asked.tiers)]]
    quiet = processes()
    times = [post(*one) for one in asked.requests]
    busy = processes()
    busy.subtract(quiet)
    found |= {f"serve_{kind}": busy[kind] / REQUESTS for kind in ("router", "proxy", "replica")}
    print(f"  one after the other: median {1000 * statistics.median(one[2] for one in times):.0f} ms; processor ms a request: " + ", ".join(f"{kind} {1000 * value / REQUESTS:.1f}" for kind, value in busy.items()) + f"; {1000 * found['serve_alone']:.1f} in one process without Ray")
    check([one[:2] for one in times] == [(200, text) for text in asked.alone], "all answers are those of one process")

    def kill():
        replica = next(actor for actor in list_named_actors(all_namespaces=True) if f"#{first}#" in actor["name"])
        ray.kill(ray.get_actor(**replica))

    loaded(asked, kill, f"a replica of {first}")
    ray_serve.shutdown()


def loaded(asked, kill, what):
    """All requests by four callers, and what is killed when half of them have been answered."""
    with ThreadPoolExecutor(4) as callers:
        answers = [callers.submit(post, *one) for one in asked.requests]
        answers[REQUESTS // 2].result()
        kill()
        left = sum(not answer.done() for answer in answers)
        told = [answer.result() for answer in answers]
    statuses = Counter(one[0] for one in told)
    equal = sum(one[:2] == (200, text) for one, text in zip(told, asked.alone))
    check(left > 4, f"{what} was killed with {left} requests to go")
    check(equal == REQUESTS and statuses == {200: REQUESTS}, f"{REQUESTS} requests, {statuses[200]} answers, {equal} of them those of one process, one a request")


def nodes(cluster, corpus, scratch, found):
    from ray import serve as ray_serve

    asked = Asked(corpus)

    print(f"nodes: {REQUESTS} requests at {len(asked.tiers)} tiers over two replicas each of {', '.join(asked.names)}; the second of two nodes is killed", flush=True)
    # The first node has the router and the proxy.
    node = clusters.add(cluster, processors=2)
    paretone.ray.serve(MODEL, versions=dict.fromkeys(asked.names, 2), processors=0.25, port=PORT)
    loaded(asked, lambda: cluster.remove_node(node, allow_graceful=False), "a node")
    print(f"  {FLOOD} requests by {CALLERS} callers at once, of which 256 may wait; another node is killed", flush=True)
    node = clusters.add(cluster, processors=2)
    with ThreadPoolExecutor(CALLERS) as callers:
        body, alone = asked.requests[0][0], asked.alone[0]
        answers = [callers.submit(post, body, 0.0, "cost") for _ in range(FLOOD)]
        while sum(answer.done() for answer in answers) < FLOOD // 4:
            time.sleep(0.02)
        cluster.remove_node(node, allow_graceful=False)
        left = sum(not answer.done() for answer in answers)
        told = [answer.result() for answer in answers]
    statuses = Counter(one[0] for one in told)
    right = sum(one[:2] == (200, alone) for one in told)
    typed = sum(one[0] in (429, 503) and json.loads(one[1])["type"].startswith("urn:paretone:problem:") for one in told)
    check(left > 4, f"a node was killed with {left} requests to go")
    for (status, reason), count in Counter(one[:2] for one in told if one[0] not in (200, 429)).items():
        print(f"  {count} with {status}: {reason}")
    check(right == statuses[200] > 0 and right + typed == FLOOD, f"{right} answers, all of them right, and {typed} refusals ({', '.join(f'{count} with {status}' for status, count in sorted(statuses.items()))}): one a request")
    ray_serve.shutdown()


class Idle(Worker):
    """A worker without a model, for what a task costs beyond its work."""

    def ready(self):
        return ""

    def echo(self, argument, answer):
        return answer


ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])


def work(corpus, found):
    """What a search of a sweep, and a second of audio at v1, take in one process."""
    asr = paretone.Recognizer(MODEL)
    utterances, settings = utterances_of(corpus, 40), around_v1(asr)
    began = time.process_time()
    for said in utterances:
        _paretone.measure_settings(asr, said, settings, RULE)
    found["search"] = (time.process_time() - began) / (len(utterances) * len(settings))
    utterances = utterances_of(corpus, 100)
    began = time.process_time()
    audio = [asr.transcribe(said[1], version="v1").audio_seconds for said in utterances]
    found["second_at_v1"], found["recording"] = (time.process_time() - began) / sum(audio), statistics.mean(audio)


def overhead(corpus, found):
    """What a task costs its driver beyond its work, with arguments and answers of the size of real ones; and what opening a worker takes."""
    asr = paretone.Recognizer(MODEL)
    utterances = utterances_of(corpus, SHARD)
    settings = _paretone.random_settings(asr.setting, 64, 7)
    rows = [row for said in utterances for row in _paretone.measure_settings(asr, said, settings[:1], RULE) for _ in settings]
    heard = [asr.transcribe(said[1], version="v1") for said in utterances]
    shapes = {"sweep": ([(said, settings) for said in utterances], rows), "transcribe": ([said[1] for said in utterances], heard)}
    make = ray.remote(Idle).options(num_cpus=0.5)
    for name, shape in shapes.items():
        count, pool = 400, Pool(lambda: make.remote({}), WORKERS)
        tasks = pool.run("echo", [shape] * count)
        next(tasks)
        began, before = time.perf_counter(), spent()
        assert sum(1 for _ in tasks) == count - 1
        found[f"{name}_driver"], clock = (spent() - before) / (count - 1), (time.perf_counter() - began) / (count - 1)
        print(f"  a task of a {name} costs the driver {1000 * found[f'{name}_driver']:.2f} ms of processor time ({1000 * clock:.2f} ms on the clock, one at a time with {WORKERS} workers)")
    began = time.perf_counter()
    worker = maker(model_of(MODEL))()
    ray.get(worker.ready.remote())
    found["opening"] = time.perf_counter() - began
    ray.kill(worker)
    print(f"  a worker is ready {found['opening']:.1f} s after it was asked for")


def paper(corpus, found):
    print("paper: what more machines would do")
    work(corpus, found)
    overhead(corpus, found)
    cores = 16
    print(f"""
  Assumed: machines of {cores} cores, each as fast as this one's; files on storage that keeps up; workers open at once on all machines.
  time(n) = opening + max(work / (n x {cores}), tasks x driver) + work of one task, where `driver` is what a task costs the one process that hands them out.
  rate(n) = min(n x {cores} / replica, routers / router, n / proxy), in requests a second; `routers` is 1 unless said.
""")
    hour, task_hours = 3600 * found["second_at_v1"], SHARD * found["recording"] / 3600
    jobs = [
        ("sweep: 1,000 settings x 1,108 utterances", found["search"] * 1000 * 1108, math.ceil(1000 / 64) * math.ceil(1108 / SHARD), found["search"] * 64 * SHARD, found["sweep_driver"]),
        ("transcribe: 10,000 h at v1", hour * 10_000, 10_000 / task_hours, hour * task_hours, found["transcribe_driver"]),
    ]
    print("| | 1 machine | 8 machines | 64 machines |\n|---|---:|---:|---:|")
    for name, whole, tasks, one, driver in jobs:
        cells = []
        for machines in (1, 8, 64):
            shared = whole / (machines * cores)
            took = found["opening"] + max(shared, tasks * driver) + one
            bound = "" if shared >= tasks * driver else ", bound by the driver"
            cells.append(f"{took / 60:.1f} min ({100 * shared / took:.0f} % of it work{bound})")
        print(f"| {name} | {' | '.join(cells)} |")
    if "serve_replica" not in found:
        return
    cells = []
    for machines in (1, 8, 64):
        limits = {"the replicas": machines * cores / found["serve_replica"], "the router": 1 / found["serve_router"], "the proxies": machines / found["serve_proxy"]}
        by = min(limits, key=limits.__getitem__)
        cells.append(f"{limits[by]:.0f} requests/s, bound by {by}; {math.ceil(limits['the replicas'] / limits['the router'])} routers: {min(limits['the replicas'], limits['the proxies']):.0f}")
    print(f"| serve, a mix of all tiers | {' | '.join(cells)} |")
    print(f"\n  measured: {', '.join(f'{name} {value:.5g} s' for name, value in found.items())}")


def main():
    args = options()
    parts = args.parts.split(",")
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name, part in (("sweep", sweep), ("transcribe", transcribe), ("serve", serve), ("nodes", nodes)):
            if name in parts:
                with clusters.cluster(processors=2 if part in (serve, nodes) else 1) as cluster:
                    part(cluster, args.manifest, Path(scratch), found)
        if "paper" in parts:
            with clusters.cluster(processors=2):
                paper(args.manifest, found)
    return 1 if Check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
