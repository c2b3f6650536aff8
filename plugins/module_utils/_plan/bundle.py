# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Zip archives that are the same byte for byte wherever and whenever they are made of the same files. Pure."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any

# The earliest time that a zip archive can tell.
EPOCH = (1980, 1, 1, 0, 0, 0)
MADE_ON_UNIX = 3
REGULAR_FILE = 0o100000


@dataclass(frozen=True)
class BundledFile:
    """A file of the bundle: its path relative to the source folder with `/` between the parts, and its content."""

    path: str
    executable: bool
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Bundle:
    """A zip archive and what is said of it; `files` are paths in the archive's order."""

    archive: bytes = field(repr=False)
    files: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """The archive's SHA-256 in hexadecimal digits."""
        return hashlib.sha256(self.archive).hexdigest()

    @property
    def sha256_base64(self) -> str:
        """The archive's SHA-256 in base64, as Lambda's CodeSha256 tells it.

        Source: https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html
        """
        return base64.b64encode(hashlib.sha256(self.archive).digest()).decode()

    def described(self) -> dict[str, Any]:
        """Return what the module tells of the bundle; size is in bytes."""
        return {
            "sha256": self.sha256,
            "sha256_base64": self.sha256_base64,
            "size": len(self.archive),
            "files": list(self.files),
        }


def is_excluded(path: str, patterns: Iterable[str]) -> bool:
    """Tell whether a pattern matches the path, its name, or a folder it lies in, as fnmatch understands patterns."""
    place = PurePosixPath(path)
    around = [place, *place.parents][:-1]
    names = {str(one) for one in around} | {one.name for one in around}
    return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


def bundle(files: Iterable[BundledFile]) -> Bundle:
    """Return the archive of `files`: sorted by path, one fixed time, mode 0755 where executable and 0644 elsewhere."""
    ordered = sorted(files, key=lambda file: file.path)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for file in ordered:
            archive.writestr(_entry(file), file.content)
    return Bundle(buffer.getvalue(), tuple(file.path for file in ordered))


def _entry(file: BundledFile) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(file.path, EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = MADE_ON_UNIX
    entry.external_attr = (REGULAR_FILE | (0o755 if file.executable else 0o644)) << 16
    return entry
