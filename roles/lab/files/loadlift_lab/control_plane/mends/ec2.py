"""EC2: versions of launch templates."""

from __future__ import annotations

from typing import Any

from moto.ec2.models.launch_templates import LaunchTemplate
from moto.ec2.utils import parse_user_data

from loadlift_lab.control_plane.moto_state import put


def apply() -> None:
    """Keep a version as it was asked for: with its user data, without the tags of the template itself."""
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html: TagSpecification
    create_version = LaunchTemplate.create_version

    def create(self: Any, data: dict[str, Any], description: str) -> Any:
        return create_version(self, version_data(data), description)

    put(LaunchTemplate, "create_version", create)


def version_data(data: dict[str, Any]) -> dict[str, Any]:
    """Return the data of a version as moto's other parts and AWS's clients expect it."""
    kept = dict(data)
    if type(kept.get("UserData")) is str:
        kept["UserData"] = parse_user_data(kept["UserData"])
    tags = [one for one in data.get("TagSpecifications", []) if one.get("ResourceType") != "launch-template"]
    kept.pop("TagSpecifications", None)
    return kept | ({"TagSpecifications": tags} if tags else {})
