"""Imports of the plugins go one way: modules -> _run -> (_aws | _locust) -> _plan -> the standard library."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[2] / "plugins"
OURS = "ansible_collections.loadlift.aws.plugins."
# Folder of the plugins -> what its files may import of the plugins; files may import within their own folder.
ALLOWED = {
    "modules": {"module_utils._run", "module_utils._aws", "module_utils._locust", "module_utils._plan"},
    "module_utils._run": {"module_utils._aws", "module_utils._locust", "module_utils._plan"},
    "module_utils._aws": {"module_utils._aws", "module_utils._plan"},
    "module_utils._locust": {"module_utils._locust", "module_utils._plan"},
    "module_utils._plan": {"module_utils._plan"},
    "action": {"action", "module_utils._plan", "module_utils._locust"},
    "filter": {"filter", "module_utils._plan", "module_utils._locust"},
    "doc_fragments": {"doc_fragments"},
}
AWS_SDK = {"boto3", "botocore", "jmespath", "s3transfer"}
# It has no plan: it makes a file, no resource of AWS.
WITHOUT_PLAN = {"zip_bundle"}
FILES = sorted(PLUGINS.rglob("*.py"))


def folder(path: Path) -> str:
    """Return the part of the house in which a file is."""
    parts = path.relative_to(PLUGINS).with_suffix("").parts
    return ".".join(parts[:2]) if parts[0] == "module_utils" else parts[0]


def imports(path: Path) -> Iterator[str]:
    """Yield the full name of every module that a file imports, wherever in it."""
    package = OURS + ".".join(path.relative_to(PLUGINS).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            base = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) + "." if node.level else ""
            name = base + (node.module or "")
            yield from (f"{name}.{alias.name}" if name.endswith("module_utils") else name for alias in node.names)


def of_ours(name: str) -> str:
    """Return the part of the house that an import of ours means."""
    parts = name.removeprefix(OURS).split(".")
    return ".".join(parts[:2]) if parts[0] == "module_utils" else parts[0]


def test_every_file_has_a_place() -> None:
    assert {folder(path) for path in FILES} <= set(ALLOWED)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PLUGINS)))
def test_imports_go_down_only(path: Path) -> None:
    wrong = [name for name in imports(path) if name.startswith(OURS) and of_ours(name) not in ALLOWED[folder(path)]]
    assert not wrong


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PLUGINS)))
def test_only_aws_knows_the_sdk(path: Path) -> None:
    used = {name.split(".")[0] for name in imports(path)} & AWS_SDK
    # Modules name its exceptions, since AnsibleAWSModule wants them handed over.
    allowed = {"_aws": AWS_SDK, "modules": {"botocore"}}.get(folder(path).rpartition(".")[2], set())
    assert used <= allowed


@pytest.mark.parametrize("path", sorted((PLUGINS / "module_utils" / "_plan").glob("*.py")), ids=lambda path: path.name)
def test_plans_need_the_standard_library_only(path: Path) -> None:
    foreign = [name for name in imports(path) if not name.startswith(OURS)]
    assert {name.split(".")[0] for name in foreign} <= sys.stdlib_module_names | {"__future__"}


def test_only_run_asks_for_check_mode() -> None:
    asking = [path for path in FILES if "check_mode" in names_in(path) and folder(path) != "module_utils._run"]
    assert {path.stem for path in asking} <= WITHOUT_PLAN


def names_in(path: Path) -> set[str]:
    """Return the attributes that a file reads."""
    return {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
