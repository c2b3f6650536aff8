"""ElastiCache clusters: a Redis each, in memory only."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from loadlift_lab.data_plane.context import Context
from loadlift_lab.data_plane.each import for_each

LOG = logging.getLogger(__name__)
PREFIX = "cache-"
ENGINES = {"redis", "valkey"}
# https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ParameterGroups.Redis.html: maxmemory of a node, in bytes
MAXMEMORY = {"cache.t3.micro": 536870912, "cache.t4g.micro": 536870912, "cache.t3.small": 1471026299}
LARGEST = 2 * 1024**3  # one machine holds the whole lab


@dataclass(frozen=True)
class Cluster:
    """A cache cluster and the port of its endpoint."""

    id: str
    port: int
    maxmemory: int


def reconcile(context: Context) -> None:
    """Run a Redis for each cluster; end those that are no more."""
    clusters = context.observed(_described)
    for gone in context.supervisor.names(PREFIX) - {PREFIX + cluster.id for cluster in clusters}:
        context.supervisor.remove(gone)
    for_each(clusters, lambda cluster: _run(context, cluster))


def command(cluster: Cluster, address: str, binary: str) -> list[str]:
    """Return the command line of a cluster's Redis: no persistence, ElastiCache's eviction."""
    settings = {
        "bind": address,
        "port": str(cluster.port),
        "save": "",
        "appendonly": "no",
        "maxmemory": str(cluster.maxmemory),
        "maxmemory-policy": "volatile-lru",
        "protected-mode": "no",
    }
    return [binary, *(word for name, value in settings.items() for word in (f"--{name}", value))]


def _run(context: Context, cluster: Cluster) -> None:
    binary = shutil.which("redis-server") or shutil.which("valkey-server")
    if not binary:
        raise FileNotFoundError(
            "redis-server is not installed. On Debian and Ubuntu: sudo apt-get install redis-server"
        )
    line = command(cluster, context.settings.address(), binary)
    context.supervisor.ensure(PREFIX + cluster.id, line, {}, working_directory=context.settings.run_directory)


def _described(context: Context) -> tuple[Cluster, ...]:
    pages = context.client("elasticache").get_paginator("describe_cache_clusters").paginate(ShowCacheNodeInfo=True)
    return tuple(cluster for page in pages for one in page["CacheClusters"] for cluster in _clusters(one))


def _clusters(described: dict[str, Any]) -> Iterator[Cluster]:
    if described["Engine"] not in ENGINES or described["CacheClusterStatus"] == "deleting":
        return
    nodes = described.get("CacheNodes") or []
    if not nodes:
        LOG.warning("The cache cluster %s has no endpoint, so it does not run.", described["CacheClusterId"])
        return
    memory = MAXMEMORY.get(described["CacheNodeType"], LARGEST)
    yield Cluster(described["CacheClusterId"], int(nodes[0]["Endpoint"]["Port"]), memory)
