"""What a swarm is told beside users and spawn rate: fields of the web interface's /swarm, passed on to every worker."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from locust.argument_parser import LocustArgumentParser
from locust.env import Environment

# The values are text and numbers: Locust keeps the type of the default when a field arrives.
OPTIONS: dict[str, tuple[str | float, str]] = {
    "swarm_id": ("", "Who started the swarm; empty for a person at the web interface"),
    "swarm_lease": (0.0, "Seconds until the swarm stops unless its lease is renewed; 0: no lease"),
    "swarm_addresses": ("", "host:port,... to connect to instead of the host's own; visitors are spread over them"),
    "swarm_request_timeout": (60.0, "Seconds that a visitor waits for an answer"),
    "swarm_wait": ("5-15", "Seconds between a visitor's requests, as MIN-MAX"),
    "swarm_shape": ("", "JSON rows [seconds since all were up, users, spawn rate]: how the number of users goes on"),
    "swarm_slices": (0, "1 keeps what came in each second, each request apart"),
}


def add(parser: LocustArgumentParser, **_kwargs: Any) -> None:
    """Add the options to Locust's command line."""
    group = parser.add_argument_group("loadlift.aws")
    for name, (default, text) in OPTIONS.items():
        flag = "--" + name.replace("_", "-")
        group.add_argument(flag, dest=name, type=type(default), default=default, help=text)
    secrets = "JSON file with user and password, or token, that --web-login asks for"
    group.add_argument("--web-access", dest="web_access", default="", help=secrets)


def told(environment: Environment) -> Namespace:
    """Return what this Locust was told on its command line and, since, by /swarm or by its master."""
    if environment.parsed_options is None:
        raise RuntimeError("Locust has no options: start it with its command line.")
    options: Namespace = environment.parsed_options
    return options


def tell_key(environment: Environment, key: str) -> None:
    """Tell each worker, with its next users, which start of a swarm they belong to: ids come again, keys do not."""
    told(environment).swarm_key = key


def swarm_key(environment: Environment) -> str:
    """Return the key of the last swarm that was started here; empty before the first."""
    return str(getattr(told(environment), "swarm_key", ""))


def defaults() -> dict[str, str | float]:
    """Return the options of a swarm that a person starts."""
    return {name: default for name, (default, _) in OPTIONS.items()}
