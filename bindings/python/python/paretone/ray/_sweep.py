"""Settings and versions of the search, measured on many machines: the same rows as one machine writes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from paretone import _paretone
from paretone._measuring import Part, outcome_of, utterances_of
from paretone._paretone import Log, Recognizer
from paretone._types import Counting, Utterance
from paretone.ray._pool import Pool
from paretone.ray._transcribe import model_of
from paretone.ray._worker import Model, maker, shards

# Settings that a task searches an utterance at, whose scores it makes once.
BLOCK = 64


def sweep(
    corpus: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    settings: int | Sequence[str] = 100,
    *,
    split: str | None = None,
    sets: Sequence[str] | None = None,
    limit: int | None = None,
    base: str | None = None,
    seed: int = 1,
    repeats: int = 1,
    strict: bool = False,
    alignment: Literal["minimal", "sclite"] = "minimal",
    model: str | os.PathLike[str] | Model | None = None,
    workers: int | None = None,
    shard: int = 8,
) -> list[dict[str, Any]]:
    """Measure settings of the search on a corpus, by a cluster: ``paretone sweep`` on many machines.

    Utterances go out in shards, and come back as rows of the same log, ``measurements.csv``, that the command writes; what
    is in the log is not measured again, so that a sweep that was interrupted goes on, here or by the command. A
    shard whose worker is lost is given to another one. All but the times is the same as on one machine.

    Parameters
    ----------
    corpus : path
        A manifest, or a folder of a layout that ``paretone sweep`` reads, on a file system that all machines share.
    folder : path
        Where the sweep lies, on this machine.
    settings : int or sequence of str, default 100
        Settings, as in ``"network_beam=11 lattice_beam=4 rescore"``; or how many random ones are drawn around `base`, which
        are those of ``paretone sweep --search random``.
    split, sets, limit
        Which utterances: of this split, of these sets, at most so many, evenly spread.
    base : str, optional
        The setting that draws start from; by default the model's own.
    seed : int, default 1
        Seed of the draws.
    repeats : int, default 1
        Searches of each utterance at each setting; the fastest counts.
    strict, alignment
        How words are compared, as the command has it.
    model, workers
        As `paretone.ray.transcribe` takes them.
    shard : int, default 8
        Utterances that a worker takes at a time.

    Returns
    -------
    list of dict
        A point for each setting of the folder, as ``points.json`` has it, which is written there with ``points.csv`` and
        ``front.txt``.

    Raises
    ------
    ValueError
        An argument means nothing.
    paretone.Error
        The corpus, the model or the folder cannot be used, or a shard loses every worker.
    """
    options, rule = model_of(model), Counting(strict=strict, alignment=alignment, repeats=repeats)
    utterances, asr = utterances_of(corpus, split, sets, limit), Recognizer(**options)
    if isinstance(settings, int):
        settings = _paretone.random_settings(base or asr.setting, settings, seed)
    settings = list(dict.fromkeys(_paretone.plain_settings(settings)))
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    kind, _ = _paretone.kind_of(asr, utterances, rule)
    _paretone.claim_folder(folder, kind)
    log = Log(folder / "measurements.csv")
    tasks = [(part, rule) for part in _missing(utterances, settings, set(log.found), shard)]
    for _, rows in Pool(maker(options), workers).run("settings", tasks):
        log.append(rows)
    _paretone.save_points(folder)
    points: list[dict[str, Any]] = json.loads((folder / "points.json").read_text())
    return points


def bench(
    corpus: str | os.PathLike[str],
    outcomes: str | os.PathLike[str],
    versions: Sequence[str] | None = None,
    *,
    split: str | None = None,
    sets: Sequence[str] | None = None,
    limit: int | None = None,
    repeats: int = 1,
    strict: bool = False,
    alignment: Literal["minimal", "sclite"] = "minimal",
    model: str | os.PathLike[str] | Model | None = None,
    workers: int | None = None,
    shard: int = 8,
) -> Path:
    """Measure versions on a corpus, by a cluster: ``paretone bench --outcomes`` on many machines.

    What is measured is kept beside the table, in a file of the same name with ``.part`` behind, until all is: a bench
    that was interrupted goes on. A shard whose worker is lost is given to another one.

    Parameters
    ----------
    corpus, split, sets, limit, repeats, strict, alignment, model, workers, shard
        As `paretone.ray.sweep` takes them.
    outcomes : path
        The table to write, on this machine: a row for each version and utterance, for ``paretone report`` and ``paretone tiers``.
    versions : sequence of str, optional
        By default all versions of the model.

    Returns
    -------
    pathlib.Path
        The table.

    Raises
    ------
    ValueError
        An argument means nothing.
    paretone.Error
        The corpus or the model cannot be used, or a shard loses every worker.
    """
    options, rule = model_of(model), Counting(strict=strict, alignment=alignment, repeats=repeats)
    utterances, asr = utterances_of(corpus, split, sets, limit), Recognizer(**options)
    names = list(versions or [version.name for version in asr.versions])
    outcomes = Path(outcomes)
    kind, made_for = _paretone.kind_of(asr, utterances, rule)
    part = Part(outcomes.with_name(f"{outcomes.name}.part"), [kind, made_for, names])
    missing = [said for said in utterances if said[0] not in part.rows]
    tasks = [([missing[at] for at in places], names, rule) for places in shards(len(missing), shard)]
    for _, measured in Pool(maker(options), workers).run("versions", tasks):
        part.append({rows[0][0]: rows for rows in measured})
    at = range(len(names))
    rows = [outcome_of(part.rows[said[0]][version]) for version in at for said in utterances]
    _paretone.save_outcomes(made_for, outcomes, rows)
    part.path.unlink()
    return outcomes


def _missing(
    utterances: Sequence[Utterance], settings: Sequence[str], found: set[tuple[str, str]], shard: int
) -> Iterator[list[tuple[Utterance, list[str]]]]:
    """Shards of what is not in a log."""
    for block in shards(len(settings), BLOCK):
        names = [settings[at] for at in block]
        left = [(said, [name for name in names if (name, said[0]) not in found]) for said in utterances]
        left = [(said, names) for said, names in left if names]
        for places in shards(len(left), shard):
            yield [left[at] for at in places]
