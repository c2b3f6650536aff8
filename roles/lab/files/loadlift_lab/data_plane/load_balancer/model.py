"""What the API tells about load balancers, as far as traffic depends on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TargetType = Literal["instance", "ip", "lambda"]


@dataclass(frozen=True)
class Target:
    """A registered instance or address."""

    id: str  # as registered: an instance id or an address
    address: str
    port: int


@dataclass(frozen=True)
class HealthCheck:
    """An HTTP health check; times in seconds."""

    path: str = "/"
    port: int | None = None  # None: the target's own
    interval: int = 30
    timeout: int = 5
    healthy_threshold: int = 5
    unhealthy_threshold: int = 2
    matcher: str = "200"  # codes and ranges: "200,202" or "200-299"
    enabled: bool = True


@dataclass(frozen=True)
class TargetGroup:
    """Targets of one kind; a Lambda group holds its function instead."""

    arn: str
    name: str
    type: TargetType = "instance"
    targets: tuple[Target, ...] = ()
    function_arn: str | None = None
    multi_value_headers: bool = False
    health_check: HealthCheck = HealthCheck()
    algorithm: str = "round_robin"
    stickiness_seconds: int | None = None  # None: none


@dataclass(frozen=True)
class Condition:
    """One condition of a rule: any of its values or regular expressions matches."""

    field: str  # the API's word, for example "path-pattern"
    values: tuple[str, ...] = ()
    regex_values: tuple[str, ...] = ()
    header: str = ""  # of http-header
    pairs: tuple[tuple[str, str], ...] = ()  # of query-string; an empty key means any


@dataclass(frozen=True)
class Forward:
    """Forward to target groups: (ARN, weight 0..999)."""

    groups: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Redirect:
    """A redirect; the parts may hold #{protocol}, #{host}, #{port}, #{path} and #{query}."""

    status: int
    protocol: str = "#{protocol}"
    host: str = "#{host}"
    port: str = "#{port}"
    path: str = "/#{path}"
    query: str = "#{query}"


@dataclass(frozen=True)
class FixedResponse:
    """An answer of the load balancer's own."""

    status: int
    content_type: str = "text/plain"
    body: str = ""


Action = Forward | Redirect | FixedResponse


@dataclass(frozen=True)
class Rule:
    """All conditions hold: then the action. The default rule has no conditions."""

    priority: int
    action: Action
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Listener:
    """An HTTP listener: its rules in the order in which they are tried, the default rule last."""

    port: int
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class LoadBalancer:
    """One application load balancer at its loopback address."""

    name: str
    address: str
    listeners: tuple[Listener, ...]
    idle_timeout: int = 60  # seconds


@dataclass(frozen=True)
class Snapshot:
    """All load balancers of an account."""

    load_balancers: tuple[LoadBalancer, ...] = ()
    target_groups: tuple[TargetGroup, ...] = ()


@dataclass(frozen=True)
class Surroundings:
    """What HAProxy finds on this machine."""

    lambda_address: str
    lambda_port: int
    socket_directory: str
    server_state: str  # file: what the previous process knew of its servers
    bad_gateway: str  # file: the answer when a target refuses the connection
    maxconn: int = 4000
