"""The plugin's routes on the master's web interface, beside Locust's own.

- `GET <base>/loadlift/swarm?since=N&slices=N&window=1&renew=1`: the swarm as JSON; `window` adds what was measured,
  `slices` what came in each second, `renew` renews the lease.
- `POST <base>/loadlift/window` with JSON `{"memo": {...}, "reset": true}`: opens the window; the notes come back as
  `swarm.memo`; without `reset` the statistics of the ramp still count.
- `POST <base>/loadlift/window/close?since=N&slices=N`: fetches each worker's last figures and returns them.
- `POST <base>/swarm` of Locust is refused with 409 while another one's swarm runs; for the one that runs it is another
  number of users.
"""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from flask import Response, jsonify, make_response, request
from locust.web import WebUI

from loadlift_locust import access, options
from loadlift_locust.master import Master


def add_routes(web_ui: WebUI, master: Master) -> None:
    """Add the routes, under the same login as Locust's own."""
    app: Any = web_ui.app
    parsed = options.told(web_ui.environment)
    base = parsed.web_base_path.rstrip("/")

    def route(path: str, method: str) -> Any:
        def decorate(view: Any) -> Any:
            guarded = web_ui.auth_required_if_enabled(view)
            app.add_url_rule(base + path, view.__name__, guarded, methods=[method])
            return view

        return decorate

    @app.before_request
    def guard_swarm() -> Response | None:
        if request.method != "POST" or request.path != base + "/swarm" or not access.may(web_ui):
            return None
        refusal = _refusal(master)
        if refusal is None:
            _take(master, parsed)
        return refusal

    @app.before_request
    def note_stop() -> None:
        if request.path == base + "/stop" and access.may(web_ui) and master.active and master.swarm:
            master.swarm.ended_by = "it was stopped"

    @route("/loadlift/swarm", "GET")
    def loadlift_swarm() -> Response:
        if request.args.get("renew"):
            master.renew(request.args.get("lease", type=float))
        answer = _state(master)
        if request.args.get("window"):
            answer["window"] = master.window()
        return jsonify(answer)

    @route("/loadlift/window", "POST")
    def loadlift_window() -> Response:
        told = request.get_json()
        master.open_window(told["memo"], told["reset"])
        return jsonify(master.state(0))

    @route("/loadlift/window/close", "POST")
    def loadlift_window_close() -> Response:
        window = master.close_window()
        return jsonify(_state(master) | {"window": window})


def _state(master: Master) -> dict[str, Any]:
    asked = request.args
    return master.state(asked.get("since", 0, type=int), asked.get("slices", None, type=int))


def _refusal(master: Master) -> Response | None:
    """Refuse a swarm while another one's runs."""
    wanted = request.form.get("swarm_id", "")
    running = master.swarm.id if master.active and master.swarm else wanted
    if running == wanted:
        return None
    owner = f"the swarm {running}" if running else "a swarm that somebody started by hand"
    return make_response(jsonify(success=False, message=f"{owner} runs"), 409)


def _take(master: Master, parsed: Namespace) -> None:
    """Make ready for what Locust will do with the form: start a swarm, or scale the one that runs."""
    users, spawn_rate = request.form.get("user_count", type=int), request.form.get("spawn_rate", type=float)
    if not master.active:
        # A person's form lacks our fields: without this it would inherit those of the last swarm.
        vars(parsed).update(options.defaults())
    elif users is not None and spawn_rate:
        master.rescale(users, spawn_rate)
