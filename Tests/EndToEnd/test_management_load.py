"""An ordinary caller of management holds up neither the operator nor other users, and changes the own password with the current one."""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Callable
from typing import Any

import pytest
import requests
from harness.gateway import Gateway
from harness.policy import open_route, policy
from harness.upstream import Upstream
from harness.waiting import until

TOKEN = secrets.token_urlsafe(24)
PASSWORD = "correct horse"
Json = dict[str, Any]


def managing(origin: int) -> Json:
    terms = {"key_set": "sessions", "claims": {"sub": "{subject}", "exp": "{expires_at}"}, "answer": {"token": "{token}"}}
    own = {"authenticate": ["keys"], "action": {"manage": {"resource": "users", "own": True}}}
    forge = {"authenticate": ["keys"], "action": {"manage": {"resource": "jwt_keys", "key_set": "sessions"}}}
    routes = [
        {"name": "me", "match": {"path": "/me/{id}"}} | own,
        {"name": "forge", "match": {"path": "/jwt_keys"}} | forge,
        {"name": "login", "match": {"path": "/login", "methods": ["POST"]}, "authenticate": "none", "action": {"login": terms}},
        open_route(name="app", match={"path": "/app/**"}, authenticate=["keys"]),
    ]
    return policy(
        origin, routes=routes, key_sets={"sessions": {"stored": True, "algorithms": ["HS256", "RS256"]}},
        authenticators={"keys": {"type": "api_key", "from": ["header:X-API-Key"], "stored": True}},
        store={"sqlite": "store.db", "encryption_key": "env:STORE_KEY"}, admin={"address": "127.0.0.1:0", "token": "env:ADMIN_TOKEN"},
    )  # fmt: skip


class System:
    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def operator(self, method: str, path: str, content: Json | None = None) -> requests.Response:
        url, fields = f"http://127.0.0.1:{self.gateway.admin_port}/v1{path}", {"Authorization": f"Bearer {TOKEN}"}
        return requests.request(method, url, json=content, headers=fields, timeout=60)

    def user(self, email: str, **members: Any) -> tuple[str, str]:
        """The id of a new user and a key of theirs."""
        user = self.operator("POST", "/users", {"user": {"email": email} | members}).json()["id"]
        return user, self.key(user)["key"]

    def key(self, user: str) -> Json:
        return self.operator("POST", "/api_keys", {"api_key": {"name": "k", "user_id": user}}).json()

    def change(self, user: str, key: str, **members: Any) -> requests.Response:
        url = f"{self.gateway.url}/me/{user}"
        return requests.patch(url, json={"user": members}, headers={"X-API-Key": key}, timeout=60)

    def begin(self, method: str, path: str, key: str, content: Json) -> socket.socket:
        """Sends a request whose answer is not read yet."""
        body = json.dumps(content).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\nContent-Type: application/json\r\n"
        connection = socket.create_connection(("127.0.0.1", self.gateway.port), timeout=60)
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        connection.setblocking(False)
        return connection

    def signs_in(self, email: str, password: str) -> bool:
        content = {"email": email, "password": password}
        return requests.post(f"{self.gateway.url}/login", json=content, timeout=60).status_code == 200


@pytest.fixture
def system(gateway: Callable[..., Gateway], upstream: Callable[..., Upstream]) -> System:
    return System(gateway(managing(upstream().port), environment={"STORE_KEY": "ab" * 32, "ADMIN_TOKEN": TOKEN}))


def status(connection: socket.socket) -> int:
    """Of the answer that is there; 0 while there is none."""
    try:
        return int(connection.recv(4096, socket.MSG_PEEK)[9:12] or 0)
    except BlockingIOError:
        return 0


def under_way(connections: list[socket.socket]) -> int:
    return sum(status(connection) == 0 for connection in connections)


@pytest.mark.parametrize("kind", ["passwords", "keys"])
def test_a_revocation_is_answered_while_an_ordinary_caller_has_costly_changes_under_way(system: System, kind: str) -> None:
    user, key = system.user("ada@example.com", password=PASSWORD)
    leaked = system.key(user)
    change = {"user": {"password": "another horse", "current_password": PASSWORD}}
    method, path, content = ("PATCH", f"/me/{user}", change) if kind == "passwords" else (
        "POST", "/jwt_keys", {"jwt_key": {"algo": "rs256", "use": "sign"}})  # fmt: skip
    connections = [system.begin(method, path, key, content) for _ in range(200)]
    try:
        # What one caller may not have in line is refused at once, so all the others are in it by then.
        assert until(lambda: sum(status(one) == 503 for one in connections) >= 150)
        assert system.operator("DELETE", f"/api_keys/{leaked['id']}").status_code == 202
        left = under_way(connections)
        assert requests.get(f"{system.gateway.url}/app", headers={"X-API-Key": leaked["key"]}, timeout=60).status_code == 401
        assert left >= 10, f"the revocation waited for all but {left} of the changes"
    finally:
        for connection in connections:
            connection.close()


def test_another_user_is_served_while_one_has_all_in_line_that_one_may(system: System) -> None:
    busy, busy_key = system.user("busy@example.com", password=PASSWORD)
    other, other_key = system.user("other@example.com", password=PASSWORD)
    content = {"user": {"password": "another horse", "current_password": PASSWORD}}
    connections = [system.begin("PATCH", f"/me/{busy}", busy_key, content) for _ in range(200)]
    try:
        assert until(lambda: sum(status(one) == 503 for one in connections) >= 150)
        assert system.change(other, other_key, password="another horse", current_password=PASSWORD).status_code == 200
        assert under_way(connections) >= 10
    finally:
        for connection in connections:
            connection.close()


def test_changes_that_are_refused_cost_nothing(system: System) -> None:
    user, key = system.user("ada@example.com", password=PASSWORD)
    before = system.gateway.cpu_seconds()
    for _ in range(50):
        assert system.change(user, key, password="x1", current_password=PASSWORD).status_code == 422
        assert system.change(user, key, password="another horse").status_code == 422
        assert system.change("usr_unknown", key, password="another horse", current_password=PASSWORD).status_code == 404
    # A hash takes some 50 ms: they would be seven seconds and more.
    assert system.gateway.cpu_seconds() - before < 5


def test_an_own_password_is_changed_with_the_current_one(system: System) -> None:
    email = "ada@example.com"
    user, stolen = system.user(email, password=PASSWORD)
    for members, reason in (
        ({"password": "taken over"}, "parameters_invalid"), ({"password": None}, "parameters_invalid"),
        ({"password": "taken over", "current_password": None}, "parameters_invalid"),
        ({"password": "taken over", "current_password": ""}, "parameters_invalid"),
        ({"password": "taken over", "current_password": "guess"}, "current_password_wrong"),
        ({"password": None, "current_password": "guess"}, "current_password_wrong"),
    ):  # fmt: skip
        answer = system.change(user, stolen, **members)
        assert (answer.status_code, answer.json()["reason"]) == (422, reason), answer.text
    assert system.signs_in(email, PASSWORD) and not system.signs_in(email, "taken over")
    assert system.change(user, stolen, password="another horse", current_password=PASSWORD).status_code == 200
    assert system.signs_in(email, "another horse") and not system.signs_in(email, PASSWORD)


def test_guesses_at_the_current_password_are_bounded_and_do_not_end_sign_ins(system: System) -> None:
    email = "ada@example.com"
    user, stolen = system.user(email, password=PASSWORD)
    answers = [system.change(user, stolen, password="taken over", current_password=f"guess {number}") for number in range(12)]
    assert [answer.status_code for answer in answers] == [422] * 10 + [429] * 2
    assert answers[-1].json()["reason"] == "too_many_attempts" and int(answers[-1].headers["Retry-After"]) > 0
    # The right one is one more try, and the operator needs none.
    assert system.change(user, stolen, password="taken over", current_password=PASSWORD).status_code == 429
    assert system.signs_in(email, PASSWORD)
    assert system.operator("PATCH", f"/users/{user}", {"user": {"password": "another horse"}}).status_code == 200
    assert system.signs_in(email, "another horse")


def test_a_first_password_needs_none_and_the_next_one_does(system: System) -> None:
    user, key = system.user("ada@example.com")
    assert system.change(user, key, password=PASSWORD, current_password="x").status_code == 422
    assert system.change(user, key, password=PASSWORD).status_code == 200
    assert system.change(user, key, password="another horse").status_code == 422
