"""Files that are either the old or the new ones, never half of each."""

from __future__ import annotations

import os
from pathlib import Path


def write_if_different(path: Path, text: str, mode: int = 0o644) -> bool:
    """Make `path` hold `text` with `mode`, in one step; return whether it held something else."""
    if path.exists() and path.read_text() == text and path.stat().st_mode & 0o777 == mode:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
    draft.chmod(mode)
    draft.replace(path)
    return True
