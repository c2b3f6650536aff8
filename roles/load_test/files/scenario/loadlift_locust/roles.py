"""What the plugin does in a master and in a worker."""

from __future__ import annotations

import logging
from typing import Any

from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from loadlift_locust import web, worker
from loadlift_locust.master import Master

LOG = logging.getLogger(__name__)


def attach(environment: Environment, **_kwargs: Any) -> None:
    """Hook the plugin into Locust's runner once it is made."""
    if isinstance(environment.runner, WorkerRunner):
        worker.attach(environment, environment.runner)
    elif isinstance(environment.runner, MasterRunner) and environment.web_ui:
        web.add_routes(environment.web_ui, Master(environment, environment.runner))
    else:
        LOG.warning("This Locust is neither a worker nor a master with a web interface: no lease, no windows.")
