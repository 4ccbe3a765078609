"""Rollout's user authentication with an API key in the token: every statement of the list, RO1 to RO10, over
examples/rollout.json, the side that embeds, and examples/rollout-app.json, the side of the app."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jwt
import pytest
from harness.client import ask, reason
from harness.embedding import CLIENT, NAMESPACE, REFRESH_PATH, App, Gate, json_answer, show
from harness.gateway import Gateway
from harness.issuer import base64url
from harness.messages import Message
from harness.pages import run_page
from harness.systems import Admin, example, prepare
from harness.upstream import answering, ok
from harness.waiting import until

Start = Callable[..., Gateway]
Policy = Callable[..., dict]


@pytest.fixture
def policy(app: App, tmp_path: Path) -> Policy:
    """The example; what is given adds to how its credential is refreshed."""
    return lambda **refresh: app.example(tmp_path, refresh=refresh)


def test_ro1_the_app_signs_with_hs512_for_a_persistent_user_and_an_hour(app: App, gateway: Start, policy: Policy) -> None:
    """The document's code runs jsonwebtoken, which adds `iat` to the claims that it prints; PyJWT is given it."""
    running = gateway(policy())
    now = int(time.time())
    data = {"apiKey": app.issue("user-1")["apiKey"]}
    printed = {"iss": CLIENT, "sub": "user-1", "exp": now + 3600, NAMESPACE: {"authData": data}, "iat": now}
    assert show(running.port, jwt.encode(printed, app.secret, algorithm="HS512")).status == 200
    assert app.shown() == [data["apiKey"]]


def test_ro1_orig_a_token_says_when_it_was_made(app: App, gateway: Start, policy: Policy) -> None:
    running = gateway(policy())
    data = app.issue("user-1")
    assert reason(show(running.port, app.token(data, iat=None))) == "token_claim_missing"
    for wrong in ("now", True, [1]):
        claims = {"iss": CLIENT, "sub": "user-1", "iat": wrong, "exp": int(time.time()) + 60, NAMESPACE: {"authData": data}}
        assert reason(show(running.port, signed(app, claims))) == "token_malformed", wrong
    assert app.upstream.requests == []


def signed(app: App, claims: dict) -> str:
    """What PyJWT itself would not sign."""
    text = ".".join(base64url(json.dumps(part).encode()) for part in ({"alg": "HS512", "typ": "JWT"}, claims))
    signature = jwt.get_algorithm_by_name("HS512").sign(text.encode(), app.secret)
    return f"{text}.{base64url(signature)}"


@pytest.mark.parametrize("subject", [1.5, True, ["user-1"], {"id": "user-1"}])
def test_ro1_the_subject_must_be_a_string_or_an_integer(subject: object, app: App, gateway: Start, policy: Policy) -> None:
    running = gateway(policy())
    now = int(time.time())
    claims = {"iss": CLIENT, "sub": subject, "iat": now, "exp": now + 60, NAMESPACE: {"authData": app.issue("17")}}
    assert reason(show(running.port, signed(app, claims))) == "token_malformed"
    assert app.upstream.requests == []


@pytest.mark.parametrize(("name", "pointer"), [
    ("rollout.com", None), ("rollouthq.com", "/rollouthq.com/authData"),
    ("https://rollout.example/a~b", "/https:~1~1rollout.example~1a~0b/authData"),
])
def test_ro2_orig_the_claim_is_found_by_a_json_pointer(
    name: str, pointer: str | None, app: App, gateway: Start, policy: Policy
) -> None:
    """The example has the name of today; the older one, and any other, is a setting."""
    config = policy()
    if pointer:
        config["stored_credentials"]["app"]["claim"] = pointer
    running = gateway(config)
    data = app.issue("user-1")
    assert show(running.port, app.token(**{name: {"authData": data}})).status == 200
    assert app.shown() == [data["apiKey"]]


def test_ro3_the_key_is_added_to_all_later_requests_of_the_user(app: App, gateway: Start, policy: Policy) -> None:
    config = policy()
    config["routes"][0]["request_query"] = {"set": {"api_key": "{stored_credential./apiKey}", "for": "{subject}"}}
    running = gateway(config)
    data = app.issue("user-1")
    assert show(running.port, app.token(data), "/actions/a?x=1&api_key=mine&for=you").status == 200
    # A later token need not bring it again.
    assert show(running.port, app.token(), "/actions/b").status == 200
    assert app.shown() == [data["apiKey"]] * 2
    targets = [request.target for request in app.upstream.requests]
    assert targets == [f"/actions/a?x=1&api_key={data['apiKey']}&for=user-1", f"/actions/b?api_key={data['apiKey']}&for=user-1"]
    # Nobody else's requests get it.
    assert reason(show(running.port, app.token(user="user-2"))) == "upstream_credential_missing"


@pytest.mark.parametrize(("kind", "sent", "received"), [
    ("application/json", '{"title": "a task"}', '{"title":"a task","apiKey":"KEY"}'),
    ("application/json", '{"apiKey": "mine", "more": [1]}', '{"more":[1],"apiKey":"KEY"}'),
    ("application/x-www-form-urlencoded", "title=a+task&apiKey=mine", "title=a+task&apiKey=KEY"),
])
def test_ro3_the_key_is_added_to_the_content_where_the_api_takes_it_there(
    kind: str, sent: str, received: str, app: App, gateway: Start, policy: Policy
) -> None:
    running = gateway(policy())
    data = app.issue("user-1")
    app.upstream.script = answering(lambda request: ok(b"kept"))
    lines = [f"Authorization: Bearer {app.token(data)}", f"Content-Type: {kind}"]
    assert ask(running.port, "/records/tasks", lines, "POST", sent.encode()).body == b"kept"
    seen = app.upstream.requests[0]
    expected = received.replace("KEY", data["apiKey"])
    if kind == "application/json":
        assert json.loads(seen.body) == json.loads(expected)
    else:
        assert seen.body == expected.encode()
    assert seen.target == "/users/user-1/records/tasks"
    assert seen.value("x-api-key") is None and seen.value("content-length") == str(len(seen.body))


def test_ro3_a_client_cannot_send_the_key_itself(app: App, gateway: Start, policy: Policy) -> None:
    running = gateway(policy())
    data = app.issue("user-1")
    assert show(running.port, app.token(data), "/actions", "GET", b"", "X-API-Key: mine", "x_api_key: mine").status == 200
    assert app.shown() == [data["apiKey"]]
    assert b"mine" not in app.upstream.raw


def test_ro4_the_refreshable_form(app: App, gateway: Start, policy: Policy) -> None:
    running = gateway(policy())
    data = app.issue("user-1")
    assert data == {"apiKey": data["apiKey"], "refreshToken": data["refreshToken"], "expiresIn": 20000}
    # Issued so long ago that its key is about to end.
    assert show(running.port, app.token(data, age=19_950)).status == 200
    assert len(app.refreshes) == 1 and app.shown()[0] != data["apiKey"]


def test_ro4_null_is_nothing_and_seconds_have_fractions(app: App, gateway: Start, policy: Policy) -> None:
    running = gateway(policy())
    data = app.issue("user-1", refreshToken=None, expiresIn=None)
    assert show(running.port, app.token(data, age=100_000, exp=int(time.time()) + 60)).status == 200
    assert app.refreshes == []
    # A key of a life that ended half a second ago.
    data = app.issue("user-2", expiresIn=9.5)
    assert show(running.port, app.token(data, "user-2", age=10)).status == 200
    assert len(app.refreshes) == 1 and app.shown()[1] != data["apiKey"]


@pytest.mark.parametrize("data", [
    {"apiKey": 5}, {"apiKey": ""}, {"apiKey": "a\nb"}, {}, "key", ["key"],
    {"apiKey": "a", "refreshToken": 1}, {"apiKey": "a", "expiresIn": "1e9"}, {"apiKey": "a", "expiresIn": 0},
    {"apiKey": "a", "expiresIn": False}, {"apiKey": None},
])
def test_ro4_authdata_of_another_shape_is_nothing_to_show(data: object, app: App, gateway: Start, policy: Policy) -> None:
    running = gateway(policy())
    answer = show(running.port, app.token(data))
    assert (answer.status, reason(answer)) == (403, "upstream_credential_missing")
    assert app.upstream.requests == []


def test_ro5_the_operator_says_how_to_refresh(app: App, gateway: Start, policy: Policy) -> None:
    refresh = {
        "method": "PUT",
        "headers": {"X-Client": "{issuer}", "X-Verification-Token": {"secret": "env:VERIFICATION_TOKEN"}},
        "body": {
            "refreshToken": "{stored_credential./refreshToken}", "old": "key {stored_credential./apiKey}",
            "seconds": "{stored_credential./expiresIn}", "userId": "{subject}", "more": [1, True, None],
            "secret": {"secret": "env:VERIFICATION_TOKEN"}, "absent": "{stored_credential./nothing}",
        },
    }
    running = gateway(policy(**refresh), environment={"VERIFICATION_TOKEN": "verify-me-7"})
    data = app.issue("user-1")
    assert show(running.port, app.token(data, age=19_999)).status == 200
    asked = app.refreshes[0]
    assert asked.method == "PUT" and asked.value("content-type") == "application/json"
    assert (asked.value("x-client"), asked.value("x-verification-token")) == (CLIENT, "verify-me-7")
    assert json.loads(asked.body) == {
        "refreshToken": data["refreshToken"], "old": f"key {data['apiKey']}", "seconds": 20000, "userId": "user-1",
        "more": [1, True, None], "secret": "verify-me-7",
    }


def test_ro5_the_new_triple_takes_the_place_of_the_old(app: App, gateway: Start, policy: Policy) -> None:
    running = gateway(policy())
    app.lifetime = 0.4
    token = app.token(app.issue("user-1"))
    for _ in range(4):
        assert show(running.port, token).status == 200
        time.sleep(0.35)
    # Each refresh token was used once, and each came of the refresh before.
    used = [json.loads(request.body)["refreshToken"] for request in app.refreshes]
    assert len(used) >= 3 and len(set(used)) == len(used)


def test_ro5_an_answer_without_a_refresh_token_keeps_the_old_one(app: App, gateway: Start, policy: Policy) -> None:
    """The endpoint need not rotate it, and may write the seconds as a text; a restart changes nothing."""
    data = app.issue("user-1")

    def renew(request: Message) -> bytes:
        assert json.loads(request.body) == {"refreshToken": data["refreshToken"]}
        key = f"next-{len(app.refreshes)}"
        app.good = {key}
        return json_answer({"apiKey": key, "expiresIn": "0.4"})

    app.exchange = renew
    config, token = policy(), app.token(data, age=19_990)
    for wanted in (3, 5):
        running = gateway(config)
        until(lambda: show(running.port, token).status == 200 and len(app.refreshes) >= wanted, 10, f"{wanted} refreshes")
        running.stop()
    assert app.shown()[-1] == f"next-{len(app.refreshes)}"


def test_ro6_the_pair_is_refreshed_ahead_of_its_end(app: App, gateway: Start, policy: Policy) -> None:
    running = gateway(policy(ahead="30s"))
    assert show(running.port, app.token(app.issue("user-1"), age=19_960)).status == 200
    assert app.refreshes == []
    assert show(running.port, app.token(app.issue("user-2"), "user-2", age=19_980)).status == 200
    assert len(app.refreshes) == 1


def test_ro6_a_401_of_the_upstream_has_the_pair_refreshed_and_the_request_sent_again(app: App, gateway: Start, policy: Policy) -> None:
    running = gateway(policy())
    data = app.issue("user-1")
    app.good.clear()
    answer = show(running.port, app.token(data), "/actions/tasks", "POST", b'{"title": "a task"}')
    assert (answer.status, answer.body) == (200, b"welcome")
    requests = [request for request in app.upstream.requests if request.target == "/actions/tasks"]
    assert [request.body for request in requests] == [b'{"title": "a task"}'] * 2
    assert requests[0].value("x-api-key") == data["apiKey"] != requests[1].value("x-api-key")
    assert len(app.refreshes) == 1


def test_ro6_requests_that_come_together_are_one_refresh(app: App, gateway: Start, policy: Policy) -> None:
    running = gateway(policy())
    gate = Gate(app)
    data = app.issue("user-1")
    token = app.token(data, age=19_990)
    with ThreadPoolExecutor(20) as pool:
        answers = [pool.submit(show, running.port, token, f"/actions/{number}") for number in range(20)]
        until(lambda: app.refreshes, 10, "a refresh")
        gate.open.set()
        assert {answer.result().status for answer in answers} == {200}
    assert len(app.refreshes) == 1
    # The old key is shown to nobody any more, and the new one to all.
    (shown,) = set(app.shown())
    assert shown != data["apiKey"]


def test_ro6_each_issuer_and_subject_has_a_pair_of_its_own(app: App, gateway: Start, policy: Policy) -> None:
    config = policy()
    config["authenticators"]["embedding"]["issuer"] = [CLIENT, "client-two"]
    running = gateway(config)
    callers = [(CLIENT, "user-1"), (CLIENT, "user-2"), ("client-two", "user-1"), ("client-two", "user-2")]
    issued = {caller: app.issue(f"{caller[0]}-{caller[1]}") for caller in callers}
    for (issuer, subject), data in issued.items():
        assert show(running.port, app.token(data, subject, iss=issuer)).status == 200
    for issuer, subject in reversed(callers):
        assert show(running.port, app.token(user=subject, iss=issuer)).status == 200
    keys = [issued[caller]["apiKey"] for caller in callers]
    assert app.shown() == keys + keys[::-1]


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [("Jos\u00e9", "Jose\u0301"), ("user-1", "user-1 "), ("user-1", "User-1"), ("\u212aim", "Kim"), ("\u00c5sa", "\u212bsa"), ("1", "01")],
)
def test_ro3_users_who_look_alike_are_others(app: App, gateway: Start, policy: Policy, mine: str, theirs: str) -> None:
    """The app that signs tells them apart, so that nobody else's key is shown for them."""
    running = gateway(policy())
    data = app.issue("victim")
    assert show(running.port, app.token(data, user=mine)).status == 200
    assert reason(show(running.port, app.token(user=theirs))) == "upstream_credential_missing"
    assert show(running.port, app.token(user=mine)).status == 200
    assert app.shown() == [data["apiKey"]] * 2


def test_ro7_what_is_refused(app: App, gateway: Start, policy: Policy) -> None:
    running = gateway(policy())
    data = app.issue("user-1")
    now = int(time.time())
    not_a_string = signed(app, {"iss": CLIENT, "sub": [1], "iat": now, "exp": now + 60, NAMESPACE: {"authData": data}})
    wrong_algorithm = jwt.encode(
        jwt.decode(app.token(data), options={"verify_signature": False}), app.secret, algorithm="HS256"
    )
    assert reason(show(running.port, app.token(data, user=None))) == "token_claim_missing"
    assert reason(show(running.port, not_a_string)) == "token_malformed"
    assert reason(show(running.port, app.token(data, iss="somebody"))) == "token_issuer_unknown"
    assert reason(show(running.port, wrong_algorithm)) == "token_algorithm_not_allowed"
    assert reason(show(running.port, app.token(data, exp=int(time.time()) - 100))) == "token_expired"
    forged = jwt.encode({"iss": CLIENT, "sub": "user-1", "iat": now, "exp": now + 60}, b"x" * 64, algorithm="HS512")
    assert reason(show(running.port, app.token(data, aud="app"))) == "token_audience_wrong"
    assert reason(show(running.port, forged)) == "token_signature_invalid"
    assert app.upstream.requests == []


def test_ro8_nothing_needs_a_browser(app: App, gateway: Start, policy: Policy) -> None:
    """One request, one answer: no redirect, no cookie, no page."""
    running = gateway(policy())
    answer = show(running.port, app.token(app.issue("user-1")))
    assert answer.status == 200 and answer.value("location") is None and answer.value("set-cookie") is None
    assert show(running.port, app.token()).status == 200


def test_ro9_calls_carry_a_static_verification_token(app: App, gateway: Start, policy: Policy, tmp_path: Path) -> None:
    running = gateway(policy())
    verification = (tmp_path / "var" / "demo-verification-token.txt").read_text().strip()
    answer = show(running.port, app.token(app.issue("user-1")), "/actions", "GET", b"", "X-Verification-Token: forged")
    assert answer.status == 200
    assert verification and app.upstream.requests[0].values("x-verification-token") == [verification]


def test_ro10_a_newer_token_replaces_the_pair_and_an_older_does_not(app: App, gateway: Start, policy: Policy) -> None:
    running = gateway(policy())
    first, newer, older = (app.issue("user-1") for _ in range(3))
    assert show(running.port, app.token(first, age=50)).status == 200
    assert show(running.port, app.token(newer, age=10)).status == 200
    assert show(running.port, app.token(older, age=30)).status == 200
    assert show(running.port, app.token(first, age=50)).status == 200
    assert app.shown() == [data["apiKey"] for data in (first, newer, newer, newer)]


def test_ro10_the_same_token_shown_again_does_not_bring_the_used_pair_back(app: App, gateway: Start, policy: Policy) -> None:
    running = gateway(policy())
    token = app.token(app.issue("user-1"), age=19_990)
    for _ in range(3):
        assert show(running.port, token).status == 200
    assert len(app.refreshes) == 1 and len(set(app.shown())) == 1


@pytest.fixture
def undated(policy: Policy) -> Policy:
    """The example where `iat` is not asked for."""

    def made(**refresh: Any) -> dict:
        config = policy(**refresh)
        config["authenticators"]["embedding"]["required_claims"] = {"/sub": True}
        return config

    return made


def embedded(app: App, data: object, exp: float, **claims: object) -> str:
    """A token without `iat`, as one that is not signed by jsonwebtoken may be."""
    payload = {"iss": CLIENT, "sub": "user-1", "exp": int(exp), NAMESPACE: {"authData": data}}
    return jwt.encode(payload | claims, app.secret, algorithm="HS512")


def test_ro10_without_iat_the_later_exp_is_newer(app: App, gateway: Start, undated: Policy) -> None:
    """And what was shown first does not lock the user to its key, in this process or the next."""
    app.good |= {"k1", "k2", "k3", "k4", "k5"}
    end = time.time() + 3600
    one, two, same = (embedded(app, {"apiKey": key}, end + late) for key, late in (("k1", 0), ("k2", 1), ("k3", 1)))
    running = gateway(undated())
    for token in (one, two, one, same):
        assert show(running.port, token).status == 200
    assert app.shown() == ["k1", "k2", "k2", "k2"]
    running.stop()
    running = gateway(undated())
    for token in (one, app.token(), embedded(app, {"apiKey": "k4"}, end, iat=int(time.time()))):
        assert show(running.port, token).status == 200
    assert app.shown()[4:] == ["k2", "k2", "k4"]
    # Neither form locks out the other.
    running.stop()
    running = gateway(undated())
    for token in (two, embedded(app, {"apiKey": "k5"}, end + 2), two):
        assert show(running.port, token).status == 200
    assert app.shown()[7:] == ["k4", "k5", "k5"]


def test_ro10_without_iat_the_token_of_a_used_pair_does_not_bring_it_back(app: App, gateway: Start, undated: Policy) -> None:
    data = app.issue("user-1")
    token = embedded(app, data, time.time() + 3600)
    running = gateway(undated())
    assert show(running.port, token).status == 200
    app.good.clear()
    assert show(running.port, token).status == 200
    running.stop()
    running = gateway(undated())
    assert show(running.port, token).status == 200
    # The key was refused once, and refreshed; neither the token nor the restart undid that.
    assert len(app.refreshes) == 1 and app.shown()[:2] == [data["apiKey"]] * 2
    assert len(set(app.shown()[2:])) == 1 and app.shown()[2] in app.good


@pytest.fixture
def roles(gateway: Start, app: App, tmp_path: Path) -> tuple[Gateway, str]:
    """The gateway of the app's side, and a stored key of the app's user."""
    prepare(tmp_path)
    running = gateway(example("rollout-app", app.port))
    return running, Admin(running.admin_port, tmp_path).make("api_keys", name="user-1", subject="user-1")["key"]


def post(running: Gateway, path: str, body: object = None, **fields: str) -> Message:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return ask(running.port, path, lines + (["Content-Type: application/json"] if content else []), "POST", content)


def triple(answer: Message) -> dict:
    document = json.loads(answer.body)
    assert answer.status == 200 and list(document) == ["apiKey", "refreshToken", "expiresIn"], answer
    assert isinstance(document["apiKey"], str) and isinstance(document["refreshToken"], str)
    assert document["expiresIn"] == 20_000 and answer.value("cache-control") == "no-store"
    return document


def test_ro9_a_route_can_ask_for_the_verification_token(app: App, roles: tuple[Gateway, str], tmp_path: Path) -> None:
    running, _ = roles
    verification = (tmp_path / "var" / "demo-verification-token.txt").read_text().strip()
    body = {"refreshToken": "none of the app's"}
    assert reason(post(running, REFRESH_PATH, body)) == "credential_missing"
    assert reason(post(running, REFRESH_PATH, body, X_Verification_Token="guess")) == "credential_unknown"
    # Whoever shows it gets to the action itself.
    assert reason(post(running, REFRESH_PATH, body, X_Verification_Token=verification)) == "refresh_token_invalid"
    assert app.upstream.requests == []


def test_ro6_the_gateway_serves_the_endpoint_too(roles: tuple[Gateway, str], tmp_path: Path, app: App) -> None:
    running, key = roles
    verification = (tmp_path / "var" / "demo-verification-token.txt").read_text().strip()
    first = triple(post(running, "/rollout/keys", X_App_Key=key))
    body = {"refreshToken": first["refreshToken"]}
    assert reason(post(running, "/rollout/refresh", body)) == "credential_missing"
    second = triple(post(running, "/rollout/refresh", body, X_Verification_Token=verification))
    assert second["apiKey"] != first["apiKey"] and second["refreshToken"] != first["refreshToken"]
    app.upstream.script = answering(lambda request: ok(b"tasks"))
    for document in (first, second):
        assert ask(running.port, "/api/x", [f"X-API-Key: {document['apiKey']}"]).body == b"tasks"
    assert reason(ask(running.port, "/api/x", ["X-API-Key: guess"])) == "token_malformed"
    # The old one was for once, and who shows it again ends the new one.
    used = post(running, "/rollout/refresh", body, X_Verification_Token=verification)
    assert (used.status, reason(used)) == (401, "refresh_token_invalid")
    body = {"refreshToken": second["refreshToken"]}
    assert reason(post(running, "/rollout/refresh", body, X_Verification_Token=verification)) == "refresh_token_invalid"


@pytest.mark.parametrize(("body", "status", "refusal"), [
    ({}, 422, "parameters_invalid"), ({"refreshToken": ""}, 422, "parameters_invalid"), ({"refreshToken": 5}, 422, "parameters_invalid"),
    ({"refreshToken": None}, 422, "parameters_invalid"), ({"refreshToken": "r", "refresh_token": "r"}, 422, "parameters_invalid"),
    ({"refreshToken": "r", "scope": "read"}, 422, "parameters_invalid"), ({"refreshToken": "r"}, 401, "refresh_token_invalid"),
    ([], 400, "content_malformed"), ("r", 400, "content_malformed"), (b"{", 400, "content_malformed"),
])
def test_ro6_what_is_no_refresh_token(
    body: object, status: int, refusal: str, roles: tuple[Gateway, str], tmp_path: Path
) -> None:
    running, _ = roles
    verification = (tmp_path / "var" / "demo-verification-token.txt").read_text().strip()
    answer = post(running, REFRESH_PATH, body, X_Verification_Token=verification)
    assert (answer.status, reason(answer)) == (status, refusal)
    assert answer.value("content-type") == "application/problem+json"
    assert json.loads(answer.body).keys() >= {"type", "title", "status", "reason", "detail"}


def test_ro5_an_operator_may_send_any_data_along(roles: tuple[Gateway, str], tmp_path: Path) -> None:
    running, key = roles
    verification = (tmp_path / "var" / "demo-verification-token.txt").read_text().strip()
    first = triple(post(running, "/rollout/keys", X_App_Key=key))
    body = first | {"userId": "user-1", "more": {"deep": [1, None]}}
    assert triple(post(running, REFRESH_PATH, body, X_Verification_Token=verification))["apiKey"] != first["apiKey"]


def test_ro6_keys_last_as_long_as_the_app_says(roles: tuple[Gateway, str]) -> None:
    """Whoever has a key of the app may ask for less, and not for more."""
    running, key = roles
    answer = post(running, "/rollout/keys?expires_in=60", X_App_Key=key)
    assert answer.status == 200 and json.loads(answer.body)["expiresIn"] == 60
    refused = post(running, "/rollout/keys?expires_in=20001", X_App_Key=key)
    assert (refused.status, reason(refused)) == (422, "parameters_invalid")


def test_the_page_of_the_document_works_as_written(tmp_path: Path) -> None:
    assert run_page("rollout", tmp_path) == ["refreshed\n"]
