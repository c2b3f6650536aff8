"""The functions' logs are bounded: in the file, and on their way to CloudWatch Logs."""

from __future__ import annotations

from pathlib import Path

import pytest
from loadlift_lab.data_plane.context import Clients
from loadlift_lab.lambda_service import log_files
from loadlift_lab.lambda_service.cloudwatch import EVENTS_EACH_TIME, CloudWatch
from loadlift_lab.lambda_service.functions import Function
from loadlift_lab.lambda_service.log_files import LogFiles
from loadlift_lab.settings import LabSettings

GROUP = "/aws/lambda/fn"


@pytest.fixture
def cloudwatch(tmp_path: Path) -> CloudWatch:
    """Log events on their way, for one function that exists."""
    service = CloudWatch(Clients(LabSettings(tmp_path, tmp_path)))
    service.serve(frozenset({GROUP}))
    return service


def function(group: str) -> Function:
    return Function("fn", "$LATEST", "arn", "python3.12", "app.handler", "sha", log_group=group)


def test_more_lines_than_allowed_are_counted(cloudwatch: CloudWatch) -> None:
    for number in range(EVENTS_EACH_TIME + 50):
        cloudwatch.add(function(GROUP), "stream", 1.5, f"line {number}")
    events = cloudwatch.take()[GROUP, "stream"]
    assert len(events) == EVENTS_EACH_TIME + 1
    assert events[0] == {"timestamp": 1500, "message": "line 0"}
    assert "50 more lines" in events[-1]["message"]
    cloudwatch.add(function(GROUP), "stream", 2.0, "again")
    assert [event["message"] for event in cloudwatch.take()[GROUP, "stream"]] == ["again"]
    assert cloudwatch.take() == {}


def test_a_function_that_is_gone_makes_no_log_group(cloudwatch: CloudWatch) -> None:
    cloudwatch.add(function("/aws/lambda/gone"), "stream", 1.0, "line")
    cloudwatch.add(function(GROUP), "stream", 1.0, "line")
    cloudwatch.serve(frozenset())
    assert cloudwatch.take() == {}


def test_a_file_is_written_in_batches_and_replaced_when_it_is_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_files, "LARGEST", 1000)
    files = LogFiles(tmp_path)
    files.add("fn", 0.25, "abcdef01", "first")
    assert not list(tmp_path.iterdir())
    files.flush()
    assert (tmp_path / "function-fn.log").read_text() == "1970-01-01T00:00:00.250Z abcdef01 first\n"
    for _ in range(100):
        files.add("fn", 0.25, "abcdef01", "x" * 100)
        files.flush()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["function-fn.log", "function-fn.log.1"]
    assert all(path.stat().st_size <= 1000 for path in tmp_path.iterdir())
