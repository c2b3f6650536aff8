"""The matcher by which plans foresee what a rule takes, against HAProxy: every request goes to the same rule."""

from __future__ import annotations

from http.client import HTTPConnection

from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.request import Request, taken_by
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.rule import Rule
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loadlift_lab.data_plane.load_balancer import model as lab_model
from test_load_balancer_traffic import ADDRESS, haproxy
from unit.rules.sending import answer
from unit.rules.strategies import CONDITIONS, REQUESTS

OTHER_ADDRESS = "10.0.0.0/8"  # of the generated sources; here it stands for the address of this test
LISTENERS = st.lists(CONDITIONS, min_size=1, max_size=5)


def lab_rule(rule: Rule) -> lab_model.Rule:
    """Return a rule as the lab's data plane renders it; it answers with its priority."""
    conditions = tuple(
        lab_model.Condition(one.field, one.values, regex_values=one.regexes, pairs=one.pairs, header=one.header)
        for one in rule.conditions
    )
    return lab_model.Rule(rule.priority, lab_model.FixedResponse(200, body=str(rule.priority)), conditions)


def from_here(rule: Rule) -> Rule:
    """Return the rule with one of its networks being the one from which this test asks."""
    conditions = tuple(
        type(one)(
            one.field,
            tuple(value.replace(OTHER_ADDRESS, "127.0.0.0/8") for value in one.values),
            one.regexes,
            one.pairs,
            one.header,
        )
        for one in rule.conditions
    )
    return Rule(rule.arn, rule.priority, conditions, ())


def ask(port: int, request: Request) -> str:
    """Send the request and return which rule answered."""
    query = f"?{request.query}" if request.query else ""
    connection = HTTPConnection(ADDRESS, port, timeout=20, source_address=(ADDRESS, 0))
    return answer(connection, request.path + query, request)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(LISTENERS, st.lists(REQUESTS, min_size=20, max_size=40))
def test_haproxy_and_the_plan_agree(listener: list[tuple[object, ...]], requests: list[Request]) -> None:
    rules = [from_here(Rule(f"r{n}", n, conditions, ())) for n, conditions in enumerate(listener, start=1)]  # type: ignore[arg-type]
    default = lab_model.Rule(50001, lab_model.FixedResponse(200, body="default"), ())
    with haproxy([*map(lab_rule, rules), default]) as port:
        for request in requests:
            sent = Request(**{**vars(request), "source_ip": ADDRESS})
            taker, _misses = taken_by(rules, sent)
            assert ask(port, sent) == (str(taker.priority) if taker else "default")
