"""The role load_test on one host: hash-checked packages, one worker a core, units that systemd understands."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.loadlift.aws.plugins.module_utils._locust.client import Locust
from ansible_collections.loadlift.aws.plugins.module_utils._locust.web import Access, RefusedError, fetch
from ansible_collections.loadlift.aws.plugins.module_utils._plan.scenario import requests
from moto.server import ThreadedMotoServer

from load.certificate import make as make_certificate
from load.cluster import free_port
from load.deployment import Deployment, changed, stop_supervisor, supervised, write_supervisor

ROLE = Path(__file__).parents[2] / "roles" / "load_test"
REQUIREMENTS = ROLE / "files" / "requirements.txt"
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """An empty account."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


def variables(**more: Any) -> dict[str, Any]:
    """Return what the host `generator` is told: free ports on loopback."""
    ports = {"load_test_master_port": free_port(), "load_test_web_port": free_port()}
    return LOCAL | ports | {"load_test_master_host": "127.0.0.1", "load_test_system_python": sys.executable} | more


@pytest.fixture
def host(tmp_path: Path, endpoint: str) -> Iterator[Deployment]:
    """A host of this test's own under a supervisor."""
    folder = tmp_path / "generator"
    subprocess.run(write_supervisor(folder), check=True)
    yield Deployment(tmp_path, endpoint, "generator", {"generator": variables(**supervised(folder))})
    stop_supervisor(folder)


def told(host: Deployment) -> dict[str, Any]:
    """Return what the inventory tells of the host."""
    known: dict[str, Any] = json.loads(host.inventory.read_text())["all"]["hosts"]["generator"]
    return known


def test_locust_is_installed_by_hashes_started_kept_and_removed(host: Deployment) -> None:
    """The whole life of a host, with the packages that pip finds."""
    said = host.deploy()
    here = told(host)
    state = Locust(f"http://127.0.0.1:{here['load_test_web_port']}", timeout_s=5.0).state()
    assert len(state["workers"]) == len(os.sched_getaffinity(0)), "one worker a core"
    assert f"each may open {state['workers'][0]['open_files']} files" in said
    assert fetch(f"http://127.0.0.1:{here['load_test_web_port']}/loadlift/swarm", 5)["state"] == "ready"
    interpreter = next(Path(here["load_test_directory"]).glob("venv-*/bin/python"))
    command = [interpreter, "-m", "pip", "freeze", "--all"]
    installed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "locust==2.47.0" in installed
    assert changed(host.deploy()) == 0
    assert changed(host.deploy(load_test_state="absent")) > 0
    assert changed(host.deploy(load_test_state="absent")) == 0
    assert not Path(here["load_test_directory"]).exists()


def test_a_package_with_another_hash_is_refused(host: Deployment, tmp_path: Path) -> None:
    # An old release of a small package, with the hash of nothing.
    wrong = tmp_path / "requirements.txt"
    wrong.write_text(f"zope-event==6.2 --hash=sha256:{'0' * 64}\n")
    ended = host.run(load_test_requirements=str(wrong))
    assert ended.returncode != 0
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in ended.stdout
    assert not list(Path(told(host)["load_test_directory"]).glob("venv-*/installed"))


def test_a_python_that_locust_does_not_run_on_is_refused(host: Deployment, tmp_path: Path) -> None:
    old = tmp_path / "python3.9"
    old.write_text("#!/bin/sh\necho 3 9 without\n")
    old.chmod(0o755)
    ended = host.run(load_test_system_python=str(old), load_test_worker_processes=1, load_test_python="")
    assert ended.returncode != 0
    assert "allowed are Python 3.11 to 3.13 with ensurepip" in " ".join(ended.stdout.split())


def test_the_role_installs_the_locust_that_the_lab_runs() -> None:
    pinned = (ROLE.parents[1] / "requirements.txt").read_text().splitlines()
    locust = next(line for line in pinned if line.startswith("locust=="))
    assert f"{locust} \\" in REQUIREMENTS.read_text().splitlines()


def test_a_mix_as_data_is_deployed_and_kernel_settings_that_differ_are_said(host: Deployment) -> None:
    mix = [{"path": "/", "text": "hello"}, {"path": "/cart", "method": "POST", "body": {"product": 7}}]
    here = {"load_test_python": sys.executable, "load_test_worker_processes": 1}
    refused = host.run(load_test_requests=[{"path": "data"}], **here)
    assert "load_test_requests[0]: path is 'data'; a path that begins with / " in " ".join(refused.stdout.split())
    said = host.deploy(
        load_test_requests=mix, load_test_connections="shared", load_test_sysctls={"kernel.pid_max": 12345}, **here
    )
    assert "generator: kernel.pid_max is " in said
    assert "better is 12345; load_test_kernel_settings=set writes it." in said
    (deployed,) = Path(told(host)["load_test_directory"]).glob("scenario-*/scenario.json")
    scenario = json.loads(deployed.read_text())
    assert (scenario["connections"], scenario["requests"]) == ("shared", requests(mix))
    program = Path(told(host)["load_test_supervisor_programs"]) / "load-test.ini"
    assert f",{deployed.parent}/described.py --worker" in program.read_text()


RENDER = """
- hosts: generator
  gather_facts: false
  tasks:
    - ansible.builtin.include_vars: "{role}/defaults/main.yml"
    - ansible.builtin.include_vars: "{role}/vars/main.yml"
    - ansible.builtin.set_fact:
        load_test_bundle: {{sha256: "0123456789abcdef"}}
        load_test_processes: 3
        load_test_address: 192.0.2.7
    - ansible.builtin.template:
        src: "{role}/templates/{{{{ item }}}}.j2"
        dest: "{folder}/{{{{ item }}}}"
      loop: "{{{{ load_test_master_units + load_test_worker_units }}}}"
"""


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not on this machine")
def test_systemd_understands_the_units(tmp_path: Path, endpoint: str) -> None:
    """Only `systemd-analyze verify` can be asked where no systemd runs."""
    guard = {
        "load_test_web_token": "secret",
        "load_test_web_tls_certificate": "/c.pem",
        "load_test_web_tls_key": "/k.pem",
    }
    known = variables(load_test_python=sys.executable, role_path=str(ROLE), load_test_directory="/usr", **guard)
    deployment = Deployment(tmp_path, endpoint, "generator", {"generator": LOCAL})
    playbook = tmp_path / "render.yml"
    playbook.write_text(RENDER.format(role=ROLE, folder=tmp_path))
    command = ["ansible-playbook", "-i", str(deployment.inventory), str(playbook), "-e", json.dumps(known)]
    subprocess.run(command, check=True, capture_output=True)
    units = [
        tmp_path / name
        for name in ("load-test-master.service", "load-test-worker@.service", "load-test-workers.target")
    ]
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, units)], capture_output=True, text=True, check=False
    )
    assert (verified.returncode, verified.stderr) == (0, "")
    master = units[0].read_text()
    assert "IPAddressAllow=localhost 192.0.2.7\n" in master
    assert "LimitNOFILE=1048576\n" in master
    assert "--web-login --web-access %d/access.json --tls-cert %d/tls.pem --tls-key %d/tls.key" in " ".join(
        master.split()
    )
    assert "secret" not in master
    assert units[2].read_text().count("Wants=load-test-worker@") == 3


def test_a_web_interface_with_token_tls_and_base_path_is_deployed(host: Deployment, tmp_path: Path) -> None:
    token = "a-token-that-opens-the-web-interface"
    certificate, key = make_certificate(tmp_path)
    here = {
        "load_test_python": sys.executable,
        "load_test_worker_processes": 1,
        "load_test_web_token": token,
        "load_test_web_base_path": "/locust",
        "load_test_web_tls_certificate": str(certificate),
        "load_test_web_tls_key": str(key),
        "load_test_web_ca_path": str(certificate),
    }
    said = host.deploy(**here)
    url = f"https://127.0.0.1:{told(host)['load_test_web_port']}/locust"
    access = Access(token=token, ca_path=str(certificate))
    assert Locust(url, 5.0, access).state()["workers"]
    with pytest.raises(RefusedError, match="wants web_user and web_password, or web_token"):
        Locust(url, 5.0, replace(access, token="")).state()
    assert changed(host.deploy(**here)) == 0
    folder = Path(told(host)["load_test_directory"])
    secret = folder / "access.json"
    assert secret.stat().st_mode & 0o777 == 0o600
    elsewhere = [path for path in folder.parent.rglob("*") if path.is_file() and path != secret]
    assert not any(token.encode() in path.read_bytes() for path in elsewhere)
    assert token not in said
