"""Profiles by kind of refusal, on the wire: no refusal of a kind has another look, and challenges are as the profile says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.client import ask
from harness.gateway import REPOSITORY, Gateway, run_portcullis
from harness.issuer import SigningKey, jwt_authenticator, key_set
from harness.messages import Message
from harness.policy import Json, api_key, key_authenticator, open_route, policy
from harness.protocols import ALL

Start = Callable[..., Gateway]

KEY = SigningKey("ES256", "one")
#: The example of the reference.
FLAGGED: Json = next(
    json.loads(text)["profiles"]["flagged"]
    for text in re.findall(r"```json\n(.*?)```", (REPOSITORY / "docs/reference.md").read_text(), re.DOTALL)
    if '"flagged"' in text
)


def told(answer: Message) -> Json:
    """The members of a refusal but the sentence for people."""
    return {name: value for name, value in json.loads(answer.body).items() if name != "message"}


def flagged(profile: Json = FLAGGED, **members: object) -> tuple[str, Json]:
    secret, record = api_key(scopes=["read"])
    authenticators = {
        "keys": key_authenticator(record),
        "jwt": jwt_authenticator("ES256"),
    }
    routes = [
        open_route(name="all", authenticate=["keys", "jwt"], authorize={"scopes": ["write"]}, upgrade=["websocket"]),
    ]
    return secret, policy(
        9, routes=routes, authenticators=authenticators, key_sets={"issuer": json.loads(key_set(KEY))},
        profiles={"flagged": profile}, responses="flagged", **members,
    )  # fmt: skip


@pytest.mark.clients(*ALL)
def test_every_authentication_refusal_has_the_member_the_lockout_too(gateway: Start) -> None:
    secret, config = flagged(failure_budget={"failures": 2, "per": "1h"})
    running = gateway(config)
    asked: list[tuple[list[str], int]] = [
        ([], 403), (["X-API-Key: a", "X-API-Key: b"], 403), (["Authorization: Basic YTpi"], 403), (["X-API-Key: wrong"], 403),
        (["Authorization: Bearer a.b.c"], 401), (["X-API-Key: wronger"], 429),
    ]  # fmt: skip
    for fields, status in asked:
        answer = ask(running.port, "/x", fields)
        assert (answer.status, told(answer)) == (status, {"code": status, "invalid_authentication": True}), fields
        assert bool(answer.values("www-authenticate")) == (status == 401), fields
    answer = ask(running.port, "/x", [f"X-API-Key: {secret}"])
    assert (answer.status, told(answer)) == (429, {"code": 429, "invalid_authentication": True})


def test_a_caller_who_is_known_and_may_not_is_no_authentication_refusal(gateway: Start) -> None:
    secret, config = flagged()
    running = gateway(config)
    answer = ask(running.port, "/x", [f"X-API-Key: {secret}"])
    assert (answer.status, told(answer)) == (403, {"code": 403})
    # The profile kept the status, so the error of RFC 6750 stays.
    assert 'error="insufficient_scope"' in answer.value("www-authenticate")


def test_a_refused_websocket_handshake_has_the_challenges_of_the_profile(gateway: Start) -> None:
    handshake = [
        "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]  # fmt: skip
    for kind, status, count in [({}, 401, 2), ({"status": 403}, 403, 0), ({"status": 403, "challenge": True}, 403, 2)]:
        running = gateway(flagged({"kinds": {"authentication": kind}})[1])
        answer = ask(running.port, "/x", handshake)
        assert (answer.status, len(answer.values("www-authenticate"))) == (status, count)


def test_explain_tells_the_entry_of_each_part(tmp_path: Path) -> None:
    (tmp_path / "gateway.json").write_text(json.dumps(flagged()[1], indent=1))
    command = ["explain", "http://a.test/x", "-H", "X-API-Key: wrong"]
    explained = json.loads(run_portcullis(*command, "--json", folder=tmp_path).stdout)
    assert (explained["status"], explained["profile"]["name"], explained["profile"]["kind"]) == (403, "flagged", "api_key")
    parts = {part["part"]: part["rule"]["path"] for part in explained["profile"]["parts"]}
    assert parts == {
        "status": "profiles.flagged.kinds.api_key.status", "body": "profiles.flagged.kinds.authentication.body",
    }  # fmt: skip
    text = run_portcullis(*command, folder=tmp_path).stdout
    assert "By the profile flagged:\n  status of kinds.api_key  gateway.json:" in text
    explained = json.loads(run_portcullis(*command, "-H", "Content-Type: application/grpc", "--json", folder=tmp_path).stdout)
    assert explained["profile"]["parts"] == []


def test_a_policy_tests_what_its_profile_answers(tmp_path: Path) -> None:
    tests = [
        {
            "name": "no credential", "request": "GET /x",
            "expect": {"status": 403, "absent_response_headers": ["WWW-Authenticate"]},
        },
        {
            "name": "a bad token", "request": "GET /x", "headers": {"Authorization": "Bearer a.b.c"},
            "expect": {"status": 401, "absent_response_headers": ["WWW-Authenticate"]},
        },
    ]  # fmt: skip
    (tmp_path / "gateway.json").write_text(json.dumps(flagged(tests=tests)[1]))
    done = run_portcullis("test", folder=tmp_path)
    assert done.returncode == 1 and "a bad token" in done.stdout + done.stderr
    silent = {**FLAGGED, "kinds": {**FLAGGED["kinds"], "token": {"challenge": False}}}
    (tmp_path / "gateway.json").write_text(json.dumps(flagged(silent, tests=tests)[1]))
    assert run_portcullis("test", folder=tmp_path).returncode == 0
    assert "challenge_missing" in run_portcullis("check", "--json", folder=tmp_path).stdout
