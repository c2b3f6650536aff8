"""Starting, looking at and stopping a lab's programs under a real supervisord."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from loadlift_lab import lifecycle, preflight
from loadlift_lab.settings import LabSettings

SUBNET = "127.0.60"


@pytest.fixture
def settings() -> Iterator[LabSettings]:
    """A lab folder with one program of its own, and nothing running in it afterwards."""
    with tempfile.TemporaryDirectory(prefix="lab") as folder:
        lab = LabSettings(Path(folder), Path(folder), subnet=SUBNET)
        lab.save()
        lab.log_directory.mkdir()
        (lab.directory / "supervisor" / "conf.d").mkdir(parents=True)
        write_supervisor(lab)
        yield lab
        lifecycle.stop(lab, 10)


def write_supervisor(lab: LabSettings) -> None:
    (lab.directory / "supervisor" / "supervisord.conf").write_text(
        f"[unix_http_server]\nfile={lab.supervisor_socket}\n[supervisord]\nlogfile={lab.log_directory}/supervisord.log\n"
        f"pidfile={lab.run_directory}/supervisord.pid\n[rpcinterface:supervisor]\n"
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n"
        f"[include]\nfiles={lab.directory}/supervisor/conf.d/*.ini\n"
    )


def write_program(lab: LabSettings, name: str, command: str, start_seconds: int = 0) -> None:
    (lab.directory / "supervisor" / "conf.d" / f"{name}.ini").write_text(
        f"[program:{name}]\ncommand={command}\nstartsecs={start_seconds}\nautorestart=true\nredirect_stderr=true\n"
        f"stdout_logfile={lab.log_directory}/{name}.log\n"
    )


def serve_health(lab: LabSettings) -> None:
    """Add a program that answers as a control plane does when asked for its health."""
    page = lab.directory / "_lab"
    page.mkdir()
    (page / "health").write_text(json.dumps({"status": "ready", "generation": 0}))
    command = f"{sys.executable} -m http.server {lab.control_plane_port} --bind {lab.address()} -d {lab.directory}"
    write_program(lab, "control-plane", command)


def test_started_twice_changes_nothing_and_stopped_leaves_no_process(settings: LabSettings) -> None:
    serve_health(settings)
    assert lifecycle.start(settings, 30)
    assert not lifecycle.start(settings, 30)
    table, healthy = lifecycle.status(settings)
    assert healthy
    assert "control-plane" in table
    processes = psutil.Process(lifecycle.connect(settings).getPID()).children(recursive=True)
    assert lifecycle.stop(settings, 20)
    assert not [process for process in processes if process.is_running()]
    assert not lifecycle.stop(settings, 20)


@pytest.mark.skipif(
    not os.access("/proc/self/autogroup", os.W_OK) or os.geteuid() != 0,
    reason="only root may let a session go before others, and only where Linux groups processes by session",
)
def test_its_session_goes_before_others(settings: LabSettings) -> None:
    serve_health(settings)
    lifecycle.start(settings, 30)
    program = lifecycle.connect(settings).getProcessInfo("control-plane")["pid"]
    assert Path(f"/proc/{program}/autogroup").read_text().split()[-1] == str(lifecycle.SESSION_NICE)


def test_a_killed_program_comes_back(settings: LabSettings) -> None:
    serve_health(settings)
    lifecycle.start(settings, 30)
    before = lifecycle.connect(settings).getProcessInfo("control-plane")["pid"]
    process = psutil.Process(before)
    process.kill()
    process.wait(10)
    lifecycle.wait_until_ready(settings, 30)
    assert lifecycle.connect(settings).getProcessInfo("control-plane")["pid"] != before


def test_a_dead_part_is_named_with_the_end_of_its_log(settings: LabSettings) -> None:
    serve_health(settings)
    write_program(settings, "cdn-1", f"{sys.executable} -c 'raise SystemExit(\"no such binary\")'", start_seconds=1)
    with pytest.raises(lifecycle.LabError, match=r"cdn-1 .*no such binary"):
        lifecycle.start(settings, 5)


def test_a_taken_port_is_named_with_its_holder(settings: LabSettings) -> None:
    with socket.create_server((SUBNET + ".1", settings.lambda_port)):
        taken = preflight.taken_ports(preflight.lab_addresses(settings))
    assert [(port.host, port.port) for port in taken] == [(SUBNET + ".1", settings.lambda_port)]
    assert "process" in taken[0].holder


def test_the_port_check_ends_with_one_sentence(settings: LabSettings) -> None:
    command = [sys.executable, "-m", "loadlift_lab.preflight", "ports", f"--subnet={SUBNET}"]
    folder = Path(preflight.__file__).parents[1]
    with socket.create_server((SUBNET + ".1", 14001)):
        answer = subprocess.run(
            [*command, f"--directory={settings.directory}", f"{SUBNET}.1:14001"],
            capture_output=True,
            text=True,
            check=False,
            env={"PYTHONPATH": str(folder)},
        )
    assert answer.returncode == 1
    assert answer.stdout.startswith(f"The lab cannot start: {SUBNET}.1:14001 is taken by process")


def test_a_stopped_lab_may_move_to_other_addresses(settings: LabSettings, capsys: pytest.CaptureFixture[str]) -> None:
    settings.save()
    with socket.create_server((SUBNET + ".4", settings.cdn_port)):
        arguments = ["ports", f"--subnet={SUBNET}", f"--directory={settings.directory}"]
        assert preflight.main([*arguments, "--edges=3"]) == 0
        assert preflight.main([*arguments, "--edges=4"]) == 1
    assert f"{SUBNET}.4:{settings.cdn_port} is taken" in capsys.readouterr().out


@pytest.mark.parametrize(("allowed", "sentence"), [(False, "lab_install_packages is false.")])
def test_it_says_why_packages_cannot_be_installed(allowed: bool, sentence: str) -> None:
    assert preflight.why_not_install(allowed) == sentence


def test_a_system_without_apt_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert "has no apt" in preflight.why_not_install(True)


@pytest.mark.parametrize("subnet", ["10.0.0", "127.0", "127.0.0.1", "127.0.256", "127.0.x", ""])
def test_a_lab_stays_on_loopback(subnet: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert preflight.main(["ports", f"--subnet={subnet}", f"--directory={tmp_path}"]) == 1
    assert capsys.readouterr().out.startswith(f"lab_subnet is '{subnet}'; expected are the first three octets")


def test_databases_lie_where_their_own_user_may_enter(tmp_path: Path) -> None:
    lab = LabSettings(tmp_path / "lab", tmp_path, data_directory=tmp_path / "data")
    lab.save()
    assert LabSettings.load(tmp_path / "lab").databases_directory == tmp_path / "data" / "databases"
    assert LabSettings(tmp_path / "lab", tmp_path).databases_directory == tmp_path / "lab" / "databases"
