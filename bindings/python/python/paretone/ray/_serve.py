"""Tolerance tiers on a cluster: a pool of replicas for each version, and a router that holds the rules."""

from __future__ import annotations

import asyncio
import importlib
import os
import time
from collections.abc import Mapping
from typing import Any

import paretone
from paretone import _paretone
from paretone._paretone import Recognizer, Routing
from paretone.ray._drift import Drift, Shadows
from paretone.ray._engine import LOST
from paretone.ray._http import answer, models, problem, read
from paretone._policy import Heard, Rule, Served, follow
from paretone.ray._transcribe import model_of
from paretone.ray._worker import Model

ray_serve: Any = importlib.import_module("ray.serve")
metrics: Any = importlib.import_module("ray.util.metrics")
BackPressureError: Any = importlib.import_module("ray.serve.exceptions").BackPressureError

# Replicas that a request may lose before it is given up.
MOST_LOST = 3
# What only the first machine of a cluster has, whose loss is that of the cluster: what there is one of is there.
HEAD = "node:__internal_head__"
# Requests that wait for one pool before more are refused.
QUEUE = 256


class VersionPool:
    """One version's replica. It works on one request at a time, and stops within a frame when that is cancelled."""

    def __init__(self, model: Model, version: str) -> None:
        self._asr, self._version = Recognizer(**model), version
        self._stopped = metrics.Counter("paretone_runs_stopped", "Runs whose answer was not wanted any more", ("version",))

    async def hear(self, audio: bytes) -> Heard:
        """Hear a whole recording."""
        stop, began = _paretone.Stop(), time.perf_counter()
        work = asyncio.to_thread(_paretone.hear_version, self._asr, audio, self._version, stop)
        running = asyncio.ensure_future(work)
        try:
            result, sure = await asyncio.shield(running)
        except asyncio.CancelledError:
            stop.stop()
            # The thread ends within a frame; until then the replica is not free.
            await asyncio.wait([running])
            running.exception()
            self._stopped.inc(tags={"version": self._version})
            raise
        return Heard(result, sure, time.perf_counter() - began)


class _Run:
    """A version's work on a request, given to another replica when one is lost."""

    def __init__(self, pool: Any, audio: bytes) -> None:
        self._work = asyncio.ensure_future(self._heard(pool, audio))

    async def _heard(self, pool: Any, audio: bytes) -> Heard:
        for left in reversed(range(MOST_LOST)):
            response = pool.hear.remote(audio)
            try:
                heard: Heard = await response
                return heard
            except LOST:
                if not left:
                    raise
            except asyncio.CancelledError:
                response.cancel()
                raise
        raise AssertionError("the last try returns or raises")

    def __await__(self) -> Any:
        return self._work.__await__()

    def cancel(self) -> None:
        self._work.cancel()


class Router:
    """The rules, and the HTTP of ``paretone serve``."""

    def __init__(self, model: Model, pools: Mapping[str, Any], shadow: float = 0.0, drift: Any = None) -> None:
        self._routing, self._pools = Routing(Recognizer(**model)), dict(pools)
        self._shadows = Shadows(self._routing, shadow, drift)
        self._answers = metrics.Counter("paretone_answers", "Answers", ("tier",))
        self._runs = metrics.Counter("paretone_runs", "Runs, or their beginnings", ("version",))
        self._escalations = metrics.Counter("paretone_escalations", "Answers for which the first version was not enough", ("tier",))
        self._refusals = metrics.Counter("paretone_refusals", "Requests without an answer", ("status",))
        edges = [0.01 * 2**power for power in range(12)]
        self._seconds = metrics.Histogram("paretone_response_seconds", "Seconds to an answer", boundaries=edges, tag_keys=("tier",))

    async def __call__(self, request: Any) -> Any:
        """Serve a request over HTTP."""
        path, method = request.url.path, request.method
        if method == "GET" and path in ("/healthz", "/readyz"):
            return answer("ok\n")
        if method == "GET" and path == "/v1/models":
            return models()
        if method == "POST" and path in ("/compute", "/v1/audio/transcriptions"):
            return await self._computed(request, path)
        return self._refused(404, f"there is no {method} {path}: POST /compute or /v1/audio/transcriptions")

    async def _computed(self, request: Any, path: str) -> Any:
        try:
            asked = await read(request, form=path != "/compute")
            rule = Rule.of(self._routing, asked.tolerance, asked.objective)
            began = time.perf_counter()
            served = await asyncio.wait_for(self._served(rule, asked.audio), asked.deadline)
        except TimeoutError:
            return self._refused(503, "there was no answer before the deadline")
        except BackPressureError:
            return self._refused(429, "too many requests wait for this tier: try again", {"Retry-After": "1"})
        except Exception as error:
            return self._of(getattr(error, "cause", None) or error)
        seconds = time.perf_counter() - began
        self._counted(rule, served, seconds)
        if self._shadows.takes(asked.tolerance, asked.objective, asked.name):
            self._shadows.compare(served.heard.result, lambda strictest: self._served(strictest, asked.audio))
        return asked.shaped(rule, served, seconds)

    async def _served(self, rule: Rule, audio: bytes) -> Served:
        return await follow(rule, lambda version: _Run(self._pools[version], audio))

    def _of(self, error: BaseException) -> Any:
        for kind, status in ((ValueError, 400), (LookupError, 404), (OverflowError, 413), (paretone.AudioError, 415)):
            if isinstance(error, kind):
                return self._refused(status, str(error.args[0] if error.args else error))
        return self._refused(503, f"no version has an answer: {error}")

    def _refused(self, status: int, told: str, headers: Mapping[str, str] | None = None) -> Any:
        self._refusals.inc(tags={"status": str(status)})
        return problem(status, told, headers)

    def _counted(self, rule: Rule, served: Served, seconds: float) -> None:
        tier = {"tier": rule.name}
        self._answers.inc(tags=tier)
        self._seconds.observe(seconds, tags=tier)
        if served.escalated:
            self._escalations.inc(tags=tier)
        for version in served.versions:
            self._runs.inc(tags={"version": version})


def application(
    model: str | os.PathLike[str] | Model | None = None,
    *,
    versions: Mapping[str, int | tuple[int, int]] | None = None,
    processors: float = 1.0,
    routers: int = 1,
    shadow: float = 0.0,
) -> Any:
    """Give the application for ``ray.serve.run`` or a ``serve build`` file, as `paretone.ray.serve` runs it.

    Parameters
    ----------
    model, versions, processors, routers, shadow
        As `paretone.ray.serve` takes them.

    Returns
    -------
    ray.serve.Application
    """
    if not 0 <= shadow <= 1:
        raise ValueError(f"shadow is the share of requests that are answered twice, from 0 to 1; got {shadow}")
    options = model_of(model)
    asked = Routing(Recognizer(**options)).asked
    sizes = dict(versions or dict.fromkeys(asked, (1, 4)))
    if missing := [version for version in asked if version not in sizes]:
        raise ValueError(f"the rules ask for {', '.join(asked)}, and there is no pool of {', '.join(missing)}")
    deployment = ray_serve.deployment(VersionPool)
    pools = {}
    for version, size in sizes.items():
        made = deployment.options(
            name=version,
            max_ongoing_requests=1,
            max_queued_requests=QUEUE,
            ray_actor_options={"num_cpus": processors},
            **_scale(size),
        )
        pools[version] = made.bind(options, version)
    place = {"num_cpus": 0, "resources": {HEAD: 0.001}}
    router = ray_serve.deployment(Router).options(
        name="router", num_replicas=routers, max_ongoing_requests=1000, ray_actor_options=place if routers == 1 else {"num_cpus": 0}
    )
    drift = ray_serve.deployment(Drift).options(name="drift", num_replicas=1, ray_actor_options=place)
    return router.bind(options, pools, shadow, drift.bind(options) if shadow else None)


def build(args: Mapping[str, Any]) -> Any:
    """Give the application of a file for ``serve deploy`` or KubeRay, whose ``import_path`` is ``paretone.ray:build``.

    Parameters
    ----------
    args : mapping
        The keywords of `application`; the least and the most replicas of a version are a list of two.

    Returns
    -------
    ray.serve.Application
    """
    return application(**args)


def _scale(size: int | tuple[int, int]) -> dict[str, Any]:
    if isinstance(size, int):
        return {"num_replicas": size}
    least, most = size
    return {"autoscaling_config": {"min_replicas": least, "max_replicas": most, "target_ongoing_requests": 1}}


def serve(
    model: str | os.PathLike[str] | Model | None = None,
    *,
    versions: Mapping[str, int | tuple[int, int]] | None = None,
    processors: float = 1.0,
    routers: int = 1,
    shadow: float = 0.0,
    host: str = "127.0.0.1",
    port: int = 8000,
    name: str = "paretone",
) -> Any:
    """Serve tolerance tiers from a cluster, over the HTTP of ``paretone serve``.

    Each version that the rules ask for is a pool of replicas, which grows and shrinks with its own load. A router follows the
    policies: of two versions at once the loser is stopped within a frame, and work of a replica that is lost is given to
    another. ``POST /compute`` and ``/v1/audio/transcriptions`` take the headers ``Tolerance``, ``Objective`` and
    ``Deadline``; ``GET /v1/models``, ``/healthz`` and ``/readyz`` answer too. Metrics are among Ray's.

    Parameters
    ----------
    model : str, path or dict, optional
        The model, as `paretone.Recognizer` takes it; or a dict of its keywords. Its rules say who answers.
    versions : mapping, optional
        How many replicas a version has: a number, or the least and the most. By default each version that the rules ask
        for has 1 to 4.
    processors : float, default 1.0
        Processors that a replica takes for itself.
    routers : int, default 1
        How many routers there are. One is on the cluster's first machine, several are anywhere.
    shadow : float, default 0.0
        The share of requests, from 0 to 1, that the strictest tier answers too, unseen by the caller, for the drift alarm:
        the metric ``paretone_shadow_alarm``, and a warning.
    host, port
        Where each machine's proxy listens.
    name : str, default "paretone"
        The application's name.

    Returns
    -------
    ray.serve.handle.DeploymentHandle
        The router. ``ray.serve.delete(name)`` ends it.

    Raises
    ------
    ValueError
        A version that the rules ask for has no pool, or a number means nothing.
    paretone.Error
        The model or its rules cannot be used.
    """
    made = application(model, versions=versions, processors=processors, routers=routers, shadow=shadow)
    ray_serve.start(http_options={"host": host, "port": port})
    return ray_serve.run(made, name=name, route_prefix="/")
