"""What the deployment says of the scenario, in scenario.json beside this package; without it, the defaults."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[1] / "scenario.json"
USER = "user"  # a connection of its own for each user, as on the internet
SHARED = "shared"  # one pool of connections for all users of a worker


@dataclass(frozen=True)
class Scenario:
    """`shared_connections` is how many a worker opens to each address where its users share them."""

    connections: str = USER
    shared_connections: int = 200
    requests: list[dict[str, Any]] = field(default_factory=list)


@lru_cache
def scenario() -> Scenario:
    """Return what was deployed."""
    return Scenario(**json.loads(FILE.read_text())) if FILE.exists() else Scenario()
