"""`Authorization` that is for the upstream: what goes on, what is stripped, and what `explain` says of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.client import ask
from harness.gateway import Gateway, run_portcullis
from harness.messages import Message
from harness.policy import Json, api_key, key_authenticator, open_route, policy
from harness.protocols import ALL
from harness.upstream import Upstream, answering, ok

Start = Callable[..., Gateway]


def shown(request: Message) -> bytes:
    """The Authorization fields that the upstream sees."""
    return ok(json.dumps(request.values("authorization")).encode())


def rules(upstream_port: int) -> tuple[str, Json]:
    secret, record = api_key()
    routes = [
        open_route(name="must", match={"path": "/must"}, authenticate=["keys"]),
        open_route(name="may", match={"path": "/may"}, authenticate={"optional": ["keys"]}),
        open_route(name="cookie", match={"path": "/cookie"}, authenticate={"optional": ["cookie"]}),
    ]
    authenticators = {
        "keys": key_authenticator(record, **{"from": ["header:X-API-Key", "bearer:acme_"]}),
        "cookie": key_authenticator(record, **{"from": ["cookie:session", "bearer:acme_"]}),
    }
    return secret, policy(upstream_port, routes=routes, authenticators=authenticators, failure_budget="off")


@pytest.mark.clients(*ALL)
@pytest.mark.parametrize("value", ["Basic dXA6c3Q=", "Negotiate YII=", "Bearer upstream-token", "BEARER upstream-token"])
def test_a_foreign_authorization_goes_on_beside_the_gateways_credential(
    gateway: Start, upstream: Callable[..., Upstream], value: str
) -> None:
    secret, config = rules(upstream(answering(shown)).port)
    running = gateway(config)
    for path, fields in [
        ("/must", [f"X-API-Key: {secret}"]), ("/may", [f"X-API-Key: {secret}"]), ("/cookie", [f"Cookie: session={secret}"]),
        ("/may", []), ("/cookie", []),
    ]:  # fmt: skip
        answer = ask(running.port, path, [*fields, f"Authorization: {value}"])
        assert (answer.status, json.loads(answer.body)) == (200, [value]), (path, fields)
    alone = ask(running.port, "/must", [f"Authorization: {value}"])
    reason = "scheme_not_supported" if value[0] in "BN" and value[:6].lower() != "bearer" else "credential_unknown"
    assert (alone.status, json.loads(alone.body)["reason"]) == (401, reason)


@pytest.mark.clients(*ALL)
@pytest.mark.parametrize("value", ["Bearer acme_wrong", "bearer acme_wrong", "Basic eA==, Bearer acme_wrong", "acme_wrong"])
def test_what_the_gateway_would_judge_never_goes_on(gateway: Start, upstream: Callable[..., Upstream], value: str) -> None:
    secret, config = rules(upstream(answering(shown)).port)
    running = gateway(config)
    for path, field in [("/must", f"X-API-Key: {secret}"), ("/may", f"X-API-Key: {secret}"), ("/cookie", f"Cookie: session={secret}")]:
        answer = ask(running.port, path, [field, f"Authorization: {value}"])
        assert (answer.status, json.loads(answer.body)) == (200, []), path
    for path in ["/must", "/may", "/cookie"]:
        assert ask(running.port, path, [f"Authorization: {value}"]).status in (400, 401), path


def test_explain_says_whether_authorization_goes_on(tmp_path: Path) -> None:
    secret, config = rules(9)
    file = tmp_path / "gateway.json"
    file.write_text(json.dumps(config))
    cases = [
        (["-H", f"X-API-Key: {secret}", "-H", "Authorization: Basic dXA6c3Q="], "Authorization goes on to the upstream"),
        (["-H", "Authorization: Basic dXA6c3Q="], "Authorization has another scheme"),
        (["-H", f"X-API-Key: {secret}", "-H", "Authorization: Bearer acme_x"], "Authorization is removed"),
    ]
    for fields, phrase in cases:
        result = run_portcullis("explain", "--config", str(file), *fields, "http://api.test/may")
        assert phrase in result.stdout, result.stdout + result.stderr
        assert "dXA6c3Q=" not in result.stdout
