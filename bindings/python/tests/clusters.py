"""Ray's clusters on this machine, for tests."""

from __future__ import annotations

import contextlib
import os
import socket

# All nodes are on this machine: the proxy of another one has a port of its own, or requests would be shared out among proxies.
os.environ.setdefault("RAY_SERVE_WORKER_PROXY_HTTP_PORT", "0")
# Ray's workers would wait for everything else that this machine does.
os.environ.setdefault("RAY_worker_niceness", "0")

import ray


def _arguments(processors):
    """A node's. Its agent's ports are given: a node that waits to hear of them ends itself after 15 s, which is little on a busy machine (ray-project/ray#65983)."""
    names = ["metrics_agent_port", "metrics_export_port", "dashboard_agent_listen_port", "runtime_env_agent_port"]
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in names]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        ports = dict(zip(names, (one.getsockname()[1] for one in sockets)))
    return {"num_cpus": processors, "num_gpus": 0, "object_store_memory": 100 << 20, **ports}


def add(cluster, processors=1):
    """Another node."""
    node = cluster.add_node(**_arguments(processors))
    cluster.wait_for_nodes(timeout=120)
    return node


@contextlib.contextmanager
def cluster(processors=1):
    """A cluster of one node, which this process has joined."""
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"include_dashboard": False, **_arguments(processors)})
    try:
        ray.init(address=made.address, logging_level="error", log_to_driver=False)
        yield made
    finally:
        ray.shutdown()
        made.shutdown()
