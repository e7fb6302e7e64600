import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, final

import numpy
from numpy.typing import DTypeLike, NDArray

from paretone._result import Decoded, Event, Result, Version
from paretone._types import Audio, Objective, Samples

__all__ = ["Decoder", "Graph", "Recognizer", "Scores", "Stream", "digits", "subtitles"]

@final
class Decoder:
    def __new__(
        cls,
        graph: Graph,
        *,
        frame_shift: float = 0.02,
        acoustic_scale: float = 1.0,
        network_beam: float = ...,
        network_top_n: float = ...,
        global_beam: float = ...,
        global_top_n: float = ...,
        local_beam: float = ...,
        local_top_n: float = ...,
        arc_budget: float = ...,
        lattice_beam: float = ...,
    ) -> Decoder: ...
    def decode(self, log_probs: Samples, n_best: int = 0) -> Decoded: ...

@final
class Graph:
    @staticmethod
    def compile(
        tokens: Sequence[str] | str | os.PathLike[str],
        lexicon: Mapping[str, str | Sequence[str] | Sequence[Sequence[str]]] | str | os.PathLike[str],
        arpa: str | os.PathLike[str],
        *,
        blank: int = 0,
        word_penalty: float = 0.0,
    ) -> Graph: ...
    @staticmethod
    def open(path: str | os.PathLike[str], words: str | os.PathLike[str]) -> Graph: ...
    @staticmethod
    def from_openfst(path: str | os.PathLike[str], words: str | os.PathLike[str]) -> Graph: ...
    def save(self, path: str | os.PathLike[str], words: str | os.PathLike[str] | None = None) -> None: ...
    def save_openfst(self, path: str | os.PathLike[str], words: str | os.PathLike[str] | None = None) -> None: ...
    @property
    def words(self) -> list[str]: ...
    @property
    def num_states(self) -> int: ...
    @property
    def num_arcs(self) -> tuple[int, int]: ...
    @property
    def num_tokens(self) -> int: ...

@final
class Recognizer:
    def __new__(
        cls,
        model: str | os.PathLike[str] | None = None,
        *,
        precision: Literal["auto", "f32", "int8"] = "auto",
        large_model: bool = True,
        speech_gate: bool = True,
    ) -> Recognizer: ...
    @property
    def name(self) -> str: ...
    @property
    def folder(self) -> Path: ...
    @property
    def sample_rate(self) -> int: ...
    @property
    def frame_shift(self) -> float: ...
    @property
    def setting(self) -> str: ...
    @property
    def versions(self) -> list[Version]: ...
    def transcribe(
        self,
        audio: Audio,
        rate: int | None = None,
        *,
        version: str | None = None,
        setting: str | None = None,
        tolerance: float | str | None = None,
        objective: Objective | None = None,
        n_best: int = 0,
        channel: int | None = None,
    ) -> Result: ...
    def scores(self, audio: Audio, rate: int | None = None, *, channel: int | None = None) -> Scores: ...
    def search(
        self,
        scores: Scores | Samples,
        *,
        version: str | None = None,
        setting: str | None = None,
        n_best: int = 0,
    ) -> Result: ...
    def stream(
        self,
        chunks: Iterable[Samples] | None = None,
        *,
        rate: int | None = None,
        version: str | None = None,
        setting: str | None = None,
        tolerance: float | str | None = None,
        objective: Objective | None = None,
    ) -> Stream: ...

@final
class Scores:
    @property
    def shape(self) -> tuple[int, int]: ...
    @property
    def audio_seconds(self) -> float: ...
    @property
    def segments(self) -> list[tuple[float, NDArray[numpy.float32]]]: ...
    def __len__(self) -> int: ...
    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]: ...

@final
class Stream(Iterator[Event]):
    def push(self, samples: Samples) -> list[Event]: ...
    def finish(self) -> list[Event]: ...
    def __iter__(self) -> Stream: ...
    def __next__(self) -> Event: ...

def subtitles(words: list[tuple[str, float, float, float | None]], right: float | None, vtt: bool) -> str: ...
def digits(words: list[tuple[str, float, float, float | None]]) -> list[tuple[str, float, float, float | None]]: ...
