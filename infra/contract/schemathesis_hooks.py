"""Logs in for schemathesis: each operation is asked with a token of the audience that its security names."""

import json
import os
import urllib.request

import schemathesis

BASE = os.environ.get("QUTAB_API", "http://localhost:3000")
PASSWORD = "kurban-lokal-2026"  # of the local system's seeded logins
LOGINS = {
    "customer": ("/api/auth/login", "pembeli@qutab.test"),
    "affiliate": ("/api/affiliate/auth/login", "promotor@qutab.test"),
    "admin": ("/api/admin/auth/login", "owner@qutab.test"),
}


def ask(method, path, body=None, token=None):
    headers = {"content-type": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(BASE + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def log_in(audience):
    path, email = LOGINS[audience]
    return ask("POST", path, {"email": email, "password": PASSWORD})["access_token"]


def tokens():
    """One for each audience, before anything else is asked: guesses at logins are slowed down soon after."""
    owner = log_in("admin")
    version = ask("GET", "/api/admin/settings", token=owner)["version"]
    ask("PUT", "/api/admin/settings", {"version": max(version, 1), "access_minutes": 60}, owner)
    return {audience: log_in(audience) for audience in LOGINS}


TOKENS = tokens()


def ends(name: str) -> bool:
    """Whether it ends the session or the account that all others are asked with: it is asked without a token."""
    return name.startswith(("logout", "end", "delete")) or name.endswith(("Totp", "Password"))


@schemathesis.auth(refresh_interval=None)
class Login:
    def get(self, case, context):
        return TOKENS

    def set(self, case, data, context):
        raw = case.operation.definition.raw
        security = raw.get("security") or []
        if security and not ends(raw["operationId"]):
            case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data[next(iter(security[0]))]}"}
