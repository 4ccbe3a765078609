"""AuthRocket's JWT keys API as its document tells it: statements AJ1 to AJ14."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import threading
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
import requests
from harness.gateway import Gateway, run_portcullis
from harness.messages import Message
from harness.upstream import Upstream, answering, ok
from harness.waiting import until

ADMIN, READER, KEYHOLDER = (f"ks_{secrets.token_hex(11)}-{secrets.token_hex(16)}" for _ in range(3))
REALM, OTHER_REALM = "rl_0v1zTHXhtNgmDaXaDYSAqx", "rl_1111111111111111111111"
SECRET = "jsk_m2y4UYnjRCXzuZVq57bJJSDoqOFMuQCFmLp4Nh9gcbk"
ENCRYPTION_KEY = "0f" * 32
BODY = {"jwt_key": {"algo": "hs256", "use": "sign"}}


def record(identifier: str, secret: str, *scopes: str) -> dict[str, Any]:
    return {"id": identifier, "sha256": hashlib.sha256(secret.encode()).hexdigest(), "scopes": list(scopes)}


def policy(upstream: int, **manage: Any) -> dict[str, Any]:
    """The jwt_keys routes of the document, and a route for tokens that the keys sign."""
    action = {"manage": {"resource": "jwt_keys", "key_set": "logins", "realm": REALM} | manage}
    guarded = {"authenticate": ["account"], "authorize": {"scopes": ["admin_realm"]}, "action": action}
    return {
        "loops": 2,
        "listeners": [{"address": "127.0.0.1:0"}],
        "admin": {"address": "127.0.0.1:0"},
        "store": {"sqlite": "var/store.db", "encryption_key": "env:STORE_KEY"},
        "audit": {"log": "file:audit.jsonl"},
        "upstreams": {"api": {"servers": [f"http://127.0.0.1:{upstream}"]}},
        "key_sets": {"logins": {"stored": True, "algorithms": ["HS256", "RS256"]}},
        "authenticators": {
            "account": {
                "type": "api_key",
                "from": ["header:Authrocket-Api-Key", "bearer:ks_"],
                "keys": [
                    record("admin", ADMIN, "admin_realm"),
                    record("reader", READER, "read"),
                    record("keyholder", KEYHOLDER, "admin_realm", "read_private_keys"),
                ],
            },
            "logins": {"type": "jwt", "algorithms": ["HS256", "RS256"], "key_set": "logins"},
        },
        "profiles": {"authrocket": {"default": {"body": '{"errors": {errors}}'}}},
        "responses": "authrocket",
        "routes": [
            {"name": "jwt-keys", "match": {"path": "/v1/jwt_keys"}} | guarded,
            {"name": "jwt-key", "match": {"path": "/v1/jwt_keys/{id}"}} | guarded,
            {"name": "jwks", "match": {"path": "/.well-known/jwks.json"}, "authenticate": "none",
             "action": {"publish_keys": {"key_set": "logins"}}},
            {"name": "app", "match": {"path": "/app/**"}, "authenticate": ["logins"], "upstream": "api"},
        ],
    }


class AuthRocket:
    def __init__(
        self, start: Callable[..., Gateway], origin: Upstream, audit: dict[str, Any] | None = None, **manage: Any
    ) -> None:
        self.policy = policy(origin.port, **manage) | ({"audit": audit} if audit else {})
        self.gateway = start(self.policy, environment={"STORE_KEY": ENCRYPTION_KEY})
        self.session = requests.Session()
        self.session.trust_env = False

    def call(self, method: str = "GET", path: str = "", key: str | None = ADMIN, **arguments: Any) -> requests.Response:
        headers = {"Accept": "application/json"} | ({"Authrocket-Api-Key": key} if key else {})
        url = f"{self.gateway.url}/v1/jwt_keys{path}"
        return self.session.request(method, url, headers=headers, timeout=10, **arguments)

    def create(self, **members: Any) -> dict[str, Any]:
        answer = self.call("POST", json={"jwt_key": BODY["jwt_key"] | members})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def ids(self, **parameters: Any) -> list[str]:
        answer = self.call(params=parameters)
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["collection"]]

    def token(self, realm: str | None = REALM) -> str:
        """A token made by whatever signs now, through the command line."""
        words = ["token", "mint", "--key-set", "logins", "--subject", "ada", "--config", str(self.gateway.path)]
        done = run_portcullis(
            *words, *(["--realm", realm] if realm else []), folder=self.gateway.folder, environment={"STORE_KEY": ENCRYPTION_KEY}
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def works(self, token: str, connections: int = 8) -> bool:
        """On several connections, so that every loop is asked."""
        statuses = set()
        for _ in range(connections):
            answer = requests.get(f"{self.gateway.url}/app/x", headers={"Authorization": f"Bearer {token}"}, timeout=10)
            statuses.add(answer.status_code)
        assert statuses in ({200}, {401}), statuses
        return statuses == {200}

    def events(self, count: int) -> list[dict[str, Any]]:
        path = self.gateway.folder / "audit.jsonl"

        def read() -> list[dict[str, Any]]:
            lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
            return lines if len(lines) >= count else []

        return until(read, 5, f"{count} audit events")


@pytest.fixture
def rocket(gateway: Callable[..., Gateway], upstream: Callable[..., Upstream]) -> Iterator[Callable[..., AuthRocket]]:
    yield lambda **manage: AuthRocket(gateway, upstream(), **manage)


def test_aj1_a_key_has_the_fields_of_the_document(rocket: Callable[..., AuthRocket]) -> None:
    key = rocket().create()
    assert list(key) == ["id", "algo", "expired", "key", "realm_id", "use"]
    assert re.fullmatch(r"jky_[0-9A-Za-z]{22}", key["id"])
    assert re.fullmatch(r"jsk_[0-9A-Za-z_-]{43}", key["key"])
    assert (key["algo"], key["expired"], key["realm_id"], key["use"]) == ("hs256", False, REALM, "sign")


def test_aj1_a_key_may_be_given(rocket: Callable[..., AuthRocket]) -> None:
    assert rocket().create(key=SECRET)["key"] == SECRET


def test_aj2_every_call_needs_admin_realm(rocket: Callable[..., AuthRocket]) -> None:
    system = rocket()
    identifier = system.create()["id"]
    calls = [("GET", ""), ("GET", f"/{identifier}"), ("POST", ""), ("DELETE", f"/{identifier}")]
    for method, path in calls:
        for key, status in ((READER, 403), (None, 401), ("ks_unknown", 401)):
            answer = system.call(method, path, key=key, json=BODY if method == "POST" else None)
            assert answer.status_code == status, (method, path, key)
            assert answer.json()["errors"]
    assert system.ids() == [identifier]


def test_aj3_lists_are_pages_from_the_newest_on(rocket: Callable[..., AuthRocket]) -> None:
    system = rocket()
    made = [system.create()["id"] for _ in range(5)]
    newest = made[::-1]
    assert system.call().json().keys() == {"more_results", "collection"}
    assert system.ids() == newest == sorted(made, reverse=True)
    assert system.ids(direction="asc", sort="id", max_results=100) == made
    page = system.call(params={"max_results": 2}).json()
    assert page["more_results"] is True and [one["id"] for one in page["collection"]] == newest[:2]
    page = system.call(params={"max_results": 3, "after": newest[1]}).json()
    assert page["more_results"] is False and [one["id"] for one in page["collection"]] == newest[2:]


def test_aj3_one_page_has_all_that_a_realm_may_have(rocket: Callable[..., AuthRocket]) -> None:
    """A page has up to a hundred; of keys there are half as many."""
    system = rocket()
    made = [system.create()["id"] for _ in range(50)]
    page = system.call().json()
    assert page["more_results"] is False and [one["id"] for one in page["collection"]] == made[::-1]
    assert system.ids(direction="asc", after=made[47]) == made[48:]
    assert system.ids(max_results=1) == [made[49]]
    assert system.call(params={"after": made[0]}).json() == {"more_results": False, "collection": []}
    refused = system.call("POST", json=BODY)
    assert refused.status_code == 422 and refused.json() == {"errors": ["Keys of a realm are limited to 50"]}


@pytest.mark.parametrize(
    "parameters",
    [
        {"max_results": 0}, {"max_results": 101}, {"max_results": "ten"}, {"sort": "algo"}, {"direction": "up"},
        {"after": "jky_0000000000000000000000"}, {"page": 2}, [("after", "a"), ("after", "b")],
    ],
    ids=str,
)  # fmt: skip
def test_aj4_wrong_parameters_are_said(rocket: Callable[..., AuthRocket], parameters: Any) -> None:
    answer = rocket().call(params=parameters)
    assert answer.status_code == 422 and all(isinstance(one, str) for one in answer.json()["errors"])


def test_aj5_a_key_by_its_id(rocket: Callable[..., AuthRocket]) -> None:
    system = rocket()
    key = system.create()
    answer = system.call(path=f"/{key['id']}")
    assert answer.status_code == 200 and answer.json() == key
    assert system.call(path="/jky_0000000000000000000000").status_code == 404


@pytest.mark.parametrize("encoding", ["json", "form"])
def test_aj6_create_by_both_encodings(rocket: Callable[..., AuthRocket], encoding: str) -> None:
    system = rocket()
    body = {"json": BODY} if encoding == "json" else {"data": {"jwt_key[algo]": "hs256", "jwt_key[use]": "sign"}}
    answer = system.call("POST", **body)
    assert answer.status_code == 201
    assert answer.json() == system.call(path=f"/{answer.json()['id']}").json()
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"use": "sign"}, "Algo can't be blank"),
        ({"algo": "none", "use": "sign"}, "Algo is not included in the list"),
        ({"algo": "hs256"}, "Use can't be blank"),
        ({"algo": "hs256", "use": "enc"}, "Use is not included in the list"),
        ({"algo": "hs256", "use": "sign", "key": "short"}, "Key is too short (minimum is 32 characters)"),
        ({"algo": "hs256", "use": "sign", "kid": "x"}, "Kid is not a known parameter"),
    ],
)
def test_aj7_a_failure_lists_errors_and_no_id(rocket: Callable[..., AuthRocket], members: Any, message: str) -> None:
    system = rocket()
    answer = system.call("POST", json={"jwt_key": members})
    assert answer.status_code == 422 and answer.json() == {"errors": [message]}
    assert system.ids() == []


def test_aj8_create_and_delete_trigger_realm_updated(rocket: Callable[..., AuthRocket]) -> None:
    system = rocket()
    identifier = system.create()["id"]
    system.call("DELETE", f"/{identifier}")
    system.call("DELETE", f"/{identifier}", params={"force": "true"})
    # What changes nothing is no event.
    system.call("DELETE", f"/{identifier}")
    system.call("POST", json={"jwt_key": {}})
    system.create()
    events = system.events(4)
    assert [one["event"] for one in events] == ["realm.updated"] * 4
    assert [one["cause"] for one in events] == ["jwt_key.created", "jwt_key.expired", "jwt_key.deleted", "jwt_key.created"]
    assert events[0]["object"] == {"type": "jwt_key", "id": identifier} and events[0]["realm_id"] == REALM
    assert events[0]["actor"]["credential"] == "admin" and events[0]["actor"]["address"] == "127.0.0.1"
    assert not re.search(r"jsk_|ks_", (system.gateway.folder / "audit.jsonl").read_text())


def test_aj8_the_event_is_sent_too(rocket: Callable[..., AuthRocket], upstream: Callable[..., Upstream]) -> None:
    """When the change is there: a listener that asks at once finds the key."""
    seen: list[tuple[str, int]] = []
    done = threading.Event()

    def look(request: Message) -> bytes:
        event = json.loads(request.body)
        seen.append((event["event"], system.call(path=f"/{event['object']['id']}").status_code))
        done.set()
        return ok()

    hook = upstream(answering(look))
    webhook = {"url": f"http://127.0.0.1:{hook.port}/events", "secret": "env:STORE_KEY"}
    system = rocket(audit={"log": "file:audit.jsonl", "webhook": webhook})
    system.create()
    assert done.wait(10) and seen == [("realm.updated", 200)]


def test_aj9_delete_answers_202_and_the_object(rocket: Callable[..., AuthRocket]) -> None:
    system = rocket()
    key = system.create()
    answer = system.call("DELETE", f"/{key['id']}")
    assert answer.status_code == 202 and answer.json() == key
    assert system.call("DELETE", "/jky_0000000000000000000000").status_code == 404


def test_aj10_a_deleted_key_still_verifies_for_a_while(rocket: Callable[..., AuthRocket]) -> None:
    system = rocket()
    key = system.create()
    token = system.token()
    assert jwt.get_unverified_header(token)["kid"] == key["id"]
    system.call("DELETE", f"/{key['id']}")
    assert system.call(path=f"/{key['id']}").json()["expired"] is True and system.ids() == [key["id"]]
    assert system.works(token)
    assert jwt.get_unverified_header(system.token())["kid"] != key["id"]


def test_aj10_then_it_vanishes(rocket: Callable[..., AuthRocket]) -> None:
    system = rocket(retire_after="1s")
    key = system.create()
    token = system.token()
    assert system.works(token)
    system.call("DELETE", f"/{key['id']}")
    until(lambda: system.call(path=f"/{key['id']}").status_code == 404, 5, "the key to go")
    until(lambda: not system.works(token, 1), 15, "its tokens to be refused")
    assert not system.works(token)


@pytest.mark.parametrize("spelling", ["?force=true", "&force=true"])
def test_aj11_force_ends_a_key_at_once(rocket: Callable[..., AuthRocket], spelling: str) -> None:
    system = rocket()
    key = system.create()
    token = system.token()
    assert system.works(token)
    assert system.call("DELETE", f"/{key['id']}{spelling}").status_code == 202
    assert not system.works(token)
    assert system.ids() == []


def test_aj11_without_force_it_is_not_gone(rocket: Callable[..., AuthRocket]) -> None:
    system = rocket()
    key = system.create()
    for spelling in ("?force=maybe", "&force=", "?force=true&force=true", "&force=true&force=true"):
        assert system.call("DELETE", f"/{key['id']}{spelling}").status_code in (202, 422), spelling
        assert system.ids() == [key["id"]], spelling
    assert system.call("DELETE", f"/{key['id']}?force=false").status_code == 202
    assert system.call(path=f"/{key['id']}").json() == key | {"expired": True}


def test_aj12_a_replacement_is_made_when_it_is_needed(rocket: Callable[..., AuthRocket]) -> None:
    system = rocket()
    first = system.create()
    system.call("DELETE", f"/{first['id']}?force=true")
    assert system.ids() == []
    token = system.token()
    made = until(lambda: system.call().json()["collection"], 5, "the gateway to see what the command made")
    assert len(made) == 1 and made[0]["id"] == jwt.get_unverified_header(token)["kid"]
    assert re.fullmatch(r"jsk_[0-9A-Za-z_-]{43}", made[0]["key"]) and made[0]["realm_id"] == REALM
    assert jwt.decode(token, made[0]["key"], algorithms=["HS256"])["sub"] == "ada"
    assert system.works(token)


def test_aj13_the_newest_signs_and_all_verify(rocket: Callable[..., AuthRocket]) -> None:
    system = rocket()
    old = system.create()
    before = system.token()
    new = system.create()
    after = system.token()
    assert [jwt.get_unverified_header(one)["kid"] for one in (before, after)] == [old["id"], new["id"]]
    assert jwt.decode(after, new["key"], algorithms=["HS256"]) and jwt.decode(before, old["key"], algorithms=["HS256"])
    assert system.works(before) and system.works(after)
    system.call("DELETE", f"/{old['id']}")
    assert system.works(before) and system.works(after)


def test_aj14_private_halves_take_a_permission_of_their_own(rocket: Callable[..., AuthRocket]) -> None:
    system = rocket(private_key_scope="read_private_keys")
    key = system.create(algo="rs256")
    assert key["key"].startswith("-----BEGIN PUBLIC KEY-----") and "private_key" not in key
    assert "PRIVATE" not in system.call().text + system.call(path=f"/{key['id']}").text
    refused = system.call(path=f"/{key['id']}", params={"private": "true"})
    assert refused.status_code == 403 and "PRIVATE" not in refused.text
    token = system.token()
    assert jwt.decode(token, key["key"], algorithms=["RS256"])["sub"] == "ada"
    published = system.session.get(f"{system.gateway.url}/.well-known/jwks.json", timeout=10).json()["keys"]
    assert [one["kid"] for one in published] == [key["id"]]
    assert set(published[0]) & {"d", "p", "q", "k"} == set()
    # No shared secret is ever published.
    system.create()
    again = system.session.get(f"{system.gateway.url}/.well-known/jwks.json", timeout=10)
    assert len(again.json()["keys"]) == 1 and "jsk_" not in again.text


def test_aj14_a_private_half_for_who_may(rocket: Callable[..., AuthRocket]) -> None:
    system = rocket(private_key_scope="read_private_keys")
    key = system.create(algo="rs256")
    answer = system.call(path=f"/{key['id']}", key=KEYHOLDER, params={"private": "true"}).json()
    assert answer["private_key"].startswith("-----BEGIN PRIVATE KEY-----")
    mine = jwt.encode({"sub": "me"}, answer["private_key"], algorithm="RS256", headers={"kid": key["id"]})
    assert jwt.decode(mine, key["key"], algorithms=["RS256"]) == {"sub": "me"}
