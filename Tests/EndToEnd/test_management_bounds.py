"""Nobody makes himself more than he is: each way in which somebody who manages records could become somebody else."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import pytest
import requests
from harness.gateway import Gateway
from harness.policy import open_route, policy
from harness.upstream import Upstream

TOKEN = secrets.token_urlsafe(24)
PASSWORD = "correct horse"
Json = dict[str, Any]
CLAIMS = {"sub": "{subject}", "iat": "{issued_at}", "exp": "{expires_at}", "jti": "{token_id}"}
TERMS = {"key_set": "sessions", "lifetime": "1h", "claims": CLAIMS, "answer": {"token": "{token}"}}


def managed(name: str, resource: str, **manage: Any) -> list[Json]:
    """The routes of one resource, for keys with its scope."""
    guard = {"authenticate": ["keys"], "authorize": {"scopes": [name]}, "action": {"manage": {"resource": resource} | manage}}
    paths = ["", "/{id}", "/{id}/{operation}"]
    return [{"name": f"{name}-{number}", "match": {"path": f"/{name}{path}"}} | guard for number, path in enumerate(paths)]


def bounded(origin: int) -> Json:
    """Keys that manage keys and users, and an organization whose admins manage its members."""
    rule = {"membership": {"organization": "{path.organization}", "roles": ["admin", "owner"]}}
    members = {"authenticate": ["sessions"], "authorize": rule, "action": {"manage": {"resource": "memberships"}}}
    routes = [
        *managed("keys", "api_keys", authenticator="keys"),
        *managed("users", "users"),
        *managed("anything", "users", grant_any=True),
        {"name": "members", "match": {"path": "/orgs/{organization}/memberships"}} | members,
        {"name": "member", "match": {"path": "/orgs/{organization}/memberships/{id}"}} | members,
        {"name": "login", "match": {"path": "/login", "methods": ["POST"]}, "authenticate": "none", "action": {"login": TERMS}},
        open_route(name="app", match={"path": "/app/**"}, authenticate=["keys"]),
    ]
    session = {"type": "jwt", "from": ["bearer"], "algorithms": ["HS256"], "key_set": "sessions"}
    whole = policy(
        origin, routes=routes, key_sets={"sessions": {"stored": True, "algorithms": ["HS256"]}},
        authenticators={
            "keys": {"type": "api_key", "from": ["header:X-API-Key"], "stored": True},
            "sessions": session | {"derived_from": {"users": True, "claim": "/sub"}},
        },
        store={"sqlite": "store.db", "encryption_key": "env:STORE_KEY"},
    )  # fmt: skip
    return whole | {"admin": {"address": "127.0.0.1:0", "token": "env:ADMIN_TOKEN"}, "audit": {"log": "file:audit.jsonl"}}


def ends(key: Json) -> list[str]:
    """When its secrets end, to the second."""
    return [secret["expires_at"][:19] for secret in key["secrets"]]


class Bounded:
    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def call(self, method: str, path: str, key: str | None = None, session: str | None = None, **arguments: Any) -> requests.Response:
        fields = {"X-API-Key": key} if key else {"Authorization": f"Bearer {session}"} if session else {}
        return requests.request(method, self.gateway.url + path, headers=fields, timeout=10, **arguments)

    def make(self, resource: str, kind: str, **members: Any) -> Json:
        """As the operator."""
        url = f"http://127.0.0.1:{self.gateway.admin_port}/v1/{resource}"
        answer = requests.post(url, json={kind: members}, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def key(self, *scopes: str, **members: Any) -> Json:
        return self.make("api_keys", "api_key", name="made", scopes=list(scopes), **members)

    def user(self, email: str, **members: Any) -> str:
        return self.make("users", "user", email=email, password=PASSWORD, **members)["id"]

    def join(self, user: str, organization: str, role: str) -> str:
        return self.make("memberships", "membership", user_id=user, organization_id=organization, role=role)["id"]

    def sign_in(self, email: str, password: str = PASSWORD) -> requests.Response:
        return self.call("POST", "/login", json={"email": email, "password": password})

    def session(self, email: str) -> str:
        answer = self.sign_in(email)
        assert answer.status_code == 200, answer.text
        return answer.json()["token"]


@pytest.fixture
def system(gateway: Callable[..., Gateway], upstream: Callable[..., Upstream]) -> Bounded:
    return Bounded(gateway(bounded(upstream().port), environment={"STORE_KEY": "ab" * 32, "ADMIN_TOKEN": TOKEN}))


@pytest.mark.parametrize("change", [{"password": "taken over"}, {"email": "mine@example.com"}, {"name": "x"}])
def test_an_account_with_memberships_is_not_taken_over(system: Bounded, change: Json) -> None:
    organization = system.make("organizations", "organization", slug="acme")["id"]
    victim, other = system.user("v@example.com"), system.user("w@example.com")
    system.join(victim, organization, "admin")
    desk = system.key("users", "anything")["key"]
    answer = system.call("PATCH", f"/users/{victim}", desk, json={"user": change})
    assert answer.status_code == 403 and "memberships" in answer.text, answer.text
    assert system.sign_in("v@example.com").status_code == 200 and system.sign_in("v@example.com", "taken over").status_code != 200
    # Nobody is gained by an account that can do nothing, and a route may say that its callers may do anything.
    assert system.call("PATCH", f"/users/{other}", desk, json={"user": {"password": "another horse"}}).status_code == 200
    assert system.call("PATCH", f"/users/{victim}", desk, json={"user": {"enabled": False}}).status_code == 200
    assert system.call("PATCH", f"/users/{victim}", desk, json={"user": {"enabled": True}}).status_code == 403
    assert system.call("PATCH", f"/anything/{victim}", desk, json={"user": {"enabled": True}}).status_code == 200


def test_nobody_raises_a_role(system: Bounded) -> None:
    organization = system.make("organizations", "organization", slug="acme")["id"]
    people = {name: system.user(f"{name}@example.com") for name in ("admin", "owner", "member", "new")}
    own, owner, member = (system.join(people[name], organization, name) for name in ("admin", "owner", "member"))
    session = system.session("admin@example.com")
    path = "/orgs/acme/memberships"
    for method, target, content in (
        ("PATCH", f"{path}/{own}", {"role": "owner"}), ("PATCH", f"{path}/{owner}", {"role": "admin"}),
        ("PATCH", f"{path}/{member}", {"role": "owner"}), ("POST", path, {"user_id": people["new"], "role": "owner"}),
        ("POST", path, {"user_id": people["new"]}), ("DELETE", f"{path}/{owner}", None),
    ):  # fmt: skip
        answer = system.call(method, target, session=session, json=content and {"membership": content})
        assert answer.status_code == 403 and "does not have there" in answer.text, (method, target, answer.text)
    made = system.call("POST", path, session=session, json={"membership": {"user_id": people["new"], "role": "admin"}})
    assert made.status_code == 201, made.text
    assert system.call("DELETE", f"{path}/{made.json()['id']}", session=session).status_code == 202
    # Who leaves gives nobody anything.
    assert system.call("DELETE", f"{path}/{own}", session=session).status_code == 202
    assert system.call("GET", path, session=session).status_code == 403


def test_a_key_does_not_lift_its_own_bounds(system: Bounded) -> None:
    bound = system.key("keys", allow_ips=["127.0.0.1"], expires_in="1h")
    for block in ([], ["127.0.0.0/8"], ["0.0.0.0/0", "::/0"]):
        answer = system.call("PATCH", f"/keys/{bound['id']}", bound["key"], json={"api_key": {"allow_ips": block}})
        assert answer.status_code == 403, answer.text
    longer = system.call("POST", f"/keys/{bound['id']}/rotate", bound["key"], json={"api_key": {"expires_in": "2h"}})
    assert longer.status_code == 403
    rotated = system.call("POST", f"/keys/{bound['id']}/rotate", bound["key"]).json()
    assert ends(rotated) == ends(bound)


def test_a_bound_key_makes_no_key_that_is_freer(system: Bounded) -> None:
    bound = system.key("keys", allow_ips=["127.0.0.0/30"], expires_in="1h")
    for wider in ({"expires_in": "2h"}, {"allow_ips": ["127.0.0.0/8"]}, {"allow_ips": ["127.0.0.1", "::1"]}):
        answer = system.call("POST", "/keys", bound["key"], json={"api_key": {"name": "x"} | wider})
        assert answer.status_code == 403 and "confined" in answer.text, answer.text
    made = system.call("POST", "/keys", bound["key"], json={"api_key": {"name": "x"}}).json()
    assert made["allow_ips"] == ["127.0.0.0/30"] and ends(made) == ends(bound)
    narrower = {"name": "x", "allow_ips": ["127.0.0.1"], "expires_in": "1m"}
    assert system.call("POST", "/keys", bound["key"], json={"api_key": narrower}).status_code == 201


def test_a_bound_key_does_not_get_at_a_freer_one(system: Bounded) -> None:
    bound, free = system.key("keys", allow_ips=["127.0.0.1"], expires_in="1h"), system.key()
    assert system.call("POST", f"/keys/{free['id']}/rotate", bound["key"]).status_code == 403
    for change in ({"scopes": ["keys"]}, {"enabled": True}):
        if "enabled" in change:
            assert system.call("PATCH", f"/keys/{free['id']}", bound["key"], json={"api_key": {"enabled": False}}).status_code == 200
        assert system.call("PATCH", f"/keys/{free['id']}", bound["key"], json={"api_key": change}).status_code == 403


def test_a_bound_key_opens_no_account_with_scopes(system: Bounded) -> None:
    bound = system.key("users", expires_in="1h")["key"]
    for scopes, status in ((["users"], 403), ([], 201)):
        user = {"email": f"a{status}@example.com", "password": PASSWORD, "scopes": scopes}
        assert system.call("POST", "/users", bound, json={"user": user}).status_code == status
    strong = system.user("s@example.com", scopes=["users"])
    assert system.call("PATCH", f"/users/{strong}", bound, json={"user": {"password": "taken over"}}).status_code == 403
    assert system.sign_in("s@example.com").status_code == 200


def test_the_admin_listener_tells_no_private_key(system: Bounded) -> None:
    url = f"http://127.0.0.1:{system.gateway.admin_port}/v1/jwt_keys"
    fields = {"Authorization": f"Bearer {TOKEN}"}
    assert requests.post(url, json={"jwt_key": {"algo": "rs256", "use": "sign"}}, headers=fields, timeout=10).status_code == 201
    assert requests.get(f"{url}?private=true", headers=fields, timeout=10).status_code == 403
    assert "PRIVATE" not in requests.get(url, headers=fields, timeout=10).text
