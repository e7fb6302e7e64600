"""Corpora that are measured utterance by utterance, and what is kept of a measurement that is under way."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from paretone import _paretone
from paretone._types import Outcome, Utterance


def utterances_of(
    corpus: str | os.PathLike[str], split: str | None, sets: Sequence[str] | None, limit: int | None
) -> list[Utterance]:
    """The utterances asked for, whose audio is named from the root."""
    every = _paretone.corpus_of(corpus, split=split, sets=sets, limit=limit)
    return [(said, os.path.abspath(audio), *others) for said, audio, *others in every]  # type: ignore[misc]


def outcome_of(row: Sequence[Any]) -> Outcome:
    """A row of outcomes, as it was measured or as a `Part` kept it."""
    return tuple(row)


class Part:
    """What has been measured so far, an utterance a line; a line that was cut short is none."""

    def __init__(self, path: Path, kind: list[Any]) -> None:
        self.path = path
        self.rows: dict[str, Any] = {}
        text = path.read_bytes() if path.exists() else b""
        whole = text[: text.rfind(b"\n") + 1]
        first, *lines = [json.loads(line) for line in whole.splitlines()] or [kind]
        if first != kind:
            raise ValueError(f"{path} holds measurements of another kind ({first}; now {kind}): move it away")
        self.rows.update(lines)
        self.path.write_bytes(whole or json.dumps(kind).encode() + b"\n")

    def append(self, measured: Mapping[str, Any]) -> None:
        """Keep what was measured of utterances."""
        with self.path.open("a") as file:
            file.writelines(json.dumps(one) + "\n" for one in measured.items())
        self.rows.update(measured)
