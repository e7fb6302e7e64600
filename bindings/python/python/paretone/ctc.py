"""Graphs for networks that were trained with connectionist temporal classification (CTC).

Any network that gives a score for each of its tokens and frames can be searched: build a `Graph` of its tokens, a
lexicon and an n-gram, and give it to a `paretone.Decoder`.
"""

from __future__ import annotations

from paretone._paretone import Graph

__all__ = ["Graph"]
