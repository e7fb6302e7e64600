"""Errors, by what the caller can do about them."""

from __future__ import annotations


class Error(Exception):
    """Something that Paretone cannot do; the text says what helps."""


class ModelError(Error):
    """There is no such model, or it cannot be used."""


class AudioError(Error):
    """The recording cannot be read."""


class MissingFile(AudioError, FileNotFoundError):
    """There is no such recording."""


class TierError(Error):
    """The model has no rules for the tolerance or the objective, or they are for another model."""


class DecodeError(Error):
    """The scores cannot be searched."""


class GraphError(Error):
    """The graph cannot be compiled, read or written."""


for _class in (Error, ModelError, AudioError, MissingFile, TierError, DecodeError, GraphError):
    _class.__module__ = "paretone"
del _class
