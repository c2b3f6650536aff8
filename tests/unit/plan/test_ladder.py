"""The stages of a ladder: what is filled in, what is refused before the first swarm, and the verdict on all."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.loadlift.aws.plugins.module_utils._plan import ladder
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import InputError

TARGETS = {
    "load_balancer": {"url": "http://127.0.0.11:8080"},
    "cdn": {
        "url": "http://127.0.0.1:8000",
        "addresses": ["127.0.0.1:8000"],
        "counters": ["http://127.0.0.1:8001/status"],
    },
}
STEPS = ["query_cache_on", "path_to_lambda", "path_to_monolith"]
STAGE = {"stage": "a", "target": "cdn", "users": 50, "spawn_rate": 5, "hold": 20}


def read(*stages: dict[str, Any], profile: str = "quick") -> list[dict[str, Any]]:
    return ladder.stages({"quick": list(stages), "full": []}, profile, "run", TARGETS, STEPS)


def test_what_a_stage_leaves_out_is_filled_in() -> None:
    (stage,) = read(STAGE)
    assert stage == ladder.DEFAULTS | STAGE | {
        "target": "http://127.0.0.1:8000",
        "addresses": ["127.0.0.1:8000"],
        "counters": ["http://127.0.0.1:8001/status"],
    }


def test_a_survey_s_text_becomes_numbers_and_a_url_stays() -> None:
    (stage,) = read(STAGE | {"users": "500", "spawn_rate": "2.5", "target": "https://shop.example.com"})
    assert (stage["users"], stage["spawn_rate"]) == (500, 2.5)
    assert (stage["target"], stage["addresses"]) == ("https://shop.example.com", [])


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"target": "cache"}, "target is 'cache'; allowed are load_balancer, cdn or a URL."),
        ({"users": "many"}, "users is 'many'; a number is needed."),
        ({"users": 0}, "users is 0: a number over 0 is needed."),
        ({"holds": 3}, "has 'holds'; allowed are stage, target"),
        ({"during": ["shift"]}, "during is 'shift'; allowed are query_cache_on, path_to_lambda, path_to_monolith."),
        ({"objectives": ["p95 < 3"]}, "The objective 'p95 < 3' needs us or ms or s"),
        ({"wait": "5"}, "wait is '5': MIN-MAX in seconds is needed"),
        ({"stage": "a/b"}, "stage is 'a/b': it names a folder"),
    ],
)
def test_a_wrong_stage_is_named_with_its_profile(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=r"^Stage '.*' of profile 'quick'") as error:
        read(STAGE | wrong)
    assert sentence in str(error.value)


def test_a_missing_field_is_named() -> None:
    with pytest.raises(InputError, match=r"Stage 'a' of profile 'quick' lacks spawn_rate, hold\."):
        read({"stage": "a", "target": "cdn", "users": 5})


def test_an_unknown_profile_names_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"^load_test_profile is 'fast'; allowed are full, quick\.$"):
        read(STAGE, profile="fast")


def test_a_stage_name_twice_is_refused() -> None:
    with pytest.raises(InputError, match=r"^Profile 'quick' has the stage 'a' twice; each needs a name of its own\.$"):
        read(STAGE, STAGE | {"users": 500})


def ran(stage: str, verdict: str) -> dict[str, Any]:
    return {"stage": stage, "verdict": verdict, "reason": f"{verdict}."}


@pytest.mark.parametrize(
    ("stages", "verdict", "reason"),
    [
        ([ran("base", "failed"), ran("top", "passed")], "passed", "2 stages showed what they must."),
        ([ran("base", "passed"), ran("top", "failed")], "failed", "top failed: failed."),
        ([ran("base", "invalid"), ran("top", "passed")], "failed", "base invalid: invalid."),
        ([ran("base", "failed")], "failed", "top did not run."),
    ],
)
def test_a_finding_is_no_failure_of_the_ladder(stages: list[dict[str, Any]], verdict: str, reason: str) -> None:
    assert ladder.verdict(stages, {"base": False, "top": True}) == (verdict, reason)


FRESH = {"run_id": "run", "profile": "quick", "started_at": "2026-11-24T10:00:00Z", "finished_at": None, "stages": []}
LADDER = read(
    STAGE | {"stage": "base", "before": ["path_to_monolith", "query_cache_on"]},
    STAGE | {"stage": "shift", "during": ["path_to_lambda"]},
    STAGE | {"stage": "top"},
)


def begun(*kept: dict[str, Any], **more: Any) -> dict[str, Any]:
    return ladder.begin(FRESH | {"stages": list(kept)} | more, FRESH, LADDER)


def names(stages: list[dict[str, Any]]) -> list[str]:
    return [stage["stage"] for stage in stages]


def test_a_new_run_runs_every_stage() -> None:
    assert ladder.begin({}, FRESH, LADDER) == {"ladder": FRESH, "stages": LADDER, "steps": [], "note": ""}


@pytest.mark.parametrize(
    ("kept", "left", "steps"),
    [
        ([], ["base", "shift", "top"], []),
        ([ran("base", "failed")], ["shift", "top"], ["path_to_monolith", "query_cache_on"]),
        ([ran("base", "invalid"), ran("shift", "passed")], ["top"], ["query_cache_on", "path_to_lambda"]),
        ([ran("base", "passed"), ran("shift", "invalid")], ["shift", "top"], ["path_to_monolith", "query_cache_on"]),
        ([ran("base", "invalid")], ["base", "shift", "top"], []),
        (
            [ran("base", "passed"), ran("shift", "passed"), ran("top", "passed")],
            [],
            ["query_cache_on", "path_to_lambda"],
        ),
    ],
)
def test_an_interrupted_run_goes_on_where_it_stopped(
    kept: list[dict[str, Any]], left: list[str], steps: list[str]
) -> None:
    found = begun(*kept)
    assert names(found["stages"]) == left
    assert names(found["ladder"]["stages"]) + left == names(LADDER)
    assert found["steps"] == steps
    assert found["ladder"]["started_at"] == FRESH["started_at"]


def test_what_happened_is_told() -> None:
    assert begun(ran("base", "failed"))["note"] == (
        "Run run of 2026-11-24T10:00:00Z (profile quick) was interrupted: base failed. It goes on with shift."
    )
    assert ladder.interrupted(FRESH).endswith("was interrupted: no stage had ended.")
    assert ladder.interrupted(FRESH | {"finished_at": "2026-11-24T10:09:00Z"}) == ladder.interrupted({}) == ""


@pytest.mark.parametrize(
    ("kept", "more", "sentence"),
    [
        ([], {"finished_at": "2026-11-24T10:09:00Z"}, "load_test_run_id is 'run', and that run is finished: results"),
        ([], {"profile": "full"}, "is 'run': that run is of profile 'full', load_test_profile is 'quick'."),
        ([ran("cache", "passed")], {}, "load_test_run_id is 'run': that run had other stages, so it cannot go on."),
    ],
)
def test_what_cannot_go_on_is_refused(kept: list[dict[str, Any]], more: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as error:
        begun(*kept, **more)
    assert sentence in str(error.value)
