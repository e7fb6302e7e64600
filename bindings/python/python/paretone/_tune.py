"""A model tuned to speech: its versions, their confidence and certified tiers."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Union

import numpy
from numpy.typing import NDArray

from paretone import _paretone
from paretone._measuring import Part, outcome_of
from paretone._paretone import Graph, Log, Network, Recognizer
from paretone._tuned import Tuned
from paretone._types import Counting, Measurement, Outcome, Samples, Utterance

# What is learnt from, for a graph of which nobody knows more.
BASE = "network_beam=16 network_top_n=7000 lattice_beam=8 rescore"

Scorer = Callable[[NDArray[numpy.float32], int], Samples]
Heard = tuple[list[Outcome], list[str]]


class _Model(Protocol):
    """What is tuned."""

    def bases(self) -> list[str]: ...
    def opened(self) -> str: ...
    def kind(self, corpus: Sequence[Utterance]) -> str: ...
    def settings(self, said: Utterance, settings: Sequence[str]) -> list[Measurement]: ...
    def versions(self, said: Utterance) -> Heard: ...


class _Folder:
    """A recogniser's folder."""

    def __init__(self, folder: Path, rule: Counting) -> None:
        self._folder, self._rule = folder, rule
        self.opened()

    def opened(self) -> str:
        """Open it anew, after what a tuning makes has changed; what measurements depend on then."""
        self._asr = Recognizer(self._folder)
        return _paretone.kind_of(self._asr, [], self._rule)[1]

    def bases(self) -> list[str]:
        """Its own setting, without the neural language model and with it."""
        return _paretone.tuning_bases(self._asr)

    def kind(self, corpus: Sequence[Utterance]) -> str:
        return _paretone.kind_of(self._asr, corpus, self._rule)[0]

    def settings(self, said: Utterance, settings: Sequence[str]) -> list[Measurement]:
        return _paretone.measure_settings(self._asr, said, settings, self._rule)

    def versions(self, said: Utterance) -> Heard:
        names = [version.name for version in self._asr.versions]
        return _paretone.measure_versions(self._asr, said, names, self._rule)


class _Function:
    """A function that gives scores, beside a graph that is kept in a folder."""

    def __init__(self, scorer: Scorer, rate: int, base: str, folder: Path, kept: Path, rule: Counting) -> None:
        self._scorer, self._rate, self._base, self._rule = scorer, rate, base, rule
        self._folder, self._kept = folder, kept
        kept.mkdir(parents=True, exist_ok=True)
        self.opened()

    def opened(self) -> str:
        """Open it anew, after what a tuning makes has changed; what measurements depend on then."""
        self._network = Network(self._folder)
        return self._network.made_for

    def bases(self) -> list[str]:
        return [self._base]

    def kind(self, corpus: Sequence[Utterance]) -> str:
        return _paretone.kind_of_network(self._network, corpus, self._rule)

    def settings(self, said: Utterance, settings: Sequence[str]) -> list[Measurement]:
        return _paretone.measure_settings_of_scores(self._network, said, self._scores(said), settings, self._rule)

    def versions(self, said: Utterance) -> Heard:
        return _paretone.measure_versions_of_scores(self._network, said, self._scores(said), self._rule)

    def _scores(self, said: Utterance) -> tuple[NDArray[numpy.float32], float]:
        """The scores of an utterance and the processor seconds that they took: made once, searched often."""
        path = self._kept / f"{hashlib.blake2b(said[0].encode(), digest_size=16).hexdigest()}.npz"
        if path.exists():
            with numpy.load(path) as kept:
                return kept["scores"], float(kept["seconds"])
        samples = _paretone.samples_of(said, self._rate)
        began = time.process_time()
        scores = numpy.ascontiguousarray(self._scorer(samples, self._rate), dtype=numpy.float32)
        seconds = time.process_time() - began
        draft = path.with_suffix(".part")
        with draft.open("wb") as file:
            numpy.savez(file, scores=scores, seconds=seconds)
        draft.replace(path)
        return scores, seconds


def tune(
    model: str | os.PathLike[str] | Scorer,
    corpus: str | os.PathLike[str],
    folder: str | os.PathLike[str] | None = None,
    *,
    graph: Graph | None = None,
    network: str = "",
    rate: int = 16000,
    frame_shift: float = 0.02,
    acoustic_scale: float = 1.0,
    base: str = BASE,
    splits: tuple[str, str] | None = None,
    count: int = 7,
    gap: float = 0.4,
    levels: Mapping[str, Sequence[float]] | None = None,
    strict: bool = False,
    jobs: int = 1,
    tell: Callable[[str], object] | None = None,
) -> Union[Tuned, Recognizer]:
    """Tune a model to speech: choose its versions, calibrate their confidence and certify tolerance tiers.

    The steps are those of ``paretone tune``, and so are the files: ``versions.toml``, ``confidence.json`` and ``rules.toml``
    beside the model, and what was measured in its folder ``tune``. A tuning that was interrupted goes on when it is called
    again: what was measured is not measured again, and a function is called once for an utterance.

    Parameters
    ----------
    model : path or callable
        A recogniser's folder; or a function of samples (``float32``, from -1 to 1) and their rate that gives scores: natural
        logarithms, frames × tokens, as `Decoder.decode` takes them.
    corpus : path
        Speech with its texts, of any layout that ``paretone tune`` reads, with speakers.
    folder : path, optional
        Of a function: where the model is made. Of a folder: where what is measured lies; by default ``tune`` in the model's.
    graph : paretone.ctc.Graph, optional
        Of a function: what is searched.
    network : str, optional
        Of a function: what tells its network from others. Another name is another model, for which nothing measured holds.
    rate : int, default 16000
        Of a function: samples per second that it wants.
    frame_shift, acoustic_scale : float
        Of a function: as `Decoder` takes them.
    base : str, optional
        Of a function: the setting around which others are tried.
    splits : (str, str), optional
        The corpus' split to learn on, and that to certify on; by default half of the speakers each.
    count : int, default 7
        How many versions.
    gap : float, default 0.4
        The fastest version may have so much more errors than the most accurate, relatively.
    levels : mapping, optional
        Values of knobs to try, every combination; by default beams and numbers of tokens around the base's.
    strict : bool, default False
        Leave ``to day`` and its like as two words.
    jobs : int, default 1
        Utterances worked on at once, by threads, which a function must bear.
    tell : callable, optional
        Is told of each step, in words.

    Returns
    -------
    paretone.Tuned or paretone.Recognizer
        The tuned model: of a function, or of a folder.

    Raises
    ------
    ValueError
        An argument means nothing, or the corpus cannot be parted.
    paretone.Error
        The corpus, the model or the folder cannot be used; no two settings differ.
    """
    lowest, highest = _paretone.lowest_rate, _paretone.highest_rate
    if count < 2 or jobs < 1 or not 0 < gap < float("inf") or not lowest <= rate <= highest:
        raise ValueError(f"count is 2 or more, jobs 1 or more, gap a number above 0, rate {lowest} to {highest} samples per second")
    rule = Counting(strict=strict, alignment="minimal", repeats=1)
    if callable(model):
        if graph is None or folder is None:
            raise ValueError("a function that gives scores needs a graph, and a folder in which the model is made")
        place = Path(folder)
        measured = place / "tune"
        Network.save(place, graph, network, frame_shift, acoustic_scale)
        tuned: _Model = _Function(model, rate, base, place, measured / "scores", rule)
    else:
        if graph is not None:
            raise ValueError("graph is for a function that gives scores: a recogniser's folder has its own")
        place = Path(model)
        measured = Path(folder) if folder is not None else place / "tune"
        tuned = _Folder(place, rule)
    measured.mkdir(parents=True, exist_ok=True)
    speech = _paretone.part_speech(corpus, measured, splits)
    asked = _Asked(os.fspath(corpus), count, gap, list(levels.items()) if levels is not None else None, jobs)
    _Tuning(tuned, (place, measured), speech, asked, tell or (lambda what: None)).run()
    return Tuned(place) if callable(model) else Recognizer(place)


@dataclass(frozen=True)
class _Asked:
    """How to tune."""

    corpus: str
    count: int
    gap: float
    levels: list[tuple[str, Sequence[float]]] | None
    jobs: int


class _Tuning:
    """The steps, each of which goes on where it was."""

    def __init__(
        self,
        model: _Model,
        folders: tuple[Path, Path],
        speech: tuple[Sequence[Utterance], Sequence[Utterance]],
        asked: _Asked,
        tell: Callable[[str], object],
    ) -> None:
        self._model, self._asked, self._tell = model, asked, tell
        self._place, self._folder = folders
        self._learn, self._certified_on = speech

    def run(self) -> None:
        """Do what is not done, in the engine's order."""
        self._tell(f"learning on {len(self._learn)} utterances, certifying on {len(self._certified_on)}")
        steps: dict[str, Callable[[], object]] = {
            "try": self._try,
            "measure": self._measure,
            "pick": self._pick,
            "hear": lambda: self._hear("learn.csv", self._learn, "learn-words.csv"),
            "calibrate": self._calibrate,
            "hear_others": lambda: self._hear("outcomes.csv", self._certified_on),
            "certify": self._certify,
        }
        for step in _paretone.tuning_steps():
            steps[step]()

    def _try(self) -> None:
        """Measure many settings on some of the speech."""
        grid = _paretone.grid_settings(self._bases(), self._asked.levels)
        self._sweep("wide", _paretone.tried_on(self._learn), grid)

    def _measure(self) -> None:
        """Measure the good ones on all of it."""
        close = _paretone.close_settings(self._folder / "wide", self._asked.gap)
        self._sweep("narrow", self._learn, close)

    def _pick(self) -> None:
        """Pick the versions."""
        asked, made_for = self._asked, self._model.opened()
        told = f"{asked.corpus}, by paretone.tune"
        text = _paretone.pick_versions(self._folder / "narrow", asked.count, asked.gap, made_for, told)
        self._write("versions.toml", text)

    def _calibrate(self) -> None:
        """Calibrate their confidence, where there is speech enough."""
        fitted, why = _paretone.fit_confidence(self._folder / "learn.csv", self._folder / "learn-words.csv")
        if fitted is None:
            self._tell(f"no confidence is calibrated, so that a tier is one version alone: {why}")
        else:
            self._write("confidence.json", fitted)

    def _bases(self) -> list[str]:
        """The settings around which others are tried: those with which the tuning began."""
        path = self._folder / "base.txt"
        if not path.exists():
            path.write_text("".join(f"{base}\n" for base in _paretone.plain_settings(self._model.bases())))
        return path.read_text().splitlines()

    def _sweep(self, name: str, corpus: Sequence[Utterance], settings: Sequence[str]) -> None:
        """Measure settings."""
        folder, settings = self._folder / name, list(dict.fromkeys(settings))
        folder.mkdir(exist_ok=True)
        _paretone.claim_folder(folder, self._model.kind(corpus))
        log = Log(folder / "measurements.csv")
        found = set(log.found)
        left = [(said, [one for one in settings if (one, said[0]) not in found]) for said in corpus]
        left = [(said, names) for said, names in left if names]
        self._tell(f"{name}: {len(settings)} settings on {len(corpus)} utterances, {len(left)} of them to go")
        for rows in self._each(lambda one: self._model.settings(*one), left):
            log.append(rows)
        _paretone.save_points(folder)

    def _hear(self, name: str, corpus: Sequence[Utterance], words: str | None = None) -> None:
        """Hear speech by all versions, and write the table of outcomes, and of words where it is named."""
        made_for, path = self._model.opened(), self._folder / name
        # What was learnt of the confidence is no part of what it is learnt from.
        depends = made_for if words is None else made_for.rpartition("/")[0]
        kind = [self._model.kind(corpus), depends]
        done = self._folder / "done.json"
        whole: dict[str, Any] = json.loads(done.read_text()) if done.exists() else {}
        if whole.get(name) == kind and path.exists():
            self._tell(f"{name}: done before")
            return
        kept = self._folder / f"{name}.part"
        if kept.exists() and not kept.read_text().startswith(json.dumps(kind) + "\n"):
            kept.unlink()
        part = Part(kept, kind)
        left = [said for said in corpus if said[0] not in part.rows]
        self._tell(f"{name}: {len(corpus)} utterances by all versions, {len(left)} of them to go")
        for heard in self._each(lambda said: self._model.versions(said), left):
            part.append({heard[0][0][0]: heard})
        every: list[Heard] = [part.rows[said[0]] for said in corpus]
        versions = range(len(every[0][0]))
        _paretone.save_outcomes(made_for, path, [outcome_of(heard[0][at]) for at in versions for heard in every])
        if words is not None:
            _paretone.save_words(self._folder / words, [word for heard in every for word in heard[1]])
        done.write_text(json.dumps({**whole, name: kind}))
        kept.unlink()

    def _certify(self) -> None:
        """Learn the rules, unless those there are of the same outcomes."""
        outcomes = self._folder / "outcomes.csv"
        digest = hashlib.sha256(outcomes.read_bytes()).hexdigest()
        path = self._place / "rules.toml"
        if path.exists() and digest in path.read_text():
            self._tell("rules.toml: done before")
            return
        self._tell("certifying the tiers")
        self._write("rules.toml", _paretone.learn_rules(outcomes, datetime.date.today().isoformat(), digest))

    def _write(self, name: str, text: str) -> None:
        path = self._place / name
        draft = path.with_name(f"{name}.part")
        draft.write_text(text)
        draft.replace(path)

    def _each(self, work: Callable[[Any], Any], things: Sequence[Any]) -> Iterator[Any]:
        """What work makes of each, in order."""
        if self._asked.jobs == 1:
            yield from map(work, things)
            return
        with ThreadPoolExecutor(self._asked.jobs) as pool:
            futures = [pool.submit(work, thing) for thing in things]
            try:
                for future in futures:
                    yield future.result()
            finally:
                for future in futures:
                    future.cancel()
