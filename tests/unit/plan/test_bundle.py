"""Bundles: equal files make equal bytes; what is excluded stays out."""

from __future__ import annotations

import base64
import io
import zipfile

import pytest
from ansible_collections.loadlift.aws.plugins.module_utils._plan.bundle import BundledFile, bundle, is_excluded
from hypothesis import given
from hypothesis import strategies as st

names = st.text("abc", min_size=1, max_size=3)
paths = st.lists(names, min_size=1, max_size=3).map("/".join)
files = st.builds(BundledFile, path=paths, executable=st.booleans(), content=st.binary(max_size=50))
folders = st.lists(files, max_size=6, unique_by=lambda file: file.path)


@given(folders, st.randoms())
def test_the_order_in_which_files_are_found_does_not_matter(found: list[BundledFile], random: object) -> None:
    shuffled = sorted(found, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert bundle(found) == bundle(shuffled)


@given(folders)
def test_the_archive_holds_every_file_with_its_content_and_executable_bit(found: list[BundledFile]) -> None:
    made = bundle(found)
    with zipfile.ZipFile(io.BytesIO(made.archive)) as archive:
        held = {
            entry.filename: (entry.external_attr >> 16 & 0o777 == 0o755, archive.read(entry))
            for entry in archive.infolist()
        }
    assert held == {file.path: (file.executable, file.content) for file in found}
    assert list(made.files) == sorted(held)


def test_the_time_of_making_is_not_told() -> None:
    made = bundle([BundledFile("a", False, b"x")])
    with zipfile.ZipFile(io.BytesIO(made.archive)) as archive:
        assert archive.getinfo("a").date_time == (1980, 1, 1, 0, 0, 0)


def test_both_checksums_tell_the_same() -> None:
    made = bundle([BundledFile("a", False, b"x")])
    assert base64.b64decode(made.sha256_base64).hex() == made.sha256
    assert made.described() == {
        "sha256": made.sha256,
        "sha256_base64": made.sha256_base64,
        "size": len(made.archive),
        "files": ["a"],
    }


@pytest.mark.parametrize(
    ("path", "patterns", "excluded"),
    [
        ("app.py", [], False),
        ("app.pyc", ["*.pyc"], True),
        ("lib/app.pyc", ["*.pyc"], True),
        ("lib/__pycache__/app.pyc", ["__pycache__"], True),
        ("lib/tests/a.py", ["lib/tests"], True),
        ("lib/tests/a.py", ["lib/*"], True),
        ("other/tests/a.py", ["lib/tests"], False),
        ("lib/readme.md", ["*.MD"], False),
        ("contests/a.py", ["tests"], False),
    ],
)
def test_a_pattern_meets_a_path_a_name_or_a_folder(path: str, patterns: list[str], excluded: bool) -> None:
    assert is_excluded(path, patterns) is excluded
