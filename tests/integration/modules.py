"""Runs a module's `main` in this process, as ansible-playbook would: options in, JSON out."""

from __future__ import annotations

import importlib
import io
import json
from contextlib import redirect_stdout, suppress
from typing import Any

from ansible.module_utils.common import warnings
from ansible.module_utils.testing import patch_module_args

MODULES = "ansible_collections.loadlift.aws.plugins.modules"


def run_module(name: str, options: dict[str, Any], *, check: bool = False) -> dict[str, Any]:
    """Return what the module answered; `failed` is true where it ended with an error."""
    main = importlib.import_module(f"{MODULES}.{name}").main
    warnings._global_warnings.clear()  # a module's process ends with it; here all share one
    arguments = options | {"_ansible_check_mode": check, "_ansible_diff": True}
    output = io.StringIO()
    with patch_module_args(arguments), redirect_stdout(output), suppress(SystemExit):
        main()
    answer: dict[str, Any] = json.loads(output.getvalue())
    return answer
