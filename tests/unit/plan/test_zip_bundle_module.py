"""The module zip_bundle on real folders: check, apply, repeat, change, errors."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.loadlift.aws.plugins.modules import zip_bundle


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    source = tmp_path / "src"
    (source / "__pycache__").mkdir(parents=True)
    (source / "__pycache__" / "app.pyc").write_text("x")
    (source / "app.py").write_text("print(1)")
    (source / "start.sh").write_text("#!/bin/sh")
    (source / "start.sh").chmod(0o750)
    return source


def run(capsys: pytest.CaptureFixture[str], folder: Path, **more: Any) -> dict[str, Any]:
    arguments = {"src": str(folder), "dest": str(folder.parent / "out" / "app.zip"), "_ansible_remote_tmp": "/tmp"}
    with patch_module_args(arguments | more), pytest.raises(SystemExit):
        zip_bundle.main()
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_check_tells_the_same_and_writes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checked = run(capsys, folder, _ansible_check_mode=True)
    assert checked["changed"]
    assert not (folder.parent / "out").exists()
    applied = run(capsys, folder)
    same = ("changed", "dest", "sha256", "sha256_base64", "size", "files", "diff")
    assert {key: checked[key] for key in same} == {key: applied[key] for key in same}
    assert applied["files"] == ["app.py", "start.sh"]
    assert (folder.parent / "out" / "app.zip").stat().st_size == applied["size"]


def test_texts_come_beside_the_files_or_in_their_place(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = run(capsys, folder, contents={"app.py": "print(2)", "data/told.json": "{}"})
    assert made["files"] == ["app.py", "data/told.json", "start.sh"]
    with zipfile.ZipFile(made["dest"]) as archive:
        assert archive.read("app.py") == b"print(2)"
    refused = run(capsys, folder, contents={"../app.py": ""})
    assert refused["msg"] == "contents has '../app.py'; a path relative to the archive, without '..', is needed."


def test_touched_files_are_the_same_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, folder)
    os.utime(folder / "app.py", (1, 1))
    (folder / "app.py").chmod(0o600)
    assert not run(capsys, folder)["changed"]


def test_another_content_is_another_archive(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = run(capsys, folder)
    (folder / "app.py").write_text("print(2)")
    second = run(capsys, folder)
    assert second["changed"]
    assert second["diff"]["before"]["sha256"] == first["sha256"] != second["sha256"]


def test_what_cannot_be_bundled_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, folder, exclude=["*"])["msg"] == f"src '{folder}' holds no file that is not excluded."
    assert run(capsys, folder, src="/nowhere")["msg"] == "src '/nowhere' is not a folder."
    (folder / "loop").symlink_to(folder)
    assert "loop is a symbolic link to a folder" in run(capsys, folder)["msg"]
