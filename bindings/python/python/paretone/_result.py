"""What was heard, as plain immutable objects: comparable, hashable, and to be pickled."""

from __future__ import annotations

import html
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy
from numpy.typing import NDArray

from paretone import _paretone

if TYPE_CHECKING:
    import pandas

PACKAGE = Path(__file__).parent


@dataclass(frozen=True)
class Word:
    """A word.

    Attributes
    ----------
    word : str
        The word as the model spells it.
    start, end : float
        Seconds from the beginning of the recording; to the millisecond.
    confidence : float or None
        The calibrated probability that the word is right, 0 to 1; None where the setting is no version.
    """

    word: str
    start: float
    end: float
    confidence: float | None


@dataclass(frozen=True)
class Seconds:
    """Where the time went, in seconds of one thread.

    Attributes
    ----------
    features : float
        Decoding, resampling and features.
    acoustic : float
        The network.
    search : float
        The beam search.
    rescore : float
        The second look with the large language models.
    """

    features: float
    acoustic: float
    search: float
    rescore: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.features + self.acoustic + self.search + self.rescore


@dataclass(frozen=True)
class Alternative:
    """One of several answers.

    Attributes
    ----------
    text : str
        Its words.
    cost : float
        The cost of its path, -ln of a probability up to a scale: smaller is better.
    posterior : float
        The probability that these are exactly the words, by the lattice alone.
    confidence : float or None
        The same, calibrated.
    """

    text: str
    cost: float
    posterior: float
    confidence: float | None = None


@dataclass(frozen=True)
class Tier:
    """How a tolerance came by an answer.

    Attributes
    ----------
    tolerance : float
        The tolerance asked for, as a share.
    name : str
        The tier that serves it, such as ``cost/0.05``.
    bound : float
        The certified bound on the tier's degradation.
    policy : str
        What the tier does.
    versions : tuple of str
        The versions that ran.
    answered_by : str
        The version whose answer it is.
    escalated : bool
        Whether the first version's answer was not enough.
    response_seconds : float
        From the request to the answer.
    machine_seconds : float
        Time of all threads, cancelled work included: what the answer cost.
    certificate : str
        The name of the certificate that the tier rests on.
    segments : tuple of (str, int, int)
        Of each version that ran: its name, on how many segments of the recording it ran, and how
        many of them have its words.
    """

    tolerance: float
    name: str
    bound: float
    policy: str
    versions: tuple[str, ...]
    answered_by: str
    escalated: bool
    response_seconds: float
    machine_seconds: float
    certificate: str
    segments: tuple[tuple[str, int, int], ...] = ()


@dataclass(frozen=True)
class Version:
    """A version of a model: a named setting.

    Attributes
    ----------
    name : str
        ``v1`` and so on, the fastest first.
    setting : str
        Its knobs.
    wer_percent : float
        Word errors over reference words, in per cent, when it was picked.
    response_seconds : float
        Mean seconds for an utterance, when it was picked.
    """

    name: str
    setting: str
    wer_percent: float
    response_seconds: float


class _Said:
    """Words, however they were heard."""

    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        """The words with one space between them."""
        return " ".join(word.word for word in self.words)

    def to_pandas(self) -> pandas.DataFrame:
        """Give the words as a table.

        Returns
        -------
        pandas.DataFrame
            A row a word: ``word``, ``start`` and ``end`` in seconds, ``confidence``.

        Raises
        ------
        ImportError
            pandas is not installed: ``pip install paretone[pandas]``.
        """
        import pandas

        columns = ["word", "start", "end", "confidence"]
        return pandas.DataFrame(self._words(), columns=columns)

    def _words(self) -> list[tuple[str, float, float, float | None]]:
        return [(word.word, word.start, word.end, word.confidence) for word in self.words]

    def _told(self, sure: str) -> str:
        """How it prints: the words, shortened, and what else is known."""
        shown = self.text if len(self.text) <= 60 else self.text[:59] + "…"
        words = "1 word" if len(self.words) == 1 else f"{len(self.words)} words"
        return f"{type(self).__name__}({shown!r}, {words}{sure})"

    def _page(self, below: str) -> str:
        """How a notebook shows it."""
        words = [_shaded(word) for word in self.words]
        return f"<p>{' '.join(words) or '<i>nothing was heard</i>'}</p><p><small>{below}</small></p>"

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, repr=False)
class Result(_Said):
    """What was heard in a recording.

    Attributes
    ----------
    words : tuple of Word
        The words in the order of time.
    confidence : float or None
        The calibrated probability that every word is right; None where the setting is no version.
    versions : tuple of str
        The versions that ran; none where the setting was the caller's own.
    audio_seconds : float
        How long the recording is.
    seconds : Seconds
        What hearing it took.
    cost : float
        The cost of the path, -ln of a probability up to a scale.
    reached_final : bool
        False where the search ended within a word, so that the last ones are doubtful.
    alternatives : tuple of Alternative
        Other answers, the best first, where ``n_best`` asked for them.
    tier : Tier or None
        How a tolerance came by the answer.
    partly_read : str or None
        Why only a part of the recording was heard.
    """

    words: tuple[Word, ...]
    confidence: float | None
    versions: tuple[str, ...]
    audio_seconds: float
    seconds: Seconds
    cost: float
    reached_final: bool
    alternatives: tuple[Alternative, ...] = ()
    tier: Tier | None = None
    partly_read: str | None = None

    @property
    def real_time_factor(self) -> float:
        """Processing seconds for a second of audio; 0 for an empty recording."""
        return self.seconds.total / self.audio_seconds if self.audio_seconds > 0 else 0.0

    def in_digits(self) -> Result:
        """Write numbers, money, dates, times and units as people do.

        Returns
        -------
        Result
            The same with "21" in place of "twenty one"; other answers keep their words.
        """
        return replace(self, words=tuple(Word(*word) for word in _paretone.digits(self._words())))

    def to_srt(self) -> str:
        """Make SubRip subtitles.

        Returns
        -------
        str
            Cues of at most two lines of 42 characters, as ``paretone transcribe --format srt`` writes them.
        """
        return _paretone.subtitles(self._words(), self.confidence, False)

    def to_vtt(self) -> str:
        """Make WebVTT subtitles, with confidences in notes.

        Returns
        -------
        str
            As ``paretone transcribe --format vtt`` writes them.
        """
        return _paretone.subtitles(self._words(), self.confidence, True)

    def to_dict(self) -> dict[str, Any]:
        """Give all of it as dictionaries, lists and numbers, ready for JSON.

        Returns
        -------
        dict
            ``text``, ``words`` and the other attributes.
        """
        fields = asdict(self) | _lists(self.words, self.alternatives)
        fields["versions"] = list(self.versions)
        if self.tier is not None:
            fields["tier"]["versions"] = list(self.tier.versions)
        return {"text": self.text, **fields, "real_time_factor": self.real_time_factor}

    def __repr__(self) -> str:
        sure = "" if self.confidence is None else f", {100 * self.confidence:.0f} % sure"
        return self._told(f" in {self.audio_seconds:.2f} s{sure}")

    def _repr_html_(self) -> str:
        sure = "" if self.confidence is None else f" · {100 * self.confidence:.0f} % sure"
        by = f" · {html.escape(', '.join(self.versions))}" if self.versions else ""
        return self._page(f"{self.audio_seconds:.2f} s of audio in {self.seconds.total:.3f} s{by}{sure}")


def _lists(words: tuple[Word, ...], alternatives: tuple[Alternative, ...]) -> dict[str, Any]:
    """Lists in place of the tuples that `asdict` keeps."""
    return {"words": [asdict(word) for word in words], "alternatives": [asdict(other) for other in alternatives]}


def _shaded(word: Word) -> str:
    """A word in HTML, the redder behind it the less sure."""
    doubt = 0.0 if word.confidence is None else min(max(1.0 - word.confidence, 0.0), 1.0)
    sure = "" if word.confidence is None else f", {100 * word.confidence:.0f} % sure"
    title = f"{word.start:.2f} to {word.end:.2f} s{sure}"
    style = f"background: rgba(220, 60, 40, {0.6 * doubt:.2f})"
    return f'<span title="{title}" style="{style}">{html.escape(word.word)}</span>'


@dataclass(frozen=True, repr=False)
class Decoded(_Said):
    """What scores of any network say.

    Attributes
    ----------
    words : tuple of Word
        The words in the order of time; their confidences are those of the lattice, not calibrated.
    posterior : float
        The probability that these are exactly the words, by the lattice.
    cost : float
        The cost of the path, -ln of a probability up to a scale; the sum of the next two.
    acoustic_cost, graph_cost : float
        The part of the scores, and that of lexicon and n-gram.
    reached_final : bool
        False where the search ended within a word, so that the last ones are doubtful.
    alternatives : tuple of Alternative
        Different answers, the best first, where ``n_best`` asked for them.
    seconds : float
        What the search took; answers that differ in this alone are equal.
    """

    words: tuple[Word, ...]
    posterior: float
    cost: float
    acoustic_cost: float
    graph_cost: float
    reached_final: bool
    alternatives: tuple[Alternative, ...] = ()
    seconds: float = field(default=0.0, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Give all of it as dictionaries, lists and numbers, ready for JSON.

        Returns
        -------
        dict
            ``text``, ``words`` and the other attributes.
        """
        return {"text": self.text, **asdict(self), **_lists(self.words, self.alternatives)}

    def __repr__(self) -> str:
        return self._told(f", {100 * self.posterior:.0f} % by the lattice")

    def _repr_html_(self) -> str:
        return self._page(f"{100 * self.posterior:.0f} % by the lattice · searched in {self.seconds:.3f} s")


@dataclass(frozen=True, eq=False)
class Lattice:
    """All paths that a search kept, over nodes in topological order; node 0 is the start.

    Attributes
    ----------
    seconds : array of float, by node
        Seconds of the scores before the node.
    start, end : array of int, by arc
        The nodes that the arc leaves and leads to.
    word : array of int, by arc
        The word's place in ``Graph.words``; 0 for none.
    acoustic_cost, graph_cost : array of float, by arc
        What the arc costs by the scores, and by lexicon and n-gram.
    posterior : array of float, by arc
        The probability that the right path uses the arc.
    final : array of int
        The nodes where a path may end.
    final_cost : array of float
        What ending there costs by the graph.
    """

    seconds: NDArray[numpy.float64]
    start: NDArray[numpy.uint32]
    end: NDArray[numpy.uint32]
    word: NDArray[numpy.uint32]
    acoustic_cost: NDArray[numpy.float32]
    graph_cost: NDArray[numpy.float32]
    posterior: NDArray[numpy.float64]
    final: NDArray[numpy.uint32]
    final_cost: NDArray[numpy.float32]

    def __repr__(self) -> str:
        return f"Lattice({len(self.seconds)} nodes, {len(self.word)} arcs)"


@dataclass(frozen=True)
class Event:
    """What a stream tells.

    Attributes
    ----------
    kind : {"partial", "final"}
        Whether the utterance still goes on.
    text : str
        The words: a guess, or what was finally heard.
    start : float or None
        Of a final event: where the utterance begins, in seconds of the stream.
    result : Result or None
        Of a final event: the words with their times in the stream.
    agreed : int
        Of a partial event: how many words, from the first, are as good as certain.
    """

    kind: Literal["partial", "final"]
    text: str
    start: float | None = None
    result: Result | None = None
    agreed: int = 0

    @property
    def final(self) -> bool:
        """Whether the utterance has ended."""
        return self.kind == "final"


for _class in (Word, Seconds, Alternative, Tier, Version, Result, Decoded, Lattice, Event):
    _class.__module__ = "paretone"
del _class
