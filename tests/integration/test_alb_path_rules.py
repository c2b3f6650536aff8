"""alb_path_rules against both emulators."""

from __future__ import annotations

from typing import Any

import pytest

from integration.account import Account

MODULE = "alb_path_rules"
OWNER = {"managed-by": "test"}


@pytest.fixture
def base(aws: Account) -> dict[str, Any]:
    return {"listener_arn": aws.listener(), "owner": OWNER, "purge": "owned"}


def entry(name: str, path: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a rule of the set that answers with its name."""
    answer = {"status_code": 200, "message_body": name}
    return {"name": name, "path_patterns": [path or f"/{name}"], "fixed_response": answer, **more}


def operations(answer: dict[str, Any]) -> list[str]:
    return [call["operation"] for call in answer["plan"]]


def untouched(aws: Account, listener: str, arn: str) -> tuple[Any, ...]:
    [rule] = [rule for rule in aws.rules(listener) if rule["RuleArn"] == arn]
    return rule["Conditions"], rule["Actions"]


def test_seven_steps(aws: Account, base: dict[str, Any]) -> None:
    foreign = aws.rule(base["listener_arn"], "/foreign", 2, "foreign")
    before = untouched(aws, base["listener_arn"], foreign)
    rules = [entry(name) for name in "abc"]

    made = aws.same_in_check_mode(MODULE, **base, rules=rules)
    assert operations(made) == ["CreateRule"] * 3
    assert [rule["name"] for rule in made["rules"]] == ["a", "b", "c"]
    assert all(rule["arn"] for rule in made["rules"])
    assert made["diff"]["before"] == {"rules": []}

    again = aws.run(MODULE, **base, rules=rules)
    assert not again["changed"]
    assert again["plan"] == []

    other = aws.same_in_check_mode(MODULE, **base, rules=[entry("a", "/a/*"), *rules[1:]])
    assert operations(other) == ["ModifyRule"]

    fewer = aws.same_in_check_mode(MODULE, **base, rules=rules[1:])
    assert operations(fewer) == ["DeleteRule"]
    assert [rule["name"] for rule in fewer["removed"]] == ["a"]

    gone = aws.same_in_check_mode(MODULE, **base, rules=[])
    assert operations(gone) == ["DeleteRule"] * 2
    assert gone["diff"]["after"] == {"rules": []}
    assert not aws.run(MODULE, **base, rules=[])["changed"]
    assert untouched(aws, base["listener_arn"], foreign) == before


def test_rules_swap_their_places_in_one_call(lab: Account) -> None:
    # Of our control plane only: ministack takes the pairs of SetRulePriorities one after the other.
    base = {"listener_arn": lab.listener(), "owner": OWNER}
    forward = [entry(name, priority=str(number)) for number, name in enumerate("abc", start=1)]
    backward = [entry(name, priority=str(number)) for number, name in enumerate("cba", start=1)]
    lab.run(MODULE, **base, rules=forward)
    swapped = lab.same_in_check_mode(MODULE, **base, rules=backward)
    assert operations(swapped) == ["SetRulePriorities"]
    assert [rule["name"] for rule in swapped["rules"]] == ["c", "b", "a"]


def test_a_rule_that_gets_another_name_is_not_made_anew(aws: Account, base: dict[str, Any]) -> None:
    made = aws.run(MODULE, **base, rules=[entry("old", "/x")])
    renamed = aws.same_in_check_mode(MODULE, **base, rules=[entry("old", "/x") | {"name": "new"}])
    assert operations(renamed) == ["AddTags"]
    assert renamed["rules"][0]["arn"] == made["rules"][0]["arn"]


def test_more_specific_rules_are_placed_in_front(aws: Account, base: dict[str, Any]) -> None:
    made = aws.run(MODULE, **base, rules=[entry("all", "/*"), entry("data", "/data*"), entry("x", "/data/x")])
    assert [rule["name"] for rule in made["rules"]] == ["x", "data", "all"]
    assert made["shadows"] == []
    assert not aws.run(MODULE, **base, rules=[entry("all", "/*"), entry("x", "/data/x"), entry("data", "/data*")])[
        "changed"
    ]


def test_purge_all_removes_what_others_made(aws: Account, base: dict[str, Any]) -> None:
    aws.rule(base["listener_arn"], "/foreign", 2, "foreign")
    assert aws.run(MODULE, **base, rules=[])["removed"] == []
    purged = aws.same_in_check_mode(MODULE, **base | {"purge": "all"}, rules=[entry("a")])
    assert operations(purged) == ["CreateRule", "DeleteRule"]
    assert [rule["Conditions"][0]["Values"] for rule in aws.rules(base["listener_arn"])] == [["/a"]]


def test_calls_of_a_run_with_nothing_to_do(lab: Account) -> None:
    listener = lab.listener()
    nameless = [{key: value for key, value in entry(f"r{n}").items() if key != "name"} for n in range(60)]
    lab.run(MODULE, listener_arn=listener, rules=nameless)
    lab.calls()
    assert not lab.run(MODULE, listener_arn=listener, rules=nameless)["changed"]
    assert lab.calls() == {"elbv2.DescribeRules": 1}
    named = [entry(f"r{n}") for n in range(60)]
    lab.run(MODULE, listener_arn=listener, rules=named)
    lab.calls()
    assert not lab.run(MODULE, listener_arn=listener, rules=named)["changed"]
    assert lab.calls() == {"elbv2.DescribeRules": 1, "elbv2.DescribeTags": 3}


@pytest.mark.parametrize(
    ("rules", "more", "sentence"),
    [
        ([entry("a"), entry("a", "/b")], {}, "rules has the name 'a' 2 times"),
        ([entry("a", priority="5"), entry("b", priority="5")], {}, "rules has the priority 5 2 times"),
        ([entry("a", priority="2")], {}, "rules has the priority 2, which rule 'foreign' (priority 2) has"),
        ([entry("a", "/foreign")], {}, "rule 'foreign' (priority 2) has the same conditions"),
        ([entry("a"), {"name": "b"}], {}, "rule 'b' has no condition"),
        ([{"path_patterns": ["/a"]}], {}, "the rule is not there yet; give one of forward"),
        ([entry(f"r{n}") for n in range(100)], {}, "would get another; AWS allows this account 100"),
        ([entry("a")], {"owner": {}, "purge": "owned"}, "purge is 'owned' and owner is empty"),
        (
            [entry("all", "/*", priority="1", on_shadow="fail")],
            {},
            "on_shadow is 'fail' and rule 'foreign'",
        ),
    ],
)
def test_bad_input_changes_nothing(
    lab: Account, rules: list[dict[str, Any]], more: dict[str, Any], sentence: str
) -> None:
    listener = lab.listener()
    lab.rule(listener, "/foreign", 2, "foreign")
    lab.calls()
    assert sentence in lab.fail(MODULE, listener_arn=listener, rules=rules, **more)["msg"]
    assert all(name.startswith("elbv2.Describe") for name in lab.calls())
