"""Where the lab lives and which loopback addresses it holds.

The role `lab` writes these settings as JSON to `<directory>/lab.json`; every program of the lab finds the folder in
the environment variable LOADLIFT_LAB.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

PATHS = ("directory", "run_directory", "data_directory")


@dataclass(frozen=True)
class LabSettings:
    """One lab. Two labs with different `subnet`, `directory` and `run_directory` run side by side."""

    directory: Path  # state, configuration and logs of every part
    run_directory: Path  # sockets: a short path, since a unix socket's path is limited to 107 characters
    data_directory: Path | None = None  # of the databases: PostgreSQL's own user must be able to enter
    subnet: str = "127.0.0"  # first three octets of the lab's own loopback addresses
    region: str = "us-east-1"
    account_id: str = "123456789012"  # moto's account
    control_plane_port: int = 4566
    lambda_port: int = 9001
    lambda_sandboxes: int = 10  # of a function that reserves no concurrency: what this machine bears
    lambda_idle_seconds: int = 300  # after which a sandbox without work ends
    cdn_port: int = 8000
    cdn_status_port: int = 8001
    cdn_edges: int = 3

    def address(self, host: int = 1) -> str:
        """Return the lab's loopback address number `host`, for example 127.0.0.1."""
        return f"{self.subnet}.{host}"

    @property
    def endpoint(self) -> str:
        """The URL of the control plane: what AWS_ENDPOINT_URL holds."""
        return f"http://{self.address()}:{self.control_plane_port}"

    @property
    def supervisor_socket(self) -> Path:
        return self.run_directory / "supervisor.sock"

    @property
    def databases_directory(self) -> Path:
        return (self.data_directory or self.directory) / "databases"

    @property
    def log_directory(self) -> Path:
        return self.directory / "log"

    def save(self) -> None:
        """Write the settings where `load` finds them."""
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "lab.json").write_text(json.dumps(asdict(self), default=str, indent=2) + "\n")

    @classmethod
    def load(cls, directory: Path | None = None) -> LabSettings:
        """Read the settings of the lab in `directory`, or in $LOADLIFT_LAB."""
        folder = directory or Path(os.environ["LOADLIFT_LAB"])
        raw = json.loads((folder / "lab.json").read_text())
        return cls(**raw | {name: Path(raw[name]) for name in PATHS if raw.get(name)})
