"""To be written."""

from __future__ import annotations

from loadlift_lab.data_plane.context import Context


def reconcile(context: Context) -> None:
    """Nothing yet."""
