"""The role report, run by ansible-playbook: three files, each self-contained, whole and safe."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import html5lib
import pytest

from report.ladder import EDGES, STEPS, Step, ladder

ROOT = Path(__file__).parents[2]
NASTY = "Behind <b>\"it\"</b> & 'that' </script><script>alert(1)</script> {{ 7 * 6 }}"
RUN_ID = "20261123T201500Z"


@dataclass(frozen=True)
class Report:
    """What the role wrote, and what it was given."""

    ladder: dict[str, Any]
    html: str
    json: dict[str, Any]
    markdown: str
    shown: str


def run_report(results: Path, run_id: str = "latest") -> subprocess.CompletedProcess[str]:
    command = [shutil.which("ansible-playbook") or "ansible-playbook", "-i", "inventory/lab", "playbooks/report.yml"]
    options = ["-e", json.dumps({"report_results_directory": str(results), "report_run_id": run_id})]
    return subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The report of a ladder with a hostile title and a stage that never measured anything."""
    steps = (
        *STEPS[:-1],
        replace(STEPS[-1], title=NASTY),
        Step("lost", "A worker lost", EDGES, 50, 5, None, 9, missing_workers=1),
    )
    given = ladder(RUN_ID, steps)
    given["stages"].append({"stage": "never_began", "users": 5, "verdict": "invalid", "reason": "No worker came."})
    results = tmp_path_factory.mktemp("results of a run")
    folder = results / RUN_ID
    folder.mkdir()
    (folder / "ladder.json").write_text(json.dumps(given))
    (results / "latest").symlink_to(RUN_ID)
    answer = run_report(results)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return Report(
        given,
        (folder / "report.html").read_text(),
        json.loads((folder / "report.json").read_text()),
        (folder / "report.md").read_text(),
        answer.stdout,
    )


def test_the_page_is_valid_html(report: Report) -> None:
    html5lib.HTMLParser(strict=True).parse(report.html)


def test_the_page_needs_no_network(report: Report) -> None:
    tree = html5lib.parse(report.html, namespaceHTMLElements=False)
    fetched = [e.get("src") or e.get("href") for e in tree.iter() if e.tag != "a" and (e.get("src") or e.get("href"))]
    assert fetched == ["data:,"]
    assert not re.search(r"url\(|@import", report.html)
    assert len(report.html.encode()) < 1_000_000


def test_every_stage_has_its_row_and_its_card(report: Report) -> None:
    tree = html5lib.parse(report.html, namespaceHTMLElements=False)
    names = [stage["stage"] for stage in report.ladder["stages"]]
    assert ["".join(row.find("th").itertext()) for row in tree.iterfind(".//table[@class='ladder']/tbody/tr")] == names
    cards = ["".join(card.itertext()) for card in tree.iterfind(".//article")]
    assert len(cards) == len(names)
    for stage, card in zip(report.ladder["stages"], cards, strict=True):
        assert stage["reason"] in card
        assert stage["verdict"] in card
        for objective in stage.get("objectives", []):
            assert objective["objective"] in card


def test_hostile_names_stay_text(report: Report) -> None:
    tree = html5lib.parse(report.html, namespaceHTMLElements=False)
    assert NASTY in ["".join(title.itertext()) for title in tree.iterfind(".//article/h3/span")]
    assert len(list(tree.iter("script"))) == 2
    errors = report.ladder["stages"][2]["errors"]
    assert any(errors[0]["error"] in "".join(line.itertext()) for line in tree.iterfind(".//details/p"))


def test_tables_and_charts_tell_what_they_are(report: Report) -> None:
    tree = html5lib.parse(report.html, namespaceHTMLElements=False)
    assert tree.get("lang") == "en"
    assert all(head.get("scope") for head in tree.iter("th"))
    pictures = [e for e in tree.iter() if e.tag.endswith("svg")]
    assert pictures
    assert all(picture.get("aria-label") or picture.get("aria-hidden") == "true" for picture in pictures)
    ids = [e.get("id") for e in tree.iter() if e.get("id")]
    assert len(ids) == len(set(ids))


def test_the_script_has_the_same_history(report: Report) -> None:
    tree = html5lib.parse(report.html, namespaceHTMLElements=False)
    series = json.loads(next(tree.iterfind(".//script[@id='series']")).text)
    for stage, one in zip(report.ladder["stages"], series, strict=True):
        assert one["p95_ms"] == [point["p95_ms"] for point in stage.get("history", [])]


def test_the_json_is_the_ladder(report: Report) -> None:
    assert report.json == report.ladder
    wanted = {
        "stage",
        "users",
        "spawn_rate",
        "requests_per_s",
        "p50_ms",
        "p95_ms",
        "p99_ms",
        "failure_ratio",
        "verdict",
    }
    assert all(wanted <= stage.keys() for stage in report.json["stages"][:-1])


def test_the_markdown_and_the_shown_table_have_every_stage(report: Report) -> None:
    for stage in report.ladder["stages"]:
        assert f"| {stage['stage']} |" in report.markdown
        assert stage["stage"] in report.shown
    assert "report.html" in report.shown


def test_a_run_that_is_not_there_is_named(tmp_path: Path) -> None:
    answer = run_report(tmp_path, "20200101T000000Z")
    assert answer.returncode == 2
    assert f"There are no results of run '20200101T000000Z' in {tmp_path}" in answer.stdout + answer.stderr
