#!/usr/bin/python
# Copyright: loadlift.aws maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: zip_bundle
version_added: 0.1.0
short_description: A zip archive of a folder, the same bytes whenever the files are the same
description:
  - Makes a zip archive of a folder for a Lambda function or an application bundle.
  - Entries are sorted, bear one fixed time, and keep no more of a file's mode than whether it is executable (0755 or
    0644), so that equal files make equal archives in every checkout. A symbolic link to a file is stored as the file.
  - Works where the module runs, usually on the controller. Calls no AWS API.
author: loadlift.aws maintainers (@loadlift)
options:
  src:
    description: Folder whose files go into the archive, with paths relative to it.
    type: path
    required: true
  dest:
    description: The archive. Folders on the way are made.
    type: path
    required: true
  exclude:
    description:
      - Shell patterns of what stays out. A pattern is held against the path relative to O(src), against the name alone,
        and against every folder on the way.
    type: list
    elements: str
    default: [__pycache__, "*.pyc", .DS_Store]
  contents:
    description:
      - Texts by the path that they have in the archive, beside the files of O(src) or in place of one of them.
    type: dict
    default: {}
attributes:
  check_mode:
    support: full
    description: Can run in check mode and return changed status without changing anything.
  diff_mode:
    support: full
    description: Shows the archive's checksum and files before and after.
"""

EXAMPLES = r"""
- name: Bundle the function's code
  loadlift.aws.zip_bundle:
    src: "{{ role_path }}/files/python"
    dest: "{{ bundle_directory.path }}/function.zip"
    exclude: [tests, "*.md", __pycache__]
  register: bundle
"""

RETURN = r"""
dest:
  description: Path of the archive.
  returned: success
  type: str
sha256:
  description: SHA-256 of the archive in hexadecimal digits.
  returned: success
  type: str
sha256_base64:
  description: SHA-256 of the archive in base64, as Lambda tells it in C(CodeSha256).
  returned: success
  type: str
size:
  description: Size of the archive in bytes.
  returned: success
  type: int
files:
  description: Paths of the files in the archive, in its order.
  returned: success
  type: list
  elements: str
  sample: [index.py, lib/query.py]
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.loadlift.aws.plugins.module_utils._plan.bundle import Bundle, BundledFile, bundle, is_excluded


def read_folder(folder: Path, exclude: list[str]) -> Iterator[BundledFile]:
    """Yield the files in `folder` that are not excluded; a link to a folder is refused with ValueError."""
    for place, folders, names in os.walk(folder):
        kept = [name for name in folders if not is_excluded(relative(folder, place, name), exclude)]
        for name in kept:
            if os.path.islink(os.path.join(place, name)):
                raise ValueError(
                    f"{os.path.join(place, name)} is a symbolic link to a folder; exclude it or copy the folder."
                )
        folders[:] = kept
        for name in names:
            path = relative(folder, place, name)
            if not is_excluded(path, exclude):
                yield read_file(folder / path, path)


def relative(folder: Path, place: str, name: str) -> str:
    return (Path(place) / name).relative_to(folder).as_posix()


def read_file(file: Path, path: str) -> BundledFile:
    return BundledFile(path, bool(file.stat().st_mode & stat.S_IXUSR), file.read_bytes())


def read_bundle(folder: Path, exclude: list[str], contents: dict[str, str]) -> Bundle:
    """Return the bundle of `folder` and `contents`; raises ValueError where there is nothing to bundle."""
    if not folder.is_dir():
        raise ValueError(f"src '{folder}' is not a folder.")
    files = {file.path: file for file in read_folder(folder, exclude)}
    made = bundle((files | told(contents)).values())
    if not made.files:
        raise ValueError(f"src '{folder}' holds no file that is not excluded.")
    return made


def told(contents: dict[str, str]) -> dict[str, BundledFile]:
    """Return the files that are told as text; raises ValueError for a path that leads out of the archive."""
    for path in contents:
        if path.startswith("/") or not path or {"", ".", ".."} & set(path.split("/")):
            raise ValueError(f"contents has '{path}'; a path relative to the archive, without '..', is needed.")
    return {path: BundledFile(path, False, str(text).encode()) for path, text in contents.items()}


def write(module: AnsibleModule, archive: bytes, dest: Path) -> None:
    """Put the archive in its place in one step, so that no reader meets half of it."""
    dest.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(module.tmpdir) / dest.name
    partial.write_bytes(archive)
    module.atomic_move(str(partial), str(dest))


def difference(before: bytes | None, after: Bundle, dest: Path) -> dict[str, Any]:
    old = Bundle(before, ()).sha256 if before is not None else None
    return {"before": {"dest": str(dest), "sha256": old}, "after": {"dest": str(dest), "sha256": after.sha256}}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "src": {"type": "path", "required": True},
            "dest": {"type": "path", "required": True},
            "exclude": {"type": "list", "elements": "str", "default": ["__pycache__", "*.pyc", ".DS_Store"]},
            "contents": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    dest = Path(module.params["dest"])
    try:
        made = read_bundle(Path(module.params["src"]), module.params["exclude"], module.params["contents"])
        before = dest.read_bytes() if dest.exists() else None
        changed = before != made.archive
        if changed and not module.check_mode:
            write(module, made.archive, dest)
    except ValueError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"Cannot bundle {module.params['src']} as {dest}: {error}")
    module.exit_json(changed=changed, dest=str(dest), diff=difference(before, made, dest), **made.described())


if __name__ == "__main__":
    main()
