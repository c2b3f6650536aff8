"""What every part of the data plane is given: the lab's settings, its API and its supervisor."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import boto3
from botocore.config import Config

from loadlift_lab.data_plane.supervisor import Supervisor
from loadlift_lab.settings import LabSettings

Observed = TypeVar("Observed")

# Emulators ask for credentials and check none: these open nothing.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "LABACCESSKEYID000000",
    "AWS_SECRET_ACCESS_KEY": "lab-secret-access-key-that-opens-nothing",
}
# By this word the control plane may tell the lab's own calls from those of the lab's users.
USER_AGENT = "loadlift-lab"


def aws_environment(settings: LabSettings) -> dict[str, str]:
    """Return the environment with which an AWS client talks to this lab, as an instance profile would give it."""
    return CREDENTIALS | {
        "AWS_ENDPOINT_URL": settings.endpoint,
        "AWS_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


class Clients:
    """The boto3 clients of one process, made when first asked for."""

    def __init__(self, settings: LabSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}

    def get(self, service: str) -> Any:
        """Return the client of `service`, for example "elbv2"."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._make(service)
            return self._clients[service]

    def _make(self, service: str) -> Any:
        session: Any = boto3.session.Session()  # typed by service name, which is not known here
        return session.client(
            service,
            endpoint_url=self._settings.endpoint,
            region_name=self._settings.region,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            config=Config(
                connect_timeout=2,
                read_timeout=15,
                retries={"mode": "standard", "total_max_attempts": 3},
                user_agent_extra=USER_AGENT,
            ),
        )


@dataclass(frozen=True)
class Context:
    """One look at the account: `generation` tells which one, and grows with every change."""

    settings: LabSettings
    supervisor: Supervisor
    clients: Clients
    generation: int = 0
    _observations: dict[Any, tuple[int, Any]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, settings: LabSettings) -> Context:
        """Return the context of a lab, before the first look at its account."""
        return cls(settings, Supervisor(settings), Clients(settings))

    def client(self, service: str) -> Any:
        """Return the boto3 client of `service` at the lab's endpoint."""
        return self.clients.get(service)

    def observed(self, read: Callable[[Context], Observed]) -> Observed:
        """Return what `read(context)` tells of the account, asking again only when the generation has changed.

        `read` is a function of a module: the answer is kept by its identity.
        """
        generation, answer = self._observations.get(read, (None, None))
        if generation != self.generation:
            answer = read(self)
            self._observations[read] = (self.generation, answer)
        return answer  # type: ignore[return-value]
