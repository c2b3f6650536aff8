# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A swarm's summary as JUnit XML, which CI servers show: each objective is a test case, and so is the generator. Pure.

Source: https://github.com/testmoapp/junitxml, the format as common tools read it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from . import human

# What XML 1.0 cannot hold.
FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(summary: Mapping[str, Any]) -> str:
    """Return the XML of one stage."""
    objectives = summary["objectives"]
    invalid = summary["verdict"] == "invalid"
    broken = [objective for objective in objectives if not objective["held"] and not invalid]
    suite = Element(
        "testsuite",
        name=f"{summary['run_id']}.{summary['stage']}",
        tests=str(len(objectives) + 1),
        failures=str(len(broken)),
        errors=str(int(invalid)),
        skipped=str(len(objectives) if invalid else 0),
        time=str(summary.get("measured_s") or 0.0),
    )
    if summary.get("started_at"):
        suite.set("timestamp", summary["started_at"].rstrip("Z"))
    _generator(suite, summary)
    for objective in objectives:
        _objective(suite, summary, objective)
    suites = Element("testsuites", name="loadlift.aws")
    suites.append(suite)
    indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(suites, encoding="unicode") + "\n"


def _generator(suite: Element, summary: Mapping[str, Any]) -> None:
    case = _case(suite, summary, "the figures are valid")
    if summary["verdict"] == "invalid":
        SubElement(case, "error", type="invalid", message=_clean(summary["reason"]))


def _objective(suite: Element, summary: Mapping[str, Any], objective: Mapping[str, Any]) -> None:
    case = _case(suite, summary, objective["objective"])
    if summary["verdict"] == "invalid":
        SubElement(case, "skipped", message="The swarm was invalid: its figures say nothing about the target.")
    elif not objective["held"]:
        measured = human.measured(objective["measured"], objective["unit"])
        limit = human.measured(objective["limit"], objective["unit"])
        SubElement(case, "failure", type="breach", message=f"measured {measured}, the limit is {limit}")


def _case(suite: Element, summary: Mapping[str, Any], name: str) -> Element:
    where = f"{summary['run_id']}.{summary['stage']}"
    time = str(summary.get("measured_s") or 0.0)
    return SubElement(suite, "testcase", classname=where, name=_clean(name), time=time)


def _clean(text: str) -> str:
    return FORBIDDEN.sub("?", text)
