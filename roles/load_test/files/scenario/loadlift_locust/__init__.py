"""What loadlift.aws adds to Locust: a lease, exact windows, fine histograms, limits, and mends. See install()."""

from __future__ import annotations

from locust import events

VERSION = 2  # of the JSON at /loadlift/swarm


def install() -> None:
    """Mend this process and hook the plugin into Locust; call it once, before Locust makes its runner."""
    from loadlift_locust import fine_times, keep_alive, options, process, roles

    process.prepare()
    keep_alive.mend()
    fine_times.use()
    events.init_command_line_parser.add_listener(options.add)
    events.init.add_listener(roles.attach)
