"""What keeps the fleet's interface reachable: a command that ends begins again, and none outlives its file."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from processes import lives

from load.cluster import wait_until

FORWARD = Path(__file__).parents[2] / "roles" / "load_test_fleet" / "files" / "forward.py"
# As the AWS CLI does: it starts a plugin, which would outlive it.
SESSION = 'sleep 300 & echo "$!" >> "$0"; echo started; wait'
Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start the program for the file `forward` with a command; what it runs notes its process in `plugins`."""
    running: list[subprocess.Popen[bytes]] = []

    def run(script: str = SESSION, seconds: float = 60) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(FORWARD), str(tmp_path / "folder" / "forward"), str(seconds), "sh", "-c", script]
        running.append(subprocess.Popen([*command, str(tmp_path / "plugins")]))
        return running[-1]

    yield run
    for process in running:
        process.terminate()
        process.wait(10)


def plugins(folder: Path) -> list[int]:
    """Return the processes of the sessions that were started."""
    noted = folder / "plugins"
    return [int(line) for line in noted.read_text().split()] if noted.exists() else []


def test_it_ends_with_its_file_and_leaves_nothing(tmp_path: Path, start: Start) -> None:
    program = start()
    wait_until(lambda: plugins(tmp_path), 10, "a session was started")
    (tmp_path / "folder" / "forward").unlink()
    assert program.wait(10) == 0
    assert not lives(plugins(tmp_path)[0])
    assert (tmp_path / "folder" / "forward.log").read_text() == "started\n"


def test_a_session_that_ends_is_begun_again(tmp_path: Path, start: Start) -> None:
    start('echo "$$" >> "$0"; exit 254')
    wait_until(lambda: len(plugins(tmp_path)) >= 3, 20, "it was started three times")


def test_the_next_one_takes_its_place(tmp_path: Path, start: Start) -> None:
    first = start()
    wait_until(lambda: len(plugins(tmp_path)) == 1, 10, "the first session was started")
    second = start()
    assert first.wait(10) == 0
    wait_until(lambda: len(plugins(tmp_path)) == 2, 10, "the second session was started")
    assert [lives(pid) for pid in plugins(tmp_path)] == [False, True]
    assert second.poll() is None
    assert (tmp_path / "folder" / "forward").read_text() == str(second.pid)


def test_it_ends_by_itself(tmp_path: Path, start: Start) -> None:
    program = start(seconds=1.5)
    assert program.wait(15) == 0
    assert not any(lives(pid) for pid in plugins(tmp_path))
    assert os.listdir(tmp_path / "folder") == ["forward.log"]


def test_a_signal_ends_its_session_too(tmp_path: Path, start: Start) -> None:
    program = start()
    wait_until(lambda: plugins(tmp_path), 10, "a session was started")
    program.terminate()
    program.wait(10)
    assert not lives(plugins(tmp_path)[0])
