"""Whether a function's code holds its handler."""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

import pytest
from ansible_collections.loadlift.aws.plugins.filter.lambda_handler_problem import lambda_handler_problem
from ansible_collections.loadlift.aws.plugins.module_utils._plan.lambda_handler import handler_problem

ROLE = Path(__file__).parents[3] / "roles" / "serverless_api" / "files"
PYTHON, NODE = "python3.11", "nodejs22.x"


@pytest.mark.parametrize(
    ("path", "text", "handler", "runtime"),
    [
        ("q.py", "def handler(event, context): ...", "q.handler", PYTHON),
        ("q.py", "async def handler(event, context): ...", "q.handler", PYTHON),
        ("q.py", "handler = other = make()", "q.handler", PYTHON),
        ("q.py", "handler: Handler = make()", "q.handler", PYTHON),
        ("q.py", "from app import run as handler", "q.handler", PYTHON),
        ("q.py", "from app import *", "q.handler", PYTHON),
        ("q.py", "class Q: ...\nhandler, other = Q(), Q()", "q.handler", PYTHON),
        ("q.py", "try:\n    import fast\nexcept ImportError:\n    def handler(e, c): ...", "q.handler", PYTHON),
        ("q.py", "if DEBUG:\n    pass\nelse:\n    def handler(e, c): ...", "q.handler", PYTHON),
        ("app/q.py", "def handler(e, c): ...", "app.q.handler", PYTHON),
        ("app/q.py", "def handler(e, c): ...", "app/q.handler", PYTHON),
        ("app/__init__.py", "def handler(e, c): ...", "app.handler", PYTHON),
        ("q.py", "a newer syntax", "q.handler", f"python3.{sys.version_info.minor + 1}"),
        ("q.mjs", "export async function handler(event) {}", "q.handler", NODE),
        ("q.js", "exports.handler = async () => {}", "q.handler", NODE),
        ("q.cjs", "module.exports = { handler }", "q.handler", NODE),
        ("q.mjs", "export * from './app.mjs'", "q.handler", NODE),
        ("app/q.js", "exports.deep = { handler: () => 1 }", "app/q.deep.handler", NODE),
    ],
)
def test_found(path: str, text: str, handler: str, runtime: str) -> None:
    assert handler_problem({path: text}.get, handler, runtime) == ""


@pytest.mark.parametrize(
    ("path", "text", "handler", "runtime", "problem"),
    [
        ("q.py", "def other(): ...", "q.handler", PYTHON, "q.py defines no 'handler', which the handler names."),
        ("q.py", "def f():\n    def handler(): ...", "q.handler", PYTHON, "q.py defines no 'handler', which"),
        ("q.py", "def handler(:", "q.handler", PYTHON, "q.py is no Python: line 1: "),
        ("p.py", "", "q.handler", PYTHON, "needs q.py or q/__init__.py, which the code does not hold."),
        ("q.py", "", "handler", PYTHON, "handler 'handler' is not allowed; it is <file without ending>.<function>"),
        ("q.py", "", "q.", PYTHON, "handler 'q.' is not allowed"),
        ("q.py", "", "q.handler", NODE, "needs q.js or q.mjs or q.cjs, which the code does not hold."),
        ("q.js", "exports.other = 1", "q.handler", NODE, "q.js exports no 'handler', which the handler names."),
        ("q.js", "function handler() {}", "q.handler", NODE, "q.js exports no 'handler'"),
        ("q.js", "", ".handler", NODE, "handler '.handler' is not allowed"),
    ],
)
def test_problem(path: str, text: str, handler: str, runtime: str, problem: str) -> None:
    found = handler_problem({path: text}.get, handler, runtime)
    assert problem in found
    assert found.endswith(".")


@pytest.mark.parametrize(("folder", "runtime"), [("python", "python3.12"), ("nodejs", "nodejs22.x")])
def test_the_roles_own_code_holds_its_handler(folder: str, runtime: str) -> None:
    assert lambda_handler_problem(str(ROLE / folder), "query_function.handler", runtime) == ""


def test_folder_and_archive_are_read(tmp_path: Path) -> None:
    archive = tmp_path / "code.zip"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as writer:
        writer.writestr("q.py", "def handler(event, context): ...")
    archive.write_bytes(content.getvalue())
    assert lambda_handler_problem(str(archive), "q.handler", PYTHON) == ""
    assert "defines no 'other'" in lambda_handler_problem(str(archive), "q.other", PYTHON)
    archive.write_bytes(b"no zip")
    assert lambda_handler_problem(str(archive), "q.handler", PYTHON) == f"'{archive}' is not a zip archive."
    missing = str(tmp_path / "none")
    assert lambda_handler_problem(missing, "q.handler", PYTHON) == f"'{missing}' is neither a folder nor a zip archive."
