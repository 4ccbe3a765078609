"""Limits: exact under concurrency, and told to the client in numbers that agree with one another."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable

import pytest
from harness import load
from harness.client import RawClient, ask, problem, request
from harness.gateway import Gateway
from harness.issuer import SigningKey, jwt_authenticator
from harness.messages import Message
from harness.policy import Json, api_key, key_authenticator, keyed_policy, open_route, policy
from harness.protocols import ALL, HTTP1_ONLY
from harness.upstream import Upstream, answering, ok

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

pytestmark = [pytest.mark.clients(*ALL), pytest.mark.upstreams("https", "h2c", "h2", one=True)]

SLOW = {"requests": 60, "per": "1h", "burst": 20, "by": "identity"}


def limited(
    port: int, *records: Json, limits: Json | None = None, names: list[str] | None = None, **members: object
) -> Json:
    limits = limits or {"standard": SLOW}
    return keyed_policy(port, records=list(records), route={"limits": names or list(limits)}, limits=limits, **members)


def consistent_refusal(answer: Message, now: float) -> None:
    assert answer.status == 429
    wait = int(answer.value("retry-after"))
    assert wait >= 1
    assert answer.value("x-ratelimit-remaining") == "0"
    reset = int(answer.value("x-ratelimit-reset"))
    assert reset > math.floor(now)
    assert abs(reset - now - wait) <= 1.5
    document = problem(answer)
    assert document["reason"] == "rate_limited" and document["retry_after"] == wait


def test_request_21_of_a_burst_of_20(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    secret, record = api_key()
    running = gateway(limited(origin.port, record))
    for number in range(20):
        answer = ask(running.port, fields=[f"X-API-Key: {secret}"])
        assert answer.status == 200
        assert answer.value("x-ratelimit-limit") == "20"
        assert answer.value("x-ratelimit-remaining") == str(19 - number)
        assert int(answer.value("x-ratelimit-reset")) >= math.floor(time.time())
    consistent_refusal(ask(running.port, fields=[f"X-API-Key: {secret}"]), time.time())
    assert len(origin.requests) == 20


def test_identities_do_not_share(gateway: Start, upstream: Origin) -> None:
    first, one = api_key("one")
    second, two = api_key("two")
    running = gateway(limited(upstream().port, one, two))
    for secret in (first, second):
        assert [ask(running.port, fields=[f"X-API-Key: {secret}"]).status for _ in range(21)] == [200] * 20 + [429]


def test_tokens_of_one_subject_share(gateway: Start, upstream: Origin) -> None:
    """A new token is no new bucket."""
    key = SigningKey("ES256")
    config = policy(
        upstream().port,
        key_sets={"issuer": {"keys": [key.jwk()]}},
        authenticators={"jwt": jwt_authenticator("ES256")},
        limits={"standard": SLOW},
        routes=[open_route(authenticate=["jwt"], limits=["standard"])],
    )
    port = gateway(config).port
    statuses = [ask(port, fields=[f"Authorization: Bearer {key.token()}"]).status for _ in range(21)]
    assert statuses == [200] * 20 + [429]
    assert ask(port, fields=[f"Authorization: Bearer {key.token(sub='bob')}"]).status == 200


def test_by_address(gateway: Start, upstream: Origin) -> None:
    config = policy(
        upstream().port, limits={"each": SLOW | {"by": "address", "burst": 3}}, routes=[open_route(limits=["each"])]
    )
    port = gateway(config).port
    for source in ("127.0.0.1", "127.0.0.2"):
        assert [ask(port, source=source).status for _ in range(4)] == [200, 200, 200, 429]


def test_by_address_counts_an_ipv6_network_as_one(gateway: Start, upstream: Origin) -> None:
    config = policy(
        upstream().port,
        limits={"each": SLOW | {"by": "address", "burst": 3}},
        routes=[open_route(limits=["each"])],
        trusted_proxies=["127.0.0.1"],
    )
    port = gateway(config).port
    statuses = [ask(port, fields=[f"X-Forwarded-For: 2001:db8::{number}"]).status for number in range(1, 5)]
    assert statuses == [200, 200, 200, 429]
    assert ask(port, fields=["X-Forwarded-For: 2001:db8:0:1::1"]).status == 200


def test_by_a_list(gateway: Start, upstream: Origin) -> None:
    secret, record = api_key()
    running = gateway(
        limited(upstream().port, record, limits={"both": SLOW | {"by": ["identity", "address"], "burst": 2}})
    )

    def status(source: str) -> int:
        return ask(running.port, fields=[f"X-API-Key: {secret}"], source=source).status

    assert [status("127.0.0.1") for _ in range(3)] == [200, 200, 429]
    assert [status("127.0.0.2") for _ in range(3)] == [200, 200, 429]


def test_several_limits_are_taken_all_or_none(gateway: Start, upstream: Origin) -> None:
    """What the small limit refuses costs the large one nothing, and the headers speak of the tightest."""
    secret, record = api_key()
    limits = {"small": SLOW | {"burst": 2, "by": "address"}, "large": SLOW | {"burst": 5, "by": "identity"}}
    running = gateway(limited(upstream().port, record, limits=limits))

    def call(source: str) -> Message:
        return ask(running.port, fields=[f"X-API-Key: {secret}"], source=source)

    assert [call("127.0.0.1").status for _ in range(6)] == [200, 200, 429, 429, 429, 429]
    assert [call("127.0.0.2").status for _ in range(3)] == [200, 200, 429]
    last = call("127.0.0.3")
    assert last.status == 200 and last.value("x-ratelimit-remaining") == "0" and last.value("x-ratelimit-limit") == "5"
    assert call("127.0.0.3").status == 429


def test_a_keys_own_limits(gateway: Start, upstream: Origin) -> None:
    plain, one = api_key("plain")
    golden, two = api_key("golden", limits=["gold"])
    running = gateway(
        limited(
            upstream().port,
            one,
            two,
            limits={"standard": SLOW | {"burst": 2}, "gold": SLOW | {"burst": 5}},
            names=["standard"],
        )
    )
    assert [ask(running.port, fields=[f"X-API-Key: {plain}"]).status for _ in range(3)] == [200, 200, 429]
    assert [ask(running.port, fields=[f"X-API-Key: {golden}"]).status for _ in range(6)] == [200] * 5 + [429]


def test_tokens_come_back(gateway: Start, upstream: Origin) -> None:
    secret, record = api_key()
    running = gateway(
        limited(upstream().port, record, limits={"quick": {"requests": 2, "per": "1s", "burst": 1, "by": "identity"}})
    )

    def call() -> Message:
        return ask(running.port, fields=[f"X-API-Key: {secret}"])

    assert call().status == 200
    refused = call()
    assert refused.status == 429
    deadline = time.monotonic() + int(refused.value("retry-after")) + 0.2
    while (status := call().status) != 200 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert status == 200, "Retry-After promised more than it kept"


@pytest.mark.parametrize(
    "style", [{"headers": ["x"], "reset": "delta"}, {"headers": ["ietf"]}, {"headers": ["x", "ietf"]}], ids=str
)
def test_dialects(gateway: Start, upstream: Origin, style: Json) -> None:
    secret, record = api_key()
    running = gateway(limited(upstream().port, record, limits={"standard": SLOW | {"burst": 2}}, rate_headers=style))
    answers = [ask(running.port, fields=[f"X-API-Key: {secret}"]) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    wait = int(answers[-1].value("retry-after"))
    for answer in answers:
        if "ietf" in style["headers"]:
            assert re.fullmatch(r'"standard";q=\d+;w=\d+', answer.value("ratelimit-policy"))
            assert re.fullmatch(r'"standard";r=\d+;t=\d+', answer.value("ratelimit"))
        else:
            assert "ratelimit" not in answer.names()
        assert ("x-ratelimit-limit" in answer.names()) == ("x" in style["headers"])
    if style.get("reset") == "delta":
        assert int(answers[-1].value("x-ratelimit-reset")) == wait
    if "ietf" in style["headers"]:
        assert answers[-1].value("ratelimit") == f'"standard";r=0;t={wait}'


def test_the_upstreams_own_rate_fields(gateway: Start, upstream: Origin) -> None:
    fields = ["X-RateLimit-Limit: 999", "X-RateLimit-Remaining: 998", 'RateLimit: "x";r=1', "Retry-After: 7"]
    origin = upstream(answering(lambda message: ok(b"hi", *fields)))
    secret, record = api_key()
    key = f"X-API-Key: {secret}"
    answer = ask(gateway(limited(origin.port, record)).port, fields=[key])
    assert answer.values("x-ratelimit-limit") == ["20"] and "ratelimit" not in answer.names()
    kept = ask(gateway(policy(origin.port, rate_headers={"keep_upstream": True})).port)
    assert kept.values("x-ratelimit-limit") == ["999"]


@pytest.mark.clients("h1")
@pytest.mark.parametrize("loops", [1, 4])
def test_never_more_than_burst_and_rate(gateway: Start, upstream: Origin, loops: int) -> None:
    """256 connections at once, over all event loops."""
    origin = upstream()
    secret, record = api_key()
    rate, burst = 50, 100
    running = gateway(
        limited(
            origin.port,
            record,
            limits={"hard": {"requests": rate, "per": "1s", "burst": burst, "by": "identity"}},
            loops=loops,
            access_log="off",
        )
    )
    began = time.monotonic()
    seen = load.run(running.url + "/x", 3, 256, "-H", f"X-API-Key: {secret}")
    elapsed = time.monotonic() - began
    assert seen.errors == 0, seen.text
    assert seen.refused > 0
    passed = len(origin.requests)
    assert burst <= passed <= burst + rate * elapsed, (passed, elapsed)
    # And it does give what it promises, within what stragglers at both ends can take.
    assert passed >= burst + rate * (seen.seconds - 1) * 0.8


@pytest.mark.clients(*HTTP1_ONLY)
def test_a_refused_request_does_not_reach_the_upstream_with_its_body(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    secret, record = api_key()
    running = gateway(limited(origin.port, record, limits={"one": SLOW | {"burst": 1}}))
    assert ask(running.port, fields=[f"X-API-Key: {secret}"], method="POST", body=b"first").status == 200
    with RawClient(running.port) as client:
        client.send(request("POST", fields=[f"X-API-Key: {secret}", "Expect: 100-continue", "Content-Length: 1000000"]))
        answer = client.response("POST")
        assert answer.status == 429 and not answer.informational
    assert [message.body for message in origin.requests] == [b"first"]


def test_limits_outlive_a_reload(gateway: Start, upstream: Origin) -> None:
    secret, record = api_key()
    config = limited(upstream().port, record)
    running = gateway(config)
    for _ in range(20):
        ask(running.port, fields=[f"X-API-Key: {secret}"])
    mark = len(running.lines)
    running.replace(config | {"failure_budget": {"failures": 50, "per": "1m", "burst": 50}})
    running.wait_for_line("reloaded", after=mark)
    assert ask(running.port, fields=[f"X-API-Key: {secret}"]).status == 429


def test_two_authenticators_with_one_key_id_do_not_share(gateway: Start, upstream: Origin) -> None:
    """The same subject by token and by key is not the same principal unless issuer and kind agree."""
    key = SigningKey("ES256")
    secret, record = api_key("alice", subject="alice")
    config = policy(
        upstream().port,
        key_sets={"issuer": {"keys": [key.jwk()]}},
        authenticators={"jwt": jwt_authenticator("ES256"), "keys": key_authenticator(record)},
        limits={"standard": SLOW | {"burst": 1}},
        routes=[open_route(authenticate=["keys", "jwt"], limits=["standard"])],
    )
    port = gateway(config).port
    assert ask(port, fields=[f"X-API-Key: {secret}"]).status == 200
    assert ask(port, fields=[f"Authorization: Bearer {key.token()}"]).status == 200
