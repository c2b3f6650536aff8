"""EC2: versions of launch templates."""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import InvalidLaunchTemplateVersionNotFound
from moto.ec2.models.launch_templates import LaunchTemplate
from moto.ec2.utils import parse_user_data

from loadlift_lab.control_plane.call import Call
from loadlift_lab.control_plane.moto_state import backend, put
from loadlift_lab.control_plane.registry import answer


def apply() -> None:
    """Keep a version as it was asked for, without the tags of the template itself; number versions for good."""
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html: TagSpecification
    create_version = LaunchTemplate.create_version

    def create(self: Any, data: dict[str, Any], description: str) -> Any:
        version = create_version(self, version_data(data), description)
        # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteLaunchTemplateVersions.html: a number is
        # never used again
        version.number = self.highest_number = getattr(self, "highest_number", 0) + 1
        return version

    put(LaunchTemplate, "create_version", create)
    put(LaunchTemplate, "get_version", numbered)
    put(LaunchTemplate, "default_version", lambda self: numbered(self, self.default_version_number))


def numbered(template: Any, number: Any) -> Any:
    """Return a version by its number, or by $Latest or $Default."""
    wanted = {"$latest": template.versions[-1].number, "$default": template.default_version_number}
    text = str(wanted.get(str(number).lower(), number))
    for version in template.versions:
        if str(version.number) == text:
            return version
    raise InvalidLaunchTemplateVersionNotFound(template_id=template.id, version=number)


# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteLaunchTemplateVersions.html
@answer("ec2", "DeleteLaunchTemplateVersions")
def delete_launch_template_versions(call: Call) -> dict[str, Any]:
    """Delete versions; the default one and those that are not there are told as not deleted."""
    template = _template(call)
    there = {str(version.number): version for version in template.versions}
    told: dict[str, list[dict[str, Any]]] = {"deleted": [], "kept": []}
    for number in map(str, call.parameters["Versions"]):
        one = {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name, "VersionNumber": int(number)}
        error = _why_kept(template, number, there)
        if error:
            told["kept"].append(one | {"ResponseError": error})
        else:
            template.versions.remove(there[number])
            told["deleted"].append(one)
    return {
        "SuccessfullyDeletedLaunchTemplateVersions": told["deleted"],
        "UnsuccessfullyDeletedLaunchTemplateVersions": told["kept"],
    }


def _template(call: Call) -> Any:
    named, identified = call.parameters.get("LaunchTemplateName"), call.parameters.get("LaunchTemplateId")
    return backend(call, "ec2").describe_launch_templates(
        template_names=[named] if named else None, template_ids=[identified] if identified else None
    )[0]


def _why_kept(template: Any, number: str, there: dict[str, Any]) -> dict[str, str] | None:
    if number not in there:
        return {"Code": "launchTemplateVersionDoesNotExist", "Message": f"Version {number} does not exist."}
    if number == str(template.default_version_number):
        return {"Code": "unexpectedError", "Message": f"Version {number} is the default version."}
    return None


def version_data(data: dict[str, Any]) -> dict[str, Any]:
    """Return the data of a version as moto's other parts and AWS's clients expect it."""
    kept = dict(data)
    if type(kept.get("UserData")) is str:
        kept["UserData"] = parse_user_data(kept["UserData"])
    tags = [one for one in data.get("TagSpecifications", []) if one.get("ResourceType") != "launch-template"]
    kept.pop("TagSpecifications", None)
    return kept | ({"TagSpecifications": tags} if tags else {})
