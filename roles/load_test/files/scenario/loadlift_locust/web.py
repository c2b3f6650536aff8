"""The plugin's routes on the master's web interface, beside Locust's own.

- `GET <base>/loadlift/swarm?since=N&window=1&renew=1`: the swarm as JSON; `window` adds what was measured, `renew`
  renews the lease.
- `POST <base>/loadlift/window` with JSON notes: opens the window; they come back as `swarm.memo`.
- `POST <base>/loadlift/window/close?since=N`: fetches each worker's last figures and returns them.
- `POST <base>/swarm` of Locust is refused with 409 while another one's swarm runs.
"""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, make_response, request
from locust.web import WebUI

from loadlift_locust import figures, options
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
        if request.method != "POST" or request.path != base + "/swarm":
            return None
        wanted = request.form.get("swarm_id", "")
        running = master.swarm.id if master.active and master.swarm else wanted
        if running != wanted:
            owner = f"the swarm {running}" if running else "a swarm that somebody started by hand"
            return make_response(jsonify(success=False, message=f"{owner} runs"), 409)
        # A person's form lacks our fields: without this it would inherit those of the last swarm.
        vars(parsed).update(options.defaults())
        return None

    @app.before_request
    def note_stop() -> None:
        if request.path == base + "/stop" and master.active and master.swarm:
            master.swarm.ended_by = "it was stopped"

    @route("/loadlift/swarm", "GET")
    def loadlift_swarm() -> Response:
        if request.args.get("renew"):
            master.renew(request.args.get("lease", type=float))
        answer = master.state(request.args.get("since", 0, type=int))
        if request.args.get("window"):
            answer["window"] = figures.window(web_ui.environment.stats)
        return jsonify(answer)

    @route("/loadlift/window", "POST")
    def loadlift_window() -> Response:
        master.open_window(request.get_json())
        return jsonify(master.state(0))

    @route("/loadlift/window/close", "POST")
    def loadlift_window_close() -> Response:
        window = master.close_window()
        return jsonify(master.state(request.args.get("since", 0, type=int)) | {"window": window})
