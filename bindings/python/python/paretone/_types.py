"""Types of arguments, for type checkers alone."""

from __future__ import annotations

import os
from typing import Any, Literal, TypedDict, Union

import numpy
from numpy.typing import NDArray

Samples = NDArray[numpy.floating[Any]]
Audio = Union[str, "os.PathLike[str]", bytes, Samples]
Objective = Literal["response-time", "cost"]


class How(TypedDict, total=False):
    """The keywords of `Recognizer.transcribe`."""

    version: str | None
    setting: str | None
    tolerance: float | str | None
    objective: Objective | None
    n_best: int
    channel: int | None
