"""What the plugin does in a master and in a worker."""

from __future__ import annotations

import logging
from typing import Any

from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from loadlift_locust import access, web, worker
from loadlift_locust.master import Master
from loadlift_locust.options import told

LOG = logging.getLogger(__name__)


def attach(environment: Environment, **_kwargs: Any) -> None:
    """Hook the plugin into Locust's runner once it is made."""
    if isinstance(environment.runner, WorkerRunner):
        worker.attach(environment, environment.runner)
    elif isinstance(environment.runner, MasterRunner) and environment.web_ui:
        _guard(environment)
        web.add_routes(environment.web_ui, Master(environment, environment.runner))
    else:
        LOG.warning("This Locust is neither a worker nor a master with a web interface: no lease, no windows.")


def _guard(environment: Environment) -> None:
    path = told(environment).web_access
    try:
        if path and environment.web_ui:
            access.guard(environment.web_ui, path)
    except access.AccessError as error:
        LOG.error("%s", error)
        raise SystemExit(1) from error
