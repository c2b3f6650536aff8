"""Wiring: the part itself replaces this."""

from __future__ import annotations

from loadlift_lab.data_plane.context import Context


def reconcile(context: Context) -> None:
    """Nothing yet."""
