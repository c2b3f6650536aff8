"""The web application as an instance runs it: start.sh with a real PostgreSQL and Redis, and moto as the account."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import psutil
import psycopg
import pytest
import redis
from loadlift_lab.data_plane.engines import postgresql
from moto.server import ThreadedMotoServer
from processes import lives

ADDRESS = "127.0.33.5"
WEB_PORT, OTHER_WEB_PORT, DATABASE_PORT, CACHE_PORT = 8080, 8081, 15432, 16379
ROOT = Path(__file__).parents[2]
APP = ROOT / "roles" / "web" / "files" / "app"
SEED = ROOT / "roles" / "database" / "files" / "seed_reviews.py"
WORKERS = 2
PASSWORD = "a-password-for-tests-only"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "TESTACCESSKEYID00000", "AWS_SECRET_ACCESS_KEY": "test-secret-that-opens-nothing"}
STATIC = ("app.css", "app.js", "hero.svg", "logo.svg", "chart.svg", "icons.svg", "product.svg", "favicon.ico")


def wait_for(condition: Callable[[], Any], seconds: float = 30) -> Any:
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
    return answer


@contextmanager
def process(command: list[str], log: Path, **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as output:
        started = subprocess.Popen(command, stdout=output, stderr=output, **more)
    try:
        yield started
    finally:
        started.terminate()
        started.wait(20)


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def get(path: str, port: int = WEB_PORT) -> Reply:
    connection = http.client.HTTPConnection(ADDRESS, port, timeout=60)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    except OSError:
        return Reply(0, {}, b"")
    finally:
        connection.close()


def query(statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(
        host=ADDRESS, port=DATABASE_PORT, user="shop", password=PASSWORD, dbname="shop", autocommit=True
    ) as connection:
        cursor = connection.execute(statement)  # type: ignore[call-overload]
        return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = Path("/tmp") / f"shop-{os.getpid()}"  # PostgreSQL's own user does not reach pytest's folders
    made.mkdir(mode=0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def database(folder: Path) -> Iterator[None]:
    """A PostgreSQL with a small set of reviews."""
    postgresql._create(folder / "database", postgresql.Master("shop", PASSWORD, "shop"))
    user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    command = postgresql.server_command(folder / "database" / "data", ADDRESS, DATABASE_PORT)
    with process(command, folder / "postgresql.log", cwd="/", **user):
        wait_for(lambda: answers(lambda: query("SELECT 1")))
        seed()
        yield


def answers(question: Callable[[], Any]) -> bool:
    try:
        question()
    except (psycopg.OperationalError, redis.ConnectionError):
        return False
    return True


def seed(*more: str) -> Any:
    variables = {"PGHOST": ADDRESS, "PGPORT": str(DATABASE_PORT), "PGUSER": "shop", "PGDATABASE": "shop"}
    command = [sys.executable, str(SEED), "--rows=3000", *more]
    environment = os.environ | variables | {"PGPASSWORD": PASSWORD}
    return json.loads(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)


@contextmanager
def running_cache(folder: Path) -> Iterator[redis.Redis]:
    command = ["redis-server", "--bind", ADDRESS, "--port", str(CACHE_PORT), "--save", "", "--protected-mode", "no"]
    client = redis.Redis(ADDRESS, CACHE_PORT)
    with process(command, folder / "redis.log", cwd=folder):
        wait_for(lambda: answers(client.ping))
        yield client


@pytest.fixture(scope="module")
def aws(folder: Path) -> Iterator[dict[str, str]]:
    """The environment of an account that holds the secret and the settings."""
    server = ThreadedMotoServer(ip_address=ADDRESS, port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = CREDENTIALS | {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_REGION": "us-east-1"}
    value = {"username": "shop", "password": PASSWORD, "host": ADDRESS, "port": DATABASE_PORT, "dbname": "shop"}
    client(environment, "secretsmanager").create_secret(Name="shop", SecretString=json.dumps(value))
    settings(environment, query_cache=False)
    yield environment
    server.stop()


def client(environment: dict[str, str], service: str) -> Any:
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )


def settings(environment: dict[str, str], **values: Any) -> None:
    put = client(environment, "ssm").put_parameter
    put(Name="/settings", Value=json.dumps(values), Type="String", Overwrite=True)


@contextmanager
def running_app(aws: dict[str, str], folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    environment = os.environ | aws | {
        "PATH": f"{Path(sys.executable).parent}:/usr/sbin:/usr/bin:/sbin:/bin",
        "LISTEN_ADDRESS": ADDRESS,
        "LISTEN_PORT": str(port),
        "WEB_WORKERS": str(WORKERS),
        "LOADLIFT_STACK": "tests",
        "DATABASE_SECRET": "shop",
        "CACHE_ENDPOINT": f"{ADDRESS}:{CACHE_PORT}",
        "SETTINGS_PARAMETER": "/settings",
        "RUN_DIRECTORY": str(folder / f"a folder with spaces {port}" / ("deep" * 25)),
    }  # fmt: skip
    with process([str(APP / "start.sh")], folder / "app.log", env=environment, cwd=folder) as started:
        wait_for(lambda: get("/health", port).status == 200)
        yield started


@pytest.fixture(scope="module")
def app(aws: dict[str, str], database: None, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with running_app(aws, folder, WEB_PORT) as started:
        yield started


def switch(aws: dict[str, str], folder: Path, **values: Any) -> None:
    """Change the settings, and wait until each worker of the application has read them."""
    log = folder / "app.log"
    sentence = "The settings are now"
    before = log.read_text().count(sentence)
    settings(aws, **values)
    wait_for(lambda: log.read_text().count(sentence) >= before + WORKERS)


@pytest.fixture
def cached(app: subprocess.Popen[bytes], aws: dict[str, str], folder: Path) -> Iterator[redis.Redis]:
    """The application with its cache, switched on; off and gone afterwards."""
    with running_cache(folder) as cache:
        switch(aws, folder, query_cache=True)
        yield cache
        switch(aws, folder, query_cache=False)


def test_seeding_again_changes_nothing_and_heals_what_is_missing(database: None) -> None:
    assert seed() == {"changed": False, "rows": 3000}
    query("DELETE FROM auto WHERE star_rating = 1")
    assert seed("--check") == {"changed": True, "rows": 3000}
    assert query("SELECT count(*) FROM auto WHERE star_rating = 1") == [(0,)]
    assert seed() == {"changed": True, "rows": 3000}
    assert query("SELECT count(*) FROM auto") == [(3000,)]


def test_data_tells_the_products_with_most_reviews(app: subprocess.Popen[bytes]) -> None:
    reply = get("/data")
    plain = query(
        "SELECT product_id, max(product_title), count(*), round(avg(star_rating), 2)::float8 FROM auto"
        " GROUP BY product_id ORDER BY count(*) DESC, product_id LIMIT 25"
    )
    keys = ("product_id", "product_title", "total_reviews", "average_rating")
    assert reply.json == {"products": [dict(zip(keys, row, strict=True)) for row in plain]}
    assert len(plain) == 25
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["x-data-source"] == "database"
    assert "cache-control" not in reply.headers


def test_the_page_names_every_static_file(app: subprocess.Popen[bytes]) -> None:
    page = get("/").body.decode() + (APP / "static" / "app.css").read_text()
    assert "stack <code>tests</code>" in page
    for name in STATIC:
        assert name in page
        reply = get(f"/static/{name}")
        assert (reply.status, reply.body) == (200, (APP / "static" / name).read_bytes())
        assert reply.headers["cache-control"] == "public, max-age=600"
        assert "text/html" not in reply.headers["content-type"]
    assert sorted(STATIC) == sorted(path.name for path in (APP / "static").iterdir())


@pytest.mark.parametrize(
    ("path", "status"), [("/health", 200), ("/favicon.ico", 200), ("/none", 404), ("/static/", 403)]
)
def test_other_paths(app: subprocess.Popen[bytes], path: str, status: int) -> None:
    assert get(path).status == status


def test_only_the_listen_address_is_bound(app: subprocess.Popen[bytes]) -> None:
    family = [app_process, *app_process.children(recursive=True)] if (app_process := psutil.Process(app.pid)) else []
    listening = {tuple(socket.laddr) for one in family for socket in one.net_connections() if socket.status == "LISTEN"}
    assert listening == {(ADDRESS, WEB_PORT)}


def test_the_cache_keeps_the_result_for_the_time_that_the_settings_tell(
    cached: redis.Redis, aws: dict[str, str], folder: Path
) -> None:
    first, second = get("/data"), get("/data")
    assert (first.headers["x-data-source"], second.headers["x-data-source"]) == ("database", "cache")
    assert first.body == second.body
    assert 50 < cached.ttl("top-products") <= 60
    switch(aws, folder, query_cache=True, query_cache_seconds=5)
    cached.delete("top-products")
    get("/data")
    assert 0 < cached.ttl("top-products") <= 5


def test_of_all_who_find_the_result_gone_one_asks_the_database(cached: redis.Redis) -> None:
    with ThreadPoolExecutor(50) as pool:
        for _ in range(3):
            cached.delete("top-products")
            sources = [reply.headers["x-data-source"] for reply in pool.map(get, ["/data"] * 50)]
            assert sorted(sources) == ["cache"] * 49 + ["database"]


def test_without_a_cache_the_database_answers(app: subprocess.Popen[bytes], aws: dict[str, str], folder: Path) -> None:
    with running_cache(folder):
        switch(aws, folder, query_cache=True)
        assert [get("/data").headers["x-data-source"] for _ in range(2)] == ["database", "cache"]
    reply = get("/data")
    assert (reply.status, reply.headers["x-data-source"]) == (200, "database")
    switch(aws, folder, query_cache=False)


def test_wrong_settings_change_nothing(app: subprocess.Popen[bytes], aws: dict[str, str], folder: Path) -> None:
    settings(aws, query_cache="perhaps")
    sentence = "query_cache is 'perhaps'; allowed are true and false"
    wait_for(lambda: sentence in (folder / "app.log").read_text())
    assert get("/data").headers["x-data-source"] == "database"
    settings(aws, query_cache=False)


def test_a_database_that_is_away_gives_503_and_comes_back(app: subprocess.Popen[bytes]) -> None:
    query("REVOKE SELECT ON auto FROM PUBLIC; ALTER TABLE auto RENAME TO away")
    reply = get("/data")
    assert (reply.status, reply.json) == (503, {"error": "The database does not answer in time."})
    assert reply.headers["cache-control"] == "no-store"
    assert get("/health").status == 200
    query("ALTER TABLE away RENAME TO auto")
    assert get("/data").status == 200


def test_sigterm_leaves_nothing_and_finishes_what_was_begun(aws: dict[str, str], database: None, folder: Path) -> None:
    with running_app(aws, folder, OTHER_WEB_PORT) as started, ThreadPoolExecutor(8) as pool:
        family = psutil.Process(started.pid).children(recursive=True)
        assert {child.name() for child in family} >= {"nginx", "gunicorn"}
        assert get("/data", OTHER_WEB_PORT).status == 200  # both ends are warm
        replies = [pool.submit(get, "/data", OTHER_WEB_PORT) for _ in range(8)]
        time.sleep(0.02)
        started.terminate()
        assert started.wait(9) == 0
        assert {reply.result().status for reply in replies} <= {200, 0}  # 0: refused, never cut off
        assert not [child for child in family if lives(child.pid)]


def test_a_killed_start_takes_its_children_along_and_the_next_one_runs(
    aws: dict[str, str], database: None, folder: Path
) -> None:
    with running_app(aws, folder, OTHER_WEB_PORT) as started:
        family = psutil.Process(started.pid).children(recursive=True)
        started.send_signal(signal.SIGKILL)
        started.wait()
        with running_app(aws, folder, OTHER_WEB_PORT):
            assert get("/data", OTHER_WEB_PORT).status == 200
            wait_for(lambda: not [child for child in family if child.is_running()], 10)
            assert get("/data", OTHER_WEB_PORT).status == 200


@pytest.mark.parametrize("name", ["nginx", "gunicorn"])
def test_where_one_ends_so_does_the_other(aws: dict[str, str], database: None, folder: Path, name: str) -> None:
    with running_app(aws, folder, OTHER_WEB_PORT) as started:
        parent = next(child for child in psutil.Process(started.pid).children() if child.name() == name)
        parent.kill()
        assert started.wait(10) == 1


@pytest.mark.parametrize("name", ["LISTEN_ADDRESS", "LISTEN_PORT", "DATABASE_SECRET", "SETTINGS_PARAMETER"])
def test_a_missing_variable_is_named(aws: dict[str, str], folder: Path, name: str) -> None:
    told = {"LISTEN_ADDRESS": ADDRESS, "LISTEN_PORT": "8099", "LOADLIFT_STACK": "tests", "DATABASE_SECRET": "shop"}
    told |= {"SETTINGS_PARAMETER": "/settings", "PATH": f"{Path(sys.executable).parent}:/usr/sbin:/usr/bin:/bin"}
    environment = aws | {key: value for key, value in told.items() if key != name}
    ended = subprocess.run([str(APP / "start.sh")], env=environment, cwd=folder, capture_output=True, text=True)
    assert ended.returncode == 1
    assert f"{name}" in ended.stderr
    assert "is not set" in ended.stderr
