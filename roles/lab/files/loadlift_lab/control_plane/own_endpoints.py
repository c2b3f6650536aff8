"""The lab's own endpoints under `/_lab/`, for its programs and tests; the contract is in docs/ARCHITECTURE.md."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, jsonify, request
from moto.core.exceptions import ServiceException

from loadlift_lab.control_plane.account import Account
from loadlift_lab.control_plane.faults import Faults
from loadlift_lab.control_plane.functions import ALLOCATED, listed_functions
from loadlift_lab.control_plane.layer import Calls
from loadlift_lab.control_plane.moto_state import backend_in
from loadlift_lab.control_plane.target_health import REPORTS
from loadlift_lab.settings import LabSettings

LONGEST_WAIT = 60.0  # seconds


def create_app(settings: LabSettings, account: Account, faults: Faults, calls: Calls) -> Flask:
    """Return the WSGI application that answers `/_lab/...`."""
    app = Flask("loadlift_lab")
    _serve_account(app, account)
    _serve_faults(app, faults)
    _serve_calls(app, calls)
    _serve_functions(app, settings, account)
    _serve_databases(app, settings)
    for error in (ValueError, TypeError, KeyError):
        app.register_error_handler(error, _bad_request)
    return app


def _bad_request(error: Exception) -> tuple[Response, int]:
    return jsonify(error=f"{type(error).__name__}: {error}"), 400


def _serve_account(app: Flask, account: Account) -> None:
    @app.get("/_lab/health")
    def health() -> dict[str, Any]:
        return {"status": "ready", "generation": account.generation}

    @app.get("/_lab/changes")
    def changes() -> dict[str, Any]:
        after = int(request.args.get("after", account.generation))
        seconds = min(float(request.args.get("wait", 0)), LONGEST_WAIT)
        return {"generation": account.wait_for_change(after, seconds)}

    @app.put("/_lab/target-health")
    def target_health() -> tuple[str, int]:
        REPORTS.put(request.get_json())
        return "", 204


def _serve_faults(app: Flask, faults: Faults) -> None:
    @app.get("/_lab/faults")
    def listed() -> Response:
        return jsonify(faults.listed())

    @app.put("/_lab/faults")
    def put() -> Response:
        faults.put(request.get_json())
        return jsonify(faults.listed())

    @app.delete("/_lab/faults")
    def delete() -> Response:
        faults.put([])
        return jsonify([])


def _serve_calls(app: Flask, calls: Calls) -> None:
    @app.get("/_lab/calls")
    def counted() -> dict[str, int]:
        return calls.counted()

    @app.delete("/_lab/calls")
    def clear() -> dict[str, int]:
        calls.clear()
        return {}


def _serve_functions(app: Flask, settings: LabSettings, account: Account) -> None:
    @app.get("/_lab/functions")
    def functions() -> Response:
        return jsonify(account.look(lambda: listed_functions(settings.region)))

    @app.get("/_lab/functions/<name>")
    def function_zip(name: str) -> Response | tuple[Response, int]:
        backend = backend_in(settings.region, "awslambda")
        try:
            function = backend.get_function(name, request.args.get("qualifier"))
        except ServiceException as missing:
            return jsonify(error=str(missing)), 404
        return Response(function.code_bytes, mimetype="application/zip")

    @app.put("/_lab/provisioned-concurrency")
    def provisioned_concurrency() -> tuple[str, int]:
        ALLOCATED.put(request.get_json())
        return "", 204


def _serve_databases(app: Flask, settings: LabSettings) -> None:
    @app.get("/_lab/databases/<identifier>")
    def database(identifier: str) -> dict[str, str] | tuple[Response, int]:
        backend = backend_in(settings.region, "rds")
        found = backend.databases.get(identifier)
        if found is None:
            return jsonify(error=f"there is no database {identifier}"), 404
        return {
            "username": found.master_username,
            "password": found._master_user_password,  # the property raises: AWS never tells it
            "dbname": found.db_name or "",
        }
