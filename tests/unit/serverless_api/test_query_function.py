"""QueryFunction in both languages, each as Lambda runs it, against a DynamoDB emulator."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from ansible_collections.loadlift.aws.plugins.module_utils._aws.dynamodb import to_item
from loadlift_lab.lambda_service.node import Node
from moto.server import ThreadedMotoServer
from shop.products import rendered

FILES = Path(__file__).parents[3] / "roles" / "serverless_api" / "files"
TABLE = "LoadTestDataStore"
# Reads one event, writes the handler's answer on the last line.
PYTHON_DRIVER = "import json, sys, query_function as q; print(json.dumps(q.handler(json.load(sys.stdin), None)))"
NODE_DRIVER = """
import { handler } from "./query_function.mjs";
let text = "";
for await (const part of process.stdin) text += part;
process.stdout.write(JSON.stringify(await handler(JSON.parse(text))) + "\\n");
"""
EVENT = {"httpMethod": "GET", "path": "/data", "headers": {"host": "shop"}, "body": "", "isBase64Encoded": False}
PRODUCTS = [
    {
        "product_id": f"P{number:02}",
        "product_title": f'Wiper "Blade" <{number}> für Tür 🚗',
        "total_reviews": 400 - number // 3,  # some alike
        "average_rating": 3 + (number % 8) / 4,  # some whole
    }
    for number in range(30)
]

Invoke = Callable[..., tuple[dict[str, Any], str]]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def environment(endpoint: str) -> dict[str, str]:
    keys = {"AWS_ACCESS_KEY_ID": "TESTACCESSKEYID00000", "AWS_SECRET_ACCESS_KEY": "test-secret-access-key-for-nothing"}
    place = {"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}
    return keys | place | {"TABLE_NAME": TABLE, "PATH": os.environ["PATH"]}


@pytest.fixture(scope="module", autouse=True)
def table(environment: dict[str, str]) -> None:
    client = boto3.client(
        "dynamodb",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name="us-east-1",
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    key = {"product_id": ("S", "HASH"), "total_reviews": ("N", "RANGE")}
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, (kind, _) in key.items()],
        KeySchema=[{"AttributeName": name, "KeyType": role} for name, (_, role) in key.items()],
    )
    # 50 KB each: more than the megabyte that one page of a scan holds.
    for product in random.Random(1).sample(PRODUCTS, len(PRODUCTS)):
        client.put_item(TableName=TABLE, Item=to_item(product | {"padding": "x" * 50_000}))


@pytest.fixture(scope="session")
def node_folder(request: pytest.FixtureRequest) -> Path:
    if not shutil.which("npm"):
        pytest.skip("there is no Node.js here")
    node = Node(Path(request.config.cache.mkdir("node")))
    asyncio.run(_ready(node))
    node.code.mkdir(exist_ok=True)
    shutil.copy(FILES / "nodejs" / "query_function.mjs", node.code)
    (node.code / "driver.mjs").write_text(NODE_DRIVER)
    return node.code


async def _ready(node: Node) -> None:
    await node.ready()


@pytest.fixture(params=["python", "nodejs"])
def invoke(request: pytest.FixtureRequest, environment: dict[str, str]) -> Invoke:
    """Return what runs the handler on an event: answer and log."""
    if request.param == "python":
        command, folder = [sys.executable, "-c", PYTHON_DRIVER], FILES / "python"
    else:
        command, folder = ["node", "driver.mjs"], request.getfixturevalue("node_folder")

    def run(event: dict[str, Any], **variables: str) -> tuple[dict[str, Any], str]:
        done = subprocess.run(
            command,
            input=json.dumps(event),
            env=environment | {"PYTHONDONTWRITEBYTECODE": "1"} | variables,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        return json.loads(done.stdout.splitlines()[-1]), done.stderr

    return run


def expected_body() -> bytes:
    """What the web application would answer."""
    top = sorted(PRODUCTS, key=lambda product: (-product["total_reviews"], product["product_id"]))
    return rendered(top[:25])


def test_the_very_bytes_of_the_web_application(invoke: Invoke) -> None:
    answer, _ = invoke(EVENT)
    assert answer == {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json", "X-Data-Source": "dynamodb"},
        "body": expected_body().decode(),
        "isBase64Encoded": False,
    }


def test_lists_of_values_where_the_target_group_has_them(invoke: Invoke) -> None:
    event = {name: value for name, value in EVENT.items() if name != "headers"}
    answer, _ = invoke(event | {"multiValueHeaders": {"host": ["shop"]}})
    assert "headers" not in answer
    assert answer["multiValueHeaders"] == {"Content-Type": ["application/json"], "X-Data-Source": ["dynamodb"]}


def test_head_has_no_body(invoke: Invoke) -> None:
    answer, _ = invoke(EVENT | {"httpMethod": "HEAD"})
    assert (answer["statusCode"], answer["body"]) == (200, "")
    assert answer["headers"]["X-Data-Source"] == "dynamodb"


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_other_methods_are_not_allowed(invoke: Invoke, method: str) -> None:
    answer, _ = invoke(EVENT | {"httpMethod": method})
    assert answer["statusCode"] == 405
    assert answer["headers"]["Allow"] == "GET, HEAD"
    assert json.loads(answer["body"]) == {"error": f"{method} is not allowed here"}


@pytest.mark.parametrize("variables", [{"TABLE_NAME": "Nowhere"}, {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}])
def test_a_failure_is_answered_and_logged(invoke: Invoke, variables: dict[str, str]) -> None:
    answer, log = invoke(EVENT, **variables)
    assert answer["statusCode"] == 500
    assert answer["headers"] == {"Content-Type": "application/json"}
    assert json.loads(answer["body"]) == {"error": "The products cannot be read"}
    assert f"Cannot read table {variables.get('TABLE_NAME', TABLE)}" in log
