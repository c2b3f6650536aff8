"""Who may use the web interface: people by Locust's own login page, programs by a token or HTTP's Basic scheme.

Locust's `--web-login` only asks for a login; what a login is, a plugin says. The secrets come from a file that not
everybody may read, so that neither the command line nor the environment shows them.
Source: https://docs.locust.io/en/stable/extending-locust.html#authentication
"""

from __future__ import annotations

import contextlib
import hmac
import json
import logging
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Request, Response, jsonify, make_response, redirect, request, session, url_for
from flask_login import UserMixin, current_user, login_user
from locust.web import WebUI

LOG = logging.getLogger(__name__)


class AccessError(Exception):
    """The file of secrets cannot be used; the text never shows a secret."""


@dataclass(frozen=True)
class Secrets:
    """What opens the web interface."""

    user: str
    password: str
    token: str

    def match_login(self, user: str, password: str) -> bool:
        """Tell whether a user and a password are the right ones."""
        # Both are compared, so that the time tells nothing.
        return bool(self.password) and _same(user, self.user) & _same(password, self.password)

    def match_token(self, token: str) -> bool:
        """Tell whether a token is the right one."""
        return bool(self.token) and _same(token, self.token)


def _same(told: str, right: str) -> bool:
    return hmac.compare_digest(told.encode(), right.encode())


class User(UserMixin):  # type: ignore[misc]  # flask_login has no types
    """Whoever has logged in: all may do the same."""

    id = "loadlift"


def read(path: str) -> Secrets:
    """Return the secrets of a JSON file with `user` and `password`, or `token`, or all three."""
    try:
        if Path(path).stat().st_mode & 0o007:
            raise AccessError(f"--web-access is '{path}': everybody may read it; chmod 600 is needed.")
        raw = json.loads(Path(path).read_text())
        found = Secrets(*(str(raw.get(name) or "") for name in ("user", "password", "token")))
    except OSError as error:
        raise AccessError(f"--web-access is '{path}': it cannot be read ({error.strerror}).") from error
    except (ValueError, AttributeError):
        raise AccessError(f"--web-access is '{path}': it is no JSON object.") from None
    if not found.token and not (found.user and found.password):
        raise AccessError(f"--web-access is '{path}': it needs user and password, or token.")
    return found


class Keeper:
    """Keeps the secrets of a file, and takes up new ones: a password is changed without a restart."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._secrets, self._changed = read(path), Path(path).stat().st_mtime_ns

    @property
    def secrets(self) -> Secrets:
        """What opens the web interface now."""
        with contextlib.suppress(OSError):
            changed = Path(self._path).stat().st_mtime_ns
            if changed != self._changed:
                self._changed = changed
                self._take()
        return self._secrets

    def _take(self) -> None:
        try:
            self._secrets = read(self._path)
        except AccessError as error:
            LOG.error("%s What it held before still counts.", error)


def guard(web_ui: WebUI, path: str) -> None:
    """Let in who knows the secrets of the file at `path`; raises AccessError where it cannot be guarded so."""
    if not web_ui.web_login:
        raise AccessError("--web-access needs --web-login, without which Locust asks nobody.")
    keeper = Keeper(path)
    app: Any = web_ui.app
    app.secret_key = secrets.token_hex(32)
    app.config |= {"SESSION_COOKIE_SAMESITE": "Strict", "SESSION_COOKIE_SECURE": bool(web_ui.tls_cert)}
    manager: Any = web_ui.login_manager
    manager.user_loader(lambda _id: User())
    manager.request_loader(lambda asking: User() if _knows(keeper.secrets, asking) else None)
    manager.unauthorized_handler(_refuse)
    _add_login(web_ui, keeper)


def may(web_ui: WebUI) -> bool:
    """Tell whether the request at hand comes from one who may use the web interface."""
    return not web_ui.web_login or bool(current_user.is_authenticated)


def _knows(known: Secrets, asking: Request) -> bool:
    told = asking.authorization
    if told is None:
        return False
    if told.type == "bearer":
        return known.match_token(told.token or "")
    return told.type == "basic" and known.match_login(told.username or "", told.password or "")


def _refuse() -> Response:
    """Send a person to the login page; tell a program in one sentence."""
    if request.method == "GET" and "text/html" in request.headers.get("Accept", ""):
        return make_response(redirect(url_for("locust.login")))
    said = "a wrong login or token" if request.authorization else "no login and no token"
    return make_response(jsonify(message=f"{said} was given"), 401)


def _add_login(web_ui: WebUI, keeper: Keeper) -> None:
    app: Any = web_ui.app
    options: Any = web_ui.environment.parsed_options
    path = options.web_base_path.rstrip("/") + "/loadlift/login"

    def loadlift_login() -> Response:
        if keeper.secrets.match_login(request.form.get("username", ""), request.form.get("password", "")):
            login_user(User())
            return make_response(redirect(url_for("locust.index")))
        session["auth_error"] = "Wrong user or password."
        return make_response(redirect(url_for("locust.login")))

    app.add_url_rule(path, "loadlift_login", loadlift_login, methods=["POST"])
    web_ui.auth_args["username_password_callback"] = path
