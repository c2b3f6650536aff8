"""The role load_test as people run it: playbooks/load_test.yml with an inventory of its own, a supervisor a host."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "TESTACCESSKEYID00000",
    "AWS_SECRET_ACCESS_KEY": "test-secret-access-key-that-opens-nothing",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
SUPERVISOR = """
[unix_http_server]
file={folder}/supervisor.sock
[supervisord]
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{folder}/supervisor.sock
[include]
files=conf.d/*.ini
"""


def write_supervisor(folder: Path) -> list[str]:
    """Write the configuration of a supervisor in `folder`; return the command that starts it."""
    (folder / "conf.d").mkdir(parents=True)
    configuration = folder / "supervisord.conf"
    configuration.write_text(SUPERVISOR.format(folder=folder))
    return [sys.executable, "-m", "supervisor.supervisord", f"--configuration={configuration}"]


def supervised(folder: Path) -> dict[str, Any]:
    """Return the variables of a host whose programs a supervisor in `folder` keeps."""
    control = [sys.executable, "-m", "supervisor.supervisorctl", f"--configuration={folder}/supervisord.conf"]
    return {
        "load_test_supervisor": "supervisor",
        "load_test_supervisor_programs": f"{folder}/conf.d",
        "load_test_supervisorctl": control,
        "load_test_directory": f"{folder}/load_test",
    }


def stop_supervisor(folder: Path) -> None:
    """End the supervisor in `folder` with its programs."""
    control = supervised(folder)["load_test_supervisorctl"]
    subprocess.run([*control, "shutdown"], check=False, capture_output=True)


class Deployment:
    """A master, its worker hosts, and the playbook that deploys to them."""

    def __init__(
        self,
        folder: Path,
        endpoint: str,
        master: str,
        workers: dict[str, dict[str, Any]],
        master_variables: dict[str, Any] | None = None,
    ) -> None:
        self.folder = folder
        everyone = workers if master in workers else workers | {master: master_variables or {}}
        inventory = {
            "all": {"hosts": everyone},
            "locust_master": {"hosts": {master: {}}},
            "locust_workers": {"hosts": dict.fromkeys(workers, {})},
        }
        self.inventory = folder / "inventory.json"
        self.inventory.write_text(json.dumps(inventory))
        self.variables = {
            "loadlift_stack": "generators",
            "loadlift_region": "us-east-1",
            "loadlift_environment": ACCOUNT | {"AWS_ENDPOINT_URL": endpoint},
        }

    def run(self, *arguments: str, **variables: Any) -> subprocess.CompletedProcess[str]:
        """Run the playbook with these variables on top."""
        told = json.dumps(self.variables | variables)
        playbook = str(PLAYBOOKS / "load_test.yml")
        command = ["ansible-playbook", "-i", str(self.inventory), playbook, "-e", told, *arguments]
        settings = {
            "ANSIBLE_CONFIG": str(PLAYBOOKS.parent / "ansible.cfg"),
            "ANSIBLE_LOCAL_TEMP": str(self.folder / "ansible"),
            "ANSIBLE_PIPELINING": "1",
        }
        return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | settings)

    def deploy(self, **variables: Any) -> str:
        """Run the playbook, which must not fail; return what it said, in one line."""
        ended = self.run(**variables)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return " ".join(ended.stdout.split())


def changed(said: str) -> int:
    """Return how many tasks changed something, on all hosts together."""
    return sum(map(int, re.findall(r"changed=(\d+)", said)))
