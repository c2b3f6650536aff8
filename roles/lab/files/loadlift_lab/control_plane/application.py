"""How the parts of the control plane are put together."""

from __future__ import annotations

from loadlift_lab.control_plane import own_endpoints
from loadlift_lab.control_plane.account import Account
from loadlift_lab.control_plane.faults import Faults
from loadlift_lab.control_plane.journal import Journal
from loadlift_lab.control_plane.layer import Calls, Layer
from loadlift_lab.settings import LabSettings


def create_application(settings: LabSettings) -> Layer:
    """Return the control plane of a lab, its account as the journal tells it."""
    account = Account(settings, Journal(settings.directory / "control_plane" / "journal.jsonl"))
    account.open()
    faults, calls = Faults(), Calls()
    return Layer(account, faults, calls, own_endpoints.create_app(settings, account, faults, calls))
