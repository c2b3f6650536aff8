"""A lab of its own for a test: real programs under a real supervisord, and nothing left of it afterwards."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from loadlift_lab import lifecycle
from loadlift_lab.settings import LabSettings

PACKAGES = str(Path(lifecycle.__file__).parents[1])


@contextmanager
def supervised_lab(subnet: str, programs: dict[str, str]) -> Iterator[LabSettings]:
    """Run `programs`, name -> module of loadlift_lab, in a lab at `subnet`."""
    with tempfile.TemporaryDirectory(prefix="lab") as folder:
        Path(folder).chmod(0o711)  # PostgreSQL's own user must reach its data
        settings = LabSettings(Path(folder), Path(folder), subnet=subnet)
        settings.save()
        settings.log_directory.mkdir()
        write_configuration(settings, programs)
        lifecycle.start(settings, 60)
        try:
            yield settings
        finally:
            lifecycle.stop(settings, 30)


def write_configuration(settings: LabSettings, programs: dict[str, str]) -> None:
    """Write supervisord's configuration as the role `lab` does."""
    supervisor = settings.directory / "supervisor"
    (supervisor / "conf.d").mkdir(parents=True)
    (supervisor / "supervisord.conf").write_text(
        f"[unix_http_server]\nfile={settings.supervisor_socket}\n[supervisord]\n"
        f"logfile={settings.log_directory}/supervisord.log\npidfile={settings.run_directory}/supervisord.pid\n"
        "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n"
        f"[include]\nfiles={supervisor}/conf.d/*.ini\n"
    )
    for name, module in programs.items():
        (supervisor / "conf.d" / f"{name}.ini").write_text(
            f"[program:{name}]\ncommand={sys.executable} -m loadlift_lab.{module}\nredirect_stderr=true\n"
            f'environment=LOADLIFT_LAB="{settings.directory}",PYTHONPATH="{PACKAGES}",PATH="{os.environ["PATH"]}"\n'
            f"autorestart=true\nstopasgroup=true\nkillasgroup=true\nstdout_logfile={settings.log_directory}/{name}.log\n"
        )


def wait_for(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """Return what `condition()` returns as soon as that is true; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)
    return answer
