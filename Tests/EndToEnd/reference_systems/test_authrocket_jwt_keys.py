"""AuthRocket's JWT keys API as its document tells it: statements AJ1 to AJ14 over examples/authrocket.json."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat, PublicFormat,
)
from harness.authrocket import FOREIGN, JSON, KEY, REALM, Account, json_answer
from harness.client import RawClient, request
from harness.gateway import Gateway
from harness.messages import Message
from harness.systems import example
from harness.upstream import Upstream, answering, ok
from harness.waiting import until

SECRET = "jsk_m2y4UYnjRCXzuZVq57bJJSDoqOFMuQCFmLp4Nh9gcbk"
BODY = {"jwt_key": {"algo": "hs256", "use": "sign"}}
EMAIL, PASSWORD = "ada@example.com", "correct horse battery staple"
#: Who makes the tokens, and whom they are for.
LOGINS = "https://logins.example"


class AuthRocket(Account):
    """The example with an audit log, and a user who signs in to the realm. What is given adds to how keys are managed."""

    def __init__(
        self, start: Callable[..., Gateway], folder: Path, origin: Upstream, audit: dict[str, Any] | None = None, **manage: Any
    ) -> None:
        routes = example("authrocket", origin.port)["routes"]
        for route in routes:
            if "manage" in route.get("action", {}):
                route["action"]["manage"] |= manage
        super().__init__(start, folder, origin, routes=routes, audit={"log": "file:audit.jsonl"} | (audit or {}))
        self.user = self.admin.make("users", email=EMAIL, password=PASSWORD)["id"]

    def key_with(self, *scopes: str) -> str:
        """A new key of the account."""
        return self.admin.make("api_keys?authenticator=account", name="more", scopes=list(scopes))["key"]

    def keys(self, method: str = "GET", path: str = "", key: str | None = KEY, **arguments: Any) -> requests.Response:
        """A call about the keys of the realm."""
        fields = JSON | {"Authrocket-Realm": REALM} | ({"Authrocket-Api-Key": key} if key else {})
        return self.call(method, f"/v1/jwt_keys{path}", fields, **arguments)

    def create(self, **members: Any) -> dict[str, Any]:
        answer = self.keys("POST", json={"jwt_key": BODY["jwt_key"] | members})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def ids(self, **parameters: Any) -> list[str]:
        answer = self.keys(params=parameters)
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["collection"]]

    def token(self) -> str:
        """The user signs in: a token made by whatever signs now."""
        answer = self.call(
            "POST", "/login", JSON | {"Authrocket-Realm": REALM}, json={"email": EMAIL, "password": PASSWORD}
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["token"]

    def works(self, token: str, connections: int = 8) -> bool:
        """On several connections, so that every loop is asked."""
        statuses = set()
        for _ in range(connections):
            with requests.Session() as session:
                session.trust_env, session.verify = False, self.session.verify
                fields = JSON | {"Authorization": f"Bearer {token}"}
                statuses.add(session.get(f"https://localhost:{self.secure}/me/profile", headers=fields, timeout=10).status_code)
        assert statuses in ({200}, {401}), statuses
        return statuses == {200}

    def decoded(self, token: str, key: Any) -> dict[str, Any]:
        return jwt.decode(token, key, algorithms=["HS256", "RS256"], audience=LOGINS, issuer=LOGINS)

    def published(self) -> requests.Response:
        answer = self.call("GET", "/.well-known/jwks.json", {})
        assert answer.status_code == 200 and answer.headers["Content-Type"] == "application/jwk-set+json"
        return answer

    def events(self, count: int) -> list[dict[str, Any]]:
        """What was told of the realm."""
        path = self.gateway.folder / "audit.jsonl"

        def read() -> list[dict[str, Any]]:
            lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
            told = [line for line in lines if line["event"] == "realm.updated"]
            return told if len(told) >= count else []

        return until(read, 5, f"{count} audit events")


@pytest.fixture
def rocket(
    gateway: Callable[..., Gateway], upstream: Callable[..., Upstream], tmp_path: Path
) -> Iterator[Callable[..., AuthRocket]]:
    made: list[AuthRocket] = []

    def make(**members: Any) -> AuthRocket:
        origin = upstream(answering(lambda _: json_answer(b"{}")))
        made.append(AuthRocket(gateway, tmp_path, origin, **members))
        return made[-1]

    yield make
    for one in made:
        one.session.close()


def test_aj1_a_key_has_the_fields_of_the_document(rocket: Callable[..., AuthRocket]) -> None:
    key = rocket().create()
    assert list(key) == ["id", "algo", "expired", "key", "realm_id", "use"]
    assert re.fullmatch(r"jky_[0-9A-Za-z]{22}", key["id"])
    assert re.fullmatch(r"jsk_[0-9A-Za-z_-]{43}", key["key"])
    assert (key["algo"], key["expired"], key["realm_id"], key["use"]) == ("hs256", False, REALM, "sign")


def test_aj1_a_key_may_be_given(rocket: Callable[..., AuthRocket]) -> None:
    assert rocket().create(key=SECRET)["key"] == SECRET


@pytest.mark.parametrize(("bits", "encoding"), [(2048, "json"), (3072, "form")])
def test_aj1_an_rsa_key_may_be_given(rocket: Callable[..., AuthRocket], bits: int, encoding: str) -> None:
    mine = rsa.generate_private_key(65537, bits)
    text = mine.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    members = {"algo": "rs256", "use": "sign", "key": text}
    system = rocket()
    body = {"json": {"jwt_key": members}} if encoding == "json" else {"data": {f"jwt_key[{name}]": members[name] for name in members}}
    answer = system.keys("POST", **body)
    assert answer.status_code == 201, answer.text
    public = mine.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    assert answer.json()["key"] == public and "PRIVATE" not in answer.text
    # What the gateway signs is verified with it, and what it signs is let in by the gateway.
    token = system.token()
    claims = system.decoded(token, public)
    assert claims["sub"] == system.user and system.works(token)
    assert system.works(jwt.encode(claims | {"jti": "mine"}, text, algorithm="RS256", headers={"kid": answer.json()["id"]}))


def other_texts() -> dict[str, str]:
    key, short = rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 1024)
    curve = ec.generate_private_key(ec.SECP256R1())
    pkcs8, plain = PrivateFormat.PKCS8, NoEncryption()
    texts = {
        "of an older form": key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, plain),
        "encrypted": key.private_bytes(Encoding.PEM, pkcs8, BestAvailableEncryption(b"secret")),
        "public": key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "short": short.private_bytes(Encoding.PEM, pkcs8, plain),
        "of another kind": curve.private_bytes(Encoding.PEM, pkcs8, plain),
        "two": key.private_bytes(Encoding.PEM, pkcs8, plain) * 2,
        "cut": key.private_bytes(Encoding.PEM, pkcs8, plain)[:-60],
        "a secret": SECRET.encode(),
    }
    return {name: text.decode() for name, text in texts.items()}


def test_aj1_what_is_no_such_key_is_told_in_one_sentence(rocket: Callable[..., AuthRocket]) -> None:
    system = rocket()
    message = "Key is no RSA private key of 2048 to 8192 bits as PKCS #8 in PEM form, not encrypted"
    for name, text in other_texts().items():
        answer = system.keys("POST", json={"jwt_key": {"algo": "rs256", "use": "sign", "key": text}})
        assert answer.status_code == 422 and answer.json() == {"errors": [message]}, name
    assert system.ids() == []


def test_aj2_orig_every_call_needs_admin_realm(rocket: Callable[..., AuthRocket]) -> None:
    system = rocket()
    identifier = system.create()["id"]
    calls = [("GET", ""), ("GET", f"/{identifier}"), ("POST", ""), ("DELETE", f"/{identifier}")]
    reader = system.key_with("read")
    for method, path in calls:
        for key, status in ((reader, 403), (None, 403), ("ks_unknown", 403)):
            answer = system.keys(method, path, key=key, json=BODY if method == "POST" else None)
            assert answer.status_code == status, (method, path, key)
            assert answer.json()["errors"]
    assert system.ids() == [identifier]


@pytest.mark.parametrize("host", [None, "api-e2.example"])
def test_aj2_nothing_beside_these_calls_is_the_apis(rocket: Callable[..., AuthRocket], host: str | None) -> None:
    """A server behind the gateway may take other spellings for the calls themselves."""
    system = rocket()
    identifier = system.create()["id"]
    paths = ["/", "//", f"/{identifier}/", f"/{identifier}/y", f"/{identifier}//", "/%6Aky/x", "/&force=true/"]
    fields = JSON | {"Authrocket-Api-Key": KEY if host is None else FOREIGN, "Authrocket-Realm": REALM, "Host": host}
    for path in paths + ([] if host is None else ["", f"/{identifier}", f"/{identifier}?force=true"]):
        for method in ("GET", "POST", "DELETE"):
            answer = system.call(method, f"/v1/jwt_keys{path}", fields)
            assert (answer.status_code, list(answer.json())) == (404, ["errors"]), (method, path)
    with RawClient(system.secure) as client:
        # The library would resolve it.
        client.send(request("GET", "/v1/jwt_keys/.", [f"{name}: {value}" for name, value in fields.items() if name != "Host" and value]))
        assert client.response().status == 400
    assert system.origin.requests == [] and system.ids() == [identifier]


def test_aj3_lists_are_pages_from_the_newest_on(rocket: Callable[..., AuthRocket]) -> None:
    system = rocket()
    made = [system.create()["id"] for _ in range(5)]
    newest = made[::-1]
    assert system.keys().json().keys() == {"more_results", "collection"}
    assert system.ids() == newest == sorted(made, reverse=True)
    assert system.ids(direction="asc", sort="id", max_results=100) == made
    page = system.keys(params={"max_results": 2}).json()
    assert page["more_results"] is True and [one["id"] for one in page["collection"]] == newest[:2]
    page = system.keys(params={"max_results": 3, "after": newest[1]}).json()
    assert page["more_results"] is False and [one["id"] for one in page["collection"]] == newest[2:]


def test_aj3_one_page_has_all_that_a_realm_may_have(rocket: Callable[..., AuthRocket]) -> None:
    """A page has up to a hundred; of keys there are half as many."""
    system = rocket()
    made = [system.create()["id"] for _ in range(50)]
    page = system.keys().json()
    assert page["more_results"] is False and [one["id"] for one in page["collection"]] == made[::-1]
    assert system.ids(direction="asc", after=made[47]) == made[48:]
    assert system.ids(max_results=1) == [made[49]]
    assert system.keys(params={"after": made[0]}).json() == {"more_results": False, "collection": []}
    refused = system.keys("POST", json=BODY)
    assert refused.status_code == 422 and refused.json() == {"errors": ["Keys of a realm are limited to 50"]}


def test_aj13_replaced_keys_leave_room_for_new_ones(rocket: Callable[..., AuthRocket]) -> None:
    """As the document recommends: the new key first, then the old one is deleted."""
    system = rocket()
    made = [system.create()["id"] for _ in range(50)]
    for identifier in made:
        assert system.keys("DELETE", f"/{identifier}").status_code == 202
    new = system.create()
    assert system.keys(path=f"/{made[0]}").json()["expired"] is True and len(system.ids()) == 51
    assert jwt.get_unverified_header(system.token())["kid"] == new["id"]


@pytest.mark.parametrize(
    "parameters",
    [
        {"max_results": 0}, {"max_results": 101}, {"max_results": "ten"}, {"sort": "algo"}, {"direction": "up"},
        {"after": "jky_0000000000000000000000"}, {"page": 2}, [("after", "a"), ("after", "b")],
    ],
    ids=str,
)  # fmt: skip
def test_aj4_wrong_parameters_are_said(rocket: Callable[..., AuthRocket], parameters: Any) -> None:
    answer = rocket().keys(params=parameters)
    assert answer.status_code == 422 and all(isinstance(one, str) for one in answer.json()["errors"])


def test_aj5_a_key_by_its_id(rocket: Callable[..., AuthRocket]) -> None:
    system = rocket()
    key = system.create()
    answer = system.keys(path=f"/{key['id']}")
    assert answer.status_code == 200 and answer.json() == key
    assert system.keys(path="/jky_0000000000000000000000").status_code == 404


@pytest.mark.parametrize("encoding", ["json", "form"])
def test_aj6_create_by_both_encodings(rocket: Callable[..., AuthRocket], encoding: str) -> None:
    system = rocket()
    body = {"json": BODY} if encoding == "json" else {"data": {"jwt_key[algo]": "hs256", "jwt_key[use]": "sign"}}
    answer = system.keys("POST", **body)
    assert answer.status_code == 201
    assert answer.json() == system.keys(path=f"/{answer.json()['id']}").json()
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"use": "sign"}, "Algo can't be blank"),
        ({"algo": "none", "use": "sign"}, "Algo is not included in the list"),
        ({"algo": "hs256"}, "Use can't be blank"),
        ({"algo": "hs256", "use": "enc"}, "Use is not included in the list"),
        ({"algo": "hs256", "use": "sign", "key": "short"}, "Key is too short (minimum is 32 bytes)"),
        ({"algo": "hs256", "use": "sign", "kid": "x"}, "kid is not a known parameter"),
    ],
)
def test_aj7_a_failure_lists_errors_and_no_id(rocket: Callable[..., AuthRocket], members: Any, message: str) -> None:
    system = rocket()
    answer = system.keys("POST", json={"jwt_key": members})
    assert answer.status_code == 422 and answer.json() == {"errors": [message]}
    assert system.ids() == []


def test_aj8_create_and_delete_trigger_realm_updated(rocket: Callable[..., AuthRocket]) -> None:
    system = rocket()
    identifier = system.create()["id"]
    system.keys("DELETE", f"/{identifier}")
    system.keys("DELETE", f"/{identifier}", params={"force": "true"})
    # What changes nothing is no event.
    system.keys("DELETE", f"/{identifier}")
    system.keys("POST", json={"jwt_key": {}})
    system.create()
    events = system.events(4)
    assert [one["event"] for one in events] == ["realm.updated"] * 4
    assert [one["cause"] for one in events] == ["jwt_key.created", "jwt_key.expired", "jwt_key.deleted", "jwt_key.created"]
    assert events[0]["object"] == {"type": "jwt_key", "id": identifier} and events[0]["realm_id"] == REALM
    assert events[0]["actor"]["credential"] == KEY.split("-")[0] and events[0]["actor"]["address"] == "127.0.0.1"
    told = (system.gateway.folder / "audit.jsonl").read_text()
    assert "jsk_" not in told and KEY.split("-")[1] not in told


def test_aj8_the_event_is_sent_too(rocket: Callable[..., AuthRocket], upstream: Callable[..., Upstream]) -> None:
    """When the change is there: a listener that asks at once finds the key."""
    seen: list[tuple[str, int]] = []
    done = threading.Event()

    def look(request: Message) -> bytes:
        event = json.loads(request.body)
        if event["event"] == "realm.updated":
            seen.append((event["event"], system.keys(path=f"/{event['object']['id']}").status_code))
            done.set()
        return ok()

    hook = upstream(answering(look))
    webhook = {"url": f"http://127.0.0.1:{hook.port}/events", "secret": "file:../var/demo-store-key.txt"}
    system = rocket(audit={"webhook": webhook})
    system.create()
    assert done.wait(10) and seen == [("realm.updated", 200)]


def test_aj9_delete_answers_202_and_the_object(rocket: Callable[..., AuthRocket]) -> None:
    system = rocket()
    key = system.create()
    answer = system.keys("DELETE", f"/{key['id']}")
    assert answer.status_code == 202 and answer.json() == key
    assert system.keys("DELETE", "/jky_0000000000000000000000").status_code == 404


def test_aj10_a_deleted_key_still_verifies_for_a_while(rocket: Callable[..., AuthRocket]) -> None:
    system = rocket()
    key = system.create()
    token = system.token()
    assert jwt.get_unverified_header(token)["kid"] == key["id"]
    system.keys("DELETE", f"/{key['id']}")
    assert system.keys(path=f"/{key['id']}").json()["expired"] is True and system.ids() == [key["id"]]
    assert system.works(token)
    assert jwt.get_unverified_header(system.token())["kid"] != key["id"]


def test_aj10_then_it_vanishes(rocket: Callable[..., AuthRocket]) -> None:
    system = rocket(retire_after="1s")
    key = system.create()
    token = system.token()
    assert system.works(token)
    system.keys("DELETE", f"/{key['id']}")
    until(lambda: system.keys(path=f"/{key['id']}").status_code == 404, 5, "the key to go")
    until(lambda: not system.works(token, 1), 15, "its tokens to be refused")
    assert not system.works(token)


@pytest.mark.parametrize("spelling", ["?force=true", "&force=true", "?force=1", "?force=true&"])
def test_aj11_force_ends_a_key_at_once(rocket: Callable[..., AuthRocket], spelling: str) -> None:
    system = rocket()
    key = system.create()
    token = system.token()
    assert system.works(token)
    assert system.keys("DELETE", f"/{key['id']}{spelling}").status_code == 202
    assert not system.works(token)
    assert system.ids() == []


def test_aj11_without_force_it_is_not_gone(rocket: Callable[..., AuthRocket]) -> None:
    system = rocket()
    key = system.create()
    for spelling in ("?force=maybe", "&force=", "?force=true&force=true", "&force=true&force=true"):
        assert system.keys("DELETE", f"/{key['id']}{spelling}").status_code == 422, spelling
        assert system.ids() == [key["id"]], spelling
    assert system.keys("DELETE", f"/{key['id']}?force=false").status_code == 202
    assert system.keys(path=f"/{key['id']}").json() == key | {"expired": True}


def test_aj12_a_replacement_is_made_when_it_is_needed(rocket: Callable[..., AuthRocket]) -> None:
    system = rocket()
    first = system.create()
    system.keys("DELETE", f"/{first['id']}?force=true")
    assert system.ids() == []
    token = system.token()
    made = system.keys().json()["collection"]
    assert len(made) == 1 and made[0]["id"] == jwt.get_unverified_header(token)["kid"]
    assert re.fullmatch(r"jsk_[0-9A-Za-z_-]{43}", made[0]["key"]) and made[0]["realm_id"] == REALM
    claims = system.decoded(token, made[0]["key"])
    assert (claims["sub"], claims["rid"]) == (system.user, REALM)
    assert system.works(token)


def test_aj13_the_newest_signs_and_all_verify(rocket: Callable[..., AuthRocket]) -> None:
    system = rocket()
    old = system.create()
    before = system.token()
    new = system.create()
    after = system.token()
    assert [jwt.get_unverified_header(one)["kid"] for one in (before, after)] == [old["id"], new["id"]]
    assert system.decoded(after, new["key"]) and system.decoded(before, old["key"])
    assert system.works(before) and system.works(after)
    system.keys("DELETE", f"/{old['id']}")
    assert system.works(before) and system.works(after)


def test_aj14_private_halves_take_a_permission_of_their_own(rocket: Callable[..., AuthRocket]) -> None:
    system = rocket(private_key_scope="read_private_keys")
    key = system.create(algo="rs256")
    assert key["key"].startswith("-----BEGIN PUBLIC KEY-----") and "private_key" not in key
    assert "PRIVATE" not in system.keys().text + system.keys(path=f"/{key['id']}").text
    refused = system.keys(path=f"/{key['id']}", params={"private": "true"})
    assert refused.status_code == 403 and "PRIVATE" not in refused.text
    # The scope of the route is there; naming it would send the caller for what he has.
    challenge = refused.headers["WWW-Authenticate"]
    assert 'error="insufficient_scope"' in challenge and "admin_realm" not in challenge
    assert 'scope="admin_realm"' in system.keys(key=system.key_with("read")).headers["WWW-Authenticate"]
    token = system.token()
    published = system.published().json()["keys"]
    # Whoever has nothing but what is published can tell that the token is good.
    assert system.decoded(token, jwt.PyJWK(published[0]).key)["sub"] == system.user
    assert system.decoded(token, key["key"]) and system.works(token)
    assert [one["kid"] for one in published] == [key["id"]]
    assert set(published[0]) & {"d", "p", "q", "k"} == set()
    # No shared secret is ever published.
    system.create()
    again = system.published()
    assert len(again.json()["keys"]) == 1 and "jsk_" not in again.text


def test_aj14_a_private_half_for_who_may(rocket: Callable[..., AuthRocket]) -> None:
    system = rocket(private_key_scope="read_private_keys")
    key = system.create(algo="rs256")
    keyholder = system.key_with("admin_realm", "read_private_keys")
    answer = system.keys(path=f"/{key['id']}", key=keyholder, params={"private": "true"}).json()
    assert answer["private_key"].startswith("-----BEGIN PRIVATE KEY-----")
    mine = jwt.encode({"sub": "me"}, answer["private_key"], algorithm="RS256", headers={"kid": key["id"]})
    assert jwt.decode(mine, key["key"], algorithms=["RS256"]) == {"sub": "me"}


@pytest.mark.parametrize(
    "own",
    [
        "jsk_m2y4UYnjRCXzuZVq57bJJSDoqOFMuQCFmLp4Nh9gcbk", "my own secret of at least thirty-two chars",
        "schl\u00fcssel-schl\u00fcssel-schl\u00fcssel", "pass/word+with=symbols&[]!!!!!!!!!!", "a line\nand another one, 32 bytes long",
    ],
    ids=range(5),
)  # fmt: skip
def test_an_own_key_of_any_text_is_shown_as_given_and_verifies(rocket: Callable[..., AuthRocket], own: str) -> None:
    system = rocket()
    made = system.create(key=own)
    assert made["key"] == own and system.keys(path=f"/{made['id']}").json()["key"] == own
    assert jwt.decode(system.token(), own, algorithms=["HS256"], options={"verify_aud": False})["sub"] == system.user
