"""RDS: an endpoint that answers."""

from __future__ import annotations

from moto.rds.models import DBInstance

from loadlift_lab.control_plane.moto_state import put
from loadlift_lab.settings import LabSettings


def apply() -> None:
    """Let every database instance answer where the lab's data plane runs it."""
    address = LabSettings.load().address()

    # https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_Endpoint.html
    put(DBInstance, "address", property(lambda _: address))
