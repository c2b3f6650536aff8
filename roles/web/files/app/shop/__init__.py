"""The web application: one page, its data, and a health check."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, Response, render_template

from shop.database import DatabaseUnavailableError
from shop.products import Answer


def create_app(answer: Callable[[], Answer], stack: str) -> Flask:
    """Return the application; `answer` makes the answer to `/data`, `stack` is shown at the foot of the page."""
    app = Flask(__name__, static_folder=None)  # nginx serves the static files

    @app.get("/")
    def page() -> Response:
        response = Response(render_template("index.html", stack=stack), mimetype="text/html")
        response.headers["Cache-Control"] = "public, max-age=60"
        return response

    @app.get("/data")
    def data() -> Response:
        made = answer()
        return Response(made.body, mimetype="application/json", headers={"X-Data-Source": made.source})

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}  # of this instance: one that asks the database would take all instances out at once

    @app.errorhandler(DatabaseUnavailableError)
    def unavailable(error: DatabaseUnavailableError) -> tuple[dict[str, str], int, dict[str, str]]:
        app.logger.warning("The database is unavailable: %s", error)
        return (
            {"error": "The database does not answer in time."},
            503,
            {"Retry-After": "5", "Cache-Control": "no-store"},
        )

    return app
