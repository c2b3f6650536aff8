"""A ladder of small swarms as the role runs it: killed in the middle, gone on with, uploaded, never overwritten."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from load.cluster import Cluster, wait_until
from load.site import Site

STAGES = ("one", "two", "three")
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "LABACCESSKEYID000000",
    "AWS_SECRET_ACCESS_KEY": "lab-secret-access-key-that-opens-nothing",
    "AWS_REGION": "us-east-1",
}


class Ladder:
    """Runs the ladder in a folder against a site."""

    def __init__(self, folder: Path, cluster: Cluster, site: Site, **more: Any) -> None:
        self.folder, self.cluster = folder, cluster
        self.results = folder / "results"
        stage = {"target": site.url, "users": 10, "spawn_rate": 10, "hold": 2, "wait": "0.3-0.7"}
        stages = [stage | {"stage": name, "objectives": ["failures = 0"]} for name in STAGES]
        stages[0] |= {"objectives": ["p50 < 1us"], "must_pass": False}
        self.variables = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "loadlift_stack": "test",
            "loadlift_region": "us-east-1",
            "load_test_result": {"url": cluster.locust.url, "workers": 2},
            "web_result": {"url": site.url},
            "cdn_result": {"url": site.url},
            "load_test_profile": "mini",
            "load_test_profiles": {"mini": stages},
            "load_test_results_directory": str(self.results),
            "load_test_progress_interval": 1,
            "load_test_run_id": "run",
        } | more

    def command(self, tasks_from: str = "ladder", **more: Any) -> list[str]:
        """Return how to run it."""
        role = {"name": "loadlift.aws.load_test", "tasks_from": tasks_from}
        play = {"hosts": "localhost", "gather_facts": False, "tasks": [{"ansible.builtin.include_role": role}]}
        (self.folder / "ladder.json").write_text(json.dumps([play]))
        extra = json.dumps(self.variables | more)
        return ["ansible-playbook", "-i", "localhost,", str(self.folder / "ladder.json"), "-e", extra]

    def run(self, tasks_from: str = "ladder", **more: Any) -> tuple[int, str]:
        """Run it to its end; return its code and what it said, whose lines Ansible breaks where it likes."""
        command = self.command(tasks_from, **more)
        ended = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | CREDENTIALS)
        return ended.returncode, " ".join(ended.stdout.split())

    def kept(self, name: str) -> dict[str, Any]:
        """Return one of the run's JSON files, empty before it is there."""
        path = self.results / "run" / name
        return json.loads(path.read_text()) if path.exists() else {}

    def is_measured(self, stage: str) -> bool:
        """Tell whether a stage's summary has figures."""
        return bool(self.kept(f"{stage}/summary.json").get("measured_s"))


@pytest.fixture
def ladder(tmp_path: Path, whole: Cluster, site: Site) -> Ladder:
    return Ladder(tmp_path, whole, site)


def test_a_killed_ladder_goes_on_where_it_stopped(ladder: Ladder) -> None:
    long = [
        stage | {"hold": 60} if stage["stage"] == "two" else stage
        for stage in ladder.variables["load_test_profiles"]["mini"]
    ]
    command = ladder.command(load_test_profiles={"mini": long})
    killed = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: ladder.is_measured("two"), 60, "the second stage is measured")
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    wait_until(lambda: not ladder.cluster.active(), 30, "its swarm has ended")
    first = (ladder.results / "run/one/summary.json").read_bytes()
    assert [stage["stage"] for stage in ladder.kept("ladder.json")["stages"]] == ["one"]

    _code, hint = ladder.run(load_test_run_id="another", load_test_profiles={"mini": long[:1]})
    assert "was interrupted: one failed. To go on with it: -e load_test_run_id=run" in hint
    code, said = ladder.run()
    assert code == 0, said
    assert "was interrupted: one failed. It goes on with two." in said
    kept = ladder.kept("ladder.json")
    assert [(stage["stage"], stage["verdict"]) for stage in kept["stages"]] == [
        ("one", "failed"),
        ("two", "passed"),
        ("three", "passed"),
    ]
    assert (kept["verdict"], (ladder.results / "run/one/summary.json").read_bytes()) == ("passed", first)
    told = kept["stages"][1]["events"][0]["text"]
    assert told.startswith("an earlier attempt of 20")
    assert told.endswith("requests; it is kept in two.attempt-1")
    assert ladder.kept("two.attempt-1/summary.json")["finished_at"] is None

    code, said = ladder.run()
    assert code == 2
    assert "load_test_run_id is 'run', and that run is finished: results are never overwritten." in said


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A bucket at a real S3 interface."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in ({"AWS_ENDPOINT_URL": f"http://{host}:{port}"} | CREDENTIALS).items():
        monkeypatch.setenv(name, value)
    found = boto3.resource("s3", region_name="us-east-1").create_bucket(Bucket="results-of-tests")
    yield found
    server.stop()


def test_results_are_uploaded_and_never_overwritten(bucket: Any, tmp_path: Path, whole: Cluster, site: Site) -> None:
    ladder = Ladder(tmp_path, whole, site, load_test_results_bucket=bucket.name, load_test_results_prefix="/shop/")
    for name in ("load_test_profile", "load_test_profiles"):
        del ladder.variables[name]  # a survey tells one swarm, not a ladder
    survey = {"load_test_users": "5", "load_test_spawn_rate": "5", "load_test_hold": "1", "load_test_target": site.url}
    survey |= {"load_test_objectives": "failures < 1%\n p95 < 2s \n\n", "load_test_wait": "0.3-0.7"}
    code, said = ladder.run("swarm", **survey)
    assert code == 0, said
    names = ["junit.xml", "history.csv", "locust.html", "requests.csv", "summary.json"]
    wanted = {f"shop/run/swarm/{name}" for name in names} | {"shop/run/ladder.json"}
    uploaded = {one.key: one for one in bucket.objects.all()}
    assert set(uploaded) == wanted
    for key, one in uploaded.items():
        assert one.get()["Body"].read() == (ladder.results / key.removeprefix("shop/")).read_bytes()
    assert len(ladder.kept("swarm/summary.json")["objectives"]) == 2
    code, said = ladder.run("swarm", **survey, load_test_results_directory=str(tmp_path / "elsewhere"))
    assert code == 2
    assert "and that run is finished: results are never overwritten." in said
    assert not (tmp_path / "elsewhere").exists()


def test_a_job_whose_folder_is_gone_goes_on_from_the_bucket(
    bucket: Any, tmp_path: Path, whole: Cluster, site: Site
) -> None:
    ladder = Ladder(tmp_path, whole, site, load_test_results_bucket=bucket.name)
    ladder.variables["load_test_profiles"]["mini"].pop()
    one = {"stage": "one", "verdict": "failed", "reason": "p95 3 s, not under 2 s."}
    earlier = {"run_id": "run", "profile": "mini", "started_at": "2026-11-24T10:00:00Z", "finished_at": None}
    bucket.put_object(Key="run/ladder.json", Body=json.dumps(earlier | {"stages": [one]}).encode())
    code, said = ladder.run()
    assert code == 0, said
    assert "(profile mini) was interrupted: one failed. It goes on with two." in said
    uploaded = json.loads(bucket.Object("run/ladder.json").get()["Body"].read())
    assert [stage["stage"] for stage in uploaded["stages"]] == ["one", "two"]
    assert uploaded["stages"][0] == one
    assert uploaded["verdict"] == "passed"
