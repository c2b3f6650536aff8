"""The task `loadlift.aws.locust_swarm` as a playbook runs it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from load.cluster import Cluster
from load.site import Site

UNREACHABLE = "http://127.0.0.1:9"


def play(folder: Path, options: dict[str, Any], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one task in a playbook."""
    playbook = folder / "playbook.json"
    tasks = [{"name": "Swarm", "loadlift.aws.locust_swarm": options}]
    playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    command = ["ansible-playbook", "-i", "localhost,", str(playbook), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


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


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"objectives": ["p95 < 250"]}, "needs us or ms or s for p95 at character 10; found its end."),
        ({"users": 0}, "users is 0: a number over 0 is needed."),
        ({"target": "shop"}, "target is 'shop': an address such as http://shop.example.com is needed."),
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
