"""Tokens that the gateway issues: signed by keys of its store, verified by strangers, ended with what they came from."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from harness.client import ask
from harness.gateway import Gateway, run_portcullis
from harness.upstream import Upstream, answering, ok
from harness.waiting import until
from jwt.algorithms import RSAAlgorithm

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]
KEY = "k" * 40
EMAIL, PASSWORD = "ada@example.org", "correct horse battery staple"


def policy(port: int, folder: Path, **members: Any) -> dict[str, Any]:
    """Keys of the file and of the store, tokens of both kinds of key set, sign-in, refresh tokens."""
    terms = {"key_set": "own", "lifetime": "10m"}
    refresh = {"refresh_tokens": {"lifetime": "1h"}}
    record = {"id": "filed", "sha256": hashlib.sha256(KEY.encode()).hexdigest(), "subject": "filed@acme", "scopes": ["read"]}
    return {
        "listeners": [{"address": "127.0.0.1:0"}],
        "admin": {"address": "127.0.0.1:0"},
        "store": {"sqlite": str(folder / "store.db"), "encryption_key": "env:STORE_KEY"},
        "upstreams": {"origin": {"servers": [f"http://127.0.0.1:{port}"]}},
        "key_sets": {
            "own": {"stored": True, "algorithms": ["HS256"]},
            "pairs": {"stored": True, "algorithms": ["RS256"]},
        },
        "authenticators": {
            "keys": {"type": "api_key", "from": ["header:X-API-Key"], "keys": [record], "stored": True},
            "tokens": {
                "type": "jwt",
                "algorithms": ["HS256"],
                "key_set": "own",
                "leeway": "0s",
                "derived_from": {"authenticator": "keys", "claim": "/id"},
            },
        },
        "routes": [
            {"name": "api", "match": {"path": "/api"}, "authenticate": ["keys", "tokens"], "upstream": "origin"},
            {"name": "mint", "match": {"path": "/mint"}, "authenticate": ["keys"], "action": {"mint_token": terms | refresh}},
            {
                "name": "pair",
                "match": {"path": "/pair"},
                "authenticate": ["keys"],
                "action": {"mint_token": {"key_set": "pairs"}},
            },
            {"name": "jwks", "match": {"path": "/jwks"}, "authenticate": "none", "action": {"publish_keys": {"key_set": "pairs"}}},
            {
                "name": "x5c", "match": {"path": "/x5c"}, "authenticate": "none",
                "action": {"publish_keys": {"key_set": "pairs", "x5c": "public_key"}},
            },
            {"name": "login", "match": {"path": "/login"}, "authenticate": "none", "action": {"login": terms | refresh}},
            {
                "name": "refresh",
                "match": {"path": "/refresh"},
                "authenticate": "none",
                "action": {"refresh_token": {"like": "login"}},
            },
        ],
    } | members


class Issuer:
    """A gateway with a store, restarted on the same one where a test asks for it."""

    def __init__(self, start: Start, folder: Path, origin: Upstream, **members: Any) -> None:
        self.start, self.folder = start, folder
        self.environment = {"STORE_KEY": secrets.token_hex(32)}
        self.policy = policy(origin.port, folder, **members)
        self.gateway = start(self.policy, environment=self.environment)
        self.session = requests.Session()
        self.session.trust_env = False

    def again(self, **environment: str) -> None:
        self.gateway = self.start(self.policy, environment=self.environment | environment)

    def call(self, path: str, key: str | None = None, token: str | None = None, **arguments: Any) -> requests.Response:
        fields = ({"X-API-Key": key} if key else {}) | ({"Authorization": f"Bearer {token}"} if token else {})
        method = "POST" if "json" in arguments or "data" in arguments else "GET"
        return self.session.request(method, self.gateway.url + path, headers=fields, timeout=20, **arguments)

    def command(self, *arguments: str, given: str | None = None) -> str:
        done = run_portcullis(*arguments, "--config", str(self.gateway.path), given=given, environment=self.environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def status(self) -> dict[str, Any]:
        return json.loads(self.gateway.admin("/status"))["store"]


@pytest.fixture
def issuer(gateway: Start, upstream: Origin, tmp_path: Path) -> Issuer:
    return Issuer(gateway, tmp_path, upstream(answering(lambda _: ok(b"{}"))))


def reason(answer: requests.Response) -> str:
    return answer.json()["reason"]


def test_a_token_comes_as_oauth_has_it(issuer: Issuer) -> None:
    answer = issuer.call("/mint", KEY)
    document = answer.json()
    assert document["token_type"] == "Bearer" and document["expires_in"] == 600 and document["scope"] == "read"
    assert answer.headers["cache-control"] == "no-store" and answer.headers["content-type"] == "application/json"
    assert issuer.call("/api", token=document["access_token"]).status_code == 200
    claims = jwt.decode(document["access_token"], options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 600 and abs(claims["iat"] - time.time()) < 30


def test_the_header_begins_with_the_algorithm(issuer: Issuer) -> None:
    """As the tokens of the documents that name their key: `eyJhbGciOiJIUzI1NiIs…`. Nothing else depends on the order."""
    token = issuer.call("/mint", KEY).json()["access_token"]
    assert token.startswith("eyJhbGciOiJIUzI1NiIs")
    assert list(jwt.get_unverified_header(token)) == ["alg", "typ", "kid"]


def test_a_refresh_that_is_like_the_sign_in_is_explained_and_compared_so(issuer: Issuer, tmp_path: Path) -> None:
    done = run_portcullis(
        "explain", "--config", str(issuer.gateway.path), "-X", "POST", "http://a.test/refresh", environment=issuer.environment)
    assert 'what refresh_token does not say itself is as of the route "login"' in done.stdout, done.stdout + done.stderr
    terms = {"key_set": "own", "lifetime": "10m", "refresh_tokens": {"lifetime": "1h"}}
    for action, code in ((terms, 0), (terms | {"lifetime": "5m"}, 1)):
        spelled = json.loads(json.dumps(issuer.policy))
        next(route for route in spelled["routes"] if route["name"] == "refresh")["action"] = {"refresh_token": action}
        (tmp_path / "spelled.json").write_text(json.dumps(spelled))
        done = run_portcullis("diff", str(issuer.gateway.path), str(tmp_path / "spelled.json"), environment=issuer.environment)
        assert done.returncode == code and ("lifetime" in done.stdout) is bool(code), done.stdout + done.stderr


def test_published_keys_verify_tokens_and_hold_no_secret(issuer: Issuer) -> None:
    token = issuer.call("/pair", KEY).json()["access_token"]
    answer = issuer.call("/jwks")
    (published,) = answer.json()["keys"]
    assert set(published) == {"kty", "use", "alg", "kid", "n", "e"}
    assert jwt.get_unverified_header(token) == {"typ": "JWT", "alg": "RS256", "kid": published["kid"]}
    claims = jwt.decode(token, RSAAlgorithm.from_jwk(json.dumps(published)), algorithms=["RS256"])
    assert claims["sub"] == "filed@acme"
    # As authrocket-ruby reads it: the first of x5c between the marks of a public key.
    (for_authrocket,) = issuer.call("/x5c").json()["keys"]
    pem = f"-----BEGIN PUBLIC KEY-----\n{for_authrocket.pop('x5c')[0]}\n-----END PUBLIC KEY-----"
    assert for_authrocket == published and jwt.decode(token, pem, algorithms=["RS256"]) == claims


def test_tokens_and_keys_outlive_a_crash(gateway: Start, upstream: Origin, tmp_path: Path) -> None:
    (tmp_path / "crashing").mkdir()

    def start(config: dict, **options: Any) -> Gateway:
        # The first one is none of the fixture's, which takes a crash for a failure.
        return gateway(config, **options) if crashed else Gateway(config, tmp_path / "crashing", **options)

    crashed = False
    issuer = Issuer(start, tmp_path, upstream(answering(lambda _: ok(b"{}"))))
    token, pair = (issuer.call(path, KEY).json()["access_token"] for path in ("/mint", "/pair"))
    issuer.gateway.kill()
    crashed = True
    issuer.again()
    assert issuer.call("/api", token=token).status_code == 200
    (published,) = issuer.call("/jwks").json()["keys"]
    assert jwt.get_unverified_header(pair)["kid"] == published["kid"]


def test_a_store_that_cannot_be_opened_keeps_nobody_out_who_needs_none(
    gateway: Start, upstream: Origin, tmp_path: Path
) -> None:
    (tmp_path / "store.db").write_bytes(b"this is no database" * 1000)
    issuer = Issuer(gateway, tmp_path, upstream(answering(lambda _: ok(b"{}"))))
    assert issuer.call("/api", KEY).status_code == 200
    for answer in (
        issuer.call("/mint", KEY), issuer.call("/api", "unknown"), issuer.call("/jwks"),
        issuer.call("/login", json={"email": EMAIL, "password": PASSWORD}),
    ):
        assert (answer.status_code, reason(answer)) == (503, "store_unavailable")
    assert not issuer.status()["loaded"] and issuer.status()["error"]
    assert issuer.gateway.metric("portcullis_store_available") == 0
    issuer.gateway.wait_for_line("store")
    checked = run_portcullis("check", "--json", "--config", str(issuer.gateway.path), environment=issuer.environment)
    assert "store_unusable" in {one["code"] for one in json.loads(checked.stdout)["diagnostics"]}
    # Mended, it is found without a restart.
    (tmp_path / "store.db").unlink()
    until(lambda: issuer.call("/mint", KEY).status_code == 200, 10, "the store")
    assert issuer.gateway.metric("portcullis_store_available") == 1


def test_another_encryption_key_is_told_and_changes_nothing(issuer: Issuer) -> None:
    token = issuer.call("/mint", KEY).json()["access_token"]
    issuer.gateway.stop()
    issuer.again(STORE_KEY=secrets.token_hex(32))
    issuer.gateway.wait_for_line("encryption_key")
    assert issuer.call("/api", KEY).status_code == 200
    assert issuer.call("/mint", KEY).status_code == issuer.call("/api", token=token).status_code == 503
    issuer.gateway.stop()
    issuer.again()
    assert issuer.call("/api", token=token).status_code == 200


def test_nothing_secret_is_said_or_kept_in_clear(issuer: Issuer) -> None:
    document = issuer.call("/mint", KEY).json()
    issuer.call("/refresh", json={"refresh_token": "A" * 64})
    issuer.call("/login", json={"email": EMAIL, "password": PASSWORD})
    issuer.gateway.stop()
    said = "\n".join(issuer.gateway.lines) + issuer.gateway.access_path.read_text()
    kept = b"".join(path.read_bytes() for path in issuer.folder.glob("store.db*"))
    for secret in (KEY, PASSWORD, document["access_token"], "A" * 64):
        assert secret not in said and secret.encode() not in kept


def test_bad_refresh_tokens_are_bad_credentials_of_their_address(gateway: Start, upstream: Origin, tmp_path: Path) -> None:
    budget = {"failures": 3, "per": "1h", "burst": 3}
    issuer = Issuer(gateway, tmp_path, upstream(answering(lambda _: ok(b"{}"))), failure_budget=budget)
    assert {issuer.call("/refresh", json={"refresh_token": "A" * 64}).status_code for _ in range(5)} == {401}
    answers = [issuer.call("/refresh", json={"refresh_token": letter * 64}) for letter in "ABCD"]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert reason(answers[-1]) == "too_many_failures" and int(answers[-1].headers["retry-after"]) > 0
    assert issuer.call("/login", json={"email": EMAIL, "password": PASSWORD}).status_code == 429


BODIES = [
    b"", b"{", b"[]", b"null", b'"x"', b"{}", b'{"email":1,"password":2}', b'{"email":"a","email":"b","password":"c"}',
    b'{"email":"a@b.c","password":"\xff"}', b'{"email":{"a":' * 200, b"\x00" * 100, b'{"email":"a@b.c","password":"p"} x',
    b'{"email":"' + b"a" * 60_000 + b'","password":"p"}',
]  # fmt: skip


@pytest.mark.parametrize("path", ["/login", "/refresh"])
def test_malformed_content_is_the_clients_fault(issuer: Issuer, path: str) -> None:
    for body in BODIES:
        answer = issuer.session.post(
            issuer.gateway.url + path, data=body, headers={"Content-Type": "application/json"}, timeout=10
        )
        assert answer.status_code in (400, 422), body[:40]
        assert answer.headers["content-type"] == "application/problem+json"
    large = issuer.session.post(issuer.gateway.url + path, data=b"x" * 70_000, timeout=10)
    assert (large.status_code, reason(large)) == (413, "body_too_large")
    assert issuer.gateway.is_alive()


def test_plain_text_is_json_where_the_route_lists_it(gateway: Start, upstream: Origin, tmp_path: Path) -> None:
    """`fetch` says text/plain of a string that it is given without a Content-Type."""
    routes = policy(1, tmp_path)["routes"]
    mint = next(route for route in routes if route["name"] == "mint")
    routes.append(mint | {"name": "lax", "match": {"path": "/lax"}, "content_types": ["application/json", "text/plain"]})
    issuer = Issuer(gateway, tmp_path, upstream(), routes=routes)

    def post(path: str, content: bytes, *types: str) -> int:
        fields = [f"X-API-Key: {KEY}", *(f"Content-Type: {one}" for one in types)]
        return ask(issuer.gateway.port, path, fields, method="POST", body=content).status

    options = b'{"expires_in":60}'
    for one in ("text/plain", "text/plain;charset=UTF-8", "Text/Plain", "application/json"):
        assert post("/lax", options, one) == 200, one
    for one in ("text/html", "text/plain;charset=utf-16", "application/x-www-form-urlencoded", "text/plain2"):
        assert post("/lax", options, one) == 415, one
    assert post("/lax", options) == post("/lax", options, "text/plain", "application/json") == 415
    assert (post("/lax", b"expires_in=60", "text/plain"), post("/lax", b'{"x":1}', "text/plain")) == (400, 422)
    assert post("/mint", options, "text/plain") == 415
