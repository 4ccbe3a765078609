"""What strangers try at sign-in, at tokens and at what is managed: each test is named after the trick."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from harness.client import RawClient, ask, request
from harness.fleet import API, EMAIL, PASSWORD, Fleet
from harness.gateway import Gateway
from harness.systems import example
from harness.upstream import Upstream, answering, ok

KEY = "81468485c73a4201b5f86478434eb0431Lj0Sv7jrPioKLSBuNswRWQRP6OJbjLG"
GENEROUS = {
    "fair": {"requests": 10_000, "per": "1m", "by": "identity"},
    "account": {"requests": 10_000, "per": "1m", "by": "identity"},
    "sign-ins": {"requests": 10_000, "per": "1m", "by": "address"},
    "polls": {"requests": 10_000, "per": "1m", "by": "address"},
}
RENEWALS = {"lifetime": "1h", "family_lifetime": "1d"}
#: What signs and what verifies it, in one policy.
ISSUER = "https://api.roboticks.example"


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.fixture
def start(gateway: Callable[..., Gateway], upstream: Callable[..., Upstream], tmp_path: Path) -> Iterator[Callable[..., Fleet]]:
    made: list[Fleet] = []

    def make(**members: Any) -> Fleet:
        origin = upstream(answering(lambda _: ok(b"[]")))
        made.append(Fleet(gateway, tmp_path, origin, **{"limits": GENEROUS, "failure_budget": "off"} | members))
        return made[-1]

    yield make
    for one in made:
        one.session.close()


def both_systems(**changes: Any) -> dict[str, Any]:
    """Members of one policy with rokka's keys, tokens and routes (below /rokka) beside Roboticks'."""
    robots, rokka = example("roboticks", 1), example("rokka", 1)
    record = {"id": "main", "sha256": hashlib.sha256(KEY.encode()).hexdigest(), "scopes": ["read", "write"]}
    authenticators = robots["authenticators"] | {
        "rokka-keys": rokka["authenticators"]["keys"] | {"keys": [record]},
        "rokka-tokens": rokka["authenticators"]["tokens"]
        | {"derived_from": {"authenticator": "rokka-keys", "claim": "/id"}},
    }
    mint = next(route for route in rokka["routes"] if route["name"] == "token")
    read = {"name": "rokka", "match": {"path": "/rokka/**"}, "authenticate": ["rokka-keys", "rokka-tokens"], "upstream": "fleet"}
    routes = [
        *robots["routes"], mint | {"authenticate": ["rokka-keys", "rokka-tokens"], "responses": "roboticks"}, read,
    ]
    key_sets = robots["key_sets"] | rokka["key_sets"]
    return {"authenticators": authenticators, "key_sets": key_sets, "routes": routes} | changes


def rokka_token(fleet: Fleet) -> str:
    answer = fleet.call("GET", "/user/apikeys/token", {"Api-Key": KEY})
    assert answer.status_code == 200, answer.text
    return answer.json()["token"]


# Tokens of another system.


def test_a_token_of_one_system_is_nothing_to_another(start: Callable[..., Fleet]) -> None:
    fleet = start(**both_systems())
    minted, session = rokka_token(fleet), fleet.token()
    assert fleet.get("/rokka/x", bearer=minted).status_code == 200
    assert fleet.get(bearer=session).status_code == 200
    assert fleet.get(bearer=minted).status_code == 401
    assert fleet.refresh(minted).status_code == 401
    assert fleet.get("/rokka/x", bearer=session).status_code == 401
    assert fleet.call("GET", "/user/apikeys/token", {"Authorization": f"Bearer {session}"}).status_code == 401


def test_nor_where_both_are_signed_with_one_key(start: Callable[..., Fleet]) -> None:
    """What tells them apart then is what they descend from."""
    members = both_systems()
    members["authenticators"]["rokka-tokens"]["key_set"] = "sessions"
    next(route for route in members["routes"] if route["name"] == "token")["action"]["mint_token"]["key_set"] = "sessions"
    del members["key_sets"]["tokens"]
    fleet = start(**members)
    minted, session = rokka_token(fleet), fleet.token()
    assert fleet.get("/rokka/x", bearer=minted).status_code == 200
    assert fleet.get(bearer=session).status_code == 200
    assert fleet.get(bearer=minted).status_code == 401
    assert fleet.refresh(minted).status_code == 401
    assert fleet.get("/rokka/x", bearer=session).status_code == 401
    assert fleet.call("GET", "/user/apikeys/token", {"Authorization": f"Bearer {session}"}).status_code == 401


def asymmetric() -> dict[str, Any]:
    """Roboticks with sessions signed by RS256 and the public halves published; HS256 is accepted too."""
    policy = example("roboticks", 1)
    policy["authenticators"]["sessions"]["algorithms"] = ["RS256", "HS256"]
    for route in policy["routes"]:
        for name, action in route.get("action", {}).items():
            if name != "manage":
                action["algorithm"] = "RS256"
    publish = {"publish_keys": {"key_set": "sessions"}}
    jwks = {"name": "jwks", "match": {"path": "/.well-known/jwks.json"}, "authenticate": "none", "action": publish}
    return {
        "key_sets": {"sessions": {"stored": True, "algorithms": ["RS256", "HS256"]}},
        "authenticators": policy["authenticators"],
        "routes": [*policy["routes"], jwks],
    }


def test_a_published_key_is_no_secret_to_sign_with(start: Callable[..., Fleet]) -> None:
    """HS256 with the bytes of an RS256 key, in every spelling of it."""
    fleet = start(**asymmetric())
    token = fleet.token()
    assert jwt.get_unverified_header(token)["alg"] == "RS256"
    assert fleet.get(bearer=token).status_code == 200
    document = fleet.get("/.well-known/jwks.json")
    key = document.json()["keys"][0]
    assert set(key) <= {"kty", "n", "e", "kid", "alg", "use"} and key["kty"] == "RSA"
    public = jwt.PyJWK(key).key
    assert jwt.decode(token, public, algorithms=["RS256"], audience=ISSUER)["iss"] == ISSUER
    spellings = [
        public.public_bytes(encoding, form)
        for encoding in (serialization.Encoding.PEM, serialization.Encoding.DER)
        for form in (serialization.PublicFormat.SubjectPublicKeyInfo, serialization.PublicFormat.PKCS1)
    ]
    modulus = base64.urlsafe_b64decode(key["n"] + "==")
    spellings += [modulus, key["n"].encode(), document.content, json.dumps(key).encode(), spellings[0].strip(), b""]
    body = token.split(".")[1]
    for header in ({"alg": "HS256", "typ": "JWT", "kid": key["kid"]}, {"alg": "HS256"}):
        for secret in spellings:
            signed = f"{base64url(json.dumps(header).encode())}.{body}"
            tag = base64url(hmac.digest(secret, signed.encode(), "sha256"))
            assert fleet.get(bearer=f"{signed}.{tag}").status_code == 401
    assert fleet.get(bearer=token).status_code == 200


def test_secrets_of_a_key_set_are_not_published(start: Callable[..., Fleet]) -> None:
    members = asymmetric()
    members["key_sets"]["sessions"]["algorithms"] = ["HS256"]
    members["authenticators"]["sessions"]["algorithms"] = ["HS256"]
    for route in members["routes"]:
        for action in route.get("action", {}).values():
            action.pop("algorithm", None)
    fleet = start(**members)
    fleet.token()
    assert fleet.get("/.well-known/jwks.json").json() == {"keys": []}


# Refresh tokens.


def renewable() -> dict[str, Any]:
    """Roboticks with refresh tokens beside its own way, OAuth's answer."""
    policy = example("roboticks", 1)
    answer = {"access_token": "{token}", "token_type": "Bearer", "expires_in": "{expires_in}", "refresh_token": "{refresh_token}"}
    for route in policy["routes"]:
        if route["name"] == "login":
            route["action"]["login"] |= {"refresh_tokens": RENEWALS, "answer": answer}
        if route["name"] == "refresh":
            route["action"]["refresh_token"] |= {"refresh_tokens": RENEWALS, "answer": answer}
            route["authenticate"] = "none"
            route["limits"] = None
    return {"routes": policy["routes"]}


def renew(fleet: Fleet, token: str, session: Any = None) -> requests.Response:
    url = f"{fleet.gateway.url}{API}/auth/refresh"
    return (session or fleet.session).post(url, json={"refresh_token": token}, timeout=10)


def test_a_refresh_token_used_twice_ends_all_that_followed(start: Callable[..., Fleet]) -> None:
    fleet = start(**renewable())
    first = fleet.login().json()["refresh_token"]
    second = renew(fleet, first)
    assert second.status_code == 200 and second.headers["Cache-Control"] == "no-store"
    third = renew(fleet, second.json()["refresh_token"]).json()["refresh_token"]
    assert len({first, second.json()["refresh_token"], third}) == 3
    # Whoever stole the first one uses it now; neither he nor the owner gets on.
    assert renew(fleet, first).status_code == 401
    assert renew(fleet, third).status_code == 401
    assert fleet.login().status_code == 200


def test_a_race_for_one_refresh_token_has_one_winner_at_most(start: Callable[..., Fleet]) -> None:
    fleet = start(**renewable())
    for _ in range(3):
        token = fleet.login().json()["refresh_token"]
        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda _: renew(fleet, token, requests), range(16)))
        winners = [answer for answer in answers if answer.status_code == 200]
        assert len(winners) == 1 and {answer.status_code for answer in answers} == {200, 401}
        assert renew(fleet, winners[0].json()["refresh_token"]).status_code == 401


def test_refresh_tokens_end_with_their_user(start: Callable[..., Fleet]) -> None:
    fleet = start(**renewable())
    token = fleet.login().json()["refresh_token"]
    fleet.disable(EMAIL)
    assert fleet.login().status_code == 401
    assert renew(fleet, token).status_code == 401


@pytest.mark.parametrize("change", ["cut", "longer", "another", "empty", "number", "list", "missing"])
def test_a_refresh_token_that_is_none(start: Callable[..., Fleet], change: str) -> None:
    fleet = start(**renewable())
    token = fleet.login().json()["refresh_token"]
    blank, odd = ["Refresh token can't be blank"], ["Refresh token is not a string"]
    content, errors = {
        "cut": ({"refresh_token": token[:-1]}, None), "longer": ({"refresh_token": token + "A"}, None),
        "another": ({"refresh_token": "A" * len(token)}, None), "empty": ({"refresh_token": ""}, blank),
        "number": ({"refresh_token": 1}, odd), "list": ({"refresh_token": [token]}, odd), "missing": ({}, blank),
    }[change]
    answer = fleet.call("POST", f"{API}/auth/refresh", json=content)
    assert answer.status_code == (422 if errors else 401) and answer.json().get("errors") == errors
    # Trying has not hurt the good one.
    assert renew(fleet, token).status_code == 200


def test_nothing_of_refresh_tokens_and_passwords_is_kept_or_logged(start: Callable[..., Fleet]) -> None:
    fleet = start(**renewable())
    document = fleet.login().json()
    again = renew(fleet, document["refresh_token"]).json()
    secrets = [PASSWORD, document["refresh_token"], again["refresh_token"], document["access_token"], again["access_token"]]
    assert len(fleet.gateway.access_records(2)) == 2
    written = [path.read_bytes() for path in fleet.database.parent.glob("roboticks.db*")]
    written += [fleet.gateway.access_text().encode(), "\n".join(fleet.gateway.lines).encode()]
    for secret in secrets:
        assert all(secret.encode() not in text for text in written)


# Sign-in.


@pytest.mark.parametrize(
    "email",
    ["USER@EXAMPLE.COM", " user@example.com", "user@example.com ", "user@example.com\u0000", "user@example.com.", "usér@example.com",
     "user@example.com\n", "user%40example.com", "\"user\"@example.com", "user@EXAMPLE.com", "' OR 1=1 --", "%", "_ser@example.com"],
)
def test_spellings_of_an_account(start: Callable[..., Fleet], email: str) -> None:
    """Upper and lower case are one; nothing else is."""
    fleet = start()
    answer = fleet.login(email)
    assert answer.status_code == 200 if email.lower() == EMAIL else answer.status_code in (400, 401, 422)


def test_spellings_of_an_account_have_one_budget(start: Callable[..., Fleet]) -> None:
    fleet = start()
    spellings = ["user@example.com", "USER@example.com", "User@Example.com", "uSER@EXAMPLE.COM"] * 2
    statuses = [fleet.login(email, "guess").status_code for email in spellings]
    assert statuses == [401] * 5 + [429] * 3


def test_the_answer_does_not_tell_who_has_an_account(start: Callable[..., Fleet]) -> None:
    fleet = start()
    fleet.add_user("gone@example.com")
    fleet.disable("gone@example.com")

    def shown(answer: requests.Response) -> tuple[Any, ...]:
        fields = {name: value for name, value in answer.headers.items() if name not in ("Date", "X-Request-ID")}
        fields.pop("X-RateLimit-Remaining", None)
        fields.pop("X-RateLimit-Reset", None)
        return answer.status_code, answer.content, fields

    answers = [fleet.login(email, "wrong") for email in (EMAIL, "nobody@example.com", "gone@example.com")]
    answers.append(fleet.login("gone@example.com"))
    assert len({str(shown(answer)) for answer in answers}) == 1


def test_a_flood_of_sign_ins_leaves_everybody_else_alone(start: Callable[..., Fleet]) -> None:
    """Passwords are hashed beside the loops, and who waits too long is told so."""
    fleet = start()
    key = fleet.add_key()
    stop = threading.Event()
    served: list[int] = []

    def others() -> None:
        with requests.Session() as session:
            session.trust_env = False
            while not stop.is_set():
                url = f"{fleet.gateway.url}{API}/organizations/acme/devices"
                served.append(session.get(url, headers={"X-API-Key": key}, timeout=10).status_code)

    beside = threading.Thread(target=others)
    beside.start()
    body = json.dumps({"email": EMAIL, "password": "guess"}).encode()
    with ThreadPoolExecutor(32) as pool:
        statuses = list(
            pool.map(
                lambda _: ask(
                    fleet.gateway.port, f"{API}/auth/login", ["Content-Type: application/json"], "POST", body
                ).status,
                range(128),
            )
        )
    stop.set()
    beside.join()
    assert set(statuses) <= {401, 429, 503}
    assert served and set(served) == {200}


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_sign_in_larger_than_it_may_be(start: Callable[..., Fleet], framing: str) -> None:
    fleet = start()
    piece = b"a" * 1024
    with RawClient(fleet.gateway.port) as client:
        fields = ["Content-Type: application/json", "Content-Length: 1000000" if framing == "length" else "Transfer-Encoding: chunked"]
        client.send(request("POST", f"{API}/auth/login", fields))
        if framing == "chunked":
            for _ in range(5):
                client.send(b"400\r\n" + piece + b"\r\n")
        assert client.response().status == 413


def test_a_sign_in_that_never_ends(start: Callable[..., Fleet]) -> None:
    fleet = start(bounds={"body_timeout": "200ms"})
    with RawClient(fleet.gateway.port) as client:
        client.send(request("POST", f"{API}/auth/login", ["Content-Type: application/json", "Content-Length: 100"]) + b"{")
        assert client.response().status == 408
    assert fleet.login().status_code == 200


def test_a_sign_in_that_waits_to_be_asked_for_its_content(start: Callable[..., Fleet]) -> None:
    """Nobody behind the gateway would ask."""
    fleet = start()
    body = json.dumps({"email": EMAIL, "password": PASSWORD}).encode()
    fields = ["Content-Type: application/json", "Expect: 100-continue", f"Content-Length: {len(body)}"]
    with RawClient(fleet.gateway.port) as client:
        client.send(request("POST", f"{API}/auth/login", fields))
        assert client.read_head().status == 100
        client.send(body)
        assert client.response("POST").status == 200
        client.send(request("POST", f"{API}/auth/login", fields) + body)
        assert client.read_head().status == 100
        assert client.response("POST").status == 200


def test_content_in_a_coding_is_not_unpacked(start: Callable[..., Fleet]) -> None:
    import gzip

    fleet = start()
    body = gzip.compress(json.dumps({"email": EMAIL, "password": PASSWORD}).encode())
    fields = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert fleet.call("POST", f"{API}/auth/login", fields, data=body).status_code in (400, 415, 422)


def test_a_sign_in_by_the_query_is_none(start: Callable[..., Fleet]) -> None:
    """Passwords there would be in every log on the way."""
    fleet = start()
    answer = fleet.call("POST", f"{API}/auth/login?email={EMAIL}&password={PASSWORD}", {"Content-Type": "application/json"})
    assert answer.status_code in (400, 415, 422)
    answer = fleet.call("POST", f"{API}/auth/login?password={PASSWORD}", json={"email": EMAIL})
    assert answer.status_code in (400, 422)


def test_pipelined_sign_ins_are_answered_in_their_order(start: Callable[..., Fleet]) -> None:
    fleet = start()
    good = json.dumps({"email": EMAIL, "password": PASSWORD}).encode()
    bad = json.dumps({"email": EMAIL, "password": "wrong"}).encode()
    fields = ["Content-Type: application/json"]
    with RawClient(fleet.gateway.port) as client:
        client.send(b"".join(request("POST", f"{API}/auth/login", fields, body) for body in (good, bad, good)))
        assert [client.response("POST").status for _ in range(3)] == [200, 401, 200]


def test_a_client_that_leaves_while_its_password_is_hashed(start: Callable[..., Fleet]) -> None:
    fleet = start()
    body = json.dumps({"email": EMAIL, "password": PASSWORD}).encode()
    for _ in range(8):
        with RawClient(fleet.gateway.port) as client:
            client.send(request("POST", f"{API}/auth/login", ["Content-Type: application/json"], body))
            client.reset()
    assert fleet.login().status_code == 200
    assert fleet.gateway.is_alive()


def test_a_new_password_ends_old_tokens_and_lets_the_user_in_at_once(start: Callable[..., Fleet]) -> None:
    """Also within the second of the change, which is all that the times in tokens can tell apart."""
    fleet = start()
    old = fleet.token()
    for number in range(3):
        fleet.admin.change(f"users/{fleet.ids[EMAIL]}", password=f"another password {number}")
        answer = fleet.login(EMAIL, f"another password {number}")
        assert answer.status_code == 200
        assert fleet.get(bearer=old).status_code == 401
        old = answer.json()["access_token"]
        assert fleet.get(bearer=old).status_code == 200
    assert fleet.login().status_code == 401


@pytest.mark.parametrize("password", ["p" * 64, "p" * 255, "pässwörd…" * 8, "a\tb c\u00a0d", " leading and trailing "])
def test_every_password_that_can_be_set_can_be_used(start: Callable[..., Fleet], password: str) -> None:
    fleet = start()
    fleet.add_user("other@example.com", "acme", password=password)
    assert fleet.login("other@example.com", password).status_code == 200
    assert fleet.login("other@example.com", password[1:]).status_code == 401


# Keys and accounts that are managed.


def test_nobody_manages_the_keys_of_another(start: Callable[..., Fleet]) -> None:
    fleet = start()
    fleet.add_user("other@example.com", "acme")
    fleet.add_key(name="mine")
    identifier = fleet.keys()["mine"]["id"]
    assert not fleet.keys(email="other@example.com")
    for method, path in (("GET", ""), ("DELETE", ""), ("PUT", ""), ("POST", "/rotate"), ("POST", "/nothing")):
        answer = fleet.as_user(
            method, f"{API}/api_keys/{identifier}{path}", "other@example.com",
            json={"api_key": {"name": "taken"}} if method in ("PUT",) else None,
        )
        assert answer.status_code == 404, (method, path, answer.text)
    assert set(fleet.keys()) == {"mine"}


@pytest.mark.parametrize(
    "members",
    [
        {"user_id": "OTHER"}, {"subject": "OTHER"}, {"subject": "root"}, {"scopes": ["admin"]}, {"limits": ["sign-ins"]},
        {"id": "x"}, {"key": "rbtk_chosen"}, {"secrets": []}, {"created_at": 0}, {"owner": "OTHER"}, {"name": ""}, {"name": 7},
        {"name": "x" * 300}, {"name": "a\nb"}, {"allow_ips": ["10.0.0.1/8"]}, {"allow_ips": "x"}, {"enabled": "yes"},
    ],
    ids=str,
)
def test_what_nobody_makes_of_a_key_of_his_own(start: Callable[..., Fleet], members: dict[str, Any]) -> None:
    fleet = start()
    fleet.add_user("other@example.com", "globex")
    spelled = {name: fleet.ids["other@example.com"] if value == "OTHER" else value for name, value in members.items()}
    answer = fleet.as_user("POST", f"{API}/api_keys", json={"api_key": {"name": "key"} | spelled})
    assert answer.status_code in (403, 422), answer.text
    assert list(answer.json()) == (["detail"] if answer.status_code == 403 else ["detail", "errors"])
    assert not fleet.keys()


def test_nobody_fills_the_store_with_keys_of_his_own(start: Callable[..., Fleet]) -> None:
    fleet = start()
    for number in range(100):
        fleet.add_key(name=f"key {number}")
    answer = fleet.as_user("POST", f"{API}/api_keys", json={"api_key": {"name": "one more"}})
    assert answer.status_code == 422
    identifier = fleet.keys()["key 99"]["id"]
    assert fleet.as_user("DELETE", f"{API}/api_keys/{identifier}").status_code == 202
    fleet.add_key(name="one more")
    # An operator may, and others are not touched.
    fleet.admin.make("api_keys?authenticator=keys", name="of the operator", user_id=fleet.ids[EMAIL])
    fleet.add_user("other@example.com", "acme")
    assert fleet.add_key("other@example.com")


def test_an_api_key_makes_no_further_keys(start: Callable[..., Fleet]) -> None:
    """It would outlive the one that made it."""
    fleet = start()
    key = fleet.add_key()
    for fields in ({"X-API-Key": key}, {"Authorization": f"Bearer {key}"}):
        answer = fleet.call("POST", f"{API}/api_keys", fields, json={"api_key": {"name": "more"}})
        assert answer.status_code == 401


def test_the_management_api_is_closed_to_every_other_credential(start: Callable[..., Fleet]) -> None:
    fleet = start()
    for token in ("", "x", fleet.admin.token[:-1], fleet.admin.token + "0", fleet.token(), fleet.add_key()):
        assert fleet.admin.call("GET", "users", token=token).status_code == 401
    port = fleet.gateway.admin_port
    good = f"Authorization: Bearer {fleet.admin.token}"
    assert ask(port, "/v1/users", [good, good]).status == 401
    assert ask(port, "/v1/users", [f"Authorization: Basic {fleet.admin.token}"]).status == 401
    assert ask(port, f"/v1/users?token={fleet.admin.token}").status == 401
    # The API of the admin listener is not the one of the public listener.
    assert fleet.call("GET", "/v1/users", {"Authorization": f"Bearer {fleet.admin.token}"}).status_code == 404


@pytest.mark.parametrize(
    "path",
    ["users/", "users//", "users/..", "users/%2e%2e/users", "users/x/y/z", "Users", "users%00", "users%2Fx", "", "%75sers/x"],
)
def test_paths_of_the_management_api(start: Callable[..., Fleet], path: str) -> None:
    fleet = start()
    answer = ask(fleet.gateway.admin_port, f"/v1/{path}", [f"Authorization: Bearer {fleet.admin.token}"])
    assert answer.status in (400, 404)
