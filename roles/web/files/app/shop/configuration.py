"""What the environment tells the application; it stays the same as long as the application runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LARGEST_POOL = 100


class ConfigurationError(Exception):
    """A variable of the environment is missing or wrong; the text is for people."""


@dataclass(frozen=True)
class Endpoint:
    """Host and port of a server."""

    host: str
    port: int


@dataclass(frozen=True)
class Configuration:
    """`database_secret` is a name in Secrets Manager, `settings_parameter` one in SSM Parameter Store."""

    stack: str
    region: str
    database_secret: str
    settings_parameter: str
    cache: Endpoint | None  # None: there is no cache
    database_connections: int  # at most so many in each worker process


def configuration_from(environment: Mapping[str, str]) -> Configuration:
    """Return the configuration in `environment`; raises ConfigurationError."""
    return Configuration(
        stack=_required(environment, "LOADLIFT_STACK"),
        region=_required(environment, "AWS_REGION"),
        database_secret=_required(environment, "DATABASE_SECRET"),
        settings_parameter=_required(environment, "SETTINGS_PARAMETER"),
        cache=_endpoint(environment.get("CACHE_ENDPOINT", "")),
        database_connections=_pool_size(environment.get("DATABASE_CONNECTIONS", "4")),
    )


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise ConfigurationError(f"The environment variable {name} is not set.")
    return value


def _endpoint(text: str) -> Endpoint | None:
    if not text:
        return None
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 1 <= int(port) <= 65535:
        raise ConfigurationError(
            f"CACHE_ENDPOINT is '{text}'; allowed is host:port, or nothing where there is no cache."
        )
    return Endpoint(host, int(port))


def _pool_size(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= LARGEST_POOL:
        raise ConfigurationError(f"DATABASE_CONNECTIONS is '{text}'; allowed are 1 to {LARGEST_POOL}.")
    return int(text)
