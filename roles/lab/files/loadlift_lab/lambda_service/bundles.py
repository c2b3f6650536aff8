"""A function's code, unpacked as in /var/task: fetched from the control plane when it is first needed."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import shutil
import urllib.request
import zipfile
from pathlib import Path
from urllib.parse import quote

from loadlift_lab.lambda_service.functions import Function
from loadlift_lab.settings import LabSettings

FETCH_SECONDS = 30


class BundleError(OSError):
    """The code cannot be had; the text says why."""


class StaleBundleError(BundleError):
    """The code has just changed: the account is further than what is known of it here."""


def unpacked(settings: LabSettings, function: Function, parent: Path) -> Path:
    """Return the folder below `parent` with the function's code. Blocks: not for the event loop."""
    digest = base64.b64decode(function.code_sha256).hex()[:16]
    folder = parent / function.name / digest
    if not folder.exists():
        _unpack(_fetched(settings, function), folder)
    return folder


def remove_others(parent: Path, name: str, kept: set[str]) -> None:
    """Remove what is unpacked of function `name`, but for the code with these digests (CodeSha256)."""
    folders = {base64.b64decode(digest).hex()[:16] for digest in kept}
    for folder in (parent / name).glob("*"):
        if folder.name not in folders:
            shutil.rmtree(folder, ignore_errors=True)


def _fetched(settings: LabSettings, function: Function) -> bytes:
    url = f"{settings.endpoint}/_lab/functions/{quote(function.name)}?qualifier={quote(function.version)}"
    with urllib.request.urlopen(url, timeout=FETCH_SECONDS) as answer:
        code: bytes = answer.read()
    if base64.b64encode(hashlib.sha256(code).digest()).decode() != function.code_sha256:
        raise StaleBundleError(f"the code of {function.name} has just changed")
    return code


def _unpack(code: bytes, folder: Path) -> None:
    draft = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        with zipfile.ZipFile(io.BytesIO(code)) as bundle:
            bundle.extractall(draft)
    except zipfile.BadZipFile:
        raise BundleError("the code is not a zip file") from None
    draft.replace(folder)
