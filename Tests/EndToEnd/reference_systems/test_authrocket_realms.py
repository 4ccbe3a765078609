"""How calls to AuthRocket name their realm: statements AA8 to AA12 over examples/authrocket.json."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from harness.authrocket import JSON, KEY, LOCKED, OTHER_REALM, REALM, Account, json_answer, key
from harness.client import request
from harness.gateway import Gateway
from harness.upstream import Upstream, answering


@pytest.fixture
def account(gateway: Callable[..., Gateway], upstream: Callable[..., Upstream], tmp_path: Path) -> Iterator[Account]:
    origin = upstream(answering(lambda _: json_answer(b'{"ok": true}')))
    one = Account(gateway, tmp_path, origin)
    yield one
    one.session.close()


# Realms.


def test_aa8_a_header_names_the_realm(account: Account) -> None:
    assert account.get(Authrocket_Api_Key=KEY, Authrocket_Realm=REALM).status_code == 200
    assert account.realm_seen() == REALM


def test_aa9_the_realm_stands_behind_the_bearer_token(account: Account) -> None:
    assert account.get(Authorization=f"Bearer {KEY},{REALM}").status_code == 200
    assert account.realm_seen() == REALM


def test_aa9_the_header_still_works_with_a_bearer_token(account: Account) -> None:
    assert account.get(Authorization=f"Bearer {KEY}", Authrocket_Realm=REALM).status_code == 200
    assert account.realm_seen() == REALM


@pytest.mark.parametrize("suffix", [",", f",{REALM},{OTHER_REALM}", f", {REALM}", f",{REALM} x"])
def test_aa9_a_broken_suffix_is_refused(account: Account, suffix: str) -> None:
    assert account.get(Authorization=f"Bearer {KEY}{suffix}").status_code in (400, 403)
    assert not account.origin.requests


def test_aa10_a_locked_key_needs_no_realm(account: Account) -> None:
    assert account.get(Authrocket_Api_Key=LOCKED).status_code == 200
    assert account.realm_seen() == REALM


def test_aa10_nor_does_one_of_the_store(account: Account) -> None:
    made = account.admin.make("api_keys?authenticator=account", name="locked", realm=OTHER_REALM)
    for fields in ({"Authrocket-Api-Key": made["key"]}, {"Authorization": f"Bearer {made['key']}"}):
        assert account.call("GET", "/v1/users", JSON | fields).status_code == 200
        assert account.realm_seen() == OTHER_REALM
    assert account.get(Authorization=f"Bearer {made['key']},{REALM}").status_code == 403


def test_aa11_the_query_names_the_realm(account: Account) -> None:
    assert account.get(f"/v1/users?realm_id={REALM}", Authrocket_Api_Key=KEY).status_code == 200
    assert account.realm_seen() == REALM


BODIES = {
    "json": ("application/json", lambda realm: b'{"user": {"email": "a@b.c"}, "realm_id": "%s"}' % realm.encode()),
    "form": ("application/x-www-form-urlencoded", lambda realm: b"user[email]=a%%40b.c&realm%%5Fid=%s" % realm.encode()),
}


@pytest.mark.parametrize("encoding", BODIES)
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_aa11_the_content_names_the_realm(account: Account, encoding: str, framing: str) -> None:
    """It is passed on as it came."""
    content_type, body = BODIES[encoding]
    fields = JSON | {"Authrocket-Api-Key": KEY, "Content-Type": content_type}
    content = body(REALM)
    answer = account.call("POST", "/v1/users", fields, data=content if framing == "length" else iter([content[:7], content[7:]]))
    assert answer.status_code == 200 and account.realm_seen() == REALM
    assert account.origin.requests[-1].body == content
    # It stands above the default.
    answer = account.call("PUT", "/v1/users/usr_1", fields | {"Authrocket-Realm": OTHER_REALM}, data=content)
    assert answer.status_code == 200 and account.realm_seen() == REALM
    # And not above the lock of a key.
    locked = fields | {"Authrocket-Api-Key": LOCKED}
    assert account.call("POST", "/v1/users", locked, data=content).status_code == 200
    count = len(account.origin.requests)
    answer = account.call("POST", "/v1/users", locked, data=body(OTHER_REALM))
    assert answer.status_code == 403 and answer.json() == {"errors": ["The key is locked to another realm."]}
    answer = account.call("POST", f"/v1/users?realm_id={OTHER_REALM}", fields, data=content)
    told = {"errors": ["The request names two realms, or one of them twice."]}
    assert answer.status_code == 400 and answer.json() == told
    answer = account.call("POST", f"/v1/users?realm_id={REALM}&realm_id={REALM}", fields)
    assert answer.status_code == 400 and answer.json() == told
    assert len(account.origin.requests) == count


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b'{"realm_id": "%s", "realm_id": "%s"}' % (REALM.encode(), REALM.encode()), "application/json", 400),
        (b'{"realm_id": "%s", "realm\\u005fid": "%s"}' % (REALM.encode(), OTHER_REALM.encode()), "application/json", 400),
        (b'{"realm_id": ["%s"]}' % REALM.encode(), "application/json", 400),
        (b'{"realm_id": 7}', "application/json", 400),
        (b'{"realm_id": "a b"}', "application/json", 400),
        (b'{"realm_id": null}', "application/json", 400),
        (b'{"user": {"realm_id": "%s"}, "org": {"realm_id": "%s"}}' % (REALM.encode(), OTHER_REALM.encode()), "application/json", 400),
        (b'{"realm_id": "%s", "user": {"realm_id": "%s"}}' % (REALM.encode(), OTHER_REALM.encode()), "application/json", 400),
        (b'{"user": {"realm_id": "%s", "realm_id": "%s"}}' % (REALM.encode(), REALM.encode()), "application/json", 400),
        (b'{"user": {"Realm_id": "%s"}}' % REALM.encode(), "application/json", 400),
        (b'{"users": [{"realm_id": "%s"}]}' % REALM.encode(), "application/json", 400),
        (b'{"realm_id": "%s"' % REALM.encode(), "application/json", 400),
        (b'["realm_id"]', "application/json", 400),
        (b"", "application/json", 400),
        (b"realm_id=%s&realm_id=%s" % (REALM.encode(), REALM.encode()), "application/x-www-form-urlencoded", 400),
        (b"realm_id=%s&realm%%5fid=%s" % (REALM.encode(), OTHER_REALM.encode()), "application/x-www-form-urlencoded", 400),
        (b"realm_id[]=%s" % REALM.encode(), "application/x-www-form-urlencoded", 400),
        (b"user[realm_id=%s" % REALM.encode(), "application/x-www-form-urlencoded", 400),
        (b"user[realm_id][]=%s" % REALM.encode(), "application/x-www-form-urlencoded", 400),
        (b"user.realm_id=%s" % REALM.encode(), "application/x-www-form-urlencoded", 400),
        (b"user[][realm_id]=%s" % REALM.encode(), "application/x-www-form-urlencoded", 400),
        (b"realm_id=%s&user[realm_id]=%s" % (REALM.encode(), OTHER_REALM.encode()), "application/x-www-form-urlencoded", 400),
        (b"realm_id=%zz", "application/x-www-form-urlencoded", 400),
        (b'{"realm_id": "%s", "x": "%s"}' % (REALM.encode(), b"x" * 70_000), "application/json", 413),
    ],
)
def test_aa11_content_that_names_no_realm_clearly(account: Account, content: bytes, content_type: str, status: int) -> None:
    answer = account.call("POST", "/v1/users", JSON | {"Authrocket-Api-Key": KEY, "Content-Type": content_type}, data=content)
    assert answer.status_code == status and list(answer.json()) == ["errors"], answer.text
    assert not account.origin.requests


def test_aa11_content_that_cannot_be_read_names_nothing(account: Account) -> None:
    """Whatever the API would make of it: a key that is locked must not get out of its realm in a coding."""
    fields = JSON | {"Authrocket-Api-Key": LOCKED, "Content-Type": "application/json", "Content-Encoding": "gzip"}
    body = gzip.compress(b'{"realm_id": "%s"}' % OTHER_REALM.encode())
    assert account.call("POST", "/v1/users", fields, data=body).status_code == 415
    assert not account.origin.requests


INSIDE = {
    "json": ("application/json", lambda realm: b'{"user": {"email": "a@b.c", "realm_id": "%s"}}' % realm.encode()),
    "json-escaped": ("application/json", lambda realm: b'{"user": {"realm\\u005fid": "%s"}}' % realm.encode()),
    "form": ("application/x-www-form-urlencoded", lambda realm: b"user[email]=a%%40b.c&user[realm_id]=%s" % realm.encode()),
    "form-escaped": ("application/x-www-form-urlencoded", lambda realm: b"user%%5Brealm%%5Fid%%5D=%s" % realm.encode()),
}


@pytest.mark.parametrize("encoding", INSIDE)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_aa11_orig_the_resource_names_the_realm(account: Account, encoding: str, method: str) -> None:
    """As both official libraries send it."""
    content_type, body = INSIDE[encoding]
    fields = JSON | {"Authrocket-Api-Key": KEY, "Content-Type": content_type}
    for more in ({}, {"Authrocket-Realm": OTHER_REALM}):
        answer = account.call(method, "/v1/users/usr_1", fields | more, data=body(REALM))
        assert answer.status_code == 200 and account.realm_seen() == REALM
        assert account.origin.requests[-1].body == body(REALM)
    locked = fields | {"Authrocket-Api-Key": LOCKED}
    assert account.call(method, "/v1/users/usr_1", locked, data=body(REALM)).status_code == 200
    count = len(account.origin.requests)
    answer = account.call(method, "/v1/users/usr_1", locked, data=body(OTHER_REALM))
    assert answer.status_code == 403 and answer.json() == {"errors": ["The key is locked to another realm."]}
    assert account.call(method, f"/v1/users/usr_1?realm_id={OTHER_REALM}", fields, data=body(REALM)).status_code == 400
    assert len(account.origin.requests) == count


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b'{"realm_id": "%b", "user": {"realm_id": "%b"}}' % (REALM.encode(), OTHER_REALM.encode()), "application/json"),
        (b'{"user": {"realm_id": "%b"}, "org": {"realm_id": "%b"}}' % (REALM.encode(), OTHER_REALM.encode()), "application/json"),
        (b'{"user": {"memberships": [{"org": {"realm_id": "%b"}}]}}' % OTHER_REALM.encode(), "application/json"),
        (b'{"users": [{"realm_id": "%b"}, {"realm_id": "%b"}]}' % (REALM.encode(), OTHER_REALM.encode()), "application/json"),
        (b"realm_id=%b&user[realm_id]=%b" % (REALM.encode(), OTHER_REALM.encode()), "application/x-www-form-urlencoded"),
        (b"users[][realm_id]=%b&users[][realm_id]=%b" % (REALM.encode(), OTHER_REALM.encode()), "application/x-www-form-urlencoded"),
        (b"user[a][b][realm_id]=%b" % OTHER_REALM.encode(), "application/x-www-form-urlencoded"),
    ],
)
def test_aa11_a_locked_key_names_no_other_realm_at_any_depth(account: Account, content: bytes, content_type: str) -> None:
    fields = JSON | {"Authrocket-Api-Key": LOCKED, "Content-Type": content_type}
    answer = account.call("POST", "/v1/users", fields, data=content)
    assert answer.status_code == 403 and answer.json() == {"errors": ["The key is locked to another realm."]}
    assert account.call("POST", "/v1/users", fields, data=content.replace(OTHER_REALM.encode(), REALM.encode())).status_code == 200
    assert account.realm_seen() == REALM and len(account.origin.requests) == 1
    for query in (f"user[realm_id]={OTHER_REALM}", f"user%5Brealm_id%5D={OTHER_REALM}", f"users[][realm_id]={OTHER_REALM}"):
        assert account.get(f"/v1/users?{query}", Authrocket_Api_Key=LOCKED).status_code == 403
    assert len(account.origin.requests) == 1


def test_aa11_a_resource_in_the_query_names_the_realm(account: Account) -> None:
    """As the official library writes nested parameters of calls without content."""
    assert account.get(f"/v1/users?user[realm_id]={REALM}", Authrocket_Api_Key=KEY).status_code == 200
    assert account.realm_seen() == REALM


@pytest.mark.parametrize("encoding", BODIES)
def test_aa11_a_jwt_key_names_its_realm(account: Account, encoding: str) -> None:
    def make(realm: str, secret: str, more: str = "") -> requests.Response:
        document = {"jwt_key": {"algo": "hs256", "use": "sign", "realm_id": realm}}
        form = {f"jwt_key[{name}]": value for name, value in document["jwt_key"].items()}
        fields = key(secret, None) | {"Content-Type": BODIES[encoding][0]}
        return account.call("POST", f"/v1/jwt_keys{more}", fields, **({"json": document} if encoding == "json" else {"data": form}))

    made = make(OTHER_REALM, KEY)
    assert made.status_code == 201 and made.json()["realm_id"] == OTHER_REALM
    locked = account.admin.make("api_keys?authenticator=account", name="l", realm=REALM, scopes=["admin_realm"])["key"]
    assert make(OTHER_REALM, locked).status_code == 403
    made = make(REALM, locked)
    assert made.status_code == 201 and made.json()["realm_id"] == REALM
    assert make(REALM, KEY, f"?realm_id={OTHER_REALM}").status_code == 400
    listed = account.call("GET", f"/v1/jwt_keys?realm_id={OTHER_REALM}", key(KEY, None)).json()["collection"]
    assert len(listed) == 1


@pytest.mark.parametrize("encoding", BODIES)
def test_aa11_actions_of_the_gateway_read_it_too(account: Account, encoding: str) -> None:
    content_type = BODIES[encoding][0]
    members = {"realm_id": OTHER_REALM, "jwt_key[algo]": "hs256", "jwt_key[use]": "sign"}
    document = {"realm_id": OTHER_REALM, "jwt_key": {"algo": "hs256", "use": "sign"}}
    body = {"json": document} if encoding == "json" else {"data": members}
    made = account.call("POST", "/v1/jwt_keys", key(KEY, None) | {"Content-Type": content_type}, **body)
    assert made.status_code == 201 and made.json()["realm_id"] == OTHER_REALM
    made = account.call("POST", "/v1/jwt_keys", key(KEY, REALM) | {"Content-Type": content_type}, **body)
    assert made.status_code == 201 and made.json()["realm_id"] == OTHER_REALM


def test_aa11_the_query_wins_over_the_default(account: Account) -> None:
    path = f"/v1/users?realm_id={OTHER_REALM}"
    assert account.get(path, Authrocket_Api_Key=KEY, Authrocket_Realm=REALM).status_code == 200
    assert account.realm_seen() == OTHER_REALM
    assert account.get(path, Authorization=f"Bearer {KEY},{REALM}").status_code == 200
    assert account.realm_seen() == OTHER_REALM


def test_aa11_header_and_suffix_must_agree(account: Account) -> None:
    fields = {"Authorization": f"Bearer {KEY},{REALM}"}
    agreed = account.call("GET", "/v1/users", JSON | fields | {"Authrocket-Realm": REALM})
    assert agreed.status_code == 200 and account.realm_seen() == REALM
    answer = account.call("GET", "/v1/users", JSON | fields | {"Authrocket-Realm": OTHER_REALM})
    assert answer.status_code == 400
    assert answer.json() == {"errors": ["The request names two realms, or one of them twice."]}


def test_aa11_a_locked_key_cannot_leave_its_realm(account: Account) -> None:
    for path, headers in (
        (f"/v1/users?realm_id={OTHER_REALM}", {"Authrocket-Api-Key": LOCKED}),
        ("/v1/users", {"Authrocket-Api-Key": LOCKED, "Authrocket-Realm": OTHER_REALM}),
        ("/v1/users", {"Authorization": f"Bearer {LOCKED},{OTHER_REALM}"}),
    ):
        answer = account.call("GET", path, JSON | headers)
        assert answer.status_code == 403, (path, headers)
        assert answer.json() == {"errors": ["The key is locked to another realm."]}
    assert not account.origin.requests
    assert account.get(f"/v1/users?realm_id={REALM}", Authrocket_Api_Key=LOCKED).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        f"realm_id={REALM}&realm_id={OTHER_REALM}",
        f"realm_id={REALM}&realm%5Fid={OTHER_REALM}",
        f"realm%5Fid={OTHER_REALM}&realm_id={REALM}",
        f"realm_id={REALM}&realm_id={REALM}",
    ],
    ids=["twice", "encoded-second", "encoded-first", "twice-equal"],
)
def test_aa11_a_doubled_parameter_is_refused(account: Account, query: str) -> None:
    """Which of them the upstream would take cannot be known."""
    assert account.get(f"/v1/users?{query}", Authrocket_Api_Key=KEY).status_code == 400
    assert not account.origin.requests


def test_aa11_an_escaped_name_is_the_same_parameter(account: Account) -> None:
    answer = account.get(f"/v1/users?realm%5Fid={OTHER_REALM}", Authrocket_Api_Key=LOCKED)
    assert answer.status_code == 403
    assert not account.origin.requests


def test_aa11_the_client_cannot_set_what_the_upstream_is_told(account: Account) -> None:
    for name in ("X-Realm", "x_realm"):
        assert account.call("GET", "/v1/users", key(LOCKED, None) | {name: OTHER_REALM}).status_code == 200
        assert account.realm_seen() == REALM
        assert OTHER_REALM not in str(account.origin.requests[-1].fields)
        # Nor where no realm is asked for.
        assert account.call("GET", "/v1/realms", key(LOCKED, None) | {name: OTHER_REALM}).status_code == 200
        assert OTHER_REALM not in str(account.origin.requests[-1].fields)


def test_aa12_without_any_realm_the_three_ways_are_named(account: Account) -> None:
    answer = account.get(Authrocket_Api_Key=KEY)
    assert answer.status_code == 400
    assert answer.json() == {
        "errors": [
            "No realm is named: name one by the header Authrocket-Realm, the parameter realm_id, or behind a key and a comma."
        ]
    }
    assert not account.origin.requests


def test_aa12_routes_of_the_account_need_no_realm(account: Account) -> None:
    assert account.get("/v1/realms", Authrocket_Api_Key=KEY).status_code == 200
