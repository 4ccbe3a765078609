"""Limits of the kind "window": exact, all answers of a window name its one end, and everything that knows limits knows them."""

from __future__ import annotations

import copy
import itertools
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import load
from harness.client import ask, problem
from harness.gateway import Gateway, run_portcullis
from harness.messages import Message
from harness.policy import Json, api_key, keyed_policy, open_route, policy
from harness.protocols import ALL
from harness.upstream import Upstream
from harness.waiting import until

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

pytestmark = [pytest.mark.clients(*ALL), pytest.mark.upstreams("https", "h2c", "h2", one=True)]

HOUR = {"kind": "window", "requests": 3, "per": "1h"}
SLOW = {"requests": 60, "per": "1h", "burst": 20}


def limited(port: int, *records: Json, limits: Json | None = None, route: Json | None = None, **members: object) -> Json:
    limits = limits or {"fair": HOUR}
    return keyed_policy(port, records=list(records), route={"limits": list(limits)} | (route or {}), limits=limits, **members)


def call(running: Gateway, secret: str, **members: object) -> Message:
    return ask(running.port, fields=[f"X-API-Key: {secret}"], **members)


def test_all_answers_of_a_window_name_its_end(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    secret, record = api_key()
    running = gateway(limited(origin.port, record))
    began = time.time()
    answers = [call(running, secret) for _ in range(5)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429, 429]
    assert [answer.value("x-ratelimit-limit") for answer in answers] == ["3"] * 5
    assert [answer.value("x-ratelimit-remaining") for answer in answers] == ["2", "1", "0", "0", "0"]
    (reset,) = {int(answer.value("x-ratelimit-reset")) for answer in answers}
    assert began + 3600 <= reset <= time.time() + 3601
    for answer in answers[3:]:
        wait = int(answer.value("retry-after"))
        assert problem(answer)["retry_after"] == wait <= 3600
        assert abs(reset - time.time() - wait) <= 1.5
    assert len(origin.requests) == 3


def test_the_next_request_after_the_end_opens_the_next_window(gateway: Start, upstream: Origin) -> None:
    secret, record = api_key()
    running = gateway(limited(upstream().port, record, limits={"fair": HOUR | {"requests": 2, "per": "1500ms"}}))
    windows: list[list[int]] = []
    deadline = time.monotonic() + 30
    while len(windows) < 4 and time.monotonic() < deadline:
        answer = call(running, secret)
        if answer.status == 200:
            if answer.value("x-ratelimit-remaining") == "1":
                windows.append([])
            windows[-1].append(int(answer.value("x-ratelimit-remaining")))
        else:
            assert 1 <= int(answer.value("retry-after")) <= 2
            time.sleep(0.05)
    # Never more than two in a window, and no window begins before the one before it is over.
    assert windows[:3] == [[1, 0]] * 3


def test_a_wait_that_was_told_is_long_enough(gateway: Start, upstream: Origin) -> None:
    secret, record = api_key()
    running = gateway(limited(upstream().port, record, limits={"fair": HOUR | {"requests": 1, "per": "1s"}}))
    assert call(running, secret).status == 200
    refused = call(running, secret)
    if refused.status == 429:
        time.sleep(int(refused.value("retry-after")))
        assert call(running, secret).status == 200


@pytest.mark.parametrize("style", [{"headers": ["x"], "reset": "delta"}, {"headers": ["ietf"]}], ids=str)
def test_dialects(gateway: Start, upstream: Origin, style: Json) -> None:
    secret, record = api_key()
    running = gateway(limited(upstream().port, record, limits={"fair": HOUR | {"requests": 1}}, rate_headers=style))
    passed, refused = call(running, secret), call(running, secret)
    assert (passed.status, refused.status) == (200, 429)
    wait = refused.value("retry-after")
    assert 3590 < int(wait) <= 3600
    if "ietf" in style["headers"]:
        assert passed.value("ratelimit-policy") == refused.value("ratelimit-policy") == '"fair";q=1;w=3600'
        assert passed.value("ratelimit").startswith('"fair";r=0;t=36') or passed.value("ratelimit").startswith('"fair";r=0;t=35')
        assert refused.value("ratelimit") == f'"fair";r=0;t={wait}'
    else:
        assert refused.value("x-ratelimit-reset") == wait
        assert int(passed.value("x-ratelimit-reset")) <= 3600


def test_what_is_refused_before_the_limit_opens_no_window(gateway: Start, upstream: Origin) -> None:
    secret, record = api_key()
    limits = {"fair": HOUR | {"per": "2s"}}
    running = gateway(limited(upstream().port, record, limits=limits, route={"authorize": {"deny_ips": ["127.0.0.9/32"]}}))
    forbidden = call(running, secret, source="127.0.0.9")
    assert forbidden.status == 403 and forbidden.value("x-ratelimit-remaining") == "3"
    answers = [call(running, secret) for _ in range(2)]
    assert [answer.value("x-ratelimit-remaining") for answer in answers] == ["2", "1"]
    told = call(running, secret, source="127.0.0.9")
    assert told.status == 403 and told.value("x-ratelimit-remaining") == "1"
    assert told.value("x-ratelimit-reset") == answers[0].value("x-ratelimit-reset")


def test_a_window_and_a_bucket_count_all_or_none(gateway: Start, upstream: Origin) -> None:
    secret, record = api_key()
    limits = {"bucket": SLOW | {"burst": 2, "by": "address"}, "window": HOUR | {"requests": 3, "by": "identity"}}
    running = gateway(limited(upstream().port, record, limits=limits, rate_headers={"headers": ["x", "ietf"]}))
    first = [call(running, secret) for _ in range(4)]
    assert [answer.status for answer in first] == [200, 200, 429, 429]
    assert all(answer.value("x-ratelimit-limit") == "2" for answer in first)
    second = [call(running, secret, source="127.0.0.2") for _ in range(2)]
    assert [answer.status for answer in second] == [200, 429]
    # The window is the scarcest now, and what it refused took nothing from the address's bucket.
    assert second[1].value("x-ratelimit-limit") == "3" and '"bucket";r=1;' in second[1].value("ratelimit")


def test_by_a_list_and_a_keys_own(gateway: Start, upstream: Origin) -> None:
    plain, one = api_key("plain")
    golden, two = api_key("golden", limits=["gold"])
    limits = {"fair": HOUR | {"requests": 2, "by": ["identity", "address"]}, "gold": HOUR | {"requests": 4, "by": "key"}}
    running = gateway(limited(upstream().port, one, two, limits=limits, route={"limits": ["fair"]}))
    for source in ("127.0.0.1", "127.0.0.2"):
        assert [call(running, plain, source=source).status for _ in range(3)] == [200, 200, 429]
    sources = itertools.cycle(["127.0.0.1", "127.0.0.2"])
    assert [call(running, golden, source=next(sources)).status for _ in range(5)] == [200] * 4 + [429]


@pytest.mark.clients("h1")
@pytest.mark.parametrize("loops", [1, 4])
def test_exactly_the_requests_of_the_window(gateway: Start, upstream: Origin, loops: int) -> None:
    """256 connections at once, over all event loops, within one window."""
    origin = upstream()
    secret, record = api_key()
    limits = {"hard": {"kind": "window", "requests": 777, "per": "10m"}}
    running = gateway(limited(origin.port, record, limits=limits, loops=loops, access_log="off"))
    seen = load.run(running.url + "/x", 2, 256, "-H", f"X-API-Key: {secret}")
    assert seen.errors == 0, seen.text
    assert seen.refused > 0
    assert len(origin.requests) == 777


def test_a_reload_keeps_the_window(gateway: Start, upstream: Origin) -> None:
    secret, record = api_key()
    config = limited(upstream().port, record)
    running = gateway(config)
    reset = {call(running, secret).value("x-ratelimit-reset") for _ in range(2)}

    def replace(limit: Json) -> None:
        config["limits"]["fair"] = limit
        mark = len(running.lines)
        running.replace(config)
        running.wait_for_line("reloaded", after=mark)

    replace(HOUR | {"requests": 10})
    answer = call(running, secret)
    assert answer.value("x-ratelimit-remaining") == "7" and {answer.value("x-ratelimit-reset")} == reset
    # Fewer than were used already: none is left. A shorter window ends sooner, with its count.
    replace(HOUR | {"requests": 2, "per": "1m"})
    answer = call(running, secret)
    assert answer.status == 429 and int(answer.value("retry-after")) <= 60
    # Another kind begins anew.
    replace({"requests": 2, "per": "1m"})
    assert call(running, secret).status == 200


def test_it_is_tried(gateway: Start, upstream: Origin) -> None:
    secret, record = api_key()
    config = limited(upstream().port, record, limits={"fair": HOUR | {"mode": "shadow"}}, route={"name": "api"})
    running = gateway(config)
    answers = [call(running, secret) for _ in range(5)]
    assert {answer.status for answer in answers} == {200} and "x-ratelimit-limit" not in answers[0].names()
    labels = {"route": "api", "rule": "limits.fair", "reason": "rate_limited"}
    assert running.metric("portcullis_shadow_refusals_total", **labels) == 2
    enforced = copy.deepcopy(config)
    enforced["limits"]["fair"]["mode"] = "enforce"
    running.replace(enforced)
    until(lambda: call(running, secret).status == 429, what="the limit to bite")


def test_a_policys_own_tests_count_windows(tmp_path: Path) -> None:
    _, record = api_key()
    request = {"request": "GET /x", "key": {"id": "ci"}}
    tests = [
        request | {"name": "three pass", "repeat": 3, "expect": {"allowed": True}},
        request | {"name": "the fourth does not", "repeat": 4, "expect": {"status": 429, "reason": "rate_limited"}},
    ]
    for repeat, code in ((3, 0), (4, 1)):
        tests[0]["repeat"] = repeat
        (tmp_path / "gateway.json").write_text(json.dumps(limited(9, record, tests=tests)))
        assert run_portcullis("test", "--config", "gateway.json", folder=tmp_path).returncode == code


def test_operators_see_who_is_near_the_end_of_a_window(gateway: Start, upstream: Origin) -> None:
    secret, record = api_key()
    running = gateway(limited(upstream().port, record, limits={"fair": HOUR | {"requests": 10}}))
    for _ in range(9):
        call(running, secret)

    def scarce() -> list[Json]:
        return json.loads(running.admin("/status"))["scarce_buckets"]

    until(lambda: len(scarce()) == 1, what="the window to be listed")
    (shown,) = scarce()
    assert 3500 < shown.pop("reset_seconds") <= 3601
    assert shown == {"limit": "fair", "kind": "window", "credential": "ci", "remaining": 1, "burst": 10}
    assert running.metric("portcullis_buckets") == 1


def test_a_full_table_forgets_what_loses_least(gateway: Start, upstream: Origin) -> None:
    """1,024 addresses have a window; one that is new takes the place of another, and a window that is used up stays."""
    config = policy(
        upstream().port,
        limits={"few": HOUR | {"requests": 2, "by": "address"}},
        routes=[open_route(limits=["few"])],
        trusted_proxies=["127.0.0.1"],
        bounds={"buckets": 1024},
        access_log="off",
    )
    running = gateway(config)

    def status(number: int) -> int:
        return ask(running.port, fields=[f"X-Forwarded-For: 10.0.{number // 256}.{number % 256}"]).status

    def fill(first: int) -> None:
        for number in range(first, 1024, 4):
            assert status(number) == 200

    assert [status(0) for _ in range(3)] == [200, 200, 429]
    threads = [threading.Thread(target=fill, args=(first,)) for first in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [status(2000 + number) for number in range(50)] == [200] * 50
    assert status(0) == 429
    assert running.metric("portcullis_buckets_evicted_total") >= 50
    assert sum("bounds.buckets" in line for line in running.lines) == 1
