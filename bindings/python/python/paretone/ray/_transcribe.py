"""Many recordings, heard on many machines."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

import paretone
from paretone._result import Result
from paretone._types import Audio, How
from paretone.ray._engine import processors, ray
from paretone.ray._pool import Pool
from paretone.ray._worker import Model, Worker, maker, shards

if TYPE_CHECKING:
    from typing_extensions import Unpack


def transcribe(
    recordings: Any,
    rate: int | None = None,
    *,
    model: str | os.PathLike[str] | Model | None = None,
    workers: int | None = None,
    shard: int = 8,
    **how: Unpack[How],
) -> Any:
    """Transcribe recordings on a cluster: each worker opens the model once, and the order is kept.

    Parameters
    ----------
    recordings : iterable of paths, bytes or arrays; or ray.data.Dataset
        What is heard, as `paretone.Recognizer.transcribe` takes it. Paths are opened where the workers are: on a file
        system that all machines share. A dataset has them in the column ``path``, or whole files in ``bytes``.
    rate : int, optional
        Samples per second of arrays.
    model : str, path or dict, optional
        The model, as `paretone.Recognizer` takes it; or a dict of its keywords. Workers open it by its name or path.
    workers : int, optional
        How many recordings are heard at once; by default one for each processor of the cluster.
    shard : int, default 8
        Recordings that a worker takes at a time.
    **how
        The other keywords of `paretone.Recognizer.transcribe`: ``version``, ``tolerance`` and so on.

    Returns
    -------
    list of (paretone.Result or paretone.Error), or ray.data.Dataset
        The results in the order of the recordings, and the error in place of what cannot be read. Of a dataset, the same
        with the columns ``text``, ``confidence``, ``words`` (as ``Result.to_dict`` has them) and ``error``.

    Raises
    ------
    ValueError
        An argument means nothing.
    paretone.Error
        The model cannot be opened, or a shard loses every worker.
    """
    options = model_of(model)
    if hasattr(recordings, "map_batches"):
        return _dataset(recordings, rate, options, workers, shard, how)
    every = [_absolute(one) for one in recordings]
    parts = shards(len(every), shard)
    tasks = [([every[at] for at in part], rate, how) for part in parts]
    heard: list[Any] = [None] * len(every)
    for task, results in Pool(maker(options), workers).run("transcribe", tasks):
        for at, result in zip(parts[task], results):
            heard[at] = result
    return heard


def model_of(model: str | os.PathLike[str] | Model | None) -> Model:
    """The keywords of a recogniser, from what names a model."""
    if model is None:
        return {}
    if isinstance(model, dict):
        return model
    return {"model": os.fspath(model)}


def _absolute(audio: Any) -> Any:
    is_path = isinstance(audio, (str, os.PathLike))
    return os.path.abspath(audio) if is_path else audio


class _Batches:
    """A worker of Ray Data."""

    def __init__(self, model: Model, rate: int | None, how: How) -> None:
        self._worker, self._rate, self._how = Worker(model), rate, how
        self._worker.ready()

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        column = next((name for name in ("path", "bytes") if name in batch), None)
        if column is None:
            raise ValueError(f"a dataset has a column path or bytes; this one has {', '.join(batch)}")
        results = self._worker.transcribe([_plain(one) for one in batch[column]], self._rate, self._how)
        heard = [one if isinstance(one, Result) else None for one in results]
        texts = [one.text if one else "" for one in heard]
        sure = [one.confidence if one else None for one in heard]
        words = [one.to_dict()["words"] if one else [] for one in heard]
        errors = [None if isinstance(one, Result) else str(one) for one in results]
        pyarrow: Any = importlib.import_module("pyarrow")
        table = {name: pyarrow.array(list(values)) for name, values in batch.items()}
        return {**table, "text": texts, "confidence": sure, "words": words, "error": errors}


def _plain(audio: Any) -> Any:
    return str(audio) if isinstance(audio, str) else bytes(audio)


def _dataset(dataset: Any, rate: int | None, model: Model, workers: int | None, shard: int, how: How) -> Any:
    dataset.context.execution_options.preserve_order = True
    size = workers or processors()
    return dataset.map_batches(
        _Batches,
        fn_constructor_args=(model, rate, how),
        compute=ray.data.ActorPoolStrategy(size=size),
        batch_size=shard,
        num_cpus=1,
    )
