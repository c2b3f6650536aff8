"""ElastiCache: nodes with an endpoint that answers, clusters and subnet groups that are gone when they are deleted."""

from __future__ import annotations

from typing import Any

from moto.elasticache.exceptions import CacheSubnetGroupNotFound
from moto.elasticache.models import CacheCluster, ElastiCacheBackend

from loadlift_lab.control_plane.call import Call
from loadlift_lab.control_plane.moto_state import backend, put
from loadlift_lab.control_plane.registry import Refused, answer
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


# https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DeleteCacheSubnetGroup.html
@answer("elasticache", "DeleteCacheSubnetGroup")
def delete_cache_subnet_group(call: Call) -> dict[str, Any]:
    """Remove a subnet group that no cluster uses."""
    elasticache, name = backend(call, "elasticache"), call.parameters["CacheSubnetGroupName"]
    if name not in elasticache.cache_subnet_groups:
        raise CacheSubnetGroupNotFound(name)
    if any(cluster.cache_subnet_group_name == name for cluster in elasticache.cache_clusters.values()):
        raise Refused("CacheSubnetGroupInUse", f"Cache subnet group {name} is currently in use by a cache cluster.")
    del elasticache.cache_subnet_groups[name]
    return {}
