"""Shadow mode: a tightening is tried before it bites. Nobody is refused, and the log and the counters say who would be."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.client import ask
from harness.gateway import Gateway, run_portcullis
from harness.policy import Json, api_key, keyed_policy
from harness.protocols import ALL
from harness.upstream import Upstream
from harness.waiting import until

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

pytestmark = [pytest.mark.clients(*ALL)]

TIGHT = {"requests": 1, "per": "1h", "burst": 2, "mode": "shadow"}


def would_have(records: list[Json], credential: str | None) -> list[list[tuple[str, str]]]:
    """What the records of one credential say, the least first: several loops write them in no order."""
    return sorted(
        [(refusal["rule"], refusal["reason"]) for refusal in record["would_have"] or []]
        for record in records
        if record["credential"] == credential
    )


def test_a_limit_is_tried(gateway: Start, upstream: Origin) -> None:
    (secret, record), (other, second) = api_key("ci"), api_key("batch")
    origin = upstream()
    running = gateway(
        keyed_policy(origin.port, records=[record, second], route={"name": "api", "limits": ["tight"]}, limits={"tight": TIGHT})
    )
    for _ in range(5):
        answer = ask(running.port, fields=[f"X-API-Key: {secret}"])
        assert answer.status == 200
        assert not answer.values("x-ratelimit-limit"), "nobody is told of a limit that does not bite"
    assert ask(running.port, fields=[f"X-API-Key: {other}"]).status == 200
    records = running.access_records(6)
    assert would_have(records, "ci") == [[], []] + [[("limits.tight", "rate_limited")]] * 3
    assert would_have(records, "batch") == [[]]
    assert all(record["reason"] is None and record["status"] == 200 for record in records)
    labels = {"route": "api", "rule": "limits.tight", "reason": "rate_limited"}
    assert running.metric("portcullis_shadow_refusals_total", **labels) == 3
    shadow = json.loads(running.admin("/status"))["shadow"]
    assert shadow == [labels | {"requests": 3, "credentials": [{"credential": "ci", "count": 3, "overestimate": 0}]}]


def test_a_limit_that_begins_to_bite_knows_what_it_counted(gateway: Start, upstream: Origin) -> None:
    secret, record = api_key()
    config = keyed_policy(upstream().port, records=[record], route={"limits": ["tight"]}, limits={"tight": dict(TIGHT)})
    running = gateway(config)
    assert [ask(running.port, fields=[f"X-API-Key: {secret}"]).status for _ in range(3)] == [200] * 3
    config = copy.deepcopy(config)
    config["limits"]["tight"]["mode"] = "enforce"
    running.replace(config)
    until(lambda: ask(running.port, fields=[f"X-API-Key: {secret}"]).status == 429, what="the limit to bite")


def test_a_rule_is_tried_beside_the_one_that_enforces(gateway: Start, upstream: Origin) -> None:
    (reader, first), (writer, second) = api_key("reader", scopes=["read"]), api_key("writer", scopes=["read", "write"])
    nobody, third = api_key("nobody")
    rules = [{"scopes": ["read"]}, {"mode": "shadow", "scopes": ["write"]}, {"mode": "shadow", "deny_ips": ["127.0.0.0/8"]}]
    running = gateway(keyed_policy(upstream().port, records=[first, second, third], route={"authorize": rules}))
    statuses = [ask(running.port, fields=[f"X-API-Key: {secret}"]).status for secret in (reader, writer, nobody)]
    assert statuses == [200, 200, 403]
    denied = ("authorize[2]", "address_not_allowed")
    records = running.access_records(3)
    assert would_have(records, "reader") == [[("authorize[1]", "scope_missing"), denied]]
    assert would_have(records, "writer") == [[denied]]
    assert would_have(records, "nobody") == [[]], "what is refused anyhow is not tried"


def test_a_whole_route_is_tried(gateway: Start, upstream: Origin) -> None:
    secret, record = api_key("ci")
    origin = upstream()
    running = gateway(keyed_policy(origin.port, records=[record], route={"name": "api", "mode": "shadow"}))
    running.wait_for_line("route_in_shadow|shadow mode")
    for fields in ([f"X-API-Key: {secret}"], ["X-API-Key: wrong", "X-Auth-Subject: root"], []):
        assert ask(running.port, fields=fields).status == 200
    subjects = [request.values("x-auth-subject") for request in origin.requests]
    assert subjects == [["ci@acme"], [], []], "who is not known is nobody, whatever it says of itself"
    assert not any(request.values("x-api-key") for request in origin.requests)
    records = running.access_records(3)
    assert would_have(records, "ci") == [[]]
    assert would_have(records, None) == [[("route", "credential_missing")], [("route", "credential_unknown")]]
    assert running.metric("portcullis_shadow_refusals_total", reason="credential_unknown") == 1


@pytest.mark.clients("h1")
def test_explain_says_what_would_be_refused(tmp_path: Path) -> None:
    _, record = api_key("ci")
    config = keyed_policy(1, records=[record], route={"name": "api", "mode": "shadow", "limits": ["tight"]}, limits={"tight": TIGHT})
    file = tmp_path / "gateway.json"
    file.write_text(json.dumps(config, indent=2))
    done = run_portcullis("explain", "--config", str(file), "http://gw.test/")
    assert done.returncode == 0, done.stderr
    assert "would have been refused: credential_missing by route (" in done.stdout
    done = run_portcullis("explain", "--config", str(file), "--json", "http://gw.test/")
    said = json.loads(done.stdout)
    assert said["outcome"] == "forwarded" and said["would_have"][0]["reason"] == "credential_missing"
    line = said["would_have"][0]["place"]["line"]
    assert '"mode": "shadow"' in file.read_text().splitlines()[line - 1]


@pytest.mark.clients("h1")
@pytest.mark.parametrize(("expected", "passes"), [("rate_limited", True), (None, False), ("scope_missing", False)])
def test_a_test_of_the_file_sees_what_would_be_refused(expected: str | None, passes: bool, tmp_path: Path) -> None:
    _, record = api_key("ci")
    test = {"name": "burst", "request": "GET http://gw.test/", "key": "ci", "repeat": 3, "expect": {"would_have": expected}}
    config = keyed_policy(1, records=[record], route={"limits": ["tight"]}, limits={"tight": TIGHT}, tests=[test])
    file = tmp_path / "gateway.json"
    file.write_text(json.dumps(config))
    assert (run_portcullis("test", "--config", str(file)).returncode == 0) is passes
