"""Keys that their holders manage in the shape of another system: its names of members, lists, statuses, and the caller's own key."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
from harness.gateway import Gateway, run_portcullis
from harness.policy import open_route, policy
from harness.upstream import Upstream

ADMIN = "admin-token-of-sixteen-characters"
ENVIRONMENT = {"STORE_KEY": "ab" * 32, "ADMIN_TOKEN": ADMIN}
Json = dict[str, Any]

SHAPE: Json = {
    "members": {"id": "id", "name": "comment", "key": "api_key", "created_at": "created", "last_used_at": "accessed"},
    "wrapped": False,
    "list": "array",
    "statuses": {"delete": 204},
    "current": "current",
    "inherit_scopes": True,
    "unnamed": True,
}


def shaped(origin: int, **manage: Any) -> Json:
    action = {"manage": {"resource": "api_keys", "authenticator": "keys", "own": True} | SHAPE | manage}
    whole = policy(
        origin,
        store={"sqlite": "store.db", "encryption_key": "env:STORE_KEY"},
        key_sets={"tokens": {"stored": True}},
        authenticators={
            "keys": {"type": "api_key", "from": ["header:Api-Key"], "stored": True},
            "tokens": {
                "type": "jwt", "algorithms": ["HS256"], "key_set": "tokens",
                "derived_from": {"authenticator": "keys", "claim": "/id"},
            },
        },
        routes=[
            {"name": "keys", "match": {"path": "/user/apikeys/**"}, "authenticate": ["keys", "tokens"], "action": action},
            {
                "name": "token", "match": {"path": "/user/apikeys/token"}, "authenticate": ["keys"],
                "action": {"mint_token": {"key_set": "tokens", "claims": {"id": "{family}", "exp": "{expires_at}"}}},
            },
            open_route(name="app", match={"path": "/app"}, authenticate=["keys", "tokens"], authorize={"scopes": ["read"]}),
        ],
    )  # fmt: skip
    return whole | {"admin": {"address": "127.0.0.1:0", "token": "env:ADMIN_TOKEN"}}


class System:
    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.user = self.admin("/v1/users", {"user": {"email": "ada@example.com", "scopes": ["read", "write"]}})["id"]
        self.first = self.admin("/v1/api_keys", {"api_key": {"name": "first", "user_id": self.user, "scopes": ["read"]}})

    def admin(self, path: str, content: Json) -> Json:
        answer = requests.post(
            f"http://127.0.0.1:{self.gateway.admin_port}{path}", json=content, headers={"Authorization": f"Bearer {ADMIN}"}, timeout=10
        )
        assert answer.status_code == 201, answer.text
        return answer.json()

    def call(self, method: str, path: str = "", key: str | None = None, token: str | None = None, **arguments: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {"Api-Key": key or self.first["key"]}
        return requests.request(method, f"{self.gateway.url}/user/apikeys{path}", headers=headers, timeout=10, **arguments)

    def opens(self, key: str) -> int:
        return requests.get(f"{self.gateway.url}/app", headers={"Api-Key": key}, timeout=10).status_code


@pytest.fixture
def system(gateway: Callable[..., Gateway], upstream: Callable[..., Upstream]) -> Callable[..., System]:
    return lambda **manage: System(gateway(shaped(upstream().port, **manage), environment=ENVIRONMENT))


def test_a_user_adds_lists_and_deletes_keys_in_the_systems_own_words(system: Callable[..., System]) -> None:
    one = system()
    added = one.call("POST", json={"comment": "laptop"})
    assert added.status_code == 201 and set(added.json()) == {"id", "comment", "api_key", "created", "accessed"}
    assert added.json()["comment"] == "laptop" and one.opens(added.json()["api_key"]) == 200
    unnamed = one.call("POST", json={"comment": None})
    assert unnamed.status_code == 201 and unnamed.json()["comment"] is None
    listed = one.call("GET")
    assert isinstance(listed.json(), list) and all("api_key" not in key for key in listed.json())
    assert {key["id"] for key in listed.json()} == {one.first["id"], added.json()["id"], unnamed.json()["id"]}
    assert len(one.call("GET", "?max_results=1").json()) == 1
    deleted = one.call("DELETE", f"/{added.json()['id']}")
    assert deleted.status_code == 204 and deleted.content == b"" and "Content-Type" not in deleted.headers
    assert one.opens(added.json()["api_key"]) == 401
    assert one.call("DELETE", f"/{added.json()['id']}").status_code == 404


def test_the_current_key_is_the_one_that_was_shown_or_is_behind_the_token(system: Callable[..., System]) -> None:
    one = system()
    assert one.call("GET", "/current").json()["id"] == one.first["id"]
    added = one.call("POST", json={"comment": "other"}).json()
    assert one.call("GET", "/current", key=added["api_key"]).json()["id"] == added["id"]
    token = one.call("GET", "/token", key=added["api_key"]).json()["access_token"]
    assert one.call("GET", "/current", token=token).json()["id"] == added["id"]
    # Its own end, too.
    assert one.call("DELETE", "/current", key=added["api_key"]).status_code == 204
    assert one.opens(added["api_key"]) == 401 and one.call("GET", "/current", token=token).status_code == 401
    assert one.opens(one.first["key"]) == 200


def test_a_key_of_no_user_is_its_own_current_one_and_makes_no_others(system: Callable[..., System]) -> None:
    one = system()
    lone = one.admin("/v1/api_keys", {"api_key": {"name": "lone", "scopes": ["read"]}})
    assert one.call("GET", "/current", key=lone["key"]).json()["id"] == lone["id"]
    assert [key["id"] for key in one.call("GET", key=lone["key"]).json()] == [lone["id"]]
    assert one.call("POST", key=lone["key"], json={"comment": "x"}).status_code == 403
    assert one.call("GET", f"/{one.first['id']}", key=lone["key"]).status_code == 404
    assert one.call("GET", f"/{lone['id']}").status_code == 404


def test_no_key_is_made_more_than_its_maker(system: Callable[..., System]) -> None:
    one = system()
    for members in (
        {"scopes": ["write"]}, {"name": "x"}, {"api_key": {"name": "x"}}, {"user_id": one.user}, {"limits": []}, {"realm": "x"},
        {"enabled": True}, {"comment": "a", "expires_in": "1s"}, {"subject": "root"},
    ):  # fmt: skip
        assert one.call("POST", json=members).status_code == 422, members
    made = one.call("POST", json={}).json()
    answer = requests.get(
        f"http://127.0.0.1:{one.gateway.admin_port}/v1/api_keys/{made['id']}", headers={"Authorization": f"Bearer {ADMIN}"}, timeout=10
    ).json()
    # Its user may write, the key that made it may not.
    assert answer["scopes"] == ["read"] and answer["user_id"] == one.user
    token = one.call("GET", "/token").json()["access_token"]
    bound = one.call("POST", token=token, json={}).json()
    answer = requests.get(
        f"http://127.0.0.1:{one.gateway.admin_port}/v1/api_keys/{bound['id']}", headers={"Authorization": f"Bearer {ADMIN}"}, timeout=10
    ).json()
    # A token that ends makes no key that does not.
    assert answer["secrets"][0]["expires_at"] is not None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"members": {"id": "id", "key": "key", "nam": "comment"}}, 'did you mean "name"?'),
        ({"members": {"id": "id", "name": "comment"}}, 'the member "key" is missing'),
        ({"members": {"id": "x", "key": "x"}}, 'another member is called "x" already'),
        ({"members": {"id": "id", "key": "a key"}}, "invalid name of a member"),
        ({"list": "arr"}, "unknown form of a list"),
        ({"list": {"items": "a", "more": "a"}}, 'another member is called "a" already'),
        ({"statuses": {"create": 204}}, "expected one of 200, 201"),
        ({"current": "key_1"}, "cannot name the caller's record"),
        ({"current": ""}, "current"),
        ({"resource": "users", "authenticator": None, "members": None}, '"inherit_scopes" has no meaning for "users"'),
    ],
    ids=range(10),
)
def test_a_shape_that_cannot_be_is_refused(tmp_path: Any, change: Json, message: str) -> None:
    config = shaped(9)
    manage = config["routes"][0]["action"]["manage"] | change
    config["routes"][0]["action"]["manage"] = {name: value for name, value in manage.items() if value is not None}
    (tmp_path / "gateway.json").write_text(json.dumps(config))
    done = run_portcullis("check", folder=tmp_path, environment=ENVIRONMENT)
    assert done.returncode == 1 and message in done.stdout + done.stderr, done.stdout + done.stderr
