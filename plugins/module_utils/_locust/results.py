# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a swarm leaves on disk in `<results>/<run id>/<stage>/`: each file is the old or the new one, never a half."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from ansible_collections.loadlift.aws.plugins.module_utils._plan.junit import junit
from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import InputError
from ansible_collections.loadlift.aws.plugins.module_utils._plan.swarm_order import Order
from ansible_collections.loadlift.aws.plugins.module_utils._plan.swarm_summary import (
    HISTORY_COLUMNS,
    REQUEST_COLUMNS,
    earlier,
    is_valid,
)


@dataclass(frozen=True)
class Results:
    """One stage's folder."""

    directory: Path

    @classmethod
    def of(cls, results_directory: str, order: Order) -> Results:
        """Return the folder of the order's stage."""
        return cls(Path(results_directory) / order.run_id / order.stage)

    def kept(self) -> dict[str, Any]:
        """Return the summary that is there; an empty one where there is none."""
        try:
            found: dict[str, Any] = json.loads((self.directory / "summary.json").read_text())
        except (OSError, ValueError):
            return {}
        return found

    def claim(self, resume: bool = False) -> str:
        """Make the folder; return what became of an earlier attempt that it puts aside, or an empty text.

        Raises InputError where results are there: they are never overwritten. With `resume`, a valid result is refused
        only, and an attempt without one goes to `<stage>.attempt-1`.
        """
        note = ""
        try:
            self.directory.parent.mkdir(parents=True, exist_ok=True)
            if self.directory.exists():
                note = self._put_aside(resume)
            self.directory.mkdir()
        except FileExistsError as error:
            raise InputError(f"{self.directory} has just been made by another run; choose another run_id.") from error
        except OSError as error:
            raise InputError(f"results_directory cannot be written: {error}.") from error
        return note

    def _put_aside(self, resume: bool) -> str:
        kept = self.kept()
        what = earlier(kept)
        if not resume or is_valid(kept):
            raise InputError(
                f"{self.directory} is there already: {what}. Results are never overwritten, so choose another "
                "run_id or stage."
            )
        aside = next(name for name in self._names_aside() if not name.exists())
        self.directory.rename(aside)
        return f"{what}; it is kept in {aside.name}"

    def _names_aside(self) -> Iterator[Path]:
        return (self.directory.with_name(f"{self.directory.name}.attempt-{number}") for number in count(1))

    def save(self, summary: Mapping[str, Any]) -> None:
        """Write history.csv, requests.csv, junit.xml and, last of all, summary.json."""
        self._write("history.csv", _table(HISTORY_COLUMNS, summary["history"]))
        self._write("requests.csv", _table(REQUEST_COLUMNS, summary["by_request"]))
        self._write("junit.xml", junit(summary))
        self._write("summary.json", json.dumps(summary, indent=1) + "\n")

    def save_report(self, page: str) -> None:
        """Write Locust's own report."""
        self._write("locust.html", page)

    def _write(self, name: str, text: str) -> None:
        draft = self.directory / f".{name}.{os.getpid()}"
        draft.write_text(text)
        draft.replace(self.directory / name)


def _table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
