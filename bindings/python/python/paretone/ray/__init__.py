"""Paretone on a cluster of Ray's: corpora, sweeps and benchmarks when one machine is not enough.

It is an extra, ``pip install paretone[ray]``. Connect to a cluster with ``ray.init`` first; without that, one is started on
this machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paretone.ray._sweep import bench, sweep
from paretone.ray._transcribe import transcribe

if TYPE_CHECKING:
    from paretone.ray._serve import application, build, serve

__all__ = ["application", "bench", "build", "serve", "sweep", "transcribe"]


def __getattr__(name: str) -> Any:
    """Import what needs Ray Serve when it is first asked for."""
    if name not in ("application", "build", "serve"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from paretone.ray import _serve

    return getattr(_serve, name)
