"""`python -m loadlift_lab.data_plane.cdn.launch FOLDER`: becomes the nginx of the edge whose configuration is there.

A master that was killed leaves its worker behind, which holds the address, and sockets' files: both go first.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psutil

from loadlift_lab.data_plane.cdn.process import binary, socket_files

ORPHAN_SECONDS = 5


def orphans(folder: Path) -> list[psutil.Process]:
    """Return the processes that an earlier nginx of this folder left behind."""
    found = []
    for process in psutil.process_iter(["name"]):
        try:
            if process.info["name"] == "nginx" and Path(process.cwd()) == folder:
                found.append(process)
        except psutil.Error:  # it ended meanwhile, or is somebody else's
            continue
    return found


def main(arguments: list[str]) -> None:
    """End what is left of an earlier nginx, and become the new one."""
    folder = Path(arguments[0]).resolve()
    left = orphans(folder)
    for process in left:
        process.kill()
    psutil.wait_procs(left, timeout=ORPHAN_SECONDS)
    for socket_file in socket_files(folder / "nginx.conf"):
        socket_file.unlink(missing_ok=True)
    os.chdir(folder)
    nginx = binary()
    os.execv(nginx, [nginx, "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")])


if __name__ == "__main__":
    main(sys.argv[1:])
