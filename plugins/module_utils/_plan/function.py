# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a Lambda function is named: name, partial or full ARN, with a version or an alias. Pure.

Source: https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html (FunctionName)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .plan import InputError

FORM = re.compile(
    r"(?:(?:arn:(?P<partition>aws[a-z-]*):lambda:(?P<region>[a-z]{2}[a-z0-9-]*-\d):)?(?P<account>\d{12}):function:)?"
    r"(?P<name>[A-Za-z0-9_-]{1,64})(?::(?P<qualifier>\$LATEST|[A-Za-z0-9_-]{1,128}))?"
)
LATEST = "$LATEST"


@dataclass(frozen=True)
class FunctionName:
    """What an option says of a function; empty where it says nothing."""

    name: str
    qualifier: str = ""
    account: str = ""
    region: str = ""

    def is_named_by(self, arn: str) -> bool:
        """Tell whether `arn`, a full one, is what this means."""
        other = parse_function(arn)
        same = (self.name, self.qualifier) == (other.name, other.qualifier)
        return same and self.account in ("", other.account) and self.region in ("", other.region)


def parse_function(text: str, qualifier: str | None = None) -> FunctionName:
    """Return what `text` and the option `qualifier` mean together; raises InputError.

    `$LATEST` is the function without a qualifier: Lambda takes no permission for it by that name.
    """
    found = FORM.fullmatch(text)
    if not found:
        raise InputError(
            f"function is '{text}'; allowed are a name, a partial ARN (123456789012:function:name) or a full ARN, "
            "each with :version or :alias if wanted."
        )
    inside = found["qualifier"] or ""
    if qualifier and inside and qualifier != inside:
        raise InputError(f"qualifier is '{qualifier}', but function '{text}' says '{inside}'; give one of them.")
    chosen = qualifier or inside
    chosen = "" if chosen == LATEST else chosen
    return FunctionName(found["name"], chosen, found["account"] or "", found["region"] or "")


def split_arn(arn: str) -> tuple[str, str | None]:
    """Return a function's ARN without its qualifier, and the qualifier."""
    parts = arn.split(":")
    return ":".join(parts[:7]), parts[7] if len(parts) > 7 else None


def account_of(arn: str) -> str:
    """Return the account number in an ARN."""
    return arn.split(":")[4]


def region_of(arn: str) -> str:
    """Return the region in an ARN."""
    return arn.split(":")[3]


def check_found(text: str, wanted: FunctionName, arn: str, region: str | None) -> None:
    """Raise InputError where `arn`, empty for none, is not the function that the option's `text` means."""
    if arn and wanted.account not in ("", account_of(arn)):
        raise InputError(
            f"function is '{text}' of account {wanted.account}; allowed are those of account {account_of(arn)}, "
            "in which the target group is."
        )
    if not arn or not wanted.is_named_by(arn):
        qualifier = f" with qualifier '{wanted.qualifier}'" if wanted.qualifier else ""
        account = f" of account {wanted.account}" if wanted.account else ""
        raise InputError(f"function is '{text}'; there is no such function{account} in region {region}{qualifier}.")


def check_state(text: str, state: str, reason: str) -> None:
    """Raise InputError for a function that cannot be invoked; one that is idle or being made can be waited for."""
    if state == "Failed":
        raise InputError(f"function is '{text}', whose state is Failed ({reason}); allowed is one that works.")


def check_place(function: FunctionName, region: str | None) -> None:
    """Raise InputError for a function of another region: a target group invokes only those of its own."""
    if function.region and function.region != region:
        raise InputError(
            f"function is '{function.name}' in region {function.region}; allowed are those of region {region}, "
            "in which the target group is."
        )
