"""Database and cache engines: PostgreSQL for RDS, Redis for ElastiCache, at the port that the API tells."""

from __future__ import annotations

from loadlift_lab.data_plane.context import Context
from loadlift_lab.data_plane.each import for_each
from loadlift_lab.data_plane.engines import postgresql, redis


def reconcile(context: Context) -> None:
    """Run an engine for each database instance and cache cluster; end those that are no more."""
    for_each([postgresql, redis], lambda engine: engine.reconcile(context))
