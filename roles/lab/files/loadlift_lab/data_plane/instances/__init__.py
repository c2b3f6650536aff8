"""EC2 instances: each running one is a program that runs its user data, as cloud-init does on AWS."""

from __future__ import annotations

import base64
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from loadlift_lab.data_plane.context import Context, aws_environment
from loadlift_lab.data_plane.each import for_each
from loadlift_lab.files import write_if_different
from loadlift_lab.settings import LabSettings

PREFIX = "instance-"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# After this time an instance that does not end is killed, with every process it started.
STOP_SECONDS = 10


@dataclass(frozen=True)
class Instance:
    """A running instance and the script that it was started with."""

    id: str
    private_address: str
    user_data: str


def reconcile(context: Context) -> None:
    """Run the user data of each running instance; end those that are no more."""
    instances = context.observed(_running)
    for gone in context.supervisor.names(PREFIX) - {PREFIX + instance.id for instance in instances}:
        context.supervisor.remove(gone)
        shutil.rmtree(_directory(context.settings, gone.removeprefix(PREFIX)), ignore_errors=True)
    for_each(instances, lambda instance: _run(context, instance))


def environment(settings: LabSettings, instance: Instance, directory: Path) -> dict[str, str]:
    """Return what an instance's script finds: credentials as of its profile, and where it runs."""
    return aws_environment(settings) | {
        "HOME": str(directory),
        "INSTANCE_DIRECTORY": str(directory),
        "LOADLIFT_INSTANCE_ID": instance.id,
        "LISTEN_ADDRESS": instance.private_address,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), SYSTEM_PATH]),
    }


def _run(context: Context, instance: Instance) -> None:
    directory = _directory(context.settings, instance.id)
    script = directory / "user-data"
    changed = write_if_different(script, instance.user_data, mode=0o700)
    if changed and PREFIX + instance.id in context.supervisor.names(PREFIX):
        context.supervisor.remove(PREFIX + instance.id)
    context.supervisor.ensure(
        PREFIX + instance.id,
        [str(script)],
        environment(context.settings, instance, directory),
        working_directory=directory,
        stop_seconds=STOP_SECONDS,
    )


def _running(context: Context) -> tuple[Instance, ...]:
    """Return the running instances that have user data, asking for the user data of each new one only."""
    ec2 = context.client("ec2")
    states = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
    pages = ec2.get_paginator("describe_instances").paginate(Filters=states)
    described = [one for page in pages for reservation in page["Reservations"] for one in reservation["Instances"]]
    instances = (
        Instance(i["InstanceId"], i["PrivateIpAddress"], _user_data(context, i["InstanceId"])) for i in described
    )
    return tuple(instance for instance in instances if instance.user_data)


def _user_data(context: Context, instance_id: str) -> str:
    kept = _directory(context.settings, instance_id) / "user-data"
    if kept.exists():
        return kept.read_text()  # AWS lets user data change only while the instance is stopped
    attribute = context.client("ec2").describe_instance_attribute(InstanceId=instance_id, Attribute="userData")
    return base64.b64decode(attribute.get("UserData", {}).get("Value", "")).decode()


def _directory(settings: LabSettings, instance_id: str) -> Path:
    return settings.directory / "instances" / instance_id
