import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, final

import numpy
from numpy.typing import DTypeLike, NDArray

from paretone._result import Decoded, Event, Lattice, Result, Version
from paretone._types import (
    Audio,
    Counting,
    Measurement,
    Objective,
    Outcome,
    Samples,
    Utterance,
    Words,
)

__all__ = [
    "Decoder",
    "Graph",
    "Log",
    "Network",
    "Recognizer",
    "Routing",
    "Scores",
    "Stop",
    "Stream",
    "Watch",
    "__version__",
    "claim_folder",
    "close_settings",
    "corpus_of",
    "digits",
    "fit_confidence",
    "grid_settings",
    "hear_version",
    "highest_rate",
    "kind_of",
    "kind_of_network",
    "learn_rules",
    "lowest_rate",
    "measure_settings",
    "measure_settings_of_scores",
    "measure_versions",
    "measure_versions_of_scores",
    "part_speech",
    "pick_versions",
    "plain_settings",
    "random_settings",
    "samples_of",
    "save_outcomes",
    "save_points",
    "save_words",
    "subtitles",
    "tried_on",
    "tuning_bases",
    "tuning_steps",
]

__version__: str
lowest_rate: int
highest_rate: int

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
        min_active: float = ...,
        global_beam: float = ...,
        global_top_n: float = ...,
        local_beam: float = ...,
        local_top_n: float = ...,
        arc_budget: float = ...,
        lattice_beam: float = ...,
    ) -> Decoder: ...
    def decode(self, log_probs: Samples, n_best: int = 0) -> Decoded: ...
    def lattice(self, log_probs: Samples) -> Lattice: ...
    def decode_batch(
        self,
        log_probs: Iterable[Samples],
        n_best: int = 0,
        *,
        lengths: Sequence[int] | None = None,
        jobs: int | None = None,
    ) -> list[Decoded]: ...

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
        mmap: bool = True,
        words: Words | None = None,
    ) -> Recognizer: ...
    def with_words(self, words: Words) -> Recognizer: ...
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

@final
class Log:
    def __new__(cls, path: str | os.PathLike[str]) -> Log: ...
    @property
    def found(self) -> list[tuple[str, str]]: ...
    def append(self, rows: Sequence[Measurement]) -> None: ...

def corpus_of(
    path: str | os.PathLike[str],
    *,
    split: str | None = None,
    sets: Sequence[str] | None = None,
    limit: int | None = None,
) -> list[Utterance]: ...
def random_settings(base: str, count: int, seed: int) -> list[str]: ...
def plain_settings(settings: Sequence[str]) -> list[str]: ...
def kind_of(recognizer: Recognizer, corpus: Sequence[Utterance], rule: Counting) -> tuple[str, str]: ...
def claim_folder(folder: str | os.PathLike[str], kind: str) -> None: ...
def measure_settings(
    recognizer: Recognizer, said: Utterance, settings: Sequence[str], rule: Counting
) -> list[Measurement]: ...
def save_points(folder: str | os.PathLike[str]) -> None: ...
def measure_versions(
    recognizer: Recognizer, said: Utterance, versions: Sequence[str], rule: Counting
) -> tuple[list[Outcome], list[str]]: ...
def save_outcomes(made_for: str, path: str | os.PathLike[str], rows: Sequence[Outcome]) -> None: ...
def save_words(path: str | os.PathLike[str], words: Sequence[str]) -> None: ...
@final
class Network:
    def __new__(cls, folder: str | os.PathLike[str]) -> Network: ...
    @staticmethod
    def save(
        folder: str | os.PathLike[str], graph: Graph, network: str, frame_shift: float, acoustic_scale: float
    ) -> None: ...
    @property
    def made_for(self) -> str: ...
    @property
    def versions(self) -> list[Version]: ...
    def search(self, log_probs: Samples, version: str | None = None) -> tuple[Result, float]: ...
    def tier(
        self, tolerance: float | str, objective: str | None
    ) -> tuple[str, float, str, str, str, list[str], float, bool]: ...

def kind_of_network(network: Network, corpus: Sequence[Utterance], rule: Counting) -> str: ...
def measure_settings_of_scores(
    network: Network, said: Utterance, scores: tuple[Samples, float], settings: Sequence[str], rule: Counting
) -> list[Measurement]: ...
def measure_versions_of_scores(
    network: Network, said: Utterance, scores: tuple[Samples, float], rule: Counting
) -> tuple[list[Outcome], list[str]]: ...
def part_speech(
    path: str | os.PathLike[str], folder: str | os.PathLike[str], splits: tuple[str, str] | None = None
) -> tuple[list[Utterance], list[Utterance]]: ...
def tuning_steps() -> list[str]: ...
def tried_on(corpus: Sequence[Utterance]) -> list[Utterance]: ...
def tuning_bases(recognizer: Recognizer) -> list[str]: ...
def samples_of(said: Utterance, rate: int) -> NDArray[numpy.float32]: ...
def grid_settings(
    bases: Sequence[str], levels: Sequence[tuple[str, Sequence[float]]] | None = None
) -> list[str]: ...
def close_settings(folder: str | os.PathLike[str], gap: float) -> list[str]: ...
def pick_versions(
    folder: str | os.PathLike[str], count: int, gap: float, made_for: str, measured_on: str
) -> str: ...
def fit_confidence(
    outcomes: str | os.PathLike[str], heard: str | os.PathLike[str]
) -> tuple[str | None, str]: ...
def learn_rules(outcomes: str | os.PathLike[str], date: str, outcomes_sha256: str) -> str: ...

@final
class Stop:
    def __new__(cls) -> Stop: ...
    def stop(self) -> None: ...

@final
class Routing:
    def __new__(cls, recognizer: Recognizer) -> Routing: ...
    def tier(
        self, tolerance: float | str, objective: str | None
    ) -> tuple[str, float, str, str, str, list[str], float, bool]: ...
    def shadows(self, tolerance: float | str, objective: str | None, id: str, share: float) -> bool: ...
    @property
    def asked(self) -> list[str]: ...

@final
class Watch:
    def __new__(cls, routing: Routing) -> Watch: ...
    def compare(self, answer: Sequence[str], shadow: Sequence[str]) -> tuple[int, int, float, bool]: ...

def hear_version(recognizer: Recognizer, audio: Audio, version: str, stop: Stop) -> tuple[Result, float]: ...
