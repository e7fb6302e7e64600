"""The drift alarm: a share of requests is answered by the strictest tier too, unseen, and the two answers are compared.

Which requests, what they differ in and when that is too much is the engine's to say, as for ``paretone serve --shadow``.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypedDict

import paretone
from paretone._paretone import Recognizer, Routing, Watch
from paretone._policy import Rule, Served
from paretone._result import Result
from paretone.ray._worker import Model

metrics: Any = importlib.import_module("ray.util.metrics")

# Requests that a router has answered a second time at once; more are not shadowed, so that shadows are no load of their own.
MOST_AT_ONCE = 16
# Seconds that a shadow may take.
LONGEST = 60.0


class State(TypedDict):
    """What has been counted: shadowed requests, words in which the answers differ, words of the shadows; the odds that traffic has drifted."""

    requests: int
    distance: int
    words: int
    evidence: float
    alarm: bool


class Drift:
    """The watch, one for all routers."""

    def __init__(self, model: Model) -> None:
        self._watch = Watch(Routing(Recognizer(**model)))
        self._state = State(requests=0, distance=0, words=0, evidence=1.0, alarm=False)
        self._requests = metrics.Counter("paretone_shadow_requests", "Requests that were answered by the strictest tier too")
        self._distance = metrics.Counter("paretone_shadow_distance", "Words in which answers and shadows differ")
        self._words = metrics.Counter("paretone_shadow_words", "Words of the shadows")
        self._evidence = metrics.Gauge("paretone_shadow_evidence", "Odds that traffic has drifted")
        self._alarm = metrics.Gauge("paretone_shadow_alarm", "Whether the drift alarm is on")

    async def compare(self, answer: list[str], shadow: list[str]) -> None:
        """Count in what an answer and its shadow differ."""
        was_on = self._state["alarm"]
        distance, words, evidence, alarm = self._watch.compare(answer, shadow)
        found = (self._requests, "requests", 1), (self._distance, "distance", distance), (self._words, "words", words)
        for counter, name, count in found:
            self._state[name] += count  # type: ignore[literal-required]
            if count:
                counter.inc(count)
        self._state["evidence"], self._state["alarm"] = evidence, alarm
        self._evidence.set(evidence)
        self._alarm.set(int(alarm))
        if alarm and not was_on:
            logging.getLogger("ray.serve").warning("answers disagree with the reference version: traffic has drifted")

    async def state(self) -> State:
        """Tell what has been counted."""
        return self._state


class Shadows:
    """What a router has answered a second time.

    Parameters
    ----------
    routing : Routing
        The rules.
    share : float
        The share of requests that are shadowed.
    drift : handle
        The watch's.
    """

    def __init__(self, routing: Routing, share: float, drift: Any) -> None:
        self._routing, self._share, self._drift = routing, share, drift
        self._strictest: Rule | None = None
        with contextlib.suppress(paretone.TierError):
            self._strictest = Rule.of(routing, 0.0, None)
        self._work: set[asyncio.Task[None]] = set()

    def takes(self, tolerance: float | str, objective: str | None, name: str) -> bool:
        """Whether to shadow the request of this id."""
        return len(self._work) < MOST_AT_ONCE and self._routing.shadows(tolerance, objective, name, self._share)

    def compare(self, answer: Result, again: Callable[[Rule], Awaitable[Served]]) -> None:
        """Have the strictest tier answer too, and the answers compared. A shadow that finds no room is left out."""
        if self._strictest is None:
            return
        task = asyncio.ensure_future(self._compared(answer, again(self._strictest)))
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _compared(self, answer: Result, shadow: Awaitable[Served]) -> None:
        try:
            served = await asyncio.wait_for(shadow, LONGEST)
            await self._drift.compare.remote(_words(answer), _words(served.heard.result))
        except Exception as error:
            logging.getLogger("ray.serve").debug("a shadow is left out: %s", error)


def _words(result: Result) -> list[str]:
    return [word.word for word in result.words]
