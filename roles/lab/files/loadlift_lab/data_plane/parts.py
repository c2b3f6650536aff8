"""The parts of the data plane, by name. Each makes one kind of resource real: `reconcile(context) -> None`."""

from __future__ import annotations

from collections.abc import Callable

from loadlift_lab.data_plane import cdn, engines, instances, load_balancer
from loadlift_lab.data_plane.context import Context

PARTS: dict[str, Callable[[Context], None]] = {
    "engines": engines.reconcile,
    "instances": instances.reconcile,
    "load balancer": load_balancer.reconcile,
    "cdn": cdn.reconcile,
}
