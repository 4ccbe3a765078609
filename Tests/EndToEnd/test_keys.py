"""API keys: where they may stand, what a record can say, and the commands that make them."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.client import ask, reason
from harness.gateway import Gateway, run_portcullis
from harness.policy import Json, api_key, key_authenticator, keyed_policy, open_route, policy
from harness.protocols import ALL
from harness.upstream import Upstream

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

pytestmark = [pytest.mark.clients(*ALL), pytest.mark.upstreams("https", "h2c", "h2", one=True)]


def test_a_key_is_let_through_and_does_not_travel_on(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    secret, record = api_key("ci", scopes=["a", "b"])
    running = gateway(keyed_policy(origin.port, records=[record]))
    for field in (f"X-API-Key: {secret}", f"x-api-key:{secret}", f"Authorization: Bearer {secret}"):
        assert ask(running.port, fields=[field]).status == 200
        seen = origin.requests[-1]
        assert seen.value("x-auth-subject") == "ci@acme"
        assert seen.value("x-auth-method") == "api_key"
        assert seen.value("x-auth-credential") == "ci"
        assert seen.value("x-auth-scopes") == "a b"
        assert secret.encode() not in seen.head


BAD = ["wrong", "rbtk_wrong", "", " ", "rbtk_" + "a" * 4000, "rbtk_\xff"]


@pytest.mark.parametrize("key", BAD)
def test_a_bad_key_is_401(gateway: Start, upstream: Origin, key: str) -> None:
    origin = upstream()
    _, record = api_key()
    answer = ask(gateway(keyed_policy(origin.port, records=[record])).port, fields=[f"X-API-Key: {key}"])
    assert answer.status in (400, 401) and answer.value("cache-control") == "no-store"
    assert not origin.requests


def test_a_doubled_key_is_refused(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    secret, record = api_key()
    answer = ask(gateway(keyed_policy(origin.port, records=[record])).port, fields=[f"X-API-Key: {secret}"] * 2)
    assert answer.status in (400, 401)
    assert not origin.requests


RECORDS = {
    "disabled": ({"enabled": False}, 401),
    "expired": ({"expires_at": "2020-01-01T00:00:00Z"}, 401),
    "not yet valid": ({"not_before": "2098-01-01T00:00:00Z"}, 401),
    "from a wrong address": ({"allow_ips": ["10.0.0.0/8"]}, 403),
    "from a right address": ({"allow_ips": ["10.0.0.0/8", "127.0.0.1"]}, 200),
    "lacking a scope": ({"scopes": ["other"]}, 403),
    "having the scope": ({"scopes": ["other", "read"]}, 200),
}


@pytest.mark.parametrize(("members", "status"), RECORDS.values(), ids=RECORDS.keys())
def test_what_a_record_says(gateway: Start, upstream: Origin, members: Json, status: int) -> None:
    origin = upstream()
    secret, record = api_key(**({"scopes": ["read"]} | members))
    config = keyed_policy(origin.port, records=[record], route={"authorize": {"scopes": ["read"]}})
    answer = ask(gateway(config).port, fields=[f"X-API-Key: {secret}"])
    assert answer.status == status, answer.body
    assert len(origin.requests) == (status == 200)


def test_two_secrets_of_one_record_overlap(gateway: Start, upstream: Origin) -> None:
    old, new, gone = (api_key()[0] for _ in range(3))

    def digest(secret: str) -> str:
        return hashlib.sha256(secret.encode()).hexdigest()

    record = {
        "id": "ci",
        "subject": "ci",
        "secrets": [
            {"sha256": digest(old), "expires_at": "2090-01-01T00:00:00Z"},
            {"sha256": digest(new), "not_before": "2020-01-01T00:00:00Z"},
            {"sha256": digest(gone), "expires_at": "2020-01-01T00:00:00Z"},
        ],
    }
    port = gateway(keyed_policy(upstream().port, records=[record])).port
    assert [ask(port, fields=[f"X-API-Key: {secret}"]).status for secret in (old, new, gone)] == [200, 200, 401]


def test_a_pepper_from_the_environment(gateway: Start, upstream: Origin) -> None:
    secret, record = api_key()
    pepper = "0123456789abcdef0123456789abcdef"
    del record["sha256"]
    record["hmac_sha256"] = hmac.new(pepper.encode(), secret.encode(), "sha256").hexdigest()
    config = keyed_policy(upstream().port, records=[record])
    config["authenticators"]["keys"]["pepper"] = "env:TEST_PEPPER"
    running = gateway(config, environment={"TEST_PEPPER": pepper})
    assert ask(running.port, fields=[f"X-API-Key: {secret}"]).status == 200
    assert ask(running.port, fields=[f"X-API-Key: {secret}x"]).status == 401


def test_a_cookie_credential_leaves_the_other_cookies(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    secret, record = api_key()
    config = keyed_policy(origin.port, records=[record])
    config["authenticators"]["keys"]["from"] = ["cookie:session"]
    port = gateway(config).port
    assert ask(port, fields=[f"Cookie: a=1; session={secret}; b=2"]).status == 200
    cookie = origin.requests[0].value("cookie")
    assert secret not in cookie and "a=1" in cookie and "b=2" in cookie


def test_a_query_credential_only_where_switched_on(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    secret, record = api_key()
    config = keyed_policy(origin.port, records=[record])
    config["authenticators"]["keys"]["from"] = ["query:key"]
    config["authenticators"]["keys"]["allow_query"] = True
    running = gateway(config)
    assert ask(running.port, f"/x?a=1&key={secret}&b=2").status == 200
    assert origin.requests[0].target == "/x?a=1&b=2"
    running.access_records(1)
    assert secret not in running.access_text()


@pytest.mark.clients("h1")
def test_a_query_source_without_the_switch_is_an_error(upstream: Origin, tmp_path: Path) -> None:
    _, record = api_key()
    config = keyed_policy(upstream().port, records=[record])
    config["authenticators"]["keys"]["from"] = ["query:key"]
    (tmp_path / "gateway.json").write_text(json.dumps(config))
    checked = run_portcullis("check", "--config", "gateway.json", folder=tmp_path)
    assert checked.returncode == 1 and "allow_query" in checked.stdout + checked.stderr


def test_a_keys_file(gateway: Start, upstream: Origin, tmp_path: Path) -> None:
    secrets = []
    with open(tmp_path / "keys.jsonl", "w") as file:
        for number in range(2000):
            secret, record = api_key(f"key-{number}")
            secrets.append(secret)
            file.write(json.dumps(record) + "\n")
    config = policy(
        upstream().port,
        authenticators={"keys": key_authenticator(keys_file=str(tmp_path / "keys.jsonl"))},
        routes=[open_route(authenticate=["keys"])],
    )
    port = gateway(config).port
    for secret in (secrets[0], secrets[999], secrets[-1]):
        assert ask(port, fields=[f"X-API-Key: {secret}"]).status == 200


def test_a_new_key_works(gateway: Start, upstream: Origin) -> None:
    made = run_portcullis(
        "key",
        "new",
        "--json",
        "--prefix",
        "rbtk",
        "--id",
        "fresh",
        "--subject",
        "fresh@acme",
        "--scopes",
        "a,b",
        "--expires-in",
        "90d",
    )
    assert made.returncode == 0, made.stderr
    answer = json.loads(made.stdout)
    secret, record = answer["secret"], answer["record"]
    assert re.fullmatch(r"rbtk_[0-9A-Za-z]{22,}", secret)
    assert secret not in json.dumps(record)
    assert record["scopes"] == ["a", "b"] and record["id"] == "fresh"
    port = gateway(keyed_policy(upstream().port, records=[record])).port
    assert ask(port, fields=[f"X-API-Key: {secret}"]).status == 200


@pytest.mark.clients("h1")
def test_new_keys_differ() -> None:
    made = {run_portcullis("key", "new", "--json", "--id", "x").stdout for _ in range(5)}
    assert len(made) == 5


@pytest.mark.clients("h1")
def test_the_digest_of_a_key_read_from_standard_input() -> None:
    secret = "rbtk_abcdefghijklmnopqrstuv"
    made = run_portcullis("key", "hash", given=secret + "\n")
    assert made.returncode == 0
    assert hashlib.sha256(secret.encode()).hexdigest() in made.stdout
    assert secret not in made.stdout + made.stderr


def test_any_of_never_turns_a_bad_credential_into_an_absent_one(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    secret, record = api_key()
    config = keyed_policy(origin.port, records=[record], route={"authenticate": {"optional": ["keys"]}})
    port = gateway(config).port
    assert ask(port).status == 200
    assert "x-auth-subject" not in origin.requests[-1].names()
    assert ask(port, fields=[f"X-API-Key: {secret}"]).status == 200
    assert origin.requests[-1].value("x-auth-subject") == "ci@acme"
    assert ask(port, fields=["X-API-Key: rbtk_bad"]).status == 401
    assert len(origin.requests) == 2


def test_all_of_wants_every_credential(gateway: Start, upstream: Origin) -> None:
    first, record_one = api_key("one")
    second, record_two = api_key("two")
    config = policy(
        upstream().port,
        authenticators={
            "one": key_authenticator(record_one, **{"from": ["header:X-One"]}),
            "two": key_authenticator(record_two, **{"from": ["header:X-Two"]}),
        },
        routes=[open_route(authenticate={"all_of": ["one", "two"]})],
    )
    port = gateway(config).port
    assert ask(port, fields=[f"X-One: {first}", f"X-Two: {second}"]).status == 200
    assert ask(port, fields=[f"X-One: {first}"]).status == 401
    assert ask(port, fields=[f"X-Two: {second}"]).status == 401
    assert ask(port, fields=[f"X-One: {second}", f"X-Two: {first}"]).status == 401


@pytest.mark.parametrize("names", [["one", "two"], ["two", "one"]])
def test_all_of_holds_the_bounds_of_every_credential_in_either_order(gateway: Start, upstream: Origin, names: list[str]) -> None:
    first, record_one = api_key("one")
    second, record_two = api_key("two")
    record_two |= {"allow_ips": ["10.0.0.0/8"]}
    third, record_three = api_key("three")
    record_three |= {"realm": "blue", "limits": ["once"]}
    config = policy(
        upstream().port,
        limits={"once": {"requests": 1, "per": "1h"}},
        authenticators={
            "one": key_authenticator(record_one, **{"from": ["header:X-One"]}),
            "two": key_authenticator(record_two, record_three, **{"from": ["header:X-Two"]}),
        },
        routes=[open_route(authenticate={"all_of": names}, realm={"header": "X-Realm", "required": False})],
    )
    port = gateway(config).port

    def outcome(*fields: str) -> str:
        answer = ask(port, fields=[f"X-One: {first}", *fields])
        return "" if answer.status == 200 else reason(answer)

    assert outcome(f"X-Two: {second}") == "address_not_allowed"
    assert outcome(f"X-Two: {third}", "X-Realm: green") == "realm_not_allowed"
    assert outcome(f"X-Two: {third}", "X-Realm: blue") == ""
    assert outcome(f"X-Two: {third}", "X-Realm: blue") == "rate_limited"


def test_guessing_is_stopped_before_the_key_is_looked_at(gateway: Start, upstream: Origin) -> None:
    secret, record = api_key()
    config = keyed_policy(upstream().port, records=[record], failure_budget={"failures": 10, "per": "10m", "burst": 10})
    port = gateway(config).port
    statuses = [ask(port, fields=[f"X-API-Key: rbtk_{number}"]).status for number in range(15)]
    assert statuses[:10] == [401] * 10 and set(statuses[11:]) == {429}
    stopped = ask(port, fields=[f"X-API-Key: {secret}"])
    assert stopped.status == 429 and int(stopped.value("retry-after")) >= 1
    assert ask(port, fields=[f"X-API-Key: {secret}"], source="127.0.0.9").status == 200


def test_a_forgotten_client_with_one_bad_key_shuts_out_nobody(gateway: Start, upstream: Origin) -> None:
    secret, record = api_key()
    config = keyed_policy(upstream().port, records=[record], failure_budget={"failures": 10, "per": "10m", "burst": 10})
    port = gateway(config).port
    assert {ask(port, fields=["X-API-Key: rbtk_forgotten"]).status for _ in range(30)} == {401}
    assert ask(port, fields=[f"X-API-Key: {secret}"]).status == 200
    for number in range(12):
        ask(port, fields=[f"X-API-Key: rbtk_{number}"])
    # Guessing has used the budget up: what was accepted before passes, and nothing else.
    assert ask(port, fields=["X-API-Key: rbtk_forgotten"]).status == 429
    assert ask(port, fields=[f"X-API-Key: {secret}"]).status == 200


def test_credentials_are_kept_where_a_route_says_so(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    secret, record = api_key()
    config = keyed_policy(origin.port, records=[record], route={"keep_credentials": True})
    assert ask(gateway(config).port, fields=[f"X-API-Key: {secret}"]).status == 200
    assert origin.requests[0].value("x-api-key") == secret


@pytest.mark.parametrize(
    "target",
    [
        "/open/../secret",
        "/open/%2e%2e/secret",
        "/open/..%2fsecret",
        "/open/%2E./secret",
        "/open\\..\\secret",
        "/open/..;/secret",
        "/open/%252e%252e/secret",
        "//secret",
        "/./secret",
        "/secret/",
        "/SECRET",
        "/secre%74",
        "/open/..%5csecret",
        "/%73ecret",
        "/secret%00",
        "/secret;x",
    ],
)
def test_no_spelling_of_a_guarded_path_is_open(gateway: Start, upstream: Origin, target: str) -> None:
    origin = upstream()
    _, record = api_key()
    config = policy(
        origin.port,
        authenticators={"keys": key_authenticator(record)},
        routes=[
            open_route(match={"path": "/open/**"}),
            open_route(name="secret", match={"path": "/secret"}, authenticate=["keys"]),
        ],
    )
    answer = ask(gateway(config).port, target)
    if answer.status == 200:
        assert origin.requests[0].target.startswith("/open/") and ".." not in origin.requests[0].target.lower().replace(
            "%2e", "."
        ).replace("%252e", "")
    else:
        assert answer.status in (400, 401, 404)
        assert not origin.requests


def test_no_route_no_entry(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    answer = ask(gateway(policy(origin.port, routes=[open_route(match={"path": "/only"})])).port, "/other")
    assert answer.status == 404 and reason(answer)
    assert not origin.requests
