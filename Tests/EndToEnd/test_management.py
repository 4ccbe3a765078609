"""Keys, users and memberships managed over routes, the admin listener and the command line, while a gateway runs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from harness.gateway import Gateway, run_portcullis
from harness.policy import open_route, policy
from harness.upstream import Upstream, answering
from harness.waiting import until

ROOT, WEAK = (secrets.token_urlsafe(24) for _ in range(2))
TOKEN, WEBHOOK_SECRET = secrets.token_urlsafe(24), secrets.token_bytes(24)
ENVIRONMENT = {
    "STORE_KEY": "ab" * 32,
    "ADMIN_TOKEN": TOKEN,
    "HOOK_SECRET": "whsec_" + base64.b64encode(WEBHOOK_SECRET).decode(),
}
Json = dict[str, Any]


def record(identifier: str, secret: str, *scopes: str) -> Json:
    return {"id": identifier, "sha256": hashlib.sha256(secret.encode()).hexdigest(), "scopes": list(scopes)}


def managed(name: str, resource: str, **manage: Any) -> list[Json]:
    """The routes of one resource."""
    action = {"action": {"manage": {"resource": resource} | manage}}
    guarded = {"authenticate": ["keys"], "authorize": {"scopes": ["admin"]}} | action
    paths = ["", "/{id}", "/{id}/{operation}"]
    return [{"name": f"{name}-{number}", "match": {"path": f"/{name}{path}"}} | guarded for number, path in enumerate(paths)]


def managing(origin: int, **members: Any) -> Json:
    keys = {
        "type": "api_key",
        "from": ["header:X-API-Key"],
        "stored": True,
        "keys": [record("root", ROOT, "admin", "orders:read"), record("weak", WEAK, "admin")],
    }
    routes = [
        *managed("keys", "api_keys", authenticator="keys"),
        *managed("users", "users"),
        *managed("grants", "api_keys", authenticator="keys", grant_any=True),
        *members.pop("routes", []),
        open_route(name="app", match={"path": "/app/**"}, authenticate=["keys"]),
    ]
    whole = policy(origin, routes=routes, authenticators={"keys": keys}, store={"sqlite": "store.db", "encryption_key": "env:STORE_KEY"})
    return whole | {"admin": {"address": "127.0.0.1:0", "token": "env:ADMIN_TOKEN"}, "audit": {"log": "file:audit.jsonl"}} | members


class Managed:
    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def call(self, method: str, path: str, key: str = ROOT, **arguments: Any) -> requests.Response:
        """On a connection of its own, so that calls go to every loop."""
        return requests.request(method, self.gateway.url + path, headers={"X-API-Key": key}, timeout=10, **arguments)

    def admin(self, method: str, path: str, token: str | None = TOKEN, **arguments: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.request(
            method, f"http://127.0.0.1:{self.gateway.admin_port}{path}", headers=headers, timeout=10, **arguments
        )

    def command(self, *words: str, given: str | None = None, status: int = 0) -> str:
        done = run_portcullis(
            *words, "--config", str(self.gateway.path), folder=self.gateway.folder, given=given, environment=ENVIRONMENT
        )
        assert done.returncode == status, f"{words}: {done.returncode} {done.stdout}{done.stderr}"
        return done.stdout if status == 0 else done.stderr

    def create(self, path: str = "/keys", key: str = ROOT, **members: Any) -> Json:
        answer = self.call("POST", path, key, json={"api_key": {"name": "made"} | members})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def statuses(self, key: str, count: int = 12) -> set[int]:
        return {self.call("GET", "/app/x", key).status_code for _ in range(count)}

    def events(self) -> list[Json]:
        path = self.gateway.folder / "audit.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def system(gateway: Callable[..., Gateway], upstream: Callable[..., Upstream]) -> Iterator[Callable[..., Managed]]:
    yield lambda **members: Managed(gateway(managing(upstream().port, **members), environment=ENVIRONMENT))


def test_a_change_holds_for_the_next_request_on_every_loop(system: Callable[..., Managed]) -> None:
    one = system(loops=4)
    made = one.create()
    assert one.statuses(made["key"]) == {200}
    one.call("PATCH", f"/keys/{made['id']}", json={"api_key": {"enabled": False}})
    assert one.statuses(made["key"]) == {401}
    one.call("PATCH", f"/keys/{made['id']}", json={"api_key": {"enabled": True, "allow_ips": ["192.0.2.0/24"]}})
    assert one.statuses(made["key"]) == {403}
    one.call("PATCH", f"/keys/{made['id']}", json={"api_key": {"allow_ips": []}})
    rotated = one.call("POST", f"/keys/{made['id']}/rotate").json()
    assert one.statuses(made["key"]) == {401} and one.statuses(rotated["key"]) == {200}
    again = one.call("POST", f"/keys/{made['id']}/rotate", json={"api_key": {"overlap": "1h"}}).json()
    assert one.statuses(rotated["key"]) == {200} == one.statuses(again["key"])
    assert one.call("DELETE", f"/keys/{made['id']}").status_code == 202
    assert one.statuses(rotated["key"]) == {401} == one.statuses(again["key"])


def rotated_at_one_time(one: Managed, identifier: str, count: int = 16, **members: Any) -> list[requests.Response]:
    together = threading.Barrier(count)

    def rotate(_: int) -> requests.Response:
        together.wait(10)
        return one.call("POST", f"/keys/{identifier}/rotate", json={"api_key": members})

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(rotate, range(count)))


def test_of_many_rotations_at_one_time_one_secret_is_left(system: Callable[..., Managed]) -> None:
    one = system(failure_budget="off")
    made = one.create(scopes=["orders:read"])
    answers = rotated_at_one_time(one, made["id"])
    assert {answer.status_code for answer in answers} <= {200, 409}
    secrets_given = [answer.json()["key"] for answer in answers if answer.status_code == 200]
    assert secrets_given and len(set(secrets_given)) == len(secrets_given)
    live = [secret for secret in secrets_given if one.statuses(secret) == {200}]
    assert len(live) == 1
    # The others were replaced by one another, one at a time, and nothing came in between.
    for secret in {made["key"], *secrets_given} - set(live):
        assert one.statuses(secret, 2) == {401}
    record = one.call("GET", f"/keys/{made['id']}").json()
    assert [secret["fingerprint"] for secret in record["secrets"]] == [hashlib.sha256(live[0].encode()).hexdigest()[:8]]
    told = until(lambda: len(one.events()) > len(secrets_given) and one.events(), 5, "an event of each rotation")
    assert [event["event"] for event in told] == ["api_key.created"] + ["api_key.rotated"] * len(secrets_given)


def test_of_many_rotations_with_an_overlap_those_beyond_the_bound_change_nothing(system: Callable[..., Managed]) -> None:
    one = system()
    made = one.create(scopes=["orders:read"])
    answers = rotated_at_one_time(one, made["id"], overlap="1h")
    # A key has at most sixteen secrets, and had one.
    assert sorted(answer.status_code for answer in answers) == [200] * 15 + [409]
    given = {made["key"], *(answer.json()["key"] for answer in answers if answer.status_code == 200)}
    assert len(given) == 16
    for secret in given:
        assert one.statuses(secret, 2) == {200}
    record = one.call("GET", f"/keys/{made['id']}").json()
    assert len(record["secrets"]) == 16 and [secret["expires_at"] for secret in record["secrets"]].count(None) == 1


def test_a_restart_forgets_nothing(system: Callable[..., Managed], gateway: Callable[..., Gateway]) -> None:
    one = system()
    made = one.create(scopes=["orders:read"])
    shown = one.call("GET", f"/keys/{made['id']}").json()
    path = one.gateway.folder / "store.db"
    assert one.gateway.stop() == 0
    config = json.loads(one.gateway.path.read_text())
    config["store"]["sqlite"] = str(path)
    other = Managed(gateway(config, environment=ENVIRONMENT))
    again = other.call("GET", f"/keys/{made['id']}").json()
    assert {name: again[name] for name in shown if name != "age_days"} == {name: shown[name] for name in shown if name != "age_days"}
    assert other.statuses(made["key"]) == {200}
    assert made["key"].encode() not in path.read_bytes()


# One route for a resource.


def under(path: str, resource: str, **manage: Any) -> Json:
    """One route for all of a resource."""
    guarded = {"authenticate": ["keys"], "authorize": {"scopes": ["admin"]}}
    return {"name": path[1:], "match": {"path": f"{path}/**"}} | guarded | {"action": {"manage": {"resource": resource} | manage}}


def test_one_route_serves_the_list_the_records_and_their_operations(system: Callable[..., Managed]) -> None:
    profiles = {"plain": {"default": {"body": '{"why": {reason}}'}}}
    one = system(routes=[under("/all", "api_keys", authenticator="keys") | {"responses": "plain"}], profiles=profiles)
    made = one.create("/all")
    assert [key["id"] for key in one.call("GET", "/all").json()["collection"]] == [made["id"]]
    assert one.call("GET", f"/all/{made['id']}").json()["id"] == made["id"]
    assert one.call("PATCH", f"/all/{made['id']}", json={"api_key": {"name": "renamed"}}).json()["name"] == "renamed"
    rotated = one.call("POST", f"/all/{made['id']}/rotate").json()["key"]
    assert one.statuses(made["key"]) == {401} and one.statuses(rotated) == {200}
    for path in ("/all/", "/all//", f"/all/{made['id']}/", f"/all/{made['id']}/rotate/", f"/all/{made['id']}/rotat", "/all/a/b/c"):
        answer = one.call("GET", path)
        assert answer.status_code == 404 and answer.json()["why"] == "route_not_found", path
    for method, path, allow in (
        ("DELETE", "/all", "GET, HEAD, POST"), ("POST", f"/all/{made['id']}", "GET, HEAD, PUT, PATCH, DELETE"),
        ("GET", f"/all/{made['id']}/rotate", "POST"), ("OPTIONS", "/all", "GET, HEAD, POST"),
        ("DELETE", "/keys", "GET, HEAD, POST"), ("GET", f"/keys/{made['id']}/rotate", "POST"),
    ):  # fmt: skip
        answer = one.call(method, path)
        assert answer.status_code == 405 and answer.headers["Allow"] == allow, (method, path)
        if path.startswith("/all"):
            assert answer.json()["why"] == "method_not_allowed"
    # What the route asks for is asked for everything.
    for method, path in (("GET", "/all"), ("GET", f"/all/{made['id']}"), ("POST", f"/all/{made['id']}/rotate")):
        assert one.call(method, path, rotated).status_code == 403
        assert one.call(method, path, "nobody's").status_code == 401
    assert one.call("DELETE", f"/all/{made['id']}").status_code == 202
    assert one.call("GET", f"/all/{made['id']}").status_code == 404


def test_explain_and_tests_know_what_a_managing_route_serves(system: Callable[..., Managed]) -> None:
    one = system(routes=[under("/all", "jwt_keys", key_set="own")], key_sets={"own": {"stored": True}})

    beside, lacking = (
        run_portcullis(
            "explain", "-X", method, f"http://a.example{path}", "--config", str(one.gateway.path), environment=ENVIRONMENT
        ).stdout
        for method, path in (("GET", "/all/a/b"), ("PATCH", "/all/a"))
    )
    assert "route_not_found" in beside and "serves a list, records by their id, and nothing else" in beside
    assert "method_not_allowed" in lacking and "takes GET, HEAD, DELETE here" in lacking
    config = json.loads(one.gateway.path.read_text())
    config["tests"] = [
        {"name": "beside", "request": "GET /all/a/b", "expect": {"status": 404, "reason": "route_not_found", "route": "all"}},
        {"name": "lacking", "request": "PUT /all/a", "expect": {"status": 405, "reason": "method_not_allowed", "route": "all"}},
        {"name": "closed", "request": "GET /all/a", "expect": {"status": 401, "route": "all"}},
    ]
    one.gateway.path.write_text(json.dumps(config))
    one.command("test")


# The command line.


def test_the_command_line_changes_a_gateway_that_runs(system: Callable[..., Managed]) -> None:
    one = system()
    made = json.loads(one.command("key", "create", "--name", "ci", "--scopes", "orders:read", "--json"))
    until(lambda: one.statuses(made["key"], 1) == {200}, 10, "the key to be taken")
    assert made["id"] in one.command("key", "list")
    assert made["key"] not in one.command("key", "show", made["id"])
    rotated = json.loads(one.command("key", "rotate", made["id"], "--overlap", "1h", "--json"))
    until(lambda: one.statuses(rotated["key"], 1) == {200}, 10, "the new secret to be taken")
    assert one.statuses(made["key"]) == {200}
    one.command("key", "revoke", made["id"])
    until(lambda: one.statuses(rotated["key"], 1) == {401}, 10, "the key to be refused")
    assert one.statuses(rotated["key"]) == {401}
    assert "There is no such resource" in one.command("key", "show", made["id"], status=1)
    names = [event["event"] for event in one.events()]
    assert names == ["api_key.created", "api_key.rotated", "api_key.revoked"]
    assert {event["actor"]["method"] for event in one.events()} == {"command_line"}


def test_users_and_memberships_on_the_command_line(system: Callable[..., Managed]) -> None:
    one = system()
    ada = json.loads(one.command("user", "create", "Ada@example.com", "--scopes", "a,b", "--json", given="correct horse\n"))
    assert ada["email"] == "ada@example.com" and ada["has_password"] is True
    assert "already been taken" in one.command("user", "create", "ada@example.com", given="correct horse", status=1)
    assert "8 to 255" in one.command("user", "create", "b@example.com", given="short", status=1)
    one.command("user", "member", "add", "ada@example.com", "acme/warehouse", "--role", "admin", "--create")
    assert "--create makes it" in one.command("user", "member", "add", "ada@example.com", "nowhere", status=1)
    assert "admin" in one.command("user", "member", "list", "--user", "ada@example.com")
    one.command("user", "member", "remove", "ada@example.com", "acme/warehouse")
    assert "admin" not in one.command("user", "member", "list")
    assert '"enabled":false' in one.command("user", "disable", "ada@example.com", "--json")
    one.command("user", "password", "ada@example.com", given="another horse")
    one.command("user", "sign-out", ada["id"])
    one.command("user", "delete", "ada@example.com")
    assert "there is no user" in one.command("user", "show", "ada@example.com", status=1)
    assert "horse" not in (one.gateway.folder / "audit.jsonl").read_text()


def test_keys_are_changed_on_the_command_line(system: Callable[..., Managed]) -> None:
    one = system()
    made = json.loads(one.command("key", "create", "--name", "ci", "--scopes", "orders:read", "--json"))
    until(lambda: one.statuses(made["key"], 1) == {200}, 10, "the key to be taken")
    changed = json.loads(
        one.command("key", "update", made["id"], "--name", "CI", "--scopes", "a,b", "--allow-ips", "192.0.2.0/24", "--json")
    )
    assert (changed["name"], changed["scopes"], changed["allow_ips"]) == ("CI", ["a", "b"], ["192.0.2.0/24"])
    assert "key" not in changed
    until(lambda: one.statuses(made["key"], 1) == {403}, 10, "the addresses to hold")
    emptied = json.loads(one.command("key", "update", made["id"], "--scopes", "", "--allow-ips", "", "--json"))
    assert (emptied["name"], emptied["scopes"], emptied["allow_ips"]) == ("CI", [], [])
    until(lambda: one.statuses(made["key"], 1) == {200}, 10, "the addresses to be gone")
    one.command("key", "disable", made["id"])
    until(lambda: one.statuses(made["key"], 1) == {401}, 10, "the key to be refused")
    one.command("key", "enable", made["id"])
    until(lambda: one.statuses(made["key"], 1) == {200}, 10, "the key to be taken again")
    assert "--name, --scopes" in one.command("key", "update", made["id"], status=2)
    assert "Allow ips" in one.command("key", "update", made["id"], "--allow-ips", "here", status=1)
    assert "There is no such resource" in one.command("key", "update", "key_none", "--name", "x", status=1)
    assert [event["event"] for event in one.events()] == ["api_key.created", *["api_key.updated"] * 4]


def test_users_are_changed_on_the_command_line(system: Callable[..., Managed]) -> None:
    one = system()
    one.command("user", "create", "ada@example.com", "--scopes", "a", "--no-password")
    one.command("user", "create", "bob@example.com", "--no-password")
    ada = json.loads(one.command("user", "update", "ada@example.com", "--email", "Ada@example.org", "--scopes", "a,b", "--json"))
    assert (ada["email"], ada["scopes"]) == ("ada@example.org", ["a", "b"])
    ada = json.loads(one.command("user", "update", ada["id"], "--name", "Ada", "--scopes", "", "--json"))
    assert (ada["name"], ada["email"], ada["scopes"]) == ("Ada", "ada@example.org", [])
    assert "already been taken" in one.command("user", "update", ada["id"], "--email", "bob@example.com", status=1)
    assert "--email, --name" in one.command("user", "update", ada["id"], status=2)
    assert "there is no user" in one.command("user", "update", "ada@example.com", "--name", "x", status=1)


def test_keys_that_sign_on_the_command_line(system: Callable[..., Managed]) -> None:
    one = system(key_sets={"own": {"stored": True, "algorithms": ["HS256", "RS256"]}})

    def command(*words: str, status: int = 0) -> str:
        return one.command("token", "key", *words, "--key-set", "own", "--json", status=status)

    old = json.loads(command("create"))
    token = one.command("token", "mint", "--key-set", "own", "--subject", "ada")
    new = json.loads(command("create", "--algorithm", "rs256"))
    assert (old["algo"], new["algo"]) == ("hs256", "rs256") and "PUBLIC KEY" in new["key"] and "private_key" not in new
    listed = [json.loads(line) for line in command("list").splitlines()]
    assert {key["id"] for key in listed} == {old["id"], new["id"]}
    other = json.loads(command("create", "--realm", "rl_other"))
    assert [json.loads(line)["id"] for line in command("list", "--realm", "rl_other").splitlines()] == [other["id"]]
    command("delete", old["id"])
    # It still verifies.
    assert json.loads(one.command("token", "inspect", "--json", given=token))["signed_by"] == old["id"]
    command("delete", old["id"], "--force")
    one.command("token", "inspect", given=token, status=1)
    assert "There is no such resource" in command("delete", old["id"], status=1)
    assert "Algo is not included" in command("create", "--algorithm", "none", status=1)
    assert "no stored key set" in one.command("token", "key", "list", "--key-set", "other", status=2)
    causes = [event["cause"] for event in one.events() if event["event"] == "realm.updated"]
    assert causes == ["jwt_key.created"] * 3 + ["jwt_key.expired", "jwt_key.deleted"]


FROM_FILE = {"type": "api_key", "from": ["bearer"], "keys": [record("root", ROOT)]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"store": None, "authenticators": {"keys": FROM_FILE}}, 'has no "store"'),
        ({"store": {"sqlite": "/dev/null/nothing.db"}}, "the store cannot be used"),
        ({"authenticators": {"keys": FROM_FILE}}, 'has "stored": true'),
    ],
    ids=["no store", "no place", "nothing stored"],
)
def test_the_command_line_says_what_is_wrong(system: Callable[..., Managed], change: Json, message: str) -> None:
    one = system()
    config = json.loads(one.gateway.path.read_text()) | change
    config["routes"] = config["routes"][-1:]
    other = one.gateway.folder / "other.json"
    other.write_text(json.dumps({name: value for name, value in config.items() if value is not None}))
    done = run_portcullis("key", "list", "--config", str(other), folder=one.gateway.folder, environment=ENVIRONMENT)
    assert done.returncode != 0 and message in done.stdout + done.stderr, done.stdout + done.stderr


def test_a_wrong_encryption_key_changes_nothing(system: Callable[..., Managed]) -> None:
    one = system(key_sets={"own": {"stored": True}})
    one.create()
    before = one.call("GET", "/keys").json()
    # Only what is there can have been encrypted with another key.
    one.command("token", "mint", "--key-set", "own", "--subject", "ada")
    wrong = ENVIRONMENT | {"STORE_KEY": "cd" * 32}
    done = run_portcullis("key", "list", "--config", str(one.gateway.path), folder=one.gateway.folder, environment=wrong)
    assert done.returncode == 2 and "encrypted with another key" in done.stderr
    assert one.call("GET", "/keys").json()["collection"][0]["id"] == before["collection"][0]["id"]


def test_tokens_on_the_command_line(system: Callable[..., Managed]) -> None:
    one = system(key_sets={"own": {"stored": True}})
    token = one.command("token", "mint", "--key-set", "own", "--subject", "ada", "--claim", 'ips=["10.0.0.0/8"]', "--claim", "x=y")
    seen = json.loads(one.command("token", "inspect", "--json", given=token))
    assert seen["claims"]["sub"] == "ada" and seen["claims"]["ips"] == ["10.0.0.0/8"] and seen["claims"]["x"] == "y"
    assert seen["signed_by"] == seen["header"]["kid"] and seen["in_its_time"] is True
    head, claims, signature = token.strip().split(".")
    forged = f"{head}.{claims}.{signature[:-2]}{'AA' if signature[-2:] != 'AA' else 'BA'}"
    one.command("token", "inspect", given=forged, status=1)
    one.command("token", "inspect", given="not.a.token", status=1)
    assert "given twice" in one.command("token", "mint", "--key-set", "own", "--subject", "a", "--claim", "sub=b", status=2)
    assert "no stored key set" in one.command("token", "mint", "--key-set", "other", "--subject", "a", status=2)
    assert [event["event"] for event in one.events()] == ["realm.updated", "token.minted"]


# The admin listener.


def test_the_admin_listener_manages_for_who_shows_its_token(system: Callable[..., Managed]) -> None:
    one = system()
    answer = one.admin("POST", "/v1/api_keys", json={"api_key": {"name": "admin's", "subject": "acme", "scopes": ["x"]}})
    assert answer.status_code == 201 and answer.json()["subject"] == "acme"
    assert one.statuses(answer.json()["key"]) == {200}
    assert one.admin("GET", "/v1/api_keys?unused_for=0s").json()["more_results"] is False
    assert one.admin("GET", f"/v1/api_keys/{answer.json()['id']}").status_code == 200
    assert one.admin("GET", "/v1/organizations").json() == {"more_results": False, "collection": []}
    for path in ("/v1/", "/v1/api_keys/", "/v1/keys", "/v1/api_keys/a/b/c", "/v1/users/x"):
        assert one.admin("GET", path).status_code == 404, path
    assert one.admin("GET", "/v1/jwt_keys").status_code == 422
    assert one.events()[0]["actor"]["method"] == "admin"


def test_the_admin_listener_takes_nobody_else(system: Callable[..., Managed]) -> None:
    one = system()
    for token in (None, "", TOKEN[:-1], TOKEN + "x", TOKEN.swapcase(), ROOT):
        answer = one.admin("POST", "/v1/api_keys", token, json={"api_key": {"name": "x"}})
        assert answer.status_code == 401 and answer.json()["errors"], token
    port = one.gateway.admin_port
    basic = requests.get(f"http://127.0.0.1:{port}/v1/users", auth=("x", TOKEN), timeout=10)
    assert basic.status_code == 401
    assert one.admin("GET", "/v1/api_keys").json()["collection"] == []


def test_without_a_token_the_admin_listener_manages_nothing(system: Callable[..., Managed]) -> None:
    one = system(admin={"address": "127.0.0.1:0"})
    for token in (None, TOKEN, ""):
        assert one.admin("GET", "/v1/users", token).status_code == 404
    assert one.admin("GET", "/healthz", None).status_code == 200


# Nobody makes himself more than he is.


def test_scopes_cannot_be_made_out_of_nothing(system: Callable[..., Managed]) -> None:
    one = system()
    for members in (
        {"scopes": ["orders:read"]}, {"scopes": ["admin", "root"]}, {"subject": "root"}, {"limits": ["any"]},
        {"user_id": "usr_0000000000000000000000"},
    ):  # fmt: skip
        answer = one.call("POST", "/keys", WEAK, json={"api_key": {"name": "x"} | members})
        assert answer.status_code == 403, members
    strong = one.create(key=ROOT, scopes=["orders:read"])
    assert one.call("POST", f"/keys/{strong['id']}/rotate", WEAK).status_code == 403
    assert one.call("PATCH", f"/keys/{strong['id']}", WEAK, json={"api_key": {"scopes": ["admin"]}}).status_code == 403
    assert one.call("POST", "/users", WEAK, json={"user": {"email": "a@b", "scopes": ["root"]}}).status_code == 403
    # A key made of a key is no way round.
    second = one.create(key=WEAK, scopes=["admin"])
    assert one.call("POST", "/keys", second["key"], json={"api_key": {"name": "x", "scopes": ["root"]}}).status_code == 403
    assert one.create("/grants", WEAK, scopes=["root"], subject="anybody")["scopes"] == ["root"]


def test_without_the_routes_permission_nothing_is_told(system: Callable[..., Managed]) -> None:
    one = system()
    made = one.create()
    for method, path in (("GET", "/keys"), ("POST", "/keys"), ("DELETE", f"/keys/{made['id']}"), ("GET", "/users")):
        answer = one.call(method, path, made["key"])
        assert answer.status_code == 403 and made["id"] not in answer.text
    assert one.statuses(made["key"]) == {200}


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"", "application/json", 422), (b"{", "application/json", 400), (b"[]", "application/json", 400),
        (b"\xff\xfe", "application/json", 400), (b'{"api_key":{"name":"a","name":"b"}}', "application/json", 400),
        (b"[" * 5000, "application/json", 400), (b'{"api_key":' * 20, "application/json", 400),
        (b'{"api_key":{"name":"\\ud800"}}', "application/json", 400), (b"api_key[name", "application/x-www-form-urlencoded", 400),
        (b"api_key[name]=%", "application/x-www-form-urlencoded", 400), (b"&&&&", "application/x-www-form-urlencoded", 422),
        (b"api_key[name]=a&api_key[name]=b", "application/x-www-form-urlencoded", 400), (b"{}", "text/plain", 415),
        (b'{"api_key":{"name":"a"}}', "application/json, text/plain", 415), (b"x" * 70_000, "application/json", 413),
        (b'{"api_key":{"name":"' + b"a" * 300 + b'"}}', "application/json", 422), (b"\0" * 100, "application/json", 400),
        (b'{"api_key":{"name":"a"}}garbage', "application/json", 400), (b'{"api_key":{"name":"a"},"x":1}', "application/json", 422),
    ],
    ids=range(19),
)  # fmt: skip
def test_malformed_contents_are_refused(
    system: Callable[..., Managed], content: bytes, content_type: str, status: int
) -> None:
    one = system()
    for answer in (
        requests.post(f"{one.gateway.url}/keys", content, headers={"X-API-Key": ROOT, "Content-Type": content_type}, timeout=10),
        requests.post(
            f"http://127.0.0.1:{one.gateway.admin_port}/v1/api_keys", content,
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": content_type}, timeout=10,
        ),
    ):  # fmt: skip
        assert answer.status_code == status, answer.text
        assert answer.headers["Content-Type"].endswith("json") or status == 413
    assert one.call("GET", "/keys").json()["collection"] == []


# Audit events.


def test_a_webhook_gets_every_event_signed_and_again_until_it_takes_it(
    system: Callable[..., Managed], upstream: Callable[..., Upstream]
) -> None:
    statuses = iter([b"500 Oops", b"503 Busy"])
    receiver = upstream(answering(lambda _: b"HTTP/1.1 " + next(statuses, b"202 Accepted") + b"\r\nContent-Length: 0\r\n\r\n"))
    hook = {"url": f"http://127.0.0.1:{receiver.port}/events", "secret": "env:HOOK_SECRET", "attempts": 5, "timeout": "2s"}
    one = system(audit={"log": "file:audit.jsonl", "webhook": hook})
    made = one.create()
    until(lambda: len(receiver.requests) >= 3, 10, "three deliveries")
    deliveries = receiver.requests[:3]
    assert len({bytes(one.body) for one in deliveries}) == 1
    assert len({one.value("webhook-id") for one in deliveries}) == 1
    for delivery in deliveries:
        signed = f"{delivery.value('webhook-id')}.{delivery.value('webhook-timestamp')}.".encode() + bytes(delivery.body)
        code = base64.b64encode(hmac.new(WEBHOOK_SECRET, signed, hashlib.sha256).digest()).decode()
        assert delivery.value("webhook-signature") == f"v1,{code}"
        assert delivery.method == "POST" and delivery.value("content-type") == "application/json"
    event = json.loads(bytes(deliveries[0].body))
    assert event["event"] == "api_key.created" and event["object"]["id"] == made["id"]
    assert made["key"] not in bytes(deliveries[0].body).decode()
    assert event in one.events()


def test_a_webhook_that_is_away_holds_up_nobody(system: Callable[..., Managed]) -> None:
    hook = {"url": "http://127.0.0.1:1/events", "secret": "env:HOOK_SECRET", "attempts": 1}
    one = system(audit={"webhook": hook})
    assert one.statuses(one.create()["key"]) == {200}
    one.gateway.wait_for_line(r"audit event evt_\w+ is given up")
    one.gateway.wait_for_line(r'audit \{"id":"evt_\w+".*"api_key.created"')


# Crashes.


@pytest.mark.parametrize("after", [0.05, 0.2, 0.5])
def test_what_was_answered_survives_kill_9(system: Callable[..., Managed], after: float) -> None:
    """Creates keys from several threads until the gateway is killed; every answered one is in the store."""
    one = system()
    answered: list[str] = []

    def make() -> None:
        while True:
            try:
                answer = one.call("POST", "/keys", json={"api_key": {"name": "x"}})
            except requests.RequestException:
                return
            if answer.status_code == 201:
                answered.append(answer.json()["id"])

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    threading.Event().wait(after)
    until(lambda: len(answered) > 2, 10, "some keys")
    one.gateway.signal(signal.SIGKILL)
    for thread in threads:
        thread.join(20)
    one.gateway.process.wait()
    # Killed on purpose.
    one.gateway.process.returncode = 0
    database = sqlite3.connect(one.gateway.folder / "store.db")
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
    listed = one.command("key", "list", "--json")
    kept = {json.loads(line)["id"] for line in listed.splitlines()}
    assert set(answered) <= kept
