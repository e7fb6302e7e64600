"""A tuned model of any network's scores: its tiers, followed."""

from __future__ import annotations

import os
from collections.abc import Coroutine, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

from paretone._paretone import Network
from paretone._policy import Heard, Rule, Served, follow
from paretone._result import Result, Tier, Version
from paretone._types import Objective, Samples


class Tuned:
    """A graph for any network's scores, with the versions, the confidence and the tiers that `paretone.tune` made.

    It never changes: threads may share it, and searches let go of Python's lock.

    Parameters
    ----------
    folder : path
        The model's folder.

    Raises
    ------
    paretone.ModelError
        There is no such model, or it cannot be used.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = Path(folder)
        self._network = Network(folder)

    def __repr__(self) -> str:
        return f"Tuned({str(self._folder)!r}, {len(self.versions)} versions)"

    @property
    def folder(self) -> Path:
        """Where the model lies."""
        return self._folder

    @property
    def versions(self) -> list[Version]:
        """The versions, fastest first."""
        return self._network.versions

    def decode(
        self,
        log_probs: Samples,
        *,
        version: str | None = None,
        tolerance: float | str | None = None,
        objective: Objective | None = None,
    ) -> Result:
        """What scores say, at a version or by the tier of a tolerance.

        The versions of a tier are searched one after the other over the same scores, also where its policy lets them run at
        once: the answer is the same.

        Parameters
        ----------
        log_probs : array of float
            Natural logarithms, frames × tokens, as `Decoder.decode` takes them.
        version : str, optional
            "v1" (fastest) and so on; by default the most accurate.
        tolerance : float or str, optional
            How many more errors than the most accurate version's are tolerated, relative to those: ``0.05`` or ``"5%"``.
        objective : {"response-time", "cost"}, optional
            What a tolerance saves; by default the response time.

        Returns
        -------
        paretone.Result
            The words with their times (seconds) and, where they are calibrated, confidences (0 to 1).

        Raises
        ------
        ValueError
            An argument means nothing, or the scores are no matrix of the graph's.
        paretone.TierError
            There are no rules, or they are for another model.
        """
        if tolerance is None and objective is None:
            return self._network.search(log_probs, version)[0]
        if version is not None:
            raise ValueError("say a version or a tolerance, not both")
        share = 0.0 if tolerance is None else tolerance
        rule = Rule.of(self._network, share, objective)
        served = _at_once(follow(rule, lambda name: _Search(self._network, log_probs, name)))
        result = served.heard.result
        ran = rule.versions if served.escalated else rule.versions[:1]
        tier = Tier(
            _share(share),
            rule.name,
            rule.bound,
            rule.policy,
            ran,
            served.answered_by,
            served.escalated,
            served.seconds,
            served.seconds,
            rule.certificate,
        )
        return replace(result, tier=tier, versions=ran)


class _Search:
    """A version's search, which is done when its answer is wanted."""

    def __init__(self, network: Network, log_probs: Samples, version: str) -> None:
        self._network, self._log_probs, self._version = network, log_probs, version

    def __await__(self) -> Generator[Any, None, Heard]:
        result, sure = self._network.search(self._log_probs, self._version)
        return Heard(result, sure, result.seconds.total)
        yield

    def cancel(self) -> None:
        """Nothing goes on."""


def _at_once(steps: Coroutine[Any, Any, Served]) -> Served:
    """The end of steps that wait for nothing."""
    try:
        steps.send(None)
    except StopIteration as end:
        served: Served = end.value
        return served
    raise AssertionError("nothing is waited for")


def _share(tolerance: float | str) -> float:
    text = str(tolerance).strip()
    return float(text.removesuffix("%")) / 100 if text.endswith("%") else float(text)
