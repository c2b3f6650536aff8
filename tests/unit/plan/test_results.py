"""What is kept of a swarm, as others read it: the schema of its summary, and JUnit XML."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from ansible_collections.loadlift.aws.plugins.module_utils._plan.junit import junit
from ansible_collections.loadlift.aws.plugins.module_utils._plan.swarm_info import view
from ansible_collections.loadlift.aws.plugins.module_utils._plan.swarm_summary import (
    Ending,
    nothing,
    summary,
    unfinished,
)
from unit.plan.test_verdict import ABORTING, ORDER, entry, state

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "schemas" / "summary-1.json").read_text())
POINT = {"t_s": 1.0, "phase": "ramp", "users": 5, "requests_per_s": 3.0, "failures_per_s": 0.0} | dict.fromkeys(
    ("p50_ms", "p95_ms", "p99_ms")
)


def with_ramp(told: dict[str, Any]) -> dict[str, Any]:
    told["window"]["ramp"] = {"total": entry("", 200), "seconds": 10.0}
    return told


KEPT = {
    "passed": summary(ORDER, with_ramp(state()), [POINT], Ending({"requests": 3.0, "hits": 2.0}, finished_at=5.0)),
    "failed": summary(ORDER, state(milliseconds=900.0), [POINT], Ending(finished_at=5.0)),
    "aborted": summary(ABORTING, state(), [], Ending({}, dict.fromkeys(ABORTING.objectives), "aborted", 5.0)),
    "invalid": summary(ORDER, state({}, "OSError(24, 'Too many open files')"), [POINT], Ending(finished_at=5.0)),
    "unfinished": unfinished(ORDER, state({"ramp_s": None, "measured_s": None}, requests=0), []),
    "nothing": nothing(ORDER, "the master did not answer."),
}


@pytest.mark.parametrize("kept", KEPT.values(), ids=list(KEPT))
def test_a_summary_is_as_its_schema_says(kept: dict[str, Any]) -> None:
    jsonschema.validate(json.loads(json.dumps(kept)), SCHEMA)


@pytest.mark.parametrize(
    ("name", "failures", "errors", "skipped"),
    [("passed", 0, 0, 0), ("failed", 1, 0, 0), ("invalid", 0, 1, 2), ("unfinished", 0, 1, 2), ("nothing", 0, 1, 0)],
)
def test_a_ci_server_sees_each_objective_and_the_generator(name: str, failures: int, errors: int, skipped: int) -> None:
    kept = KEPT[name]
    (suite,) = ElementTree.fromstring(junit(kept).partition("\n")[2])
    told = {key: int(suite.attrib[key]) for key in ("tests", "failures", "errors", "skipped")}
    wanted = {"tests": 1 + len(kept["objectives"]), "failures": failures, "errors": errors, "skipped": skipped}
    assert told == wanted
    assert [len(suite.findall(f".//{kind}")) for kind in ("testcase", "failure", "error", "skipped")] == list(
        wanted.values()
    )
    names = [case.attrib["name"] for case in suite.iter("testcase")]
    assert names == ["the figures are valid", *(one["objective"] for one in kept["objectives"])]


def test_a_breach_shows_the_measured_value_beside_the_limit() -> None:
    assert 'message="measured 900 ms, the limit is 250 ms"' in junit(KEPT["failed"])


def test_what_xml_cannot_hold_does_not_break_it() -> None:
    odd = KEPT["invalid"] | {"reason": "a\x00b\x1b<&>\"'\ud800c"}
    (suite,) = ElementTree.fromstring(junit(odd).partition("\n")[2])
    found = suite.find(".//error")
    assert found is not None
    assert found.attrib["message"] == "a?b?<&>\"'?c"


WORKER = {"id": "w1", "state": "running", "users": 5, "cpu_percent": 3.0, "memory_bytes": 9, "index": 0, "clock_s": 1.0}


def test_a_locust_is_told_of() -> None:
    told = view(state() | {"state": "running", "users": 500, "workers": [WORKER]})
    assert (told["state"], told["users"]) == ("running", 500)
    assert told["workers"][0]["open_files"] is None
    assert "clock_s" not in told["workers"][0]
    swarm = told["swarm"]
    assert (swarm["run_id"], swarm["stage"], swarm["lease_left_s"], swarm["ended_by"]) == (
        "run",
        "shop_500",
        19.0,
        None,
    )
    assert (swarm["figures"]["requests"], swarm["figures"]["p95_ms"]) == (1500, 20.0)


def test_a_swarm_that_somebody_started_by_hand_has_no_run() -> None:
    by_hand = view(state({"id": "", "lease_left_s": None}) | {"state": "running", "users": 5, "workers": []})["swarm"]
    assert (by_hand["run_id"], by_hand["stage"], by_hand["lease_left_s"]) == (None, None, None)


def test_before_the_first_swarm_there_is_none() -> None:
    assert view({"state": "ready", "users": 0, "workers": [], "swarm": None})["swarm"] is None
