"""Types of arguments, for type checkers alone."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Literal, Optional, Protocol, TypedDict, Union

import numpy
from numpy.typing import NDArray

Samples = NDArray[numpy.floating[Any]]


class BinaryFile(Protocol):
    """A file opened for reading bytes, or what reads like one."""

    def read(self) -> bytes: ...


Audio = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, BinaryFile, Samples]
Objective = Literal["response-time", "cost"]
Words = Union[Sequence[str], "os.PathLike[str]"]

# Of a corpus: id, audio, text, speaker, set, and where it starts and ends in the audio if it is a part.
Utterance = tuple[str, str, str, str, str, Optional[tuple[float, Optional[float]]]]
# A row of a sweep's log: setting, id, errors, words, four times in seconds, frames, tokens, arcs, epsilon arcs.
Measurement = tuple[str, str, int, int, float, float, float, float, int, int, int, int]
# A row of a table of outcomes: id, group, set, version, errors, words, response and cost in seconds, confidence, counters.
Outcome = tuple[str, str, str, str, int, int, float, float, float, list[float]]


class Counting(TypedDict):
    """How words are compared, and how often each utterance is searched."""

    strict: bool
    alignment: Literal["minimal", "sclite"]
    repeats: int


class How(TypedDict, total=False):
    """The keywords of `Recognizer.transcribe`."""

    version: str | None
    setting: str | None
    tolerance: float | str | None
    objective: Objective | None
    n_best: int
    channel: int | None
