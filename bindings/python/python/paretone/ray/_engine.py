"""Ray itself, whether or not type checkers find it."""

from __future__ import annotations

import importlib
from typing import Any

try:
    ray: Any = importlib.import_module("ray")
except ImportError as error:
    raise ImportError("paretone.ray needs Ray: pip install 'paretone[ray]'") from error

# What says that a worker is lost, and nothing about its task.
LOST = (ray.exceptions.RayActorError, ray.exceptions.ObjectLostError, ray.exceptions.WorkerCrashedError)


def processors() -> int:
    """How many the cluster has; one is started on this machine where there is none."""
    if not ray.is_initialized():
        ray.init()
    return max(int(ray.cluster_resources().get("CPU", 1)), 1)
