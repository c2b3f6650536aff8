"""Application load balancers: one HAProxy, its configuration rendered from listeners, rules, weights and targets."""

from __future__ import annotations

from loadlift_lab.data_plane.context import Context
from loadlift_lab.data_plane.load_balancer import account, health, process
from loadlift_lab.data_plane.load_balancer.configuration import render
from loadlift_lab.data_plane.load_balancer.health import TargetHealth
from loadlift_lab.data_plane.load_balancer.model import Snapshot


def reconcile(context: Context) -> None:
    """Make HAProxy serve what the API describes, and tell the API which targets are healthy."""
    snapshot, configuration = context.observed(_described)
    if not snapshot.load_balancers:
        process.remove(context)
        return
    process.take_up(context, configuration)
    _report_health(context, snapshot)


def _described(context: Context) -> tuple[Snapshot, str]:
    snapshot = account.read(context)
    return snapshot, render(snapshot, process.surroundings(context.settings))


def _report_health(context: Context, snapshot: Snapshot) -> None:
    told = context.observed(_nothing_told)
    measured = health.measured(snapshot, process.statistics(context.settings))
    if measured != told:
        health.report(context.settings, measured)
        told[:] = measured


def _nothing_told(context: Context) -> list[TargetHealth]:
    return []  # a new generation may be that of a control plane that was started anew
