"""Target health as HAProxy measures it, in the words of DescribeTargetHealth."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from loadlift_lab.data_plane.load_balancer.configuration import backend_name, server_name
from loadlift_lab.data_plane.load_balancer.model import Snapshot, TargetGroup
from loadlift_lab.settings import LabSettings


@dataclass(frozen=True)
class TargetHealth:
    """One target's health, with the API's words for state and reason."""

    target_group_arn: str
    id: str
    port: int | None
    state: str
    reason: str | None = None
    description: str | None = None


# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
INITIAL = ("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
DISABLED = ("unavailable", "Target.HealthCheckDisabled", "Health checks are not enabled for this target group")
FAILURES = {
    "L4TOUT": ("Target.Timeout", "Request timed out"),
    "L7TOUT": ("Target.Timeout", "Request timed out"),
    "L7STS": ("Target.ResponseCodeMismatch", "Health checks failed with these codes: [{code}]"),
}


def measured(snapshot: Snapshot, rows: Iterable[Mapping[str, str]]) -> list[TargetHealth]:
    """Return the health of every target, from the rows of HAProxy's `show stat`."""
    servers = {(row["pxname"], row["svname"]): row for row in rows}
    return [health for group in snapshot.target_groups for health in _of_group(group, servers)]


def _of_group(group: TargetGroup, servers: Mapping[tuple[str, str], Mapping[str, str]]) -> Iterable[TargetHealth]:
    if group.type == "lambda":
        if group.function_arn:
            yield TargetHealth(group.arn, group.function_arn, None, *DISABLED)
        return
    for target in group.targets:
        row = servers.get((backend_name(group), server_name(target)))
        if row:
            yield TargetHealth(group.arn, target.id, target.port, *_state(row))


def _state(row: Mapping[str, str]) -> tuple[str, str | None, str | None]:
    status = row["status"].split(" ")[0]
    if status == "no":  # "no check"
        return DISABLED
    if status == "UP":
        return "healthy", None, None
    if not int(row["chkfail"] or 0) and row["check_status"].removeprefix("* ") in ("", "INI", "UNK"):
        return INITIAL
    reason, text = FAILURES.get(
        row["check_status"].removeprefix("* "), ("Target.FailedHealthChecks", "Health checks failed")
    )
    return "unhealthy", reason, text.format(code=row["check_code"])


def report(settings: LabSettings, healths: Iterable[TargetHealth]) -> None:
    """Tell the control plane; raises OSError while it is away."""
    body = json.dumps([asdict(health) for health in healths]).encode()
    request = urllib.request.Request(f"{settings.endpoint}/_lab/target-health", body, method="PUT")
    request.add_header("Content-Type", "application/json")
    urllib.request.urlopen(request, timeout=5).close()
