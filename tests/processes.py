"""What tests ask about processes."""

from __future__ import annotations

import psutil


def lives(pid: int) -> bool:
    """Tell whether a process runs: one that has ended may still wait for its parent."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
