"""The task `loadlift.aws.locust_swarm` as a playbook runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from load.cluster import Cluster, wait_until
from load.site import Site

UNREACHABLE = "http://127.0.0.1:9"


def command(folder: Path, options: dict[str, Any], *arguments: str) -> list[str]:
    """Return how to run one task in a playbook."""
    playbook = folder / "playbook.json"
    tasks = [{"name": "Swarm", "loadlift.aws.locust_swarm": options}]
    playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    return ["ansible-playbook", "-i", "localhost,", str(playbook), *arguments]


def play(folder: Path, options: dict[str, Any], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one task in a playbook to its end."""
    return subprocess.run(command(folder, options, *arguments), capture_output=True, text=True, check=False)


@pytest.fixture
def options(tmp_path: Path) -> dict[str, Any]:
    """The options of a small swarm; its site and its Locust are to be added."""
    return {
        "url": UNREACHABLE,
        "run_id": "run",
        "stage": "stage",
        "target": UNREACHABLE,
        "users": 10,
        "spawn_rate": 10,
        "hold": 2,
        "wait": "0.3-0.7",
        "progress_interval": 1,
        "results_directory": str(tmp_path / "results"),
    }


def test_a_breach_fails_the_task_after_lines_of_progress(
    whole: Cluster, site: Site, tmp_path: Path, options: dict[str, Any]
) -> None:
    told = options | {"url": whole.locust.url, "target": site.url, "objectives": ["p50 < 1us"]}
    ended = play(tmp_path, told)
    assert ended.returncode == 2
    assert "stage  hold  10 of 10 users" in ended.stdout
    assert "Stage stage failed: p50 " in ended.stdout + ended.stderr
    assert json.loads((tmp_path / "results/run/stage/summary.json").read_text())["verdict"] == "failed"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_play_that_is_interrupted_or_killed_ends_its_swarm(
    whole: Cluster, site: Site, tmp_path: Path, options: dict[str, Any], number: signal.Signals
) -> None:
    # A lease as long as this can only be ended by the play itself, or by what it leaves behind.
    told = options | {"url": whole.locust.url, "target": site.url, "hold": 60, "lease": 60}
    running = subprocess.Popen(command(tmp_path, told), start_new_session=True, stdout=subprocess.DEVNULL)
    wait_until(lambda: whole.active() and whole.locust.state()["swarm"]["measured_s"], 30, "the window is open")
    os.killpg(running.pid, number)
    running.wait()
    wait_until(lambda: not whole.active(), 8, "the swarm has ended")
    kept = tmp_path / "results/run/stage/summary.json"
    wait_until(kept.exists, 5, "what was measured is kept")
    assert json.loads(kept.read_text())["reason"] == "the play was interrupted."


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"objectives": ["p95 < 250"]}, "needs us or ms or s for p95 at character 10; found its end."),
        ({}, "did not answer"),
    ],
)
def test_bad_input_is_one_sentence(
    tmp_path: Path, options: dict[str, Any], wrong: dict[str, Any], sentence: str
) -> None:
    ended = play(tmp_path, options | wrong)
    assert ended.returncode == 2
    assert sentence in ended.stdout + ended.stderr
    assert not (tmp_path / "results").exists()


def test_check_mode_checks_the_options_and_skips(tmp_path: Path, options: dict[str, Any]) -> None:
    assert "skipped=1" in play(tmp_path, options, "--check").stdout
    ended = play(tmp_path, options | {"objectives": ["p95 <"]}, "--check")
    assert ended.returncode == 2
    assert "needs a number" in ended.stdout + ended.stderr
