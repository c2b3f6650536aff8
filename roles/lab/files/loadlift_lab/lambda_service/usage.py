"""What a process uses."""

from __future__ import annotations

import os
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")  # bytes


def resident_memory(process: int) -> int:
    """Return the resident memory of `process` in MB; 0 when it is gone."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE // (1024 * 1024)
    except (OSError, ValueError):
        return 0
