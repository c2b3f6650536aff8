"""Every call of a run fails in every way; the next run goes on from there, and nobody else's rule has changed."""

from __future__ import annotations

import multiprocessing
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest

from integration.account import Account
from integration.modules import run_module

FAULTS = [
    {"kind": "throttle"},
    {"kind": "error", "status": 500},
    {"kind": "error", "status": 503},
    {"kind": "drop"},
    {"kind": "drop_after"},
    {"kind": "latency", "seconds": 1.2},  # longer than a run waits for an answer, though it takes effect
]
Run = tuple[str, dict[str, Any]]


def impatient(fault: dict[str, Any]) -> dict[str, Any]:
    """Return options without retries by the SDK, so that a call that fails, fails the run."""
    timeout = 1 if fault["kind"] == "latency" else 10
    return {"aws_config": {"retries": {"total_max_attempts": 1}, "read_timeout": timeout}}


def foreign(lab: Account, listener: str) -> list[tuple[Any, ...]]:
    """Return what of other people's rules has to stay, in their order."""
    rules = [rule for rule in lab.rules(listener) if rule["Actions"][0].get("FixedResponseConfig")]
    return [(rule["RuleArn"], rule["Conditions"], rule["Actions"]) for rule in rules]


def new_rule_in_a_full_stretch(lab: Account) -> Run:
    """A run that moves others and makes a rule."""
    listener = lab.listener()
    lab.rule(listener, "/data/x", 1, "special")
    lab.rule(listener, "/*", 2, "catch-all")
    options = {"listener_arn": listener, "name": "data", "path_patterns": ["/data*"]}
    return "alb_path_rule", options | {"forward": [{"target_group": lab.target_group("data")}], "tags": {"team": "a"}}


def changed_rule(lab: Account) -> Run:
    """A run that moves a rule, changes its conditions, and changes its tags."""
    module, options = new_rule_in_a_full_stretch(lab)
    lab.run(module, **options)
    return module, options | {"path_patterns": ["/new"], "tags": {"stage": "b"}, "before": "special"}


def new_target_group(lab: Account) -> Run:
    """A run that makes group, permission and target."""
    options = {"name": f"{lab.prefix}-f", "function": lab.function("f"), "multi_value_headers": True}
    return "lambda_target_group", options


def another_function(lab: Account) -> Run:
    """A run that puts another function in the place of the first."""
    module, options = new_target_group(lab)
    lab.run(module, **options)
    return module, options | {"function": lab.function("g"), "tags": {"team": "a"}}


def whole_set(lab: Account) -> Run:
    """A run that makes, moves, changes and removes rules."""
    listener = lab.listener()
    lab.rule(listener, "/foreign", 2, "foreign")
    options = {"listener_arn": listener, "owner": {"by": "us"}, "purge": "owned"}
    groups = [{"target_group": lab.target_group("s")}]
    first = [{"name": name, "path_patterns": [f"/{name}*"], "forward": groups} for name in "abc"]
    lab.run("alb_path_rules", **options, rules=first)
    second = [
        {"name": "c", "path_patterns": ["/c*"], "forward": groups, "priority": "1"},
        {"name": "a", "path_patterns": ["/a/*"], "forward": groups},
        {"name": "d", "path_patterns": ["/d*"], "forward": groups},
    ]
    return "alb_path_rules", options | {"rules": second}


def many_at_once(lab: Account) -> Run:
    """A run that makes rules at the same time, more than go at once."""
    listener = lab.listener()
    lab.rule(listener, "/foreign", 2, "foreign")
    groups = [{"target_group": lab.target_group("m")}]
    rules = [{"name": f"r{number}", "path_patterns": [f"/r{number}"], "forward": groups} for number in range(25)]
    return "alb_path_rules", {"listener_arn": listener, "owner": {"by": "us"}, "purge": "owned", "rules": rules}


RUNS: list[Callable[[Account], Run]] = [
    new_rule_in_a_full_stretch,
    changed_rule,
    new_target_group,
    another_function,
    whole_set,
    many_at_once,
]


@pytest.mark.parametrize("make", RUNS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: "-".join(map(str, fault.values())))
def test_a_run_that_meets_a_fault_converges(
    lab: Account, monkeypatch: pytest.MonkeyPatch, make: Callable[[Account], Run], fault: dict[str, Any]
) -> None:
    module, options = make(lab)
    listener = options.get("listener_arn")
    before = foreign(lab, listener) if listener else []
    writes = lab.run(module, check=True, **options)["plan"]
    assert writes
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    for operation in dict.fromkeys((call["service"], call["operation"]) for call in writes):
        strike = {"service": operation[0], "operation": operation[1], "count": None, **fault}
        lab.emulator.own("PUT", "faults", [strike])
        answer = lab.fail(module, **options | impatient(fault))
        lab.emulator.own("DELETE", "faults")
        threading.Event().wait(0.4 if fault["kind"] == "latency" else 0)  # until what timed out has taken effect
        assert re.search(f"^{operation[1]} of .* failed with \\w+: .*request id", answer["msg"])
    lab.run(module, **options)
    assert not lab.run(module, **options)["changed"]
    if listener:
        assert foreign(lab, listener) == before


def test_of_calls_at_the_same_time_those_that_succeeded_are_told(lab: Account) -> None:
    module, options = many_at_once(lab)
    strike = {"service": "elbv2", "operation": "CreateRule", "kind": "drop", "count": None, "probability": 0.3}
    lab.emulator.own("PUT", "faults", [strike])
    answer = lab.fail(module, **options | impatient(strike))
    lab.emulator.own("DELETE", "faults")
    made = {rule["Conditions"][0]["Values"][0] for rule in lab.rules(options["listener_arn"])} - {"/foreign"}
    assert {call["parameters"]["Conditions"][0]["PathPatternConfig"]["Values"][0] for call in answer["plan"]} == made
    assert answer["changed"] == bool(made)
    assert len(made) < len(options["rules"])


@pytest.mark.parametrize("make", RUNS, ids=lambda make: make.__name__)
def test_a_run_that_is_killed_in_the_middle_of_a_call_converges(lab: Account, make: Callable[[Account], Run]) -> None:
    module, options = make(lab)
    listener = options.get("listener_arn")
    before = foreign(lab, listener) if listener else []
    writes = lab.run(module, check=True, **options)["plan"]
    for service, operation in dict.fromkeys((call["service"], call["operation"]) for call in writes):
        slow = {"service": service, "operation": operation, "kind": "latency", "seconds": 0.5, "count": 1}
        lab.emulator.own("PUT", "faults", [slow])
        lab.calls()
        kill_during(lab, f"{service}.{operation}", module, options)
        lab.emulator.own("DELETE", "faults")
    time.sleep(0.6)  # what was under way in the killed run takes effect
    lab.run(module, **options)
    assert not lab.run(module, **options)["changed"]
    if listener:
        assert foreign(lab, listener) == before


def kill_during(lab: Account, call: str, module: str, options: dict[str, Any]) -> None:
    """Run a module in a process of its own and kill it when `call` is under way, or after it has ended without it."""
    process = multiprocessing.get_context("fork").Process(target=run_module, args=(module, options))
    process.start()
    while process.is_alive() and call not in lab.emulator.own("GET", "calls"):
        time.sleep(0.02)
    process.kill()
    process.join()


@pytest.mark.parametrize("count", [2, 8])
def test_runs_at_once_on_one_listener(lab: Account, count: int) -> None:
    listener = lab.listener()
    lab.rule(listener, "/*", 2, "catch-all")
    before = foreign(lab, listener)
    group = [{"target_group": lab.target_group("g")}]
    tasks = [
        {"listener_arn": listener, "name": f"r{n}", "path_patterns": [f"/r{n}"], "forward": group} for n in range(count)
    ]
    with ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("fork")) as pool:
        answers = list(pool.map(run_module, ["alb_path_rule"] * count, tasks))
    assert [answer.get("msg") for answer in answers] == [None] * count
    assert all(answer["changed"] for answer in answers)
    assert len(lab.rules(listener)) == count + 1
    assert foreign(lab, listener) == before
    assert lab.rules(listener)[-1]["RuleArn"] == before[0][0]
    assert not any(lab.run("alb_path_rule", **task)["changed"] for task in tasks)


def test_eight_runs_want_the_same_rule(lab: Account) -> None:
    options = {"listener_arn": lab.listener(), "name": "one", "path_patterns": ["/one"]}
    options["forward"] = [{"target_group": lab.target_group("g")}]
    with ProcessPoolExecutor(8, mp_context=multiprocessing.get_context("fork")) as pool:
        answers = list(pool.map(run_module, ["alb_path_rule"] * 8, [options] * 8))
    assert [answer.get("msg") for answer in answers] == [None] * 8
    assert len(lab.rules(options["listener_arn"])) == 1
    assert not lab.run("alb_path_rule", **options)["changed"]
