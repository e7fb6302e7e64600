"""A policy followed over pools that run elsewhere: what to ask, when an answer is enough, whom to stop.

The steps are those of the engine's scheduler: the first version's answer is given if it is sure enough; else the second's,
or the surer one's, as the policy says; and a version that fails leaves the answer to the other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import paretone
from paretone._paretone import Network, Routing
from paretone._result import Result


@dataclass(frozen=True)
class Rule:
    """The tier that serves a request."""

    name: str
    bound: float
    certificate: str
    policy: str
    kind: str
    versions: tuple[str, ...]
    threshold: float
    takes_second: bool

    @classmethod
    def of(cls, routing: Routing | Network, tolerance: float | str, objective: str | None) -> Rule:
        """The tier of a tolerance and an objective."""
        name, bound, certificate, policy, kind, versions, threshold, second = routing.tier(tolerance, objective)
        return cls(name, bound, certificate, policy, kind, tuple(versions), threshold, second)


@dataclass(frozen=True)
class Heard:
    """One version's answer: how sure it is that no other does better, and the seconds it took."""

    result: Result
    sure: float
    seconds: float


@dataclass(frozen=True)
class Served:
    """An answer, and how it came about."""

    heard: Heard
    versions: tuple[str, ...]
    answered_by: str
    escalated: bool
    seconds: float


class Run(Protocol):
    """A version that works on a request."""

    def __await__(self) -> Any: ...

    def cancel(self) -> None:
        """Stop it; what it makes is not wanted any more."""


async def follow(rule: Rule, ask: Callable[[str], Run]) -> Served:
    """Serve a request.

    Parameters
    ----------
    rule : Rule
        The tier.
    ask : callable
        Has a version work on the request.

    Raises
    ------
    paretone.Error
        The recording cannot be read, or no version has an answer.
    """
    first, *others = rule.versions
    run = ask(first)
    if not others:
        heard = await run
        return Served(heard, rule.versions, first, False, heard.seconds)
    second = ask(others[0]) if rule.kind == "conc" else None
    try:
        early, why = await _settled(run)
        if early is not None and early.sure >= rule.threshold:
            ran = rule.versions if second is not None else (first,)
            return Served(early, ran, first, False, early.seconds)
        if isinstance(why, (paretone.AudioError, ValueError)):
            raise why
        second = second or ask(others[0])
        late, reason = await _settled(second)
        second = None
    finally:
        if second is not None:
            second.cancel()
    seconds = sum(one.seconds for one in (early, late) if one is not None)
    if late is None or (early is not None and not rule.takes_second and early.sure > late.sure):
        if early is None:
            raise reason or why or paretone.Error("no version has an answer")
        return Served(early, rule.versions, first, True, seconds)
    return Served(late, rule.versions, others[0], True, seconds)


async def _settled(run: Awaitable[Heard]) -> tuple[Heard | None, Exception | None]:
    """What a version has heard, or why it has not."""
    try:
        return await run, None
    except Exception as error:
        return None, error
