# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The stages of a ladder of swarms, checked as a whole before the first one starts. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from .plan import InputError
from .swarm_order import order

REQUIRED = ("stage", "target", "users", "spawn_rate", "hold")
DEFAULTS: dict[str, Any] = {
    "title": "",
    "objectives": [],
    "shape": [],
    "must_pass": True,
    "before": [],
    "during": [],
    "request_timeout": 60.0,
    "wait": "5-15",
    "lease": 20.0,
    "reset_statistics": True,
}
NUMBERS: dict[str, type[int] | type[float]] = {
    "users": int,
    "spawn_rate": float,
    "hold": float,
    "request_timeout": float,
    "lease": float,
}


def stages(
    profiles: Mapping[str, Any],
    profile: str,
    run_id: str,
    targets: Mapping[str, Mapping[str, Any]],
    steps: Sequence[str],
) -> list[dict[str, Any]]:
    """Return the profile's stages with every field filled in and the target as a URL.

    `targets` maps a word such as `cdn` to its `url`, `addresses` and `counters`; `steps` are the words that `before`
    and `during` may hold. Raises InputError naming the first thing wrong.
    """
    if profile not in profiles:
        raise InputError(f"load_test_profile is '{profile}'; allowed are {', '.join(sorted(profiles))}.")
    _refuse_doubles([str(raw.get("stage")) for raw in profiles[profile]], profile)
    return [_stage(raw, profile, run_id, targets, steps) for raw in profiles[profile]]


def _refuse_doubles(names: Sequence[str], profile: str) -> None:
    doubles = [name for name, count in Counter(names).items() if count > 1]
    if doubles:
        raise InputError(f"Profile '{profile}' has the stage '{doubles[0]}' twice; each needs a name of its own.")


def _stage(
    raw: Mapping[str, Any], profile: str, run_id: str, targets: Mapping[str, Mapping[str, Any]], steps: Sequence[str]
) -> dict[str, Any]:
    where = f"Stage '{raw.get('stage')}' of profile '{profile}'"
    _check_fields(raw, where)
    for name in ("before", "during"):
        _check_steps(raw.get(name, []), steps, f"{where}: {name}")
    stage = DEFAULTS | dict(raw) | _target(str(raw["target"]), targets, where) | _numbers(raw, where)
    try:
        order(stage | {"run_id": run_id})
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    return stage


def _check_fields(raw: Mapping[str, Any], where: str) -> None:
    missing = [name for name in REQUIRED if name not in raw]
    if missing:
        raise InputError(f"{where} lacks {', '.join(missing)}.")
    unknown = sorted(set(raw) - set(REQUIRED) - set(DEFAULTS))
    if unknown:
        raise InputError(f"{where} has '{unknown[0]}'; allowed are {', '.join((*REQUIRED, *DEFAULTS))}.")


def _check_steps(words: Sequence[str], steps: Sequence[str], where: str) -> None:
    for word in words:
        if word not in steps:
            raise InputError(f"{where} is '{word}'; allowed are {', '.join(steps)}.")


def _target(target: str, targets: Mapping[str, Mapping[str, Any]], where: str) -> dict[str, Any]:
    if target in targets:
        found = targets[target]
        return {"target": found["url"], "addresses": found.get("addresses", []), "counters": found.get("counters", [])}
    if "://" not in target:
        raise InputError(f"{where}: target is '{target}'; allowed are {', '.join(targets)} or a URL.")
    return {"target": target, "addresses": [], "counters": []}


def _numbers(raw: Mapping[str, Any], where: str) -> dict[str, Any]:
    numbers = {}
    for name in set(NUMBERS) & set(raw):
        try:
            numbers[name] = NUMBERS[name](raw[name])
        except (TypeError, ValueError) as error:
            raise InputError(f"{where}: {name} is '{raw[name]}'; a number is needed.") from error
    return numbers


def begin(earlier: Mapping[str, Any], fresh: Mapping[str, Any], stages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return how a run begins, or goes on where an interrupted one of its name stopped.

    `earlier` is what `ladder.json` of that name holds, empty where there is none; `fresh` is it at a run's start. The
    answer has `ladder` to go on writing, the `stages` still to run, the `steps` that bring the system to where the
    first of them finds it, and a `note` that tells what happened. Raises InputError where it cannot go on.
    """
    if not earlier:
        return {"ladder": dict(fresh), "stages": list(stages), "steps": [], "note": ""}
    _refuse_to_resume(earlier, fresh)
    kept = _kept(earlier["stages"])
    if [stage["stage"] for stage in kept] != [stage["stage"] for stage in stages[: len(kept)]]:
        raise InputError(f"load_test_run_id is '{earlier['run_id']}': that run had other stages, so it cannot go on.")
    left = stages[len(kept) :]
    return {
        "ladder": {**earlier, "stages": kept},
        "stages": list(left),
        "steps": _steps_of(stages[: len(kept)]),
        "note": f"{interrupted(earlier)} It goes on with {left[0]['stage'] if left else 'its verdict'}.",
    }


def _refuse_to_resume(earlier: Mapping[str, Any], fresh: Mapping[str, Any]) -> None:
    run_id = f"load_test_run_id is '{earlier['run_id']}'"
    if earlier.get("finished_at"):
        raise InputError(f"{run_id}, and that run is finished: results are never overwritten.")
    if earlier["profile"] != fresh["profile"]:
        raise InputError(
            f"{run_id}: that run is of profile '{earlier['profile']}', load_test_profile is '{fresh['profile']}'."
        )


def _kept(stages: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the stages that need not run again: all but invalid ones at the end, such as of a master that died."""
    kept = list(stages)
    while kept and kept[-1]["verdict"] == "invalid":
        kept.pop()
    return kept


def _steps_of(stages: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the steps that these stages took and no later one undid: `path_to_lambda` undoes `path_to_monolith`."""
    taken = [step for stage in stages for step in (*stage["before"], *stage["during"])]
    subjects = [step.rpartition("_")[0] for step in taken]  # a step is named <subject>_<state>
    return [step for place, step in enumerate(taken) if subjects[place] not in subjects[place + 1 :]]


def interrupted(earlier: Mapping[str, Any]) -> str:
    """Return what became of a run that was interrupted; an empty text of one that was not, or of none."""
    if not earlier or earlier.get("finished_at"):
        return ""
    ran = ", ".join(f"{stage['stage']} {stage['verdict']}" for stage in earlier["stages"]) or "no stage had ended"
    return f"Run {earlier['run_id']} of {earlier['started_at']} (profile {earlier['profile']}) was interrupted: {ran}."


def verdict(stages: Sequence[Mapping[str, Any]], must_pass: Mapping[str, bool]) -> tuple[str, str]:
    """Return the ladder's verdict, passed or failed, and why in one sentence.

    A stage that need not pass may fail, that is a finding; but none may be invalid.
    """
    bad = [
        stage
        for stage in stages
        if stage["verdict"] == "invalid" or (stage["verdict"] == "failed" and must_pass.get(stage["stage"], True))
    ]
    if bad:
        return "failed", " ".join(f"{stage['stage']} {stage['verdict']}: {stage['reason']}" for stage in bad)
    missing = [name for name in must_pass if name not in {stage["stage"] for stage in stages}]
    if missing:
        return "failed", f"{missing[0]} did not run."
    return "passed", f"{len(stages)} stages showed what they must."
