# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter `loadlift.aws.lambda_handler_problem`; documentation in lambda_handler_problem.yml."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

from ansible_collections.loadlift.aws.plugins.module_utils._plan.lambda_handler import handler_problem


def lambda_handler_problem(code: str, handler: str, runtime: str) -> str:
    """Return why the code in the folder or zip archive `code` does not hold `handler`, or ""."""
    place = Path(code).expanduser()
    if place.is_dir():
        return handler_problem(lambda path: _in_folder(place, path), handler, runtime)
    if not place.is_file():
        return f"'{code}' is neither a folder nor a zip archive."
    try:
        with zipfile.ZipFile(place) as archive:
            return handler_problem(lambda path: _in_archive(archive, path), handler, runtime)
    except zipfile.BadZipFile:
        return f"'{code}' is not a zip archive."


def _in_folder(folder: Path, path: str) -> str | None:
    file = folder / path
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else None


def _in_archive(archive: zipfile.ZipFile, path: str) -> str | None:
    return archive.read(path).decode(errors="replace") if path in archive.namelist() else None


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., str]]:
        return {"lambda_handler_problem": lambda_handler_problem}
