"""CloudFront: who changes or deletes a distribution must know its newest version."""

from __future__ import annotations

from typing import Any

from moto.cloudfront.models import CloudFrontBackend, random_id

from loadlift_lab.control_plane.call import Call
from loadlift_lab.control_plane.moto_state import GLOBAL, backend_in, put
from loadlift_lab.control_plane.registry import Refused, before


@before("cloudfront", "UpdateDistribution", "DeleteDistribution")
def version_is_newest(call: Call) -> None:
    """https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_UpdateDistribution.html: the two errors."""
    distributions = backend_in(GLOBAL, "cloudfront").distributions
    distribution = distributions.get(call.parameters["Id"])
    given = call.parameters.get("IfMatch")
    if distribution is None:
        return
    if not given:
        message = "The If-Match version is missing or not valid for the resource."
        raise Refused("InvalidIfMatchVersion", message)
    if given != distribution.etag:
        message = "The request failed because it didn't meet the preconditions in one or more request-header fields."
        raise Refused("PreconditionFailed", message)


@before("cloudfront", "DeleteDistribution")
def distribution_is_disabled(call: Call) -> None:
    """https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DeleteDistribution.html: its errors."""
    distribution = backend_in(GLOBAL, "cloudfront").distributions.get(call.parameters["Id"])
    if distribution and distribution.distribution_config.Enabled:
        raise Refused("DistributionNotDisabled", "The distribution you are trying to delete has not been disabled.")


def apply() -> None:
    """Give a distribution a new version with each change: moto keeps the first."""
    update = CloudFrontBackend.update_distribution

    def with_new_version(self: Any, *arguments: Any, **options: Any) -> tuple[Any, str, str]:
        distribution, location, _ = update(self, *arguments, **options)
        distribution.etag = random_id()
        return distribution, location, distribution.etag

    put(CloudFrontBackend, "update_distribution", with_new_version)
