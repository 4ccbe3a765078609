"""What strangers try with realms: each test is named after the trick."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import jwt
import pytest
from harness.authrocket import KEY, LOCKED, OTHER_REALM, REALM, Account, json_answer, key
from harness.certificates import shelf
from harness.client import RawClient, request
from harness.gateway import Gateway
from harness.systems import example
from harness.upstream import Upstream, answering

SECRET = "jsk_chosen-by-whoever-manages-the-keys-of-one-realm"
NEW = {"algo": "hs256", "use": "sign"}


@pytest.fixture
def account(gateway: Callable[..., Gateway], upstream: Callable[..., Upstream], tmp_path: Path) -> Iterator[Account]:
    """The example with users' tokens taken below /app, in a realm, and below /any, in none."""
    origin = upstream(answering(lambda _: json_answer(b"{}")))
    policy = example("authrocket", origin.port)
    logins = {"type": "jwt", "from": ["bearer"], "algorithms": ["HS256", "RS256"], "key_set": "logins"}
    routes = [
        {"name": "app", "match": {"path": "/app/**"}, "realm": {"header": "Authrocket-Realm"}},
        {"name": "any", "match": {"path": "/any/**"}},
    ]
    routes = [route | {"authenticate": ["logins"], "upstream": "api"} for route in routes]
    one = Account(
        gateway, tmp_path, origin, authenticators=policy["authenticators"] | {"logins": logins}, routes=[*policy["routes"], *routes]
    )
    yield one
    one.session.close()


def test_keys_of_one_realm_make_no_tokens_for_another(account: Account) -> None:
    """Whoever manages the keys of a realm may choose a key, and sign whatever he likes with it."""
    made = account.call("POST", "/v1/jwt_keys", key(), json={"jwt_key": NEW | {"key": SECRET}})
    assert made.status_code == 201 and made.json()["realm_id"] == REALM
    claims = {"sub": "ada", "rid": OTHER_REALM, "exp": int(time.time()) + 60}
    for header in ({"kid": made.json()["id"]}, {}):
        bearer = {"Authorization": "Bearer " + jwt.encode(claims, SECRET, algorithm="HS256", headers=header)}
        assert account.call("GET", "/app/x", bearer | {"Authrocket-Realm": REALM}).status_code == 200
        assert account.call("GET", "/app/x", bearer).status_code == 200 and account.realm_seen() == REALM
        assert account.call("GET", "/app/x", bearer | {"Authrocket-Realm": OTHER_REALM}).status_code == 403
        assert account.call("GET", "/any/x", bearer | {"X-Realm": OTHER_REALM}).status_code == 200
        assert account.realm_seen() != OTHER_REALM


def test_keys_of_another_realm_are_not_there(account: Account) -> None:
    """Neither by the realm that the call names nor by the lock of a key."""
    mine = account.call("POST", "/v1/jwt_keys", key(), json={"jwt_key": NEW}).json()["id"]
    theirs = account.call("POST", "/v1/jwt_keys", key(realm=OTHER_REALM), json={"jwt_key": NEW}).json()["id"]
    locked = account.admin.make("api_keys?authenticator=account", name="l", realm=REALM, scopes=["admin_realm"])["key"]
    for fields in (key(), key(locked, None)):
        listed = account.call("GET", "/v1/jwt_keys", fields).json()["collection"]
        assert [one["id"] for one in listed] == [mine]
        for method in ("GET", "DELETE"):
            assert account.call(method, f"/v1/jwt_keys/{theirs}", fields).status_code == 404
        assert account.call("GET", f"/v1/jwt_keys?after={theirs}", fields).status_code == 422
    for query in (f"?realm_id={OTHER_REALM}", f"?realm%5Fid={OTHER_REALM}"):
        assert account.call("GET", f"/v1/jwt_keys/{theirs}{query}", key(locked, None)).status_code == 403
    # Behind an ampersand in the path nothing but the published spelling is read, and it is held against the lock as well.
    for method in ("GET", "DELETE"):
        path = f"/v1/jwt_keys/{theirs}&realm_id={OTHER_REALM}"
        assert account.call(method, path, key(locked, None)).status_code in (403, 404, 422)
    made = account.call("POST", "/v1/jwt_keys", key(locked, None), json={"jwt_key": NEW, "realm_id": OTHER_REALM})
    assert made.status_code == 403
    listed = account.call("GET", "/v1/jwt_keys", key(realm=OTHER_REALM)).json()["collection"]
    assert [one["id"] for one in listed] == [theirs]


@pytest.mark.parametrize("size", [16_384, 65_535, 65_536])
def test_content_that_is_held_back_is_passed_on_whole(account: Account, size: int) -> None:
    body = b'{"realm_id": "%s", "x": "%s"}' % (REALM.encode(), b"")
    body = body[:-2] + b"x" * (size - len(body)) + body[-2:]
    fields = key(KEY, None) | {"Content-Type": "application/json"}
    assert account.call("POST", "/v1/users", fields, data=body).status_code == 200
    assert account.origin.requests[-1].body == body and account.realm_seen() == REALM


FIELDS = [f"Authrocket-Api-Key: {KEY}", "Accept: application/json", "Content-Type: application/json"]


def test_content_that_is_held_back_byte_by_byte(account: Account) -> None:
    body = b'{"realm_id": "%s"}' % OTHER_REALM.encode()
    with RawClient(account.secure) as client:
        client.send(request("POST", "/v1/users", [*FIELDS, "Expect: 100-continue", f"Content-Length: {len(body)}"]))
        assert client.read_head().status == 100
        for byte in body:
            client.send(bytes([byte]))
        assert client.response("POST").status == 200
    assert account.origin.requests[-1].body == body and account.realm_seen() == OTHER_REALM
    assert account.origin.requests[-1].value("expect") is None


def test_pipelined_content_that_is_held_back(account: Account) -> None:
    bodies = [b'{"realm_id": "%s", "n": %d}' % (realm.encode(), n) for n, realm in enumerate([REALM, OTHER_REALM, "a b", REALM])]
    with RawClient(account.secure) as client:
        client.send(b"".join(request("POST", f"/v1/users/{n}", FIELDS, body) for n, body in enumerate(bodies)))
        assert [client.response("POST").status for _ in bodies] == [200, 200, 400, 200]
    assert [one.body for one in account.origin.requests] == [bodies[0], bodies[1], bodies[3]]
    assert [one.value("x-realm") for one in account.origin.requests] == [REALM, OTHER_REALM, REALM]


def test_chunked_content_that_is_held_back_with_trailers(account: Account) -> None:
    """Chunks are put together anew; what follows them does not go on."""
    body = b'{"realm_id": "%s"}' % REALM.encode()
    with RawClient(account.secure) as client:
        client.send(request("PUT", "/v1/users/1", [*FIELDS, "Transfer-Encoding: chunked"]))
        for part in (body[:1], body[1:9], body[9:]):
            client.send(b"%x\r\n%s\r\n" % (len(part), part))
        client.send(b"0\r\nX-Realm: forged\r\nAuthrocket-Realm: forged\r\n\r\n")
        assert client.response("PUT").status == 200
        client.send(request("GET", f"/v1/users?realm_id={REALM}", FIELDS))
        assert client.response().status == 200
    assert account.origin.requests[0].body == body and b"forged" not in account.origin.raw


@pytest.mark.parametrize("content", [b"", b"{", b'{"realm_id": "%s"' % REALM.encode()])
def test_content_that_never_ends(account: Account, content: bytes) -> None:
    """It is nobody's request; those who leave take it with them."""
    for _ in range(20):
        with RawClient(account.secure) as client:
            client.send(request("POST", "/v1/users", [*FIELDS, "Content-Length: 60000"]) + content)
            client.reset()
    assert account.call("GET", "/v1/users", key()).status_code == 200
    assert [one.method for one in account.origin.requests] == ["GET"] and account.gateway.is_alive()


@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS", "PATCH"])
def test_content_of_methods_that_seldom_have_any(account: Account, method: str) -> None:
    """Some frameworks read it all the same."""
    content = b'{"realm_id": "%s"}' % OTHER_REALM.encode()
    fields = [f"Authrocket-Api-Key: {LOCKED}", "Accept: application/json", "Content-Type: application/json"]
    with RawClient(account.secure) as client:
        client.send(request(method, "/v1/users", fields, content))
        assert client.response(method).status == 403
    assert not account.origin.requests


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_content_over_either_version(account: Account, version: str) -> None:
    body = '{"realm_id": "%s", "x": "%s"}' % (REALM, "x" * 65_000)
    done = subprocess.run(
        ["curl", "-s", "--noproxy", "*", version, "--cacert", str(shelf().authority.path), "-o", "/dev/null", "-w", "%{http_code}",
         "--data-binary", "@-", *(word for field in FIELDS for word in ("-H", field)), f"https://localhost:{account.secure}/v1/users"],
        input=body, capture_output=True, text=True, timeout=20,
    )
    assert done.stdout == "200"
    assert account.origin.requests[-1].body == body.encode() and account.realm_seen() == REALM


def test_an_upstream_that_is_gone_gets_nothing_of_it(account: Account) -> None:
    account.origin.stop()
    answer = account.call("POST", "/v1/users", key(KEY, None) | {"Content-Type": "application/json"}, json={"realm_id": REALM})
    assert answer.status_code == 502 and list(answer.json()) == ["errors"]
