"""An action plugin's options are those that its module documents: ansible-test compares only modules with their own."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
import yaml

PLUGINS = "ansible_collections.loadlift.aws.plugins"
OPTIONS = import_module(f"{PLUGINS}.module_utils._locust.options")
SPECS = {
    "locust_swarm": import_module(f"{PLUGINS}.action.locust_swarm").ARGUMENTS,
    "locust_swarm_info": OPTIONS.CONNECTION,
}


def documented(name: str) -> dict[str, Any]:
    """Return the options of a module's documentation, its fragments' included."""
    found = yaml.safe_load(import_module(f"{PLUGINS}.modules.{name}").DOCUMENTATION)
    options = dict(found.get("options", {}))
    for fragment in found["extends_documentation_fragment"]:
        text = import_module(f"{PLUGINS}.doc_fragments.{fragment.rpartition('.')[2]}").ModuleDocFragment.DOCUMENTATION
        options |= yaml.safe_load(text)["options"]
    return options


@pytest.mark.parametrize("name", SPECS)
def test_documentation_and_options_agree(name: str) -> None:
    keys = ("type", "elements", "choices", "default", "required")
    told = {option: {key: value[key] for key in keys if key in value} for option, value in documented(name).items()}
    taken = {option: {key: value[key] for key in keys if key in value} for option, value in SPECS[name].items()}
    assert told == taken


def test_secrets_are_never_logged() -> None:
    assert {name for name, spec in OPTIONS.CONNECTION.items() if spec.get("no_log")} == {"web_password", "web_token"}
