"""Following the account: generations over HTTP, a control plane that replays or is away, a part that fails."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from loadlift_lab.data_plane.__main__ import keep
from loadlift_lab.data_plane.changes import Changes
from loadlift_lab.data_plane.context import Context
from loadlift_lab.settings import LabSettings

ADDRESS = "127.0.22.1"


class ControlPlane:
    """What `/_lab/health` and `/_lab/changes` tell; `status` None: the server has no such endpoints."""

    status: str | None = "ready"
    generation = 3


@contextmanager
def served(control_plane: ControlPlane, port: int = 0) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802
            self.send_response(200 if control_plane.status else 404)
            self.end_headers()
            self.wfile.write(
                json.dumps({"status": control_plane.status, "generation": control_plane.generation}).encode()
            )

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((ADDRESS, port), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def following(port: int, tmp_path: Path) -> Iterator[tuple[Changes, LabSettings, threading.Event]]:
    settings = LabSettings(tmp_path, tmp_path, subnet="127.0.22", control_plane_port=port)
    changes, stop = Changes(settings), threading.Event()
    thread = threading.Thread(target=changes.follow, args=(stop,), daemon=True)
    thread.start()
    try:
        yield changes, settings, stop
    finally:
        stop.set()
        thread.join(10)


def test_a_change_is_told_and_a_control_plane_that_is_away_is_no_generation(tmp_path: Path) -> None:
    control_plane = ControlPlane()
    with served(control_plane) as port, following(port, tmp_path) as (changes, _, _):
        assert changes.wait(None, 30) == 3
        control_plane.generation = 4
        assert changes.wait(3, 30) == 4
        control_plane.status = "replaying"  # told by /_lab/health only, which is asked after an absence
    with following(port, tmp_path) as (changes, _, _):
        assert changes.wait(None, 1) is None
        with served(control_plane, port):
            assert changes.wait(None, 2) is None
            control_plane.status = "ready"
            assert changes.wait(None, 30) == 4


def test_without_the_lab_s_endpoints_every_look_is_a_change(tmp_path: Path) -> None:
    control_plane = ControlPlane()
    control_plane.status = None
    with served(control_plane) as port, following(port, tmp_path) as (changes, _, _):
        first = changes.wait(None, 30)
        assert first is not None
        assert changes.wait(first, 30) == first + 1


def test_a_part_that_fails_is_logged_once_tried_again_and_told_to_work(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[int] = []
    with (
        caplog.at_level("INFO"),
        served(ControlPlane()) as port,
        following(port, tmp_path) as (changes, settings, stop),
    ):

        def reconcile(context: Context) -> None:
            calls.append(context.generation)
            if len(calls) > 2:
                stop.set()
                return
            raise ValueError("not yet")

        thread = threading.Thread(target=keep, args=("part", reconcile, Context.of(settings), changes, stop))
        thread.start()
        thread.join(30)
    assert calls == [3, 3, 3]
    assert [one.getMessage() for one in caplog.records if one.name == "loadlift_lab.data_plane"] == [
        "part: ValueError: not yet",
        "part: works again",
    ]


def test_the_account_is_read_once_a_generation(tmp_path: Path) -> None:
    reads: list[int] = []

    def read(context: Context) -> int:
        reads.append(context.generation)
        return context.generation

    context = Context.of(LabSettings(tmp_path, tmp_path))
    looks = [replace(context, generation=generation).observed(read) for generation in (1, 1, 2, 2)]
    assert (looks, reads) == ([1, 1, 2, 2], [1, 2])
