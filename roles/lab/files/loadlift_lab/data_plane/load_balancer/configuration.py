"""haproxy.cfg from a snapshot of the account: pure text, one frontend a listener, one backend a target group."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator

from loadlift_lab.data_plane.load_balancer.conditions import acl_lines
from loadlift_lab.data_plane.load_balancer.model import (
    FixedResponse,
    Forward,
    HealthCheck,
    Listener,
    LoadBalancer,
    Redirect,
    Rule,
    Snapshot,
    Surroundings,
    Target,
    TargetGroup,
)
from loadlift_lab.data_plane.load_balancer.quoting import UnusableValueError, name_of, quote, quote_format

LOG = logging.getLogger(__name__)
UNAVAILABLE = "unavailable"  # the backend of a rule without any group to forward to
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html: a target has
# 10 seconds to accept a connection.
CONNECT_SECONDS = 10
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html: it waits for a function
# until that responds or times out, which is 15 minutes at most; and here, for a sandbox.
FUNCTION_SECONDS = 960


def render(snapshot: Snapshot, surroundings: Surroundings) -> str:
    """Return the configuration; its description names it, so that a running HAProxy tells which one it has."""
    groups = {group.arn: group for group in snapshot.target_groups}
    sections = [
        *(
            section
            for lb in snapshot.load_balancers
            for listener in lb.listeners
            for section in (_frontend(lb, listener, groups, surroundings), _successor(lb, listener, surroundings))
        ),
        *(_backend(group, snapshot.load_balancers, surroundings) for group in snapshot.target_groups),
        _unavailable(),
    ]
    body = "\n".join(["\n".join(_defaults(surroundings)), *("\n".join(section) for section in sections)])
    return "\n".join([*_global(surroundings, identity_of(body + repr(surroundings))), body, ""])


def identity_of(text: str) -> str:
    """Return a short name for a configuration."""
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:16]


def identity_in(configuration: str) -> str:
    """Return the name that `render` gave to `configuration`."""
    return configuration.split("description ", 1)[1].split("\n", 1)[0]


def backend_name(group: TargetGroup) -> str:
    """Return the name of a target group's backend: its name and the end of its ARN, for two of one name follow."""
    return name_of(f"{group.name}-{group.arn.rsplit('/', 1)[-1]}")


def server_name(target: Target) -> str:
    """Return the name of a target's server in its backend."""
    return name_of(f"{target.address}:{target.port}")


def _global(surroundings: Surroundings, identity: str) -> list[str]:
    statistics = quote(f"{surroundings.socket_directory}/haproxy.sock")
    return [
        "# Written by the data plane from the API's load balancers.",
        "global",
        f"  description {identity}",
        f"  maxconn {surroundings.maxconn}",
        f"  stats socket {statistics} mode 600 level admin expose-fd listeners",
        f"  server-state-file {quote(surroundings.server_state)}",
        "  hard-stop-after 300s",
        # Else a reload closes a connection between two requests just as the next one arrives.
        "  close-spread-time infinite",
    ]


def _defaults(surroundings: Surroundings) -> list[str]:
    return [
        "defaults",
        "  mode http",
        "  option http-keep-alive",
        "  http-reuse safe",
        "  retries 0",
        f"  timeout connect {CONNECT_SECONDS}s",
        "  timeout client 60s",
        "  timeout server 60s",
        "  load-server-state-from-file global",
        # HAProxy says 503 where a load balancer of AWS says 502: the target refuses the connection.
        f"  errorfile 503 {quote(surroundings.bad_gateway)}",
    ]


def _frontend(
    lb: LoadBalancer, listener: Listener, groups: dict[str, TargetGroup], surroundings: Surroundings
) -> list[str]:
    name = _frontend_name(lb, listener)
    return [
        f"frontend {name}",
        f"  bind {lb.address}:{listener.port}",
        f"  bind {_handover(name, surroundings)} accept-proxy mode 600",
        *_hand_over(name),
        f"  timeout client {lb.idle_timeout}s",
        f"  timeout http-keep-alive {lb.idle_timeout}s",
        "  acl decided var(txn.backend) -m found",
        "  http-request del-header X-Lab- -m beg",
        *_forwarded_headers(listener.port),
        *(f"  {line}" for rule in listener.rules for line in _rule(rule, listener.port, groups)),
        "  use_backend %[var(txn.backend)]",
        f"  default_backend {UNAVAILABLE}",
    ]


def _frontend_name(lb: LoadBalancer, listener: Listener) -> str:
    return f"{name_of(lb.name)}-{listener.port}"


def _hand_over(frontend: str) -> list[str]:
    """Let a process that a reload has replaced pass the next request of a kept connection on, and then close it.

    So no connection is closed under a request, and no request meets yesterday's rules.
    """
    return [
        "  http-request allow if { stopping }",
        "  http-after-response set-header Connection close if { stopping }",
        f"  use_backend {frontend}-successor if {{ stopping }}",
    ]


def _successor(lb: LoadBalancer, listener: Listener, surroundings: Surroundings) -> list[str]:
    name = _frontend_name(lb, listener)
    return [
        f"backend {name}-successor",
        f"  timeout server {lb.idle_timeout}s",
        f"  server successor {_handover(name, surroundings)} send-proxy-v2",
    ]


def _handover(frontend: str, surroundings: Surroundings) -> str:
    return quote(f"unix@{surroundings.socket_directory}/{frontend}.sock")


def _forwarded_headers(port: int) -> list[str]:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html"""
    chain = "'%[req.fhdr(x-forwarded-for)], %[src]'"
    return [
        "  acl forwarded req.fhdr(x-forwarded-for) -m found",
        f"  http-request set-header X-Forwarded-For {chain} if forwarded",
        "  http-request set-header X-Forwarded-For %[src] if !forwarded",
        "  http-request set-header X-Forwarded-Proto http",
        f"  http-request set-header X-Forwarded-Port {port}",
    ]


def _rule(rule: Rule, port: int, groups: dict[str, TargetGroup]) -> list[str]:
    name = f"r{rule.priority}"
    try:
        names = [f"{name}c{number}" for number in range(len(rule.conditions))]
        acls = [
            line for acl, condition in zip(names, rule.conditions, strict=True) for line in acl_lines(acl, condition)
        ]
        return [*acls, *_action(rule, " ".join(["if !decided", *names]), port, groups)]
    except UnusableValueError as error:
        LOG.warning("The rule of priority %s matches nothing: %s.", rule.priority, error)
        return []


def _action(rule: Rule, condition: str, port: int, groups: dict[str, TargetGroup]) -> Iterator[str]:
    match rule.action:
        case Forward() as forward:
            yield from _forward(rule.priority, forward, condition, groups)
        case Redirect() as redirect:
            yield from _redirect(redirect, condition, port)
        case FixedResponse() as response:
            yield _fixed_response(response, condition)


def _forward(priority: int, forward: Forward, condition: str, groups: dict[str, TargetGroup]) -> Iterator[str]:
    weighted = [(backend_name(groups[arn]), weight) for arn, weight in forward.groups if arn in groups and weight]
    if len(weighted) > 1:
        yield f"http-request set-var(txn.draw{priority}) rand({sum(weight for _, weight in weighted)}) {condition}"
    bound = 0
    for backend, weight in weighted[:-1]:
        bound += weight
        drawn = f"{{ var(txn.draw{priority}) -m int lt {bound} }}"
        yield f"http-request set-var(txn.backend) str({backend}) {condition} {drawn}"
    last = weighted[-1][0] if weighted else UNAVAILABLE
    yield f"http-request set-var(txn.backend) str({last}) {condition}"


def _redirect(redirect: Redirect, condition: str, port: int) -> Iterator[str]:
    parts = [redirect.protocol.lower(), "://", redirect.host, ":", redirect.port, redirect.path]
    base = "".join(_filled(part, port) for part in parts)
    query = _filled(redirect.query, port)
    send = f"http-request redirect code {redirect.status} location"
    if redirect.query == "#{query}":
        yield f"{send} {quote(base + '?' + query)} {condition} {{ query -m found }} {{ query -m len gt 0 }}"
        yield f"{send} {quote(base)} {condition}"
    else:
        yield f"{send} {quote(base + '?' + query if query else base)} {condition}"


def _filled(part: str, port: int) -> str:
    text = quote_format(part)
    for word, value in (
        ("#{protocol}", "http"),
        ("#{host}", "%[req.hdr(host),host_only]"),
        ("#{port}", str(port)),
        ("#{path}", "%[path,bytes(1)]"),
        ("#{query}", "%[query]"),
    ):
        text = text.replace(word, value)
    return text


def _fixed_response(response: FixedResponse, condition: str) -> str:
    payload = f"content-type {quote(response.content_type)} string {quote(response.body)} " if response.body else ""
    return f"http-request return status {response.status} {payload}hdr Server awselb/2.0 {condition}"


def _backend(group: TargetGroup, load_balancers: Iterable[LoadBalancer], surroundings: Surroundings) -> list[str]:
    if group.type == "lambda" and group.function_arn:
        return [f"backend {backend_name(group)}", *_lambda_server(group, group.function_arn, surroundings)]
    idle = max((lb.idle_timeout for lb in load_balancers if _uses(lb, group)), default=60)
    lines = [f"backend {backend_name(group)}", f"  timeout server {idle}s"]
    if not group.targets:
        return [*lines, f"  {_no_target()}"]
    return [*lines, *_balance(group), *_check(group.health_check), *_servers(group)]


def _uses(lb: LoadBalancer, group: TargetGroup) -> bool:
    actions = (rule.action for listener in lb.listeners for rule in listener.rules)
    return any(isinstance(action, Forward) and group.arn in dict(action.groups) for action in actions)


def _unavailable() -> list[str]:
    return [f"backend {UNAVAILABLE}", f"  {_no_target()}"]


def _no_target() -> str:
    title = "503 Service Temporarily Unavailable"
    return f"http-request return status 503 content-type text/html string {quote(page(title))} hdr Server awselb/2.0"


def page(title: str) -> str:
    """Return the body of an error that the load balancer itself answers."""
    return (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        "</body>\r\n</html>\r\n"
    )


def bad_gateway() -> str:
    """Return the whole answer of a load balancer whose target refuses the connection."""
    body = page("502 Bad Gateway")
    head = f"HTTP/1.1 502 Bad Gateway\r\nServer: awselb/2.0\r\nContent-Type: text/html\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n{body}"


def _lambda_server(group: TargetGroup, function_arn: str, surroundings: Surroundings) -> list[str]:
    multi_value = str(group.multi_value_headers).lower()
    return [
        f"  timeout server {FUNCTION_SECONDS}s",
        f"  http-request set-header X-Lab-Function-Arn {quote(quote_format(function_arn))}",
        f"  http-request set-header X-Lab-Target-Group-Arn {quote(quote_format(group.arn))}",
        f"  http-request set-header X-Lab-Multi-Value {multi_value}",
        f"  server lambda {surroundings.lambda_address}:{surroundings.lambda_port}",
    ]


def _balance(group: TargetGroup) -> list[str]:
    method = {"least_outstanding_requests": "leastconn", "weighted_random": "random"}.get(group.algorithm, "roundrobin")
    cookie = f"  cookie AWSALB insert maxlife {group.stickiness_seconds}s" if group.stickiness_seconds else ""
    return [f"  balance {method}", *([cookie] if cookie else [])]


def _check(check: HealthCheck) -> list[str]:
    if not check.enabled:
        return []
    return [
        "  option httpchk",
        f"  http-check send meth GET uri {quote(check.path)} ver HTTP/1.1 hdr Host health-check"
        " hdr User-Agent ELB-HealthChecker/2.0",
        f"  http-check expect status {quote(check.matcher.replace(' ', ''))}",
        f"  timeout check {check.timeout}s",
        "  option allbackups",
    ]


def _servers(group: TargetGroup) -> Iterator[str]:
    for target in group.targets:
        sticky = f" cookie {identity_of(target.id)}" if group.stickiness_seconds else ""
        place = f"{target.address}:{target.port}"
        if not group.health_check.enabled:
            yield f"  server {server_name(target)} {place}{sticky}"
            continue
        yield f"  server {server_name(target)} {place}{_checked(group.health_check)}{sticky}"
        # With no healthy target at all, a load balancer sends to all of them.
        yield f"  server unhealthy-{server_name(target)} {place} backup{sticky}"


def _checked(check: HealthCheck) -> str:
    port = f" port {check.port}" if check.port else ""
    return f" check inter {check.interval}s fall {check.unhealthy_threshold} rise {check.healthy_threshold}{port}"
