"""Rules, listeners, tasks and requests, small enough that they meet each other often."""

from __future__ import annotations

from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules import condition
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.action import (
    Action,
    actions_to_aws,
    forward,
    from_option,
)
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.condition import Condition, Conditions
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.path_rule import WantedRule
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.priority import WantedPlace
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.request import Request
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.rule import Rule
from ansible_collections.loadlift.aws.plugins.module_utils._plan.rules.rule_set import WantedSet
from hypothesis import strategies as st

from .model import LISTENER, Model

GROUP = LISTENER.split("listener")[0] + "targetgroup/{}/0123456789abcdef"
PATTERN = st.text("ab*?", max_size=3)
PATHS = st.lists(st.builds("/{}".format, PATTERN), min_size=1, max_size=2, unique=True)
HOSTS = st.lists(st.sampled_from(["a.b", "A.b", "*.b", "a.*", "c.b", "*"]), min_size=1, max_size=2, unique=True)
METHODS = st.lists(st.sampled_from(["GET", "POST", "PUT"]), min_size=1, max_size=2, unique=True)
SOURCES = st.lists(st.sampled_from(["10.0.0.0/8", "10.1.0.0/16", "192.0.2.1/32"]), min_size=1, max_size=2, unique=True)
VALUES = st.lists(st.sampled_from(["x", "X", "*", "x?", "xy"]), min_size=1, max_size=2, unique=True)
PAIRS = st.lists(
    st.tuples(st.sampled_from(["", "k", "K", "*"]), st.sampled_from(["v", "v*", "?", "\\*"])),
    min_size=1,
    max_size=2,
    unique=True,
)


def _one(field: str) -> st.SearchStrategy[Condition]:
    values = {
        condition.PATH: PATHS,
        condition.HOST: HOSTS,
        condition.METHOD: METHODS,
        condition.SOURCE: SOURCES,
    }
    if field == condition.QUERY:
        return PAIRS.map(lambda pairs: Condition(field, pairs=tuple(pairs)))
    if field == condition.HEADER:
        return st.tuples(st.sampled_from(["H", "h", "Other"]), VALUES).map(
            lambda pair: Condition(field, tuple(pair[1]), header=pair[0])
        )
    return values[field].map(lambda some: Condition(field, tuple(some)))


def _legal(conditions: Conditions) -> bool:
    texts = [text for one in conditions for text in (*one.values, *(text for pair in one.pairs for text in pair))]
    values = sum(len(one.values) + len(one.pairs) for one in conditions)
    return 1 <= values <= 5 and sum(text.count("*") + text.count("?") for text in texts) <= 5


FIELD_SETS = st.lists(st.sampled_from(condition.FIELDS), min_size=1, max_size=3, unique=True)
CONDITIONS: st.SearchStrategy[Conditions] = FIELD_SETS.flatmap(lambda fields: st.tuples(*map(_one, fields))).filter(
    _legal
)
PATH_CONDITIONS: st.SearchStrategy[Conditions] = st.tuples(_one(condition.PATH)).filter(_legal)
ACTIONS: st.SearchStrategy[Action] = st.one_of(
    st.lists(
        st.tuples(st.sampled_from("xyz").map(GROUP.format), st.integers(0, 999)),
        min_size=1,
        max_size=3,
        unique_by=lambda pair: pair[0],
    ).map(lambda groups: forward(groups)),
    st.integers(200, 299).map(lambda code: from_option("fixed_response", {"status_code": code})),
    st.sampled_from([301, 302]).map(lambda code: from_option("redirect", {"status_code": code, "path": "/new"})),
)
NAMES = st.sampled_from(["", "one", "two", "three"])


@st.composite
def listeners(draw: st.DrawFn, max_rules: int = 6) -> Model:
    """A listener with other people's rules, often in a row without a gap."""
    model = Model()
    count = draw(st.integers(0, max_rules))
    priorities = draw(
        st.lists(st.one_of(st.integers(1, 9), st.integers(49994, 50000)), min_size=count, max_size=count, unique=True)
    )
    for number, priority in enumerate(priorities):
        conditions = draw(st.one_of(PATH_CONDITIONS, CONDITIONS))
        action = draw(ACTIONS)
        rule = Rule("", priority, conditions, (action,), tags={"Name": f"foreign-{number}"})
        model.add(rule, {"Conditions": condition.to_aws(conditions), "Actions": actions_to_aws([action], None)})
    return model


@st.composite
def tasks(draw: st.DrawFn, model: Model) -> WantedRule:
    """A task for a rule of our own, whose place may depend on the listener's rules."""
    conditions = draw(st.one_of(PATH_CONDITIONS, CONDITIONS))
    others = [rule for rule in model.rules() if rule.name != "ours"]
    numbers = {text: rule.priority for rule in others for text in (rule.name, str(rule.priority))}
    neighbour = st.one_of(st.none(), st.sampled_from(list(numbers))) if numbers else st.none()
    before, after = draw(neighbour), draw(neighbour)
    if before and after and numbers[after] >= numbers[before]:
        after = None
    return WantedRule(
        conditions={field: tuple(one for one in conditions if one.field == field) for field in condition.FIELDS},
        place=WantedPlace(None, before, after),
        name="ours",
        routing=draw(ACTIONS),
        tags=draw(st.one_of(st.none(), st.dictionaries(st.sampled_from("kl"), st.sampled_from("12")))),
    )


REQUESTS = st.builds(
    Request,
    path=st.builds("/{}".format, st.text("abc", max_size=3)),
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH"]),
    host=st.sampled_from(["a.b", "A.B", "c.b", "a.c", ""]),
    headers=st.dictionaries(st.sampled_from(["H", "other"]), st.sampled_from(["x", "XY", "z", ""])),
    query=st.lists(st.sampled_from(["k=v", "K=vv", "l=v", "k=*", "m"]), max_size=2).map("&".join),
    source_ip=st.sampled_from(["10.1.2.3", "10.9.9.9", "192.0.2.1", "198.51.100.1"]),
)


@st.composite
def rule_sets(draw: st.DrawFn, model: Model, purge: str = "none", names: str = "abcde") -> WantedSet:
    """A set of some of the rules `names`, each with conditions that nobody else's rule has, and with neighbours."""
    there = model.rules()
    taken = {condition.meaning(rule.conditions) for rule in there if not rule.name.startswith("ours")}
    conditions: dict[str, Conditions] = {}
    for name in draw(st.lists(st.sampled_from(names), unique=True, max_size=5)):
        one = draw(st.one_of(PATH_CONDITIONS, CONDITIONS))
        if condition.meaning(one) not in taken:
            taken.add(condition.meaning(one))
            conditions[f"ours-{name}"] = one
    numbers = draw(st.lists(st.one_of(st.none(), st.integers(1, 29)), min_size=5, max_size=5))
    neighbours = st.one_of(
        st.none(), st.none(), st.sampled_from([*conditions, *(rule.name or "?" for rule in there), "1", "2", "5"])
    )
    members = []
    for name, number in zip(conditions, numbers, strict=False):
        place = WantedPlace(number) if number else WantedPlace(None, draw(neighbours), draw(neighbours))
        members.append(_member(name, conditions[name], place, draw(ACTIONS)))
    return WantedSet(members, {"owner": "us"}, purge)


def _member(name: str, conditions: Conditions, place: WantedPlace, action: Action) -> WantedRule:
    by_field = {field: tuple(one for one in conditions if one.field == field) for field in condition.FIELDS}
    return WantedRule(
        conditions=by_field,
        place=place,
        name=name,
        routing=action,
        tags={"owner": "us"},
        purge_tags=False,
        on_shadow="ignore",
    )
