"""What runs on the machines of the cluster: a model, opened once, and what is asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

import paretone
from paretone._paretone import Recognizer, measure_settings, measure_versions
from paretone._result import Result
from paretone._types import Audio, Counting, How, Measurement, Outcome, Utterance, Words
from paretone.ray._engine import ray


class Model(TypedDict, total=False):
    """The keywords of `paretone.Recognizer`."""

    model: str | None
    precision: Any
    large_model: bool
    speech_gate: bool
    mmap: bool
    words: Words | None


class Worker:
    """A recogniser in a process of its own. Recordings are worked on one after the other, on one processor."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def ready(self) -> str:
        """Open the model, and say where it runs. An error of the model's is told, where one of `__init__` would be a lost worker."""
        self._asr = Recognizer(**self._model)
        node: str = ray.get_runtime_context().get_node_id()
        return node

    def transcribe(self, recordings: Sequence[Audio], rate: int | None, how: How) -> list[Result | paretone.Error]:
        """Hear recordings; in place of a result, why there is none."""
        return [self._hear(audio, rate, how) for audio in recordings]

    def _hear(self, audio: Audio, rate: int | None, how: How) -> Result | paretone.Error:
        try:
            return self._asr.transcribe(audio, rate, **how)
        except paretone.Error as error:
            return error

    def settings(self, shard: Sequence[tuple[Utterance, Sequence[str]]], rule: Counting) -> list[Measurement]:
        """Measure utterances, each at settings of its own."""
        return [row for said, settings in shard for row in measure_settings(self._asr, said, settings, rule)]

    def versions(self, shard: Sequence[Utterance], versions: Sequence[str], rule: Counting) -> list[list[Outcome]]:
        """Measure utterances at versions."""
        return [measure_versions(self._asr, said, versions, rule)[0] for said in shard]


def maker(model: Model, processors: float = 1.0) -> Any:
    """What makes a worker of a model."""
    actor = ray.remote(Worker).options(num_cpus=processors, max_restarts=0, max_task_retries=0)
    return lambda: actor.remote(model)


def shards(count: int, size: int) -> list[range]:
    """Places of so many things, in runs of a size."""
    if size < 1:
        raise ValueError("a shard is of 1 or more")
    return [range(first, min(first + size, count)) for first in range(0, count, size)]
