# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a swarm leaves on disk in `<results>/<run id>/<stage>/`: each file is the old or the new one, never a half."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.loadlift.aws.plugins.module_utils._plan.plan import InputError
from ansible_collections.loadlift.aws.plugins.module_utils._plan.swarm_order import Order
from ansible_collections.loadlift.aws.plugins.module_utils._plan.swarm_summary import HISTORY_COLUMNS, REQUEST_COLUMNS


@dataclass(frozen=True)
class Results:
    """One stage's folder."""

    directory: Path

    @classmethod
    def of(cls, results_directory: str, order: Order) -> Results:
        """Return the folder of the order's stage."""
        return cls(Path(results_directory) / order.run_id / order.stage)

    def claim(self) -> None:
        """Make the folder; raises InputError where it is there: results are never overwritten."""
        try:
            self.directory.parent.mkdir(parents=True, exist_ok=True)
            self.directory.mkdir()
        except FileExistsError as error:
            raise InputError(
                f"{self.directory} is there already: results are never overwritten, so choose another run_id or stage."
            ) from error
        except OSError as error:
            raise InputError(f"results_directory cannot be written: {error}.") from error

    def save(self, summary: Mapping[str, Any]) -> None:
        """Write summary.json, history.csv and requests.csv."""
        self._write("history.csv", _table(HISTORY_COLUMNS, summary["history"]))
        self._write("requests.csv", _table(REQUEST_COLUMNS, summary["by_request"]))
        self._write("summary.json", json.dumps(summary, indent=1) + "\n")

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
