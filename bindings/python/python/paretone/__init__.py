"""Paretone: a speech recogniser whose caller chooses how much accuracy to trade for speed.

>>> import paretone
>>> asr = paretone.Recognizer()
>>> [version.name for version in asr.versions][:2]
['v1', 'v2']
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from paretone import ctc
from paretone._errors import AudioError, DecodeError, Error, GraphError, MissingFile, ModelError, TierError
from paretone._paretone import __version__ as __version__
from paretone._paretone import Decoder, Recognizer, Scores, Stream
from paretone._result import Alternative, Decoded, Event, Lattice, Result, Seconds, Tier, Version, Word
from paretone._tune import tune
from paretone._tuned import Tuned

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from paretone._types import Audio, How

__all__ = [
    "Alternative",
    "AudioError",
    "DecodeError",
    "Decoded",
    "Decoder",
    "Error",
    "Event",
    "GraphError",
    "Lattice",
    "MissingFile",
    "ModelError",
    "Recognizer",
    "Result",
    "Scores",
    "Seconds",
    "Stream",
    "Tier",
    "TierError",
    "Tuned",
    "Version",
    "Word",
    "ctc",
    "transcribe",
    "tune",
]

_opened: dict[str | None, Recognizer] = {}
_opening = threading.Lock()


def transcribe(
    audio: Audio, rate: int | None = None, *, model: str | os.PathLike[str] | None = None, **how: Unpack[How]
) -> Result:
    """Transcribe a recording; the model is opened at the first call and kept.

    Parameters
    ----------
    audio, rate
        As `Recognizer.transcribe` takes them.
    model : str or os.PathLike, optional
        As `Recognizer` takes it.
    **how
        The other keywords of `Recognizer.transcribe`: ``version``, ``tolerance`` and so on.

    Returns
    -------
    Result
        The words with their times (seconds) and confidences (0 to 1, or None).
    """
    name = None if model is None else os.fspath(model)
    with _opening:
        asr = _opened.get(name)
        if asr is None:
            asr = _opened[name] = Recognizer(name)
    return asr.transcribe(audio, rate, **how)


def __dir__() -> list[str]:
    return __all__
