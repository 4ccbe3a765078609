"""AuthRocket's API access as its document tells it: statements AA1 to AA7 and AA13 to AA16 over examples/authrocket.json.

Calls go over TLS by Python's `requests`; what no client library sends is written by hand.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness.authrocket import FOREIGN, JSON, KEY, LOCKED, REALM, REQUEST_ID, Account, json_answer, key
from harness.client import RawClient, ask, request
from harness.gateway import Gateway
from harness.pages import run_page
from harness.systems import example
from harness.upstream import Upstream, answering


@pytest.fixture
def account(gateway: Callable[..., Gateway], upstream: Callable[..., Upstream], tmp_path: Path) -> Iterator[Account]:
    origin = upstream(answering(lambda _: json_answer(b'{"ok": true}')))
    one = Account(gateway, tmp_path, origin)
    yield one
    one.session.close()


# The endpoint.


def test_aa1_a_request_in_clear_gets_no_answer_of_the_api(account: Account) -> None:
    """Not even whether its key is good: the credential is not looked at."""
    for secret in (KEY, "ks_wrong"):
        answer = ask(account.clear, "/v1/users", [f"Authrocket-Api-Key: {secret}", "Accept: application/json"])
        assert answer.status == 403 and json.loads(answer.body) == {
            "errors": ["This resource is served over https only."]
        }
    assert not account.origin.requests
    assert {record["credential"] for record in account.gateway.access_records(2)} == {None}
    assert {record["fingerprint"] for record in account.gateway.access_records(2)} == {None}


def test_aa1_clear_requests_can_be_redirected(
    gateway: Callable[..., Gateway], upstream: Callable[..., Upstream], tmp_path: Path
) -> None:
    origin = upstream()
    policy = example("authrocket", origin.port)
    policy["listeners"][1]["redirect_to_https"] = "api.example"
    account = Account(gateway, tmp_path, origin, listeners=policy["listeners"])
    answer = ask(account.clear, "/v1/users", [f"Authrocket-Api-Key: {KEY}"])
    assert answer.status == 308 and answer.value("location") == "https://api.example/v1/users"
    assert not origin.requests


@pytest.mark.parametrize(
    ("version", "is_spoken"), [("-tls1", False), ("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)]
)
def test_aa1_tls_1_2_is_the_oldest_spoken(account: Account, version: str, is_spoken: bool) -> None:
    ciphers = [] if is_spoken else ["-cipher", "ALL:@SECLEVEL=0"]
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{account.secure}", version, *ciphers],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20,
    )
    assert (re.search(r"^New, TLSv1\.[23], Cipher is (?!\(NONE\))", done.stdout, re.MULTILINE) is not None) == is_spoken


def test_aa2_each_host_has_keys_of_its_own(account: Account) -> None:
    there = {"Host": "api-e2.example"}
    assert account.call("GET", "/v1/users", key(FOREIGN) | there).status_code == 200
    assert account.call("GET", "/v1/users", key(KEY) | there).status_code == 403
    assert account.call("GET", "/v1/users", key(KEY)).status_code == 200
    assert account.call("GET", "/v1/users", key(FOREIGN)).status_code == 403


# Fields of requests.


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json", 200),
        ("text/html, application/json;q=0.9", 200),
        ("APPLICATION/JSON", 200),
        ("text/html", 406),
        ("application/jsonp", 406),
        ("application/json;q=0", 406),
        ("application/*", 406),
        ("*/*", 406),
        ("", 406),
        (None, 406),
    ],
)
def test_aa3_requests_must_accept_json(account: Account, accept: str | None, status: int) -> None:
    answer = account.call("GET", "/v1/users", key() | {"Accept": accept})
    assert answer.status_code == status
    if status == 406:
        assert answer.json() == {"errors": ["This resource has no representation that the client accepts."]}
        assert not account.origin.requests


def test_aa3_several_fields_are_one_list(account: Account) -> None:
    fields = [f"Authrocket-Api-Key: {KEY}", f"Authrocket-Realm: {REALM}"]
    assert ask(account.secure, "/v1/users", [*fields, "Accept: text/html", "Accept: application/json"]).status == 200
    assert ask(account.secure, "/v1/users", [*fields, "Accept: text/html", "Accept: text/plain"]).status == 406


def test_aa4_a_key_in_its_own_header(account: Account) -> None:
    assert account.get(Authrocket_Api_Key=KEY, Authrocket_Realm=REALM).status_code == 200
    assert account.origin.requests[0].value("x-auth-credential") == "ks_0ut5nPLwrV9PxSRGy8OMZI"


def test_aa4_a_key_as_a_bearer_token(account: Account) -> None:
    assert account.get(Authorization=f"Bearer {KEY}", Authrocket_Realm=REALM).status_code == 200
    assert account.origin.requests[0].value("x-auth-credential") == "ks_0ut5nPLwrV9PxSRGy8OMZI"


@pytest.mark.parametrize("wrong", [KEY[:-1] + "9", KEY.split("-")[0], KEY.upper(), KEY + "0", "ks_", ""])
def test_aa4_any_other_value_is_refused(account: Account, wrong: str) -> None:
    for fields in ({"Authrocket-Api-Key": wrong}, {"Authorization": f"Bearer {wrong}"}):
        answer = account.call("GET", "/v1/users", JSON | fields | {"Authrocket-Realm": REALM})
        assert answer.status_code == 403 and list(answer.json()) == ["errors"]
        assert "WWW-Authenticate" not in answer.headers
    assert not account.origin.requests


def test_aa4_of_two_keys_one_counts_and_is_not_rescued(account: Account) -> None:
    for own, bearer, status in ((KEY, FOREIGN, 200), (FOREIGN, KEY, 403), ("ks_x", KEY, 403), (KEY, "ks_x", 200)):
        fields = {"Authrocket-Api-Key": own, "Authorization": f"Bearer {bearer}", "Authrocket-Realm": REALM}
        assert account.call("GET", "/v1/users", JSON | fields).status_code == status, (own, bearer)
    # The one that was not looked at does not go on.
    assert FOREIGN not in str([request.fields for request in account.origin.requests])


@pytest.mark.parametrize("scheme", ['Basic a3NfMHV0NW5QTHdyVg==', 'Digest username="ks_0ut", realm="x", nonce="n"'])
def test_aa5_basic_and_digest_are_refused_without_a_challenge(account: Account, scheme: str) -> None:
    answer = account.get(Authorization=scheme)
    assert answer.status_code == 403
    assert "WWW-Authenticate" not in answer.headers
    assert answer.json() == {"errors": ["The Authorization scheme is not accepted here."]}


def test_aa5_orig_credentials_that_are_missing_incomplete_or_incorrect_are_403(account: Account) -> None:
    """Which the official Ruby library raises AccessDenied for."""
    for fields in ({}, key(KEY.split("-")[0]), key(KEY[:-1] + "9"), {"Authorization": "Bearer"}, {"Authorization": f"Basic {KEY}"}):
        answer = account.call("GET", "/v1/users", JSON | fields)
        assert answer.status_code == 403 and list(answer.json()) == ["errors"], fields
        assert "WWW-Authenticate" not in answer.headers, fields


def test_aa6_keys_look_like_the_documents(account: Account) -> None:
    made = account.admin.make("api_keys?authenticator=account", name="new")["key"]
    assert re.fullmatch(r"ks_[0-9A-Za-z]{22}-[0-9a-f]{32}", made)
    assert account.call("GET", "/v1/users", key(made)).status_code == 200
    assert account.call("GET", "/v1/users", key(made[:25])).status_code == 403
    assert account.call("GET", "/v1/users", key(made) | {"Host": "api-e2.example"}).status_code == 403


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        ('{"jwt_key": {"algo": "hs256", "use": "sign"}}', "application/json", 201),
        ('{"jwt_key": {"algo": "hs256", "use": "sign"}}', "Application/JSON; charset=utf-8", 201),
        ("jwt_key[algo]=hs256&jwt_key[use]=sign", "application/x-www-form-urlencoded", 201),
        ("jwt_key%5Balgo%5D=hs256&jwt_key%5Buse%5D=sign", "application/x-www-form-urlencoded", 201),
        ("<jwt_key/>", "application/xml", 415),
        ('{"jwt_key": {"algo": "hs256", "use": "sign"}}', "text/plain", 415),
        ('{"jwt_key": {"algo": "hs256", "use": "sign"}}', None, 415),
    ],
)
def test_aa7_content_is_json_or_a_form(account: Account, content: str, content_type: str | None, status: int) -> None:
    fields = key() | ({"Content-Type": content_type} if content_type else {})
    answer = account.call("POST", "/v1/jwt_keys", fields, data=content.encode())
    assert answer.status_code == status, answer.text
    assert "id" in answer.json() if status == 201 else list(answer.json()) == ["errors"]
    # The same holds for what is passed on.
    for method in ("POST", "PUT"):
        passed = account.call(method, "/v1/users/usr_1", fields, data=content.encode())
        assert passed.status_code == (200 if status == 201 else 415)
        if status == 201:
            assert account.origin.requests[-1].body == content.encode()


# What is written down, and what comes back.


def test_aa13_the_user_agent_is_optional_and_logged_without_its_control_characters(account: Account) -> None:
    """A line of the log cannot be forged with it."""
    fields = [f"Authrocket-Api-Key: {KEY}", f"Authrocket-Realm: {REALM}", "Accept: application/json"]
    agent = 'lib/1.0 (https://lib.example) "\t\x1b[31m'
    assert ask(account.secure, "/v1/users", fields).status == 200
    with RawClient(account.secure) as client:
        client.send(request("GET", "/v1/users", [*fields, "User-Agent: lib/1.0 (https://lib.example)"]))
        assert client.response().status == 200
        client.send(request("GET", "/v1/users", [*fields, f"User-Agent: {agent}"]))
        assert client.response().status == 400
    assert ask(account.secure, "/v1/users", [*fields, 'User-Agent: a\tb "c" \\']).status == 200
    logged = [record["user_agent"] for record in account.gateway.access_records(4) if record["status"] == 200]
    # Loops write when they come to it.
    assert sorted(map(str, logged)) == sorted(["None", "lib/1.0 (https://lib.example)", 'a\tb "c" \\'])
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", account.gateway.access_text())


def test_aa14_answers_are_json(account: Account) -> None:
    answers = [
        account.get(),
        account.get("/nowhere"),
        account.call("GET", "/v1/users", key() | {"Accept": "text/html"}),
        account.call("GET", "/v1/jwt_keys", key()),
        account.call("PATCH", "/v1/jwt_keys", key()),
        account.call("GET", "/v1/users", key()),
        account.call("GET", "/v1/users", key(realm=None)),
    ]
    for answer in answers:
        assert answer.headers["Content-Type"] == "application/json", answer.status_code
        assert answer.json() is not None


def test_aa15_every_answer_has_its_own_request_id(account: Account) -> None:
    answers = [
        account.call("GET", "/v1/users", key()),
        account.get(),
        account.get("/nowhere"),
        account.call("GET", "/v1/jwt_keys", key()),
        account.call("DELETE", "/v1/jwt_keys/jky_0vRHaJyOFdkV3QVJpUJqJQ", key()),
    ]
    seen = [answer.headers["X-Request-ID"] for answer in answers]
    with RawClient(account.secure) as client:
        client.send("GET /v1/users HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
        malformed = client.response()
    assert malformed.status == 400
    clear = ask(account.clear, "/v1/users")
    account.origin.stop()
    gone = account.call("GET", "/v1/users", key())
    assert gone.status_code == 502
    seen += [malformed.value("x-request-id"), clear.value("x-request-id"), gone.headers["X-Request-ID"]]
    assert all(re.fullmatch(REQUEST_ID, one) for one in seen), seen
    assert len(set(seen)) == len(seen)
    assert {record["request_id"] for record in account.gateway.access_records(len(seen))} == set(seen)


def test_aa15_a_client_cannot_choose_it(account: Account) -> None:
    chosen = "rq_0vdbINw16QhITBp4iBhgX4"
    answer = account.call("GET", "/v1/users", key() | {"X-Request-ID": chosen})
    assert answer.headers["X-Request-ID"] != chosen


def test_aa15_limited_requests_have_one_too(
    gateway: Callable[..., Gateway], upstream: Callable[..., Upstream], tmp_path: Path
) -> None:
    limits = example("authrocket", 1)["limits"] | {"standard": {"requests": 1, "per": "1h", "burst": 1, "by": "key"}}
    account = Account(gateway, tmp_path, upstream(), limits=limits)
    assert account.call("GET", "/v1/users", key()).status_code == 200
    answer = account.call("GET", "/v1/users", key())
    assert answer.status_code == 429 and answer.json() == {"errors": ["The rate limit is exceeded."]}
    assert re.fullmatch(REQUEST_ID, answer.headers["X-Request-ID"])


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/v1/users", {}, 403),
        ("/v1/users", {"Authrocket-Api-Key": "ks_wrong"}, 403),
        ("/v1/users", {"Authrocket-Api-Key": KEY}, 400),
        ("/v1/jwt_keys", {"Authrocket-Api-Key": LOCKED}, 403),
        ("/v2", {"Authrocket-Api-Key": KEY}, 404),
        ("/v1/%2e%2e/x", {"Authrocket-Api-Key": KEY}, 400),
    ],
)
def test_aa16_the_status_tells_before_the_body_is_read(account: Account, path: str, headers: dict, status: int) -> None:
    """And the body of an error is JSON of one shape."""
    with RawClient(account.secure) as client:
        client.send(request("GET", path, ["Accept: application/json", *map(": ".join, headers.items())]))
        answer = client.response()
    assert answer.status == status
    document = json.loads(answer.body)
    assert list(document) == ["errors"] and all(isinstance(text, str) and text for text in document["errors"])


@pytest.mark.timeout(120)
def test_the_page(tmp_path: Path) -> None:
    run_page("authrocket", tmp_path)
