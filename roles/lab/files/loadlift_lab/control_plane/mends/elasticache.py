"""ElastiCache: nodes with an endpoint that answers, and clusters that are gone when they are deleted."""

from __future__ import annotations

from typing import Any

from moto.elasticache.models import CacheCluster, ElastiCacheBackend

from loadlift_lab.control_plane.moto_state import put
from loadlift_lab.settings import LabSettings

DEFAULT_PORT = 6379


def apply() -> None:
    """Give every cluster its nodes: the lab's data plane runs them at this address."""
    address = LabSettings.load().address()

    # https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CacheNode.html
    def cache_nodes(cluster: Any) -> list[dict[str, Any]]:
        endpoint = {"Address": address, "Port": cluster.port or DEFAULT_PORT}
        return [{"CacheNodeId": "0001", "CacheNodeStatus": "available", "Endpoint": endpoint}]

    # https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CacheCluster.html
    def security_groups(cluster: Any) -> list[dict[str, str]]:
        return [{"SecurityGroupId": group, "Status": "active"} for group in cluster.security_group_ids]

    mark_deleting = ElastiCacheBackend.delete_cache_cluster

    # moto keeps a deleted cluster as `deleting` for good; on AWS it is CacheClusterNotFound when the deletion is done:
    # https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DeleteCacheCluster.html
    def delete_cache_cluster(backend: ElastiCacheBackend, cache_cluster_id: str) -> CacheCluster:
        cluster = mark_deleting(backend, cache_cluster_id)
        del backend.cache_clusters[cache_cluster_id]
        return cluster

    put(ElastiCacheBackend, "delete_cache_cluster", delete_cache_cluster)
    put(CacheCluster, "cache_nodes", property(cache_nodes))
    put(CacheCluster, "security_groups", property(security_groups))
    put(CacheCluster, "cache_security_groups", ())
