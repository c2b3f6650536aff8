"""`python -m loadlift_lab.control_plane`: gunicorn with one worker, since the account lives in its memory."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
from typing import Any

from gunicorn.app.base import BaseApplication

from loadlift_lab.settings import LabSettings

PR_SET_PDEATHSIG = 1  # linux/prctl.h
THREADS = 32  # enough for the long polls of every part and for the users' clients


class ControlPlane(BaseApplication):  # type: ignore[misc]
    """The server of one lab's control plane."""

    def __init__(self, settings: LabSettings) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Set gunicorn's options."""
        options = {
            "bind": f"{self._settings.address()}:{self._settings.control_plane_port}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": THREADS,
            "timeout": 0,  # a replay may take long
            "graceful_timeout": 1,  # long polls would hold it up
            "keepalive": 75,
            "control_socket_disable": True,
            "proc_name": "loadlift-control-plane",
            "post_fork": _end_with_parent,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Return the WSGI application, with the account as the journal tells it: runs in the worker."""
        from loadlift_lab.control_plane.application import create_application

        return create_application(self._settings)


def _end_with_parent(arbiter: Any, worker: Any) -> None:
    """Let the worker end with a killed arbiter: it would hold the journal until its long polls are over."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _fix_hash_seed() -> None:
    """Start anew with a fixed order of sets: moto goes through some, and a replay must find the same order."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "loadlift_lab.control_plane"])


def main() -> None:
    """Serve until SIGTERM."""
    _fix_hash_seed()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("botocore").setLevel(logging.WARNING)
    # Nothing may reach the real AWS from here, nor wait for an instance's credentials.
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    settings = LabSettings.load()
    # Every access key belongs to the one account; moto reads this when it is imported.
    os.environ["MOTO_ACCOUNT_ID"] = settings.account_id
    # https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html: AWS's own policies are there.
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    ControlPlane(settings).run()


if __name__ == "__main__":
    main()
