"""Pieces of gateway.json for tests."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

Json = dict[str, Any]


def open_route(**members: Any) -> Json:
    return {"name": "open", "match": {"path": "/**"}, "authenticate": "none", "upstream": "up"} | members


def policy(
    *upstream_ports: int, routes: list[Json] | None = None, upstream: Json | None = None, **members: Any
) -> Json:
    """A policy with free ports; one route that lets everything through unless `routes` says otherwise."""
    servers = [f"http://127.0.0.1:{port}" for port in upstream_ports]
    return {
        "loops": 2,
        "listeners": [{"address": "127.0.0.1:0"}],
        "admin": {"address": "127.0.0.1:0"},
        "upstreams": {"up": {"servers": servers, **(upstream or {})}},
        "routes": routes if routes is not None else [open_route()],
    } | members


def api_key(identifier: str = "ci", **members: Any) -> tuple[str, Json]:
    """A new secret and the record that knows its digest."""
    secret = "rbtk_" + secrets.token_hex(16)
    return secret, {
        "id": identifier,
        "sha256": hashlib.sha256(secret.encode()).hexdigest(),
        "subject": f"{identifier}@acme",
        "expires_at": "2099-01-01T00:00:00Z",
    } | members


def key_authenticator(*records: Json, **members: Any) -> Json:
    return {"type": "api_key", "from": ["header:X-API-Key", "bearer:rbtk_"], "keys": list(records)} | members


def keyed_policy(*upstream_ports: int, records: list[Json], route: Json | None = None, **members: Any) -> Json:
    """Every path asks for one of these keys."""
    return policy(
        *upstream_ports,
        authenticators={"keys": key_authenticator(*records)},
        routes=[open_route(**{"name": "keyed", "authenticate": ["keys"]} | (route or {}))],
        **members,
    )
