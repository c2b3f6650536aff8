"""A protected web interface: login, token, TLS, base path, proxy, and no secret anywhere that it could be read."""

from __future__ import annotations

import contextlib
import http.cookiejar
import json
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import pytest
from ansible_collections.loadlift.aws.plugins.module_utils._locust.client import Locust
from ansible_collections.loadlift.aws.plugins.module_utils._locust.web import (
    Access,
    RefusedError,
    UnreachableError,
    fetch,
)

from load import certificate
from load.cluster import SCENARIO, Cluster, free_port, start, wait_until
from load.conftest import MakeSwarm, run
from load.proxy import Proxy
from load.site import Site
from load.test_action import play

USER, PASSWORD, TOKEN = "swarmer", "correct-horse-battery-staple", "a-token-that-opens-the-web-interface"


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the file of secrets."""
    folder = tmp_path_factory.mktemp("secrets")
    told = folder / "access.json"
    told.write_text(json.dumps({"user": USER, "password": PASSWORD, "token": TOKEN}))
    told.chmod(0o600)
    return folder


@pytest.fixture(scope="module")
def guarded(secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster whose web interface has TLS, a base path and a login."""
    cert, key = certificate.make(secrets)
    web = ["--web-login", "--web-access", str(secrets / "access.json"), "--web-base-path", "/locust"]
    tls = ["--tls-cert", str(cert), "--tls-key", str(key)]
    url, access = "https://127.0.0.1:{port}/locust", Access(token=TOKEN, ca_path=str(cert))
    cluster = Cluster(tmp_path_factory.mktemp("guarded"), web=web + tls, url=url, access=access)
    yield cluster
    cluster.close()


def with_access(cluster: Cluster, **more: object) -> Locust:
    """Return the cluster's web interface, reached otherwise."""
    plain = replace(cluster.locust.access, token="")
    return replace(cluster.locust, access=replace(plain, **more))  # type: ignore[arg-type]


def test_a_token_or_a_login_drives_a_swarm(guarded: Cluster, make_swarm: MakeSwarm) -> None:
    assert with_access(guarded, user=USER, password=PASSWORD).state()["version"]
    assert with_access(guarded, validate_certs=False, ca_path=None, token=TOKEN).state()["version"]
    summary = run(make_swarm(guarded, hold=1.0))
    assert summary["verdict"] == "passed"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, r"wants web_user and web_password, or web_token \(401\)"),
        ({"token": "wrong-token"}, r"does not take this web_token \(401\)"),
        ({"user": USER, "password": "wrong-one"}, r"does not take web_user 'swarmer' with this web_password \(401\)"),
        ({"user": "other", "password": PASSWORD}, r"does not take web_user 'other'"),
        ({"user": USER, "password": ""}, "wants web_user"),
    ],
)
def test_nobody_else_gets_in(guarded: Cluster, more: dict[str, str], said: str) -> None:
    with pytest.raises(RefusedError, match=said) as error:
        with_access(guarded, **more).state()
    assert not any(secret in str(error.value) for secret in (PASSWORD, TOKEN, "wrong-token", "wrong-one"))


def test_who_may_not_changes_nothing(guarded: Cluster, make_swarm: MakeSwarm) -> None:
    swarm = make_swarm(guarded, hold=3.0)
    swarm.begin(2, 10, False)
    stranger = with_access(guarded)
    for call in (stranger.stop, lambda: stranger.scale(swarm.order, 20), stranger.report):
        with pytest.raises(RefusedError):
            call()
    summary = swarm.drive()
    assert summary["verdict"] == "passed"
    assert [event["text"] for event in summary["events"]] == []


def test_an_untrusted_certificate_is_refused(guarded: Cluster) -> None:
    with pytest.raises(UnreachableError, match=r"(?i)certificate"):
        with_access(guarded, ca_path=None, token=TOKEN).state()


def test_a_forgotten_base_path_is_said(guarded: Cluster) -> None:
    with pytest.raises(RefusedError, match="is its base path in the url"):
        replace(guarded.locust, url=guarded.locust.url.removesuffix("/locust")).state()


def test_it_is_reached_through_a_proxy(guarded: Cluster, whole: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Proxy()
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, proxy.url)
    monkeypatch.setenv("no_proxy", "")
    assert guarded.locust.state()["version"]
    assert whole.locust.state()["version"]
    assert proxy.asked[0] == f"127.0.0.1:{guarded.web_port}"
    assert proxy.asked[1].startswith(f"{whole.locust.url}/loadlift/swarm")
    assert with_access(guarded, token=TOKEN, use_proxy=False).state()["version"]
    assert len(proxy.asked) == 2
    proxy.close()


def test_a_person_logs_in_with_the_page(guarded: Cluster) -> None:
    trusting = ssl.create_default_context(cafile=str(guarded.locust.access.ca_path))
    cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    browser = urllib.request.build_opener(urllib.request.HTTPSHandler(context=trusting), cookies)
    browser.addheaders = [("Accept", "text/html")]
    base = guarded.locust.url
    assert browser.open(f"{base}/", timeout=5).url.startswith(f"{base}/login")
    for password, place in (("wrong", f"{base}/login"), (PASSWORD, f"{base}/")):
        form = urlencode({"username": USER, "password": password}).encode()
        assert browser.open(f"{base}/loadlift/login", form, timeout=5).url == place
    assert json.load(browser.open(f"{base}/loadlift/swarm", timeout=5))["version"]


def test_a_new_token_is_taken_up_without_a_restart(guarded: Cluster, secrets: Path) -> None:
    told = secrets / "access.json"
    before = told.read_text()
    told.write_text(json.dumps({"token": "another-token"}))
    assert with_access(guarded, token="another-token").state()["version"]
    with pytest.raises(RefusedError, match="does not take this web_token"):
        guarded.locust.state()
    told.write_text("{}")
    assert with_access(guarded, token="another-token").state()["version"]
    told.write_text(before)
    assert guarded.locust.state()["version"]


def test_no_secret_is_shown(guarded: Cluster, site: Site, tmp_path: Path) -> None:
    told = {
        "url": guarded.locust.url,
        "ca_path": guarded.locust.access.ca_path,
        "web_user": USER,
        "web_password": PASSWORD,
        "run_id": "run",
        "stage": "stage",
        "target": site.url,
        "users": 5,
        "spawn_rate": 5,
        "hold": 1,
        "wait": "0.3-0.7",
        "progress_interval": 1,
        "results_directory": str(tmp_path / "results"),
    }
    ended = play(tmp_path, told, "-vvvv")
    assert ended.returncode == 0, ended.stdout
    wrong = play(tmp_path, told | {"web_password": PASSWORD + "!", "run_id": "next"}, "-vvvv")
    assert wrong.returncode == 2
    assert "does not take web_user" in wrong.stdout + wrong.stderr
    shown = [ended.stdout, ended.stderr, wrong.stdout, wrong.stderr]
    shown += [path.read_text() for path in (tmp_path / "results").rglob("*") if path.is_file()]
    shown += [path.read_text() for path in guarded.folder.rglob("*.log")]
    shown += [
        Path(f"/proc/{process.pid}/{what}").read_text()
        for process in (guarded.master, *guarded.workers)
        for what in ("cmdline", "environ")
    ]
    assert not any(PASSWORD in text or TOKEN in text for text in shown)


@pytest.mark.parametrize(
    ("mode", "content", "login", "said"),
    [
        (0o644, '{"token": "secret-token"}', ["--web-login"], "everybody may read it"),
        (0o600, '{"user": "somebody"}', ["--web-login"], "it needs user and password, or token"),
        (0o600, "secret-token", ["--web-login"], "it is no JSON object"),
        (0o600, '{"token": "secret-token"}', [], "--web-access needs --web-login"),
    ],
)
def test_a_master_that_cannot_be_guarded_does_not_run(
    tmp_path: Path, mode: int, content: str, login: list[str], said: str
) -> None:
    told = tmp_path / "access.json"
    told.write_text(content)
    told.chmod(mode)
    options = ["--web-port", "0", "--master-bind-port", str(free_port()), *login, "--web-access", str(told)]
    log = tmp_path / "log"
    master = start(tmp_path, log, SCENARIO / "visitors.py", "--master", "--web-host", "127.0.0.1", *options)
    try:
        assert master.wait(timeout=20) == 1
    except subprocess.TimeoutExpired:
        master.kill()
        raise
    assert said in log.read_text()
    assert "secret-token" not in log.read_text()


def test_an_answer_that_drips_ends_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            connection, _address = listener.accept()
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            with contextlib.suppress(OSError):
                for _ in range(50):
                    time.sleep(0.1)
                    connection.sendall(b"x")

        threading.Thread(target=drip, daemon=True).start()
        started = time.monotonic()
        with pytest.raises(UnreachableError, match="the answer took too long"):
            fetch(f"http://127.0.0.1:{listener.getsockname()[1]}/", 0.5)
        assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    ("status", "headers", "error", "said"),
    [
        ("503 Service Unavailable", "", UnreachableError, "answered 503"),
        ("302 Found", "Location: http://elsewhere/\r\n", RefusedError, r"is elsewhere \(http://elsewhere/\)"),
        ("500 Oh", "", RefusedError, "answered 500"),
    ],
)
def test_what_stands_in_front_is_told_from_the_locust(
    status: str, headers: str, error: type[Exception], said: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _address = listener.accept()
            connection.recv(4096)
            connection.sendall(f"HTTP/1.1 {status}\r\n{headers}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
            connection.close()

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(error, match=said):
            fetch(f"http://127.0.0.1:{listener.getsockname()[1]}/", 5, access=Access(token=TOKEN))


def test_a_locust_is_told_of(whole: Cluster, make_swarm: MakeSwarm, tmp_path: Path) -> None:
    swarm = make_swarm(whole, lease=30.0)
    swarm.begin(2, 10, False)
    swarm.drive(to_the_end=False)
    wait_until(lambda: whole.locust.state(window=True)["window"]["total"]["requests"], 5, "something was measured")
    playbook, interpreter = tmp_path / "look.json", f"ansible_python_interpreter={sys.executable}"
    look = {"loadlift.aws.locust_swarm_info": {"url": whole.locust.url}, "register": "found"}
    show = {"ansible.builtin.copy": {"content": "{{ found | to_json }}", "dest": str(tmp_path / "found.json")}}
    playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [look, show]}]))
    ended = subprocess.run(
        ["ansible-playbook", "-c", "local", "-i", "localhost,", "-e", interpreter, str(playbook)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    assert (found["changed"], found["state"], found["users"], len(found["workers"])) == (False, "running", 20, 2)
    assert (found["swarm"]["run_id"], found["swarm"]["stage"], found["swarm"]["users"]) == ("run", "stage", 20)
    assert found["swarm"]["figures"]["requests"] > 0
    assert 0 < found["swarm"]["lease_left_s"] <= 30
    assert {"cpu_percent", "host", "users"} <= set(found["workers"][0])
