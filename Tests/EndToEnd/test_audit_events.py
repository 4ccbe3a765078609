"""Changes that nobody asked for by name are audit events too, and no command waits for them with its result."""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import threading
from collections.abc import Callable
from typing import Any

import pytest
import requests
from harness.gateway import Gateway, binary
from harness.policy import open_route, policy
from harness.upstream import Upstream, answering
from harness.waiting import until

TOKEN = secrets.token_urlsafe(24)
ENVIRONMENT = {
    "STORE_KEY": "ab" * 32,
    "ADMIN_TOKEN": TOKEN,
    "HOOK_SECRET": "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode(),
}
USER = {"email": "ada@example.com", "password": "correct horse"}
Json = dict[str, Any]


def audited(origin: int, **members: Any) -> Json:
    """Sign-ins that are renewed, and keys that are managed."""
    claims = {"sub": "{subject}", "iat": "{issued_at}", "exp": "{expires_at}", "jti": "{token_id}"}
    terms = {"key_set": "own", "lifetime": "1h", "claims": claims, "refresh_tokens": {"lifetime": "1h"}}
    terms |= {"answer": {"token": "{token}", "refresh_token": "{refresh_token}"}}
    guard = {"authenticate": ["keys"], "authorize": {"scopes": ["admin"]}}
    manage = guard | {"action": {"manage": {"resource": "jwt_keys", "key_set": "own", "retire_after": "1s"}}}
    routes = [
        {"name": "login", "match": {"path": "/login", "methods": ["POST"]}, "authenticate": "none", "action": {"login": terms}},
        {"name": "refresh", "match": {"path": "/refresh", "methods": ["POST"]}, "authenticate": "none", "action": {"refresh_token": terms}},
        {"name": "jwt-keys", "match": {"path": "/jwt_keys/{id}"}} | manage,
        open_route(name="app", match={"path": "/app/**"}, authenticate=["keys"]),
    ]
    whole = policy(
        origin, routes=routes, key_sets={"own": {"stored": True, "algorithms": ["HS256"]}},
        authenticators={"keys": {"type": "api_key", "from": ["header:X-API-Key"], "stored": True}},
        store={"sqlite": "store.db", "encryption_key": "env:STORE_KEY"},
    )  # fmt: skip
    return whole | {"admin": {"address": "127.0.0.1:0", "token": "env:ADMIN_TOKEN"}, "audit": {"log": "file:audit.jsonl"}} | members


class Audited:
    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def post(self, path: str, content: Json) -> requests.Response:
        return requests.post(self.gateway.url + path, json=content, timeout=10)

    def make(self, resource: str, kind: str, **members: Any) -> Json:
        """As the operator."""
        url = f"http://127.0.0.1:{self.gateway.admin_port}/v1/{resource}"
        answer = requests.post(url, json={kind: members}, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def sign_in(self) -> Json:
        answer = self.post("/login", USER)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def told(self, count: int) -> list[Json]:
        """The events but those of the operator, once there are so many."""
        path = self.gateway.folder / "audit.jsonl"

        def read() -> list[Json]:
            lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
            return [line for line in lines if line["actor"]["method"] != "admin"]

        until(lambda: len(read()) >= count, 15, f"{count} audit events")
        return read()


@pytest.fixture
def start(gateway: Callable[..., Gateway], upstream: Callable[..., Upstream]) -> Callable[..., Audited]:
    return lambda **members: Audited(gateway(audited(upstream().port, **members), environment=ENVIRONMENT))


def test_a_signing_key_that_the_first_token_makes_is_told(start: Callable[..., Audited]) -> None:
    system = start()
    system.make("users", "user", **USER)
    for _ in range(3):
        system.sign_in()
    events = system.told(1)
    assert [(one["event"], one["cause"], one["actor"]["method"]) for one in events] == [("realm.updated", "jwt_key.created", "gateway")]
    assert events[0]["object"]["type"] == "jwt_key" and events[0]["object"]["id"]


def test_a_retired_signing_key_that_goes_is_told(start: Callable[..., Audited]) -> None:
    system = start()
    key = system.make("jwt_keys", "jwt_key", algo="hs256", use="sign")["id"]
    admin = system.make("api_keys", "api_key", name="admin", scopes=["admin"])["key"]
    answer = requests.delete(f"{system.gateway.url}/jwt_keys/{key}", headers={"X-API-Key": admin}, timeout=10)
    assert answer.status_code == 202, answer.text
    events = system.told(2)
    assert [one["cause"] for one in events] == ["jwt_key.expired", "jwt_key.deleted"]
    assert [one["actor"]["method"] for one in events] == ["api_key", "gateway"]
    assert {one["object"]["id"] for one in events} == {key}


def test_a_refresh_token_that_is_used_twice_is_told(start: Callable[..., Audited]) -> None:
    system = start()
    user = system.make("users", "user", **USER)["id"]
    first = system.sign_in()["refresh_token"]
    second = system.post("/refresh", {"refresh_token": first}).json()["refresh_token"]
    # What is known of nobody ends nothing and is no event; nor is the second showing of what has ended.
    assert system.post("/refresh", {"refresh_token": "A" * 64}).status_code == 401
    for token in (first, first, second):
        assert system.post("/refresh", {"refresh_token": token}).status_code == 401
    event = system.told(2)[1]
    assert event["event"] == "token_family.revoked" and event["cause"] == "refresh_token.reused"
    assert event["actor"]["subject"] == user and event["actor"]["address"] == "127.0.0.1" and event["request_id"]
    assert len(system.told(2)) == 2
    assert first not in json.dumps(event) and second not in json.dumps(event)


def test_a_command_prints_the_secret_before_the_webhook_has_taken_the_event(
    start: Callable[..., Audited], upstream: Callable[..., Upstream]
) -> None:
    release = threading.Event()

    def hold(_: Any) -> bytes:
        release.wait(30)
        return b"HTTP/1.1 204 No Content\r\n\r\n"

    hook = upstream(answering(hold))
    webhook = {"url": f"http://127.0.0.1:{hook.port}/events", "secret": "env:HOOK_SECRET", "timeout": "30s"}
    system = start(audit={"log": "file:audit.jsonl", "webhook": webhook})
    words = ["key", "create", "--name", "ci", "--json", "--config", str(system.gateway.path)]
    command = subprocess.Popen(
        [str(binary()), *words], cwd=system.gateway.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, **ENVIRONMENT},
    )  # fmt: skip
    try:
        assert command.stdout is not None
        line = command.stdout.readline()
        assert not release.is_set() and json.loads(line)["key"]
        until(lambda: hook.requests, 10, "the event")
        assert command.poll() is None, "the command ended before the event was taken"
        release.set()
        assert command.wait(30) == 0
    finally:
        release.set()
        command.kill()
        command.communicate()
    assert json.loads(bytes(hook.requests[0].body))["event"] == "api_key.created"
