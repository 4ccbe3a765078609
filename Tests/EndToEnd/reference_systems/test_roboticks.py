"""Roboticks' authentication as its document tells it: statements RB1 to RB15 over examples/roboticks.json."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import jwt
import pytest
from harness.client import ask
from harness.fleet import API, DEVICES, EMAIL, PASSWORD, Fleet
from harness.gateway import Gateway, run_portcullis
from harness.pages import run_page
from harness.systems import example
from harness.upstream import Upstream, answering, ok
from harness.waiting import until

UNAUTHORIZED = {"detail": "Could not validate credentials"}
FORBIDDEN = {"detail": "Not enough permissions"}
INVALID = "A parameter of the request is not valid."
#: Limits that no test runs into.
GENEROUS = {
    "fair": {"requests": 10_000, "per": "1m", "by": "identity"},
    "account": {"requests": 10_000, "per": "1m", "by": "identity"},
    "sign-ins": {"requests": 10_000, "per": "1m", "by": "address"},
    "polls": {"requests": 10_000, "per": "1m", "by": "address"},
}


@pytest.fixture
def start(gateway: Callable[..., Gateway], upstream: Callable[..., Upstream], tmp_path: Path) -> Iterator[Callable[..., Fleet]]:
    made: list[Fleet] = []

    def make(**members: Any) -> Fleet:
        made.append(Fleet(gateway, tmp_path, upstream(answering(lambda _: ok(b"[]"))), **members))
        return made[-1]

    yield make
    for one in made:
        one.session.close()


@pytest.fixture
def fleet(start: Callable[..., Fleet]) -> Fleet:
    return start()


# API keys.


def test_rb1_a_key_in_either_header(fleet: Fleet) -> None:
    key = fleet.add_key()
    path = f"{API}/organizations/acme/devices"
    assert fleet.get(path, bearer=key).status_code == 200
    assert fleet.get(path, X_API_Key=key).status_code == 200
    assert [request.value("x-auth-method") for request in fleet.origin.requests] == ["api_key"] * 2
    assert key not in str([request.head for request in fleet.origin.requests])


def test_rb2_the_prefix_says_which_verifier_judges(fleet: Fleet) -> None:
    """And only that one: a value is never tried with both."""
    for value, reason in (
        ("rbtk_a.b.c", "credential_unknown"), ("rbtk_" + "x" * 40, "credential_unknown"),
        ("a.b.c", "token_malformed"), ("opaque", "token_malformed"),
    ):
        answer = fleet.get(bearer=value)
        assert (answer.status_code, answer.json(), fleet.reason(answer)) == (401, UNAUTHORIZED, reason)
    token = fleet.token()
    for answer in (fleet.get(X_API_Key=token), fleet.get(bearer="rbtk_" + token)):
        assert (answer.status_code, fleet.reason(answer)) == (401, "credential_unknown")


def test_rb3_a_key_is_shown_once(fleet: Fleet) -> None:
    key = fleet.add_key(name="nightly build of the warehouse")
    assert re.fullmatch(r"rbtk_[0-9A-Za-z]{40}", key)
    listed = fleet.keys()
    assert "nightly build of the warehouse" in str(listed)
    assert key not in str(listed)
    for path in fleet.database.parent.glob("roboticks.db*"):
        assert key.encode() not in path.read_bytes()
    assert fleet.get(X_API_Key=key).status_code == 200
    assert key not in fleet.gateway.access_text()


def test_rb3_the_command_line_shows_it_once_too(fleet: Fleet) -> None:
    def portcullis(*words: str) -> str:
        done = run_portcullis(*words, "--config", str(fleet.gateway.path), folder=fleet.gateway.folder)
        assert done.returncode == 0, done.stderr
        return done.stdout

    made = portcullis("key", "create", "--authenticator", "keys", "--name", "nightly build", "--user", EMAIL)
    key = re.search(r"rbtk_[0-9A-Za-z]{40}", made)[0]
    for words in (("key", "list"), ("key", "list", "--json")):
        listed = portcullis(*words)
        assert "nightly build" in listed and key not in listed
    until(lambda: fleet.get(X_API_Key=key).status_code == 200, 5, "the gateway to see what the command made")


@pytest.mark.parametrize(
    ("members", "error"),
    [
        ({}, "Name can't be blank"), ({"name": None}, "Name can't be blank"), ({"name": ""}, "Name can't be blank"),
        ({"name": "x" * 256}, "Name is too long (maximum is 255 characters)"),
        ({"name": "a\nb"}, "Name contains a control character"), ({"name": 7}, "Name is not a string"),
        ({"name": "x", "scope": "y"}, "scope is not a known parameter"),
    ],
)  # fmt: skip
def test_rb3_a_key_has_a_descriptive_name(fleet: Fleet, members: Any, error: str) -> None:
    answer = fleet.as_user("POST", f"{API}/api_keys", json={"api_key": members})
    assert answer.status_code == 422 and answer.json() == {"detail": INVALID, "errors": [error]}


def test_rb3_what_is_no_key_at_all(fleet: Fleet) -> None:
    for content, error in (({"name": "x"}, "Api key can't be blank"), ({"api_key": []}, "Api key is not an object")):
        answer = fleet.as_user("POST", f"{API}/api_keys", json=content)
        assert answer.status_code == 422 and answer.json() == {"detail": INVALID, "errors": [error]}


def test_rb4_a_key_can_do_what_its_creator_can(fleet: Fleet) -> None:
    fleet.add_user("guest@example.com", "acme/warehouse")
    key, guest = fleet.add_key(), fleet.add_key("guest@example.com")
    for secret, path, status in (
        (key, "/organizations/acme/devices", 200),
        (key, "/organizations/acme/projects/warehouse/devices", 200),
        (key, "/organizations/acme/projects/factory/devices", 200),
        (key, "/organizations/globex/devices", 403),
        (key, "/organizations/globex/projects/warehouse/devices", 403),
        (guest, "/organizations/acme/projects/warehouse/devices", 200),
        (guest, "/organizations/acme/projects/factory/devices", 403),
        (guest, "/organizations/acme/devices", 403),
    ):
        answer = fleet.get(API + path, X_API_Key=secret)
        assert answer.status_code == status, path
        assert status == 200 or answer.json() == FORBIDDEN


def test_rb4_a_member_who_leaves_takes_the_key_with_him(fleet: Fleet) -> None:
    """On connections that are open too."""
    key, token = fleet.add_key(), fleet.token()
    assert fleet.get(X_API_Key=key).status_code == fleet.get(bearer=token).status_code == 200
    fleet.leave(EMAIL, "acme")
    assert fleet.get(X_API_Key=key).json() == FORBIDDEN
    assert fleet.get(bearer=token).json() == FORBIDDEN
    fleet.join(EMAIL, "acme/warehouse")
    assert fleet.get(X_API_Key=key).status_code == 200
    assert fleet.get(f"{API}/organizations/acme/devices", X_API_Key=key).status_code == 403
    fleet.disable(EMAIL)
    assert fleet.get(X_API_Key=key).json() == UNAUTHORIZED
    assert fleet.get(bearer=token).status_code == 401


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/organizations/Acme/devices", 403),
        ("/organizations/acme%00/devices", 400),
        ("/organizations/acme%2Fprojects/devices", 400),
        ("/organizations/acme%20/devices", 403),
        ("/organizations/acm%C3%A9/devices", 403),
        ("/organizations/%61cmee/devices", 403),
        ("/organizations/acme;x/devices", 400),
        ("/organizations/globex/../acme/devices", 400),
        ("/organizations/globex%2F..%2Facme/devices", 400),
        ("/organizations/acme/%2e%2e/globex/devices", 400),
        ("/organizations/acme/projects/warehouse/../../../globex/devices", 400),
        ("/organizations/{org}/devices", 403),
        ("/organizations/%7Bpath.org%7D/devices", 403),
        ("/organizations/*/devices", 403),
    ],
)
def test_rb4_slugs_that_look_alike(fleet: Fleet, path: str, status: int) -> None:
    answer = ask(fleet.gateway.port, API + path, [f"X-API-Key: {fleet.add_key()}"])
    assert answer.status == status, answer.start
    assert not fleet.origin.requests


def test_rb4_an_escaped_slug_is_the_same_slug(fleet: Fleet) -> None:
    """And the upstream is told which one it was."""
    answer = ask(fleet.gateway.port, f"{API}/organizations/%61cme/devices", [f"X-API-Key: {fleet.add_key()}"])
    assert answer.status == 200
    assert fleet.origin.requests[0].value("x-org") == "acme"


# Tokens.


def test_rb5_login(fleet: Fleet) -> None:
    answer = fleet.login()
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json" and answer.headers["Cache-Control"] == "no-store"
    document = answer.json()
    assert list(document) == ["access_token", "token_type", "expires_in"]
    assert document["token_type"] == "bearer" and document["expires_in"] == 3600
    assert document["access_token"].startswith("eyJ")
    header = jwt.get_unverified_header(document["access_token"])
    assert header["alg"] == "HS256" and header["typ"] == "JWT"
    claims = jwt.decode(document["access_token"], options={"verify_signature": False})
    assert EMAIL not in str(claims) and PASSWORD not in str(claims)


def test_rb6_a_token_lives_one_hour(fleet: Fleet) -> None:
    claims = jwt.decode(fleet.token(), options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 3600
    assert abs(claims["iat"] - time.time()) <= 2


def test_rb6_and_not_longer(start: Callable[..., Fleet]) -> None:
    routes = example("roboticks", 1)["routes"]
    next(route for route in routes if route["name"] == "login")["action"]["login"]["lifetime"] = "2s"
    fleet = start(routes=routes, limits=GENEROUS)
    token = fleet.token()
    assert fleet.get(bearer=token).status_code == 200
    until(lambda: fleet.get(bearer=token).json() == UNAUTHORIZED, 4, "the end of the token")
    refused = fleet.refresh(token)
    # RB7: only before it expires.
    assert (refused.status_code, refused.json()) == (401, UNAUTHORIZED)
    assert fleet.reason(refused) == "token_expired"


def test_rb7_a_token_is_refreshed_with_itself(fleet: Fleet) -> None:
    token = fleet.token()
    answer = fleet.refresh(token)
    assert answer.status_code == 200
    document = answer.json()
    assert list(document) == ["access_token", "token_type", "expires_in"]
    assert document["token_type"] == "bearer" and document["expires_in"] == 3600
    assert document["access_token"] != token
    assert fleet.get(bearer=document["access_token"]).status_code == 200
    assert fleet.origin.requests[-1].value("x-auth-subject") == jwt.decode(
        token, options={"verify_signature": False}
    )["sub"]


@pytest.mark.parametrize("authorization", [None, "Bearer", "Bearer x", "Bearer a.b.c", "Basic dTpw"])
def test_rb7_nothing_else_is_refreshed(fleet: Fleet, authorization: str | None) -> None:
    fields = {"Authorization": authorization} if authorization else {}
    answer = fleet.call("POST", f"{API}/auth/refresh", fields)
    assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)


def test_rb7_a_key_is_not_refreshed(fleet: Fleet) -> None:
    key = fleet.add_key()
    for fields in ({"Authorization": f"Bearer {key}"}, {"X-API-Key": key}):
        assert fleet.call("POST", f"{API}/auth/refresh", fields).status_code == 401


# Organisations and projects.


def test_rb8_the_path_names_organisation_and_project(fleet: Fleet) -> None:
    token = fleet.token()
    assert fleet.get(DEVICES, bearer=token).status_code == 200
    assert fleet.get(f"{API}/organizations/acme/devices", bearer=token).status_code == 200
    project, organization = fleet.origin.requests
    assert (project.value("x-org"), project.value("x-project")) == ("acme", "warehouse")
    assert (organization.value("x-org"), organization.value("x-project")) == ("acme", None)


def test_rb8_a_client_cannot_name_them_otherwise(fleet: Fleet) -> None:
    token = fleet.token()
    for path in (DEVICES, f"{API}/organizations/acme/devices"):
        assert fleet.get(path, bearer=token, X_Org="globex", x_project="secret").status_code == 200
    assert "globex" not in str([request.fields for request in fleet.origin.requests])
    assert "secret" not in str([request.fields for request in fleet.origin.requests])


# Limits.


def limited(start: Callable[..., Fleet], requests: int, per: str = "1m") -> Fleet:
    """With the kind of limit that the example has."""
    fair = example("roboticks", 1)["limits"]["fair"]
    assert fair == {"kind": "window", "requests": 60, "per": "1m", "by": "identity"}
    return start(limits=GENEROUS | {"fair": fair | {"requests": requests, "per": per}})


def test_rb9_each_key_and_each_user_has_a_limit(start: Callable[..., Fleet]) -> None:
    fleet = limited(start, 2)
    first, second = fleet.add_key(name="first"), fleet.add_key(name="second")
    tokens = [fleet.token(), fleet.token()]

    def uses(**fields: str) -> list[int]:
        return [fleet.get(**fields).status_code for _ in range(3)]

    assert uses(X_API_Key=first) == uses(X_API_Key=second) == [200, 200, 429]
    # A fresh token is the same user.
    assert [fleet.get(bearer=token).status_code for token in (*tokens, tokens[0])] == [200, 200, 429]
    fleet.add_user("other@example.com", "acme")
    assert uses(bearer=fleet.token("other@example.com")) == [200, 200, 429]


def test_rb10_every_answer_of_a_limited_route_tells_the_limit(start: Callable[..., Fleet]) -> None:
    fleet = limited(start, 3)
    key = fleet.add_key()
    answers = [
        fleet.get(X_API_Key=key),
        fleet.get(f"{API}/organizations/globex/devices", X_API_Key=key),
        fleet.get(X_API_Key=key),
        fleet.get(X_API_Key=key),
        fleet.get(X_API_Key=key),
    ]
    assert [answer.status_code for answer in answers] == [200, 403, 200, 200, 429]
    remaining = []
    for answer in answers:
        assert answer.headers["X-RateLimit-Limit"] == "3"
        remaining.append(int(answer.headers["X-RateLimit-Remaining"]))
        assert 0 < int(answer.headers["X-RateLimit-Reset"]) - time.time() <= 61
    assert remaining == [2, 2, 1, 0, 0]
    # One timestamp in all answers of the window.
    assert len({answer.headers["X-RateLimit-Reset"] for answer in answers}) == 1
    refreshed = fleet.refresh(fleet.token())
    assert refreshed.status_code == 200 and refreshed.headers["X-RateLimit-Limit"] == "3"
    # Nobody in particular has no limit to tell of.
    assert "X-RateLimit-Limit" not in fleet.get().headers
    # Signing in is limited for an address.
    failed = fleet.login(password="wrong")
    assert failed.status_code == 401 and failed.headers["X-RateLimit-Limit"] == str(GENEROUS["sign-ins"]["requests"])


def test_rb10_the_reset_is_when_the_limit_resets(start: Callable[..., Fleet]) -> None:
    """From that second on the whole limit is there again, and not a part of it."""
    fleet = limited(start, 4, "2s")
    key = fleet.add_key()
    first = [fleet.get(X_API_Key=key) for _ in range(5)]
    while first[-1].status_code != 429:
        first = [fleet.get(X_API_Key=key) for _ in range(5)]
    reset = int(first[-1].headers["X-RateLimit-Reset"])
    until(lambda: time.time() >= reset, 4, "the reset")
    answer = fleet.get(X_API_Key=key)
    assert answer.status_code == 200 and answer.headers["X-RateLimit-Remaining"] == "3"


def test_rb11_the_answer_of_the_document(start: Callable[..., Fleet]) -> None:
    fleet = limited(start, 1)
    key = fleet.add_key()
    passed = fleet.get(X_API_Key=key)
    assert passed.status_code == 200
    asked = time.time()
    answer = fleet.get(X_API_Key=key)
    assert answer.status_code == 429
    document = answer.json()
    wait = document["retry_after"]
    # The rest of the window.
    assert 50 <= wait <= 60
    assert document == {"detail": f"Rate limit exceeded. Try again in {wait} seconds.", "retry_after": wait}
    assert answer.headers["Retry-After"] == str(wait)
    assert answer.headers["X-RateLimit-Reset"] == passed.headers["X-RateLimit-Reset"]
    assert abs(int(answer.headers["X-RateLimit-Reset"]) - asked - wait) <= 2


def test_rb11_never_less_than_a_second(start: Callable[..., Fleet]) -> None:
    fleet = limited(start, 1, "500ms")
    key = fleet.add_key()
    answers = [fleet.get(X_API_Key=key) for _ in range(40)]
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json() == {"detail": "Rate limit exceeded. Try again in 1 seconds.", "retry_after": 1}
    assert refused.headers["Retry-After"] == "1"


# Refusals.


def test_rb12_whatever_is_wrong_with_a_credential_the_answer_is_one(fleet: Fleet) -> None:
    token, key = fleet.token(), fleet.add_key()
    head, body, signature = token.split(".")
    answers = [
        fleet.get(),
        fleet.get(X_API_Key=key[:-1]),
        fleet.get(X_API_Key=""),
        fleet.get(bearer=f"{head}.{body}.{signature[:-4]}AAAA"),
        fleet.get(bearer=f"{head}.{body}."),
        fleet.get(bearer=jwt.encode({"sub": "x"}, "k" * 32, algorithm="HS256")),
        fleet.get(bearer=jwt.encode({"sub": "x"}, None, algorithm="none")),
        fleet.get(Authorization="Basic dTpw"),
    ]
    disabled, expired = (fleet.admin.make("api_keys?authenticator=keys", name=name, expires_in="1s") for name in "de")
    fleet.admin.change(f"api_keys/{disabled['id']}?authenticator=keys", enabled=False)
    until(lambda: fleet.reason(fleet.get(X_API_Key=expired["key"])) == "key_expired", 4, "the end of the key")
    answers += [fleet.get(X_API_Key=expired["key"]), fleet.get(bearer=disabled["key"])]
    for answer in answers:
        assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert not fleet.origin.requests


def test_rb12_an_expired_token_is_charged_to_nobody(start: Callable[..., Fleet]) -> None:
    """A dashboard that polls with one shuts neither itself nor the keys of its address out."""
    routes = example("roboticks", 1)["routes"]
    next(route for route in routes if route["name"] == "login")["action"]["login"]["lifetime"] = "3s"
    fleet = start(routes=routes, limits=GENEROUS, failure_budget={"failures": 3, "per": "1h"})
    key = fleet.add_key()
    tokens = [fleet.token() for _ in range(8)]
    until(lambda: fleet.get(bearer=tokens[-1]).status_code == 401, 8, "the end of the tokens")
    for token in tokens * 2:
        answer = fleet.get(bearer=token)
        assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)
        assert fleet.refresh(token).status_code == 401
    assert fleet.login().status_code == 200
    assert fleet.get(X_API_Key=key).status_code == 200
    guesses = [fleet.get(X_API_Key="rbtk_" + str(number) * 40).status_code for number in range(4)]
    assert guesses == [401] * 3 + [429]


def test_rb13_a_good_credential_that_may_not(fleet: Fleet) -> None:
    for fields in ({"X_API_Key": fleet.add_key()}, {"bearer": fleet.token()}):
        answer = fleet.get(f"{API}/organizations/globex/devices", **fields)
        assert (answer.status_code, answer.json()) == (403, FORBIDDEN)
        nowhere = fleet.get(f"{API}/organizations/nowhere/devices", **fields)
        # Nobody learns which organisations there are.
        assert (nowhere.status_code, nowhere.json()) == (403, FORBIDDEN)
        assert fleet.reason(answer) == fleet.reason(nowhere) == "membership_missing"


def test_rb14_a_bad_login(fleet: Fleet) -> None:
    fleet.add_user("gone@example.com", "acme")
    fleet.disable("gone@example.com")
    for email, password in (
        (EMAIL, "wrong"), (EMAIL, PASSWORD + " "), (EMAIL, PASSWORD.upper()),
        ("nobody@example.com", PASSWORD), ("gone@example.com", PASSWORD),
    ):
        answer = fleet.login(email, password)
        assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED), email


@pytest.mark.parametrize(
    ("content", "content_type", "status", "errors"),
    [
        (b"email=user%40example.com&password=your-password", "application/x-www-form-urlencoded", 415, None),
        (b'{"email":"user@example.com","password":"your-password"}', "text/plain", 415, None),
        (b'{"email":"user@example.com","password":"your-password"}', None, 415, None),
        (b"", "application/json", 422, ["Email can't be blank", "Password can't be blank"]),
        (b"{", "application/json", 400, ["Content is not JSON: the text ends too early"]),
        (b"[]", "application/json", 400, ["Content is not a JSON object"]),
        (b"null", "application/json", 400, ["Content is not a JSON object"]),
        (b'{"email":"user@example.com"}', "application/json", 422, ["Password can't be blank"]),
        (b'{"email":"user@example.com","password":""}', "application/json", 422, ["Password can't be blank"]),
        (b'{"email":1,"password":2}', "application/json", 422, ["Email is not a string", "Password is not a string"]),
        (b'{"email":["user@example.com"],"password":"your-password"}', "application/json", 422, ["Email is not a string"]),
        (b'{"email":"user@example.com","password":"p","remember":true}', "application/json", 422, ["remember is not a known parameter"]),
        (b'{"email":"a","email":"user@example.com","password":"your-password"}', "application/json", 400,
         ['Content is not JSON: the member "email" appears twice']),
        (b'{"email":"user@example.com","password":"your-password"} x', "application/json", 400,
         ["Content is not JSON: something follows the value"]),
        (b'{"email":"user@example.com\\u0000","password":"your-password"}', "application/json", 422,
         ["Email contains a control character"]),
        (b'\xef\xbb\xbf{"email":"user@example.com","password":"your-password"}', "application/json", 400,
         ["Content is not JSON: the text begins with a byte order mark"]),
        (b'{"email":"\xff","password":"x"}', "application/json", 400, ["Content is not JSON: not valid UTF-8"]),
        (b"[" * 2000, "application/json", 400, ["Content is not JSON: nested deeper than 8 levels"]),
        (b'{"email":"' + b"a" * 5000 + b'","password":"x"}', "application/json", 413, None),
    ],
)  # fmt: skip
def test_rb14_malformed_logins(
    fleet: Fleet, content: bytes, content_type: str | None, status: int, errors: list[str] | None
) -> None:
    """What is wrong is said, where more than one thing can be."""
    fields = {"Content-Type": content_type} if content_type else {}
    answer = fleet.call("POST", f"{API}/auth/login", fields, data=content)
    assert answer.status_code == status
    document = answer.json()
    assert isinstance(document.pop("detail"), str) and document == ({} if errors is None else {"errors": errors})


def test_rb14_guesses_at_one_account_are_limited(start: Callable[..., Fleet]) -> None:
    """Beyond the limit the right password helps nobody either, and other accounts go on. Nobody's account is limited
    alike, so that the limit does not tell who has one."""
    fleet = start(limits=GENEROUS, failure_budget="off")
    fleet.add_user("other@example.com", "acme")
    known = [fleet.login(EMAIL, f"guess {number}").status_code for number in range(8)]
    assert known == [401] * 5 + [429] * 3
    answer = fleet.login()
    assert answer.status_code == 429 and list(answer.json()) == ["detail", "retry_after"]
    assert int(answer.headers["Retry-After"]) == answer.json()["retry_after"] > 0
    assert fleet.login(EMAIL.upper()).status_code == 429
    assert fleet.login("other@example.com").status_code == 200
    assert [fleet.login("nobody@example.com", f"guess {number}").status_code for number in range(8)] == known


def test_rb14_guesses_of_one_address_are_limited(start: Callable[..., Fleet]) -> None:
    fleet = start(failure_budget="off")
    statuses = [fleet.login(f"user{number}@example.com", "guess").status_code for number in range(12)]
    assert statuses[:10] == [401] * 10 and statuses[-1] == 429


def test_rb15_keys_tell_their_age_and_their_use(start: Callable[..., Fleet]) -> None:
    fleet = start(limits=GENEROUS)
    used, unused = fleet.add_key(name="used"), fleet.add_key(name="unused")
    assert fleet.get(X_API_Key=used).status_code == 200

    until(lambda: fleet.keys()["used"]["use_count"] == 1, 5, "the key's use")
    keys = fleet.keys()
    assert keys["used"]["last_used_at"] and keys["unused"]["last_used_at"] is None
    assert keys["used"]["age_days"] == 0
    assert not fleet.keys("?unused_for=90d")
    assert set(fleet.keys("?unused_for=0s")) == {"used", "unused"}
    assert unused not in str(keys)


def test_rb15_keys_that_are_a_quarter_old_are_found(start: Callable[..., Fleet]) -> None:
    fleet = start(limits=GENEROUS)
    for name in ("old", "rotated", "fresh"):
        fleet.add_key(name=name)
    old = {name: key["id"] for name, key in fleet.keys().items() if name != "fresh"}
    quarter = 91 * 86_400 * 1_000_000_000
    with closing(sqlite3.connect(fleet.database)) as store, store:
        for identifier in old.values():
            store.execute("UPDATE key_secrets SET created_at = created_at - ? WHERE key = ?", (quarter, identifier))
        store.execute("UPDATE revision SET number = number + 1")
    until(lambda: set(fleet.keys("?older_than=90d")) == {"old", "rotated"}, 5, "the gateway to see how old they are")
    assert fleet.keys()["old"]["age_days"] == 91
    fleet.rotate(old["rotated"])
    assert set(fleet.keys("?older_than=90d")) == {"old"} and fleet.keys()["rotated"]["age_days"] == 0
    listed = run_portcullis("key", "list", "--older-than", "90d", "--config", str(fleet.gateway.path))
    assert listed.returncode == 0 and old["old"] in listed.stdout and old["rotated"] not in listed.stdout


def test_rb15_rotation_keeps_the_old_secret_for_a_while(fleet: Fleet) -> None:
    old = fleet.add_key(name="rotating")
    identifier = fleet.keys()["rotating"]["id"]
    new = fleet.rotate(identifier, overlap="1h")
    assert fleet.get(X_API_Key=new).status_code == fleet.get(X_API_Key=old).status_code == 200
    last = fleet.rotate(identifier, overlap="0s")
    assert fleet.get(X_API_Key=last).status_code == 200
    assert fleet.get(X_API_Key=old).status_code == fleet.get(X_API_Key=new).status_code == 401


@pytest.mark.timeout(120)
def test_the_page(tmp_path: Path) -> None:
    assert run_page("roboticks", tmp_path)
