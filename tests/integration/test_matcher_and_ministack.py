"""The matcher by which plans foresee what a rule takes, against ministack, where this is right.

It knows no query strings and no sources, and takes the case of host names for real. The other kinds of conditions, and
the order of the rules, are AWS's.
"""

from __future__ import annotations

from dataclasses import replace
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules import condition
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.condition import Condition
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.request import Request, taken_by
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.rule import rule_from_aws
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.rules.sending import answer
from unit.rules.strategies import CONDITIONS, REQUESTS

from integration.account import Account, fixed

KNOWN = (condition.PATH, condition.HOST, condition.METHOD, condition.HEADER)


def known(conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """Return what ministack is right about."""
    return tuple(
        replace(one, values=tuple(value.lower() for value in one.values)) if one.field == condition.HOST else one
        for one in conditions
        if one.field in KNOWN
    )


LISTENERS = st.lists(CONDITIONS.map(known).filter(bool), min_size=1, max_size=4)
SENT = REQUESTS.map(lambda one: replace(one, host=one.host.lower() or "c.b", query="", source_ip=""))


@pytest.fixture
def listener(aws: Account) -> str:
    if aws.emulator.name != "ministack":
        pytest.skip("our control plane sends no traffic; tests/lab asks its HAProxy")
    return aws.listener()


def ask(aws: Account, balancer: str, request: Request) -> str:
    """Send a request to the load balancer and return which rule answered."""
    address = urlsplit(aws.emulator.endpoint)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=20)
    return answer(connection, f"/_alb/{balancer}{request.path}", request)


def rules_of(aws: Account, listener: str, wanted: list[tuple[Condition, ...]]) -> list[Any]:
    """Make these rules the listener's; each answers with its priority. Return them as a module reads them."""
    client = aws.client("elbv2")
    for rule in aws.rules(listener):
        client.delete_rule(RuleArn=rule["RuleArn"])
    for number, conditions in enumerate(wanted, start=1):
        client.create_rule(
            ListenerArn=listener,
            Priority=number,
            Conditions=condition.to_aws(conditions),
            Actions=[fixed("200", str(number))],
        )
    return [rule_from_aws(rule, {}) for rule in aws.rules(listener)]


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_ministack_and_the_plan_agree(aws: Account, listener: str, data: st.DataObject) -> None:
    rules = rules_of(aws, listener, data.draw(LISTENERS))
    for request in data.draw(st.lists(SENT, min_size=10, max_size=20)):
        taker, _misses = taken_by(rules, request)
        got = ask(aws, f"{aws.prefix}-alb", request)
        assert got == (str(taker.priority) if taker else ""), (rules, request)
