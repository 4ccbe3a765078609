"""Headers the upstream may trust: nobody but the gateway can set them, in no spelling and by no trick."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from harness.client import RawClient, ask, request
from harness.gateway import Gateway
from harness.issuer import SigningKey, jwt_authenticator
from harness.messages import Message
from harness.policy import Json, api_key, keyed_policy, open_route, policy
from harness.protocols import ALL, HTTP1_ONLY
from harness.upstream import Upstream

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

pytestmark = [pytest.mark.clients(*ALL), pytest.mark.upstreams("https", "h2c", "h2", one=True)]

NAMES = ["X-Auth-Subject", "X-Auth-Method", "X-Auth-Credential", "X-Auth-Issuer", "X-Auth-Scopes"]


def normal(name: str) -> str:
    """As WSGI, CGI, PHP and lighttpd fold names."""
    return re.sub("[^a-z0-9]", "_", name.lower())


def identity_fields(message: Message) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in message.fields:
        if normal(name).startswith("x_auth_"):
            found.setdefault(normal(name), []).append(value)
    return found


def spellings(name: str) -> list[str]:
    return [
        name,
        name.lower(),
        name.upper(),
        name.replace("-", "_"),
        name.replace("-", "."),
        name.replace("-", "_", 1),
        name.replace("-", ".", 1).lower(),
        name.replace("-", "_").upper(),
        *(name.replace("-", mark) for mark in "!#$%&'*+^`|~"),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_spoofed_on_a_keyed_route(gateway: Start, upstream: Origin, name: str) -> None:
    origin = upstream()
    secret, record = api_key(scopes=["a"])
    running = gateway(keyed_policy(origin.port, records=[record]))
    clean = ask(running.port, fields=[f"X-API-Key: {secret}"])
    assert clean.status == 200
    expected = identity_fields(origin.requests[0])
    for spelling in spellings(name):
        ask(running.port, fields=[f"{spelling}: root", f"X-API-Key: {secret}", f"{spelling}:admin"])
        assert identity_fields(origin.requests[-1]) == expected, spelling
        assert b"root" not in origin.requests[-1].head


@pytest.mark.parametrize("name", NAMES)
def test_spoofed_on_an_open_route(gateway: Start, upstream: Origin, name: str) -> None:
    origin = upstream()
    running = gateway(policy(origin.port))
    for spelling in spellings(name):
        ask(running.port, fields=[f"{spelling}: root"])
        assert b"root" not in origin.requests[-1].head, spelling


@pytest.mark.clients(*HTTP1_ONLY)
def test_spoofed_in_trailers(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    running = gateway(policy(origin.port))
    with RawClient(running.port) as client:
        client.send(
            "POST / HTTP/1.1\r\nHost: gw.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Auth-Subject: root\r\n"
            "x_auth_scopes: root\r\nX~Auth~Method: root\r\nX-Auth-Roles: root\r\nX*Original*URL: /root\r\n\r\n"
        )
        client.response("POST")
    assert b"root" not in origin.raw


@pytest.mark.clients(*HTTP1_ONLY)
def test_what_a_route_matches_or_keeps_is_in_no_trailer(gateway: Start, upstream: Origin) -> None:
    """A server that merges trailers into the head would take them for what the gateway has looked at."""
    origin = upstream()
    rules = policy(origin.port)
    matched = dict(rules["routes"][0], name="matched", match={"path": "/admin", "headers": {"X-Role": "admin"}})
    running = gateway({**rules, "routes": [*rules["routes"], matched]})
    with RawClient(running.port) as client:
        client.send(
            "POST / HTTP/1.1\r\nHost: gw.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
            "X-Role: root\r\nx_role: root\r\nX-Harmless: yes\r\n\r\n"
        )
        client.response("POST")
    assert b"root" not in origin.raw and b"X-Harmless: yes" in origin.raw


def test_the_whole_prefix_is_reserved(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    running = gateway(policy(origin.port, identity_headers={"X-Tenant": "{subject}"}))
    for name in ("X-Auth-Roles", "X~Auth~Email", "x_auth_", "X|Auth|Request|User", "X+Tenant", "X|Tenant", "X'Tenant"):
        ask(running.port, fields=[f"{name}: root"])
        assert b"root" not in origin.requests[-1].head, name


@pytest.mark.parametrize("name", ["X-Original-URL", "X_Rewrite_URL", "x~http~method~override", "X-Forwarded-Prefix", "Proxy"])
def test_no_client_claims_another_target(gateway: Start, upstream: Origin, name: str) -> None:
    """Symfony, IIS, Rails, Spring and others would serve it, and not what was authorized."""
    origin = upstream()
    ask(gateway(policy(origin.port)).port, fields=[f"{name}: /root"])
    assert b"/root" not in origin.requests[-1].head
    ask(gateway(policy(origin.port, override_headers="keep")).port, fields=[f"{name}: /root"])
    assert b"/root" in origin.requests[-1].head


@pytest.mark.clients(*HTTP1_ONLY)
@pytest.mark.parametrize(
    "named", ["X-Auth-Subject", "x-auth-subject, close", "X_Auth_Subject", "X-Auth-Subject,X-Auth-Method,Via"]
)
def test_connection_cannot_remove_them(gateway: Start, upstream: Origin, named: str) -> None:
    origin = upstream()
    secret, record = api_key()
    running = gateway(keyed_policy(origin.port, records=[record]))
    assert ask(running.port, fields=[f"Connection: {named}", f"X-API-Key: {secret}"]).status == 200
    assert origin.requests[0].value("x-auth-subject") == "ci@acme"
    assert origin.requests[0].value("x-auth-method") == "api_key"


def test_renamed_and_dropped(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    secret, record = api_key()
    config = keyed_policy(
        origin.port,
        records=[record],
        identity_headers={"X-User": "{subject}", "X-Auth-Subject": None, "X-Auth-Issuer": None},
    )
    running = gateway(config)
    for spelling in ("X-User", "x_user", "X.USER"):
        ask(running.port, fields=[f"X-API-Key: {secret}", f"{spelling}: root", "X-Auth-Subject: root"])
        seen = origin.requests[-1]
        assert seen.value("x-user") == "ci@acme"
        assert b"root" not in seen.head, "the default name must stay closed"


def token_run(gateway: Start, upstream: Origin, headers: Json, claims: Json) -> Message:
    origin = upstream()
    key = SigningKey("ES256")
    config = policy(
        origin.port,
        key_sets={"issuer": {"keys": [key.jwk()]}},
        authenticators={"jwt": jwt_authenticator("ES256")},
        routes=[
            open_route(
                match={"path": "/o/{org}/**"},
                authenticate=["jwt"],
                request_headers={"set": {"X-Org": "{path.org}", "X-Note": "{method}:{route}"}, "remove": ["Cookie"]},
            )
        ],
        identity_headers=headers,
    )
    answer = ask(
        gateway(config).port,
        "/o/acme/x",
        fields=[f"Authorization: Bearer {key.token(**claims)}", "Cookie: a=b", "X-Org: root"],
    )
    assert answer.status == 200, answer.body
    assert "x-org" in origin.requests[0].names()
    return origin.requests[0]


def test_templates(gateway: Start, upstream: Origin) -> None:
    headers = {
        "X-Roles": "{claims./realm/roles}",
        "X-Roles-Json": "{claims./realm/roles|json}",
        "X-Name": "{claims./https:~1~1x.test~1name}",
        "X-Where": "{client_ip}",
        "X-Absent": "{claims./nope}",
    }
    claims = {"realm": {"roles": ["a", "b"]}, "https://x.test/name": "plain"}
    seen = token_run(gateway, upstream, headers, claims)
    assert seen.value("x-roles") == "a,b"
    assert seen.value("x-roles-json") == '["a","b"]'
    assert seen.value("x-name") == "plain"
    assert seen.value("x-where") == "127.0.0.1"
    assert seen.value("x-org") == "acme"
    assert seen.value("x-note") == "jwt:open"
    assert "cookie" not in seen.names()
    assert not seen.value("x-absent")


@pytest.mark.parametrize(
    "name", ["a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\0b", "\u20ac\u00e9", "a\u0085b", "\u2028", "x" * 30_000]
)
def test_hostile_claim_values(gateway: Start, upstream: Origin, name: str) -> None:
    """A claim may hold anything; the header line stays one line of visible ASCII."""
    origin = upstream()
    key = SigningKey("ES256")
    config = policy(
        origin.port,
        key_sets={"issuer": {"keys": [key.jwk()]}},
        authenticators={"jwt": jwt_authenticator("ES256", token_bytes="64KiB")},
        bounds={"head_bytes": "256KiB"},
        routes=[open_route(authenticate=["jwt"])],
        identity_headers={"X-Name": "{claims./name}"},
    )
    answer = ask(gateway(config).port, fields=[f"Authorization: Bearer {key.token(name=name)}"])
    assert answer.status in (200, 400, 401, 403, 431)
    for seen in origin.requests:
        assert "x-evil" not in seen.names()
        for value in seen.values("x-name"):
            assert all(0x20 <= ord(character) < 0x7F for character in value)
            assert len(value) <= 8192


@pytest.mark.clients(*HTTP1_ONLY)
def test_request_ids(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    running = gateway(policy(origin.port))
    answer = ask(running.port, fields=["X-Request-ID: from-a-stranger"])
    mine = answer.value("x-request-id")
    assert mine and mine != "from-a-stranger"
    assert origin.requests[0].value("x-request-id") == mine
    assert ask(running.port).value("x-request-id") != mine
    with RawClient(running.port) as client:
        assert client.send("BAD\r\n\r\n").response().value("x-request-id")


def test_request_ids_of_trusted_peers(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    running = gateway(policy(origin.port, trusted_proxies=["127.0.0.1"]))
    assert ask(running.port, fields=["X-Request-ID: abc-1"]).value("x-request-id") == "abc-1"
    assert origin.requests[0].value("x-request-id") == "abc-1"
    for bad in ("a b", 'a"b', "x" * 200):
        assert ask(running.port, fields=[f"X-Request-ID: {bad}"]).value("x-request-id") != bad


def test_traces_are_continued(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    running = gateway(policy(origin.port))
    trace = "0af7651916cd43dd8448eb211c80319c"
    ask(running.port, fields=[f"traceparent: 00-{trace}-b7ad6b7169203331-01", "tracestate: a=1"])
    version, carried, parent, flags = origin.requests[0].value("traceparent").split("-")
    assert (version, carried, flags) == ("00", trace, "01") and parent != "b7ad6b7169203331"
    assert origin.requests[0].value("tracestate") == "a=1"
    for bad in ("00-" + "0" * 32 + "-b7ad6b7169203331-01", "nonsense", f"ff-{trace}-b7ad6b7169203331-01"):
        ask(running.port, fields=[f"traceparent: {bad}"])
        assert bad not in origin.requests[-1].values("traceparent")


def test_no_server_header_of_ours(gateway: Start, upstream: Origin) -> None:
    running = gateway(policy(upstream().port, routes=[open_route(match={"path": "/only"})]))
    for answer in (ask(running.port, "/only"), ask(running.port, "/none")):
        assert "server" not in answer.names() or "portcullis" not in answer.value("server").lower()


@pytest.mark.clients(*HTTP1_ONLY)
def test_many_fields_at_once(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    secret, record = api_key()
    running = gateway(keyed_policy(origin.port, records=[record]))
    noise = [f"X-Field-{number}: {number}" for number in range(60)]
    spoofs = [f"{spelling}: root" for name in NAMES for spelling in spellings(name)][::3]
    with RawClient(running.port) as client:
        answer = client.send(request(fields=[*noise, *spoofs, f"X-API-Key: {secret}"])).response()
    assert answer.status == 200
    assert b"root" not in origin.requests[0].head
    assert [value for name, value in origin.requests[0].fields if name.startswith("X-Field-")] == [
        str(n) for n in range(60)
    ]
