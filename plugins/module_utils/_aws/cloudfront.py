# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CloudFront: one function a call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.loadlift.aws.plugins.module_utils._aws.calls import AwsError, Clients, ask
from ansible_collections.loadlift.aws.plugins.module_utils._plan.distribution import Distribution

SERVICE = "cloudfront"


def find_distribution(clients: Clients, caller_reference: str, comment: str) -> Distribution | None:
    """Return the distribution that was made with `caller_reference`, or None.

    The list does not tell the reference, so distributions are asked one by one, those with `comment` first.
    """
    summaries = sorted(list_distributions(clients), key=lambda summary: bool(summary["Comment"] != comment))
    for summary in summaries:
        found = get_distribution(clients, summary["Id"])
        if found and found["Distribution"]["DistributionConfig"]["CallerReference"] == caller_reference:
            return _distribution(clients, found)
    return None


def list_distributions(clients: Clients) -> Iterator[dict[str, Any]]:
    """Yield a summary of each distribution of the account.

    Source: https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ListDistributions.html
    """
    marker: dict[str, str] = {}
    while True:
        page = ask(clients, SERVICE, "ListDistributions", "the account", **marker)["DistributionList"]
        yield from page.get("Items") or []
        if not page.get("NextMarker"):
            return
        marker = {"Marker": page["NextMarker"]}


def get_distribution(clients: Clients, identifier: str) -> dict[str, Any] | None:
    """Return a distribution with its ETag, or None where it is gone.

    Source: https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_GetDistribution.html
    """
    try:
        return ask(clients, SERVICE, "GetDistribution", f"distribution {identifier}", Id=identifier)
    except AwsError as error:
        if error.code == "NoSuchDistribution":
            return None
        raise


def list_tags(clients: Clients, arn: str) -> dict[str, str]:
    """Return the tags of a distribution.

    Source: https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ListTagsForResource.html
    """
    tags = ask(clients, SERVICE, "ListTagsForResource", arn, Resource=arn)["Tags"]
    return {tag["Key"]: tag.get("Value", "") for tag in tags.get("Items") or []}


def _distribution(clients: Clients, found: dict[str, Any]) -> Distribution:
    told = found["Distribution"]
    return Distribution(
        told["Id"],
        told["ARN"],
        told["DomainName"],
        told["Status"],
        found["ETag"],
        told["DistributionConfig"],
        list_tags(clients, told["ARN"]),
    )
